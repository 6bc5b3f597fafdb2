import type { ServerHttp2Session } from "node:http2";
import { describe, expect, it } from "vitest";
import { createWindows, windowOf } from "../../src/server/windows.js";

const KiB = 2 ** 10;
const MiB = 2 ** 20;

/** A session of which only the window is looked at. */
function fakeSession() {
  const windows: number[] = [];
  let close = (): void => undefined;
  const session = {
    destroyed: false,
    setLocalWindowSize: (bytes: number) => void windows.push(bytes),
    once: (_event: string, listener: () => void) => {
      close = listener;
    },
  };
  return {
    session: session as unknown as ServerHttp2Session,
    windows,
    close: () => close(),
    destroy: () => void Object.assign(session, { destroyed: true }),
  };
}

it.each([
  [128 * MiB, 1, 16 * MiB],
  [128 * MiB, 8, 16 * MiB],
  [128 * MiB, 9, 8 * MiB],
  [128 * MiB, 100, 1 * MiB],
  [128 * MiB, 512, 256 * KiB],
  [128 * MiB, 100_000, 256 * KiB],
  [1 * MiB, 1, 1 * MiB],
  [1 * MiB, 3, 256 * KiB],
  [100 * MiB, 9, 8 * MiB],
])("of %i bytes %i connections get a window of %i each (P10)", (budget, connections, bytes) => {
  expect(windowOf(budget, connections)).toBe(bytes);
});

describe("the windows of connections", () => {
  it("shrink for all when more come, grow for all when they go, and rest in between", () => {
    const windows = createWindows(128 * MiB);
    const all = Array.from({ length: 16 }, fakeSession);
    for (const { session } of all) windows.add(session);
    expect(all[0]!.windows).toEqual([16 * MiB, 8 * MiB]);
    expect(all[15]!.windows).toEqual([8 * MiB]);
    for (const { close } of all.slice(8)) close();
    expect(all[0]!.windows).toEqual([16 * MiB, 8 * MiB, 16 * MiB]);
    expect(all[15]!.windows).toEqual([8 * MiB]);
  });

  it("are left alone where a connection has been destroyed and has not said so yet", () => {
    const windows = createWindows(128 * MiB);
    const all = Array.from({ length: 8 }, fakeSession);
    for (const { session } of all) windows.add(session);
    all[0]!.destroy();
    windows.add(fakeSession().session);
    expect([all[0]!.windows, all[1]!.windows]).toEqual([[16 * MiB], [16 * MiB, 8 * MiB]]);
  });
});
