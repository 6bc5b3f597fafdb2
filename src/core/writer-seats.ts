import { UploadError } from "./error.js";
import { type Observer, silentObserver } from "./ports/observer.js";

/**
 * Who writes which file in this process. The epoch in the metadata store decides; the seats only tell a writer at once
 * that it has lost (P7).
 */
export interface WriterSeats {
  /**
   * Seats a writer whose claim has been committed. The former one of the file is told; a writer that a newer claim has
   * overtaken already is told itself.
   */
  take(claim: { readonly sessionId: string; readonly fileId: string; readonly epoch: EpochMark }): Seat;
  /** Tells the writer of a file, or of all files of a session, that nothing more of it will be committed. */
  evictFile(fileId: string): void;
  evictSession(sessionId: string): void;
}

/** Orders the claims on one file: by attempt, then by epoch. */
export interface EpochMark {
  readonly attemptNumber: number;
  readonly epoch: number;
}

export interface Seat {
  /** Aborts, with `superseded` as its reason, when the seat is lost. */
  readonly signal: AbortSignal;
  leave(): void;
}

/** `observer` is told when a writer takes over from one that has not left. */
export function createWriterSeats(observer: Pick<Observer, "handedOver"> = silentObserver): WriterSeats {
  const seated = new Map<string, { sessionId: string; epoch: EpochMark; controller: AbortController }>();

  function evictFile(fileId: string): void {
    const writer = seated.get(fileId);
    seated.delete(fileId);
    writer?.controller.abort(superseded());
  }

  return {
    take({ sessionId, fileId, epoch }) {
      const controller = new AbortController();
      const former = seated.get(fileId);
      if (former !== undefined) observer.handedOver({ sessionId, fileId });
      if (former !== undefined && isNewer(former.epoch, epoch)) {
        controller.abort(superseded());
        return { signal: controller.signal, leave: () => undefined };
      }
      evictFile(fileId);
      const entry = { sessionId, epoch, controller };
      seated.set(fileId, entry);
      return {
        signal: controller.signal,
        leave() {
          if (seated.get(fileId) === entry) seated.delete(fileId);
        },
      };
    },
    evictFile,
    evictSession(sessionId) {
      for (const [fileId, writer] of seated) if (writer.sessionId === sessionId) evictFile(fileId);
    },
  };
}

export function superseded(): UploadError {
  return new UploadError("superseded", "a newer writer, or the end of the session, took over this file", {
    reason: "WRITER_SUPERSEDED",
  });
}

function isNewer(a: EpochMark, b: EpochMark): boolean {
  return a.attemptNumber !== b.attemptNumber ? a.attemptNumber > b.attemptNumber : a.epoch > b.epoch;
}
