/**
 * Room that readers share (bytes). Who finds none waits for it, in order of arrival; the first in line gets it in any
 * case, one reader at a time, so that readers that hold a part each never wait for each other for good.
 */
export interface SharedRoom {
  enter(): RoomShare;
}

export interface RoomShare {
  /** Throws the reason of the signal when that aborts before there is room. */
  take(bytes: number, signal: AbortSignal): Promise<void>;
  /** Gives back all that was taken. */
  leave(): void;
}

interface Waiter {
  readonly share: RoomShare;
  readonly bytes: number;
  readonly admit: () => void;
}

export function createSharedRoom(maxBytes: number): SharedRoom {
  let heldBytes = 0;
  /** May hold more than there is room for. */
  let first: RoomShare | undefined;
  let line: readonly Waiter[] = [];

  function mayTake(share: RoomShare, bytes: number): boolean {
    if (heldBytes + bytes <= maxBytes) return true;
    first ??= share;
    return first === share;
  }

  function letIn(): void {
    for (let next = line[0]; next !== undefined && mayTake(next.share, next.bytes); next = line[0]) {
      line = line.slice(1);
      next.admit();
    }
  }

  return {
    enter() {
      let own = 0;
      const hold = (bytes: number) => {
        own += bytes;
        heldBytes += bytes;
      };
      const share: RoomShare = {
        async take(bytes, signal) {
          signal.throwIfAborted();
          if ((line.length === 0 || first === share) && mayTake(share, bytes)) return hold(bytes);
          await new Promise<void>((resolve, reject) => {
            const onAbort = () => {
              line = line.filter((other) => other !== waiter);
              reject(signal.reason);
              letIn();
            };
            const waiter: Waiter = {
              share,
              bytes,
              admit() {
                signal.removeEventListener("abort", onAbort);
                hold(bytes);
                resolve();
              },
            };
            signal.addEventListener("abort", onAbort, { once: true });
            line = [...line, waiter];
          });
        },
        leave() {
          heldBytes -= own;
          own = 0;
          if (first === share) first = undefined;
          letIn();
        },
      };
      return share;
    },
  };
}
