import { isUploadError } from "../../../core/index.js";
import type { VsphereCall } from "../call.js";
import { untoldMsOf } from "../session-rules.js";
import type { DownloadDeadlines } from "./download-session.js";
import type { PreparedFile, PreparedFiles } from "./prepared-files.js";
import type { SessionStore } from "./session-store.js";

/** Where the bytes of one answer come from, and whose they are. */
export interface Transfer {
  readonly sessionId: string;
  readonly file: PreparedFile;
  /** Which byte of the file comes first. */
  readonly from: number;
  readonly call: VsphereCall;
}

/** What this process sends of prepared files at the moment. */
export interface Transfers {
  /** How many bytes from the beginning of this content were sent, as far as is known here. */
  sentBytesOf(sessionId: string, contentId: string): number;
  /**
   * The same bytes, which count as activity of the session, and end with an `AbortError` when it is over: that is
   * somebody's wish and no fault. How far they came is taken down when they end, whatever ends them.
   */
  follow(transfer: Transfer, bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** The session is over. */
  end(sessionId: string): void;
}

/** What is sent of one content, by however many answers. */
interface Sending {
  sentBytes: number;
  answers: number;
}

export function createTransfers(deps: {
  readonly sessions: Pick<SessionStore, "see">;
  readonly files: Pick<PreparedFiles, "noteSent">;
  readonly deadlines: DownloadDeadlines;
  readonly now: () => Date;
  /** Told what could not be taken down. */
  readonly onError: (error: unknown) => void;
}): Transfers {
  const { sessions, files, deadlines, now, onError } = deps;
  const sendings = new Map<string, Sending>();
  const underWay = new Map<string, Set<() => void>>();
  const keyOf = (sessionId: string, contentId: string) => `${sessionId}/${contentId}`;

  function enter({ sessionId, file }: Transfer, stop: () => void): Sending {
    const key = keyOf(sessionId, file.contentId);
    const sending = sendings.get(key) ?? { sentBytes: file.sentBytes, answers: 0 };
    sending.answers++;
    sendings.set(key, sending);
    const stops = underWay.get(sessionId) ?? new Set();
    underWay.set(sessionId, stops.add(stop));
    return sending;
  }
  /** What was sent is known here until it is taken down. */
  async function leave({ sessionId, file, call }: Transfer, sending: Sending, stop: () => void): Promise<void> {
    const stops = underWay.get(sessionId);
    stops?.delete(stop);
    if (stops?.size === 0) underWay.delete(sessionId);
    const { name, contentId } = file;
    try {
      await files.noteSent(sessionId, { name, contentId, sentBytes: sending.sentBytes }, call);
    } catch (error) {
      onError(error);
    }
    sending.answers--;
    if (sending.answers === 0) sendings.delete(keyOf(sessionId, contentId));
  }

  return {
    sentBytesOf: (sessionId, contentId) => sendings.get(keyOf(sessionId, contentId))?.sentBytes ?? 0,

    follow: (transfer, bytes) => ({
      [Symbol.asyncIterator]() {
        const steps = bytes[Symbol.asyncIterator]();
        const { sessionId, call } = transfer;
        let over = false;
        const stop = () => {
          over = true;
        };
        const sending = enter(transfer, stop);
        let left = false;
        let at = transfer.from;
        let toldAt = now().getTime();

        function finish(): void {
          if (left) return;
          left = true;
          void leave(transfer, sending, stop);
        }
        const end = async () => {
          finish();
          await steps.return?.();
          return { done: true, value: undefined } as const;
        };
        function count(length: number): void {
          // What lies behind a gap does not count: nobody could tell by one number that it was sent.
          if (at <= sending.sentBytes) sending.sentBytes = Math.max(sending.sentBytes, at + length);
          at += length;
          if (now().getTime() - toldAt < untoldMsOf(deadlines.idleTtlMs)) return;
          toldAt = now().getTime();
          sessions.see(sessionId, call).then(
            ({ state }) => {
              if (state !== "ACTIVE") stop();
            },
            (error: unknown) => (isUploadError(error, "not_found") ? stop() : onError(error)),
          );
        }
        return {
          async next() {
            try {
              if (over) throw new DOMException("the download session is over", "AbortError");
              const step = await steps.next();
              if (step.done === true) finish();
              else count(step.value.length);
              return step;
            } catch (error) {
              await end();
              throw error;
            }
          },
          return: end,
        };
      },
    }),

    end(sessionId) {
      for (const stop of underWay.get(sessionId) ?? []) stop();
    },
  };
}
