import type { SessionState } from "../session-state.js";

/** What content belongs to: a session's file, or a blob. */
export type ContentKind = "file" | "blob";

/**
 * Port: whoever counts what happens. Each method is a fact that is told once it is one. None may throw, and none is
 * waited for; those about bytes are told chunk by chunk, so they must cost next to nothing.
 */
export interface Observer {
  /** Content came in from a client, whatever becomes of it. */
  received(kind: ContentKind, bytes: number): void;
  /** Of what came in, this was stored already: the client sent it again. */
  resent(bytes: number): void;
  /** Content went out to a client. */
  sent(bytes: number): void;
  /** What one part or blob brought is durable and committed: how long that took after its last byte had come. */
  appended(kind: ContentKind, seconds: number): void;
  /** A newcomer took over from a writer that was still at it (P7). */
  handedOver(writer: { readonly sessionId: string; readonly fileId: string }): void;
  /** Content was not what its checksum says, and was refused (P6). */
  checksumFailed(kind: ContentKind): void;
  /** A blob is there: stored now (`applied`), or found to be there already. */
  blobPut(applied: boolean): void;
  sessionCreated(): void;
  /** For good, by whatever way. `reason`: why one failed. */
  sessionEnded(state: SessionState, reason: string | undefined): void;
  /** A session's completion was asked for and is committed, or had been: how long it took. */
  completed(seconds: number): void;
}

/** For those who are not interested. */
export const silentObserver: Observer = {
  received: () => undefined,
  resent: () => undefined,
  sent: () => undefined,
  appended: () => undefined,
  handedOver: () => undefined,
  checksumFailed: () => undefined,
  blobPut: () => undefined,
  sessionCreated: () => undefined,
  sessionEnded: () => undefined,
  completed: () => undefined,
};
