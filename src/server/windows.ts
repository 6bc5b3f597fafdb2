import type { ServerHttp2Session } from "node:http2";

const smallestBytes = 256 * 2 ** 10;
const largestBytes = 16 * 2 ** 20;

/**
 * What clients may send before it is read: one budget, of which every HTTP/2 connection has an equal share. Shares are
 * rounded down to a power of two, so that the comings and goings of connections seldom move all the others' windows.
 */
export function createWindows(budgetBytes: number): { add(session: ServerHttp2Session): void } {
  const sessions = new Set<ServerHttp2Session>();
  let shareBytes = 0;

  function rebalance(): boolean {
    const next = windowOf(budgetBytes, sessions.size);
    if (next === shareBytes) return false;
    shareBytes = next;
    sessions.forEach(resize);
    return true;
  }
  function resize(session: ServerHttp2Session): void {
    // One that is destroyed says a turn later that it is closed, and throws in between.
    if (!session.destroyed) session.setLocalWindowSize(shareBytes);
  }
  return {
    add(session) {
      sessions.add(session);
      session.once("close", () => {
        sessions.delete(session);
        rebalance();
      });
      if (!rebalance()) resize(session);
    },
  };
}

export function windowOf(budgetBytes: number, connections: number): number {
  const share = 2 ** Math.floor(Math.log2(budgetBytes / Math.max(1, connections)));
  return Math.max(smallestBytes, Math.min(largestBytes, share));
}
