import type { Attempt, Content, Extent } from "../attempt.js";
import type { NewEvent } from "../event.js";
import type { SessionFile } from "../file.js";
import type { FileState } from "../file-state.js";
import type { Page, PageQuery } from "../paging.js";
import type { Pull } from "../pull.js";
import type { Session } from "../session.js";
import type { SessionRef } from "./metadata-store.js";

/**
 * The part of the metadata port that moves files: what a session's files are, who may write one, and what of it is
 * stored.
 */
export interface TransferStore {
  /** By id or by name, with the time at which it was so. Throws `not_found` for an unknown session or file. */
  getFile(ref: FileRef | NamedFileRef): Promise<FileView & { readonly now: Date }>;

  /** In the order they were added. Throws `not_found`. */
  listFiles(ref: SessionRef, page: PageQuery): Promise<Page<SessionFile>>;

  /**
   * Declares, re-declares or removes one file, found by id or by name. The session's row is locked against other such
   * changes and against the session's own state changes, but not against bytes flowing into its files. Throws
   * `not_found` for an unknown session; an unknown file is for `change` to judge.
   */
  changeFile(
    ref: SessionRef,
    key: { readonly fileId: string } | { readonly name: string },
    change: (view: { readonly session: Session; readonly file: SessionFile | undefined }, now: Date) => FileChange,
  ): Promise<{ readonly session: Session; readonly file: SessionFile | undefined }>;

  /**
   * Takes the writer's seat of a file: the epoch of its running attempt grows by one (`resume`), or a new attempt
   * begins (`restart`, or when none is running), whose epoch is 1 and whose content is empty. From then on nobody who
   * holds an older epoch can commit anything (P7). `none` takes no seat and changes nothing. The session is locked
   * against state changes meanwhile, and kept alive. Throws `not_found`.
   */
  claimWriter(ref: FileRef, decide: (view: FileView, now: Date) => WriterClaim): Promise<ClaimedFile>;

  /**
   * Stores how far an attempt has come: the extent of this epoch (made, or grown) and the attempt's offset, which is
   * the extent's end; and the file's size, if it has become known. An extent that ends where the offset already is adds
   * nothing. The session is kept alive, give or take 15 s or a tenth of its idle time, whichever is less. Throws
   * `superseded` when the epoch is not the newest, the attempt not the file's running one or the file gone, `not_found`
   * when the session is gone, and `wrong_state` or `expired` when it does not run any more (or `superseded`, where its
   * content was let go). An extent beyond the offset, or another key for the same epoch, is a `TypeError`.
   */
  commitExtent(commit: ExtentCommit): Promise<void>;

  /**
   * The same checks, then what `decide` makes of how the file's content is fetched. Throws what `commitExtent` throws.
   */
  changePull(
    ref: ExtentCommit["attempt"],
    decide: (view: FileView & { readonly pull: Pull }, now: Date) => PullChange,
  ): Promise<FileView>;

  /**
   * The same checks, then the end of an attempt in one transaction: the last extent if there is one, and what `decide`
   * makes of the file. With an outcome `accepted` the attempt becomes the file's current content and the former one is
   * let go; with `rejected` it is let go itself. With `lockSession` the session's row is locked as `updateSession` does
   * and may be changed too. With `countOthers` the view says in which states the session's other files are; without, it
   * counts none.
   */
  finishAttempt(
    ref: ExtentCommit["attempt"],
    options: { readonly extent: Extent | undefined; readonly lockSession: boolean; readonly countOthers?: boolean },
    decide: (view: AttemptView, now: Date) => AttemptOutcome,
  ): Promise<{ readonly session: Session; readonly file: SessionFile }>;

  /**
   * Files that are `validating` go back to `transferring`: for a start, when whoever validated them has died. Answers
   * how many.
   */
  interruptValidations(): Promise<number>;

  /**
   * The running attempts that cannot be continued, of active sessions, the first `limit` by file id after `afterFileId`:
   * for a start, when whoever sent them has gone.
   */
  listBrokenAttempts(options: {
    readonly afterFileId?: string | undefined;
    readonly limit: number;
  }): Promise<readonly BrokenAttempt[]>;

  /** The extents of content or of an attempt, by offset, each cut to what counts of it. Empty when there are none. */
  listExtents(attemptId: string): Promise<readonly Extent[]>;
}

export interface FileRef extends SessionRef {
  readonly fileId: string;
}

export interface NamedFileRef extends SessionRef {
  readonly name: string;
}

export interface FileView {
  readonly session: Session;
  readonly file: SessionFile;
}

export interface AttemptView extends FileView {
  readonly others: Readonly<Record<FileState, number>>;
}

export interface FileChange {
  /**
   * The file as it shall be (made when its id is new), or undefined to remove it. Its attempts are let go unless it
   * keeps them.
   */
  readonly file: SessionFile | undefined;
  readonly session: Session;
  readonly events: readonly NewEvent[];
}

export type WriterClaim =
  | { readonly seat: "none" }
  | {
      readonly seat: "resume" | "restart";
      readonly file: SessionFile;
      /** What this writer sends cannot be continued once it has broken off; until another writer has taken over. */
      readonly once?: boolean;
    };

export interface ClaimedFile extends FileView {
  /** The seat that was taken; undefined when none was. */
  readonly attempt: Attempt | undefined;
}

export interface ExtentCommit {
  readonly attempt: {
    readonly tenantId: string;
    readonly sessionId: string;
    readonly fileId: string;
    readonly attemptId: string;
    readonly epoch: number;
  };
  readonly extent: Extent | undefined;
  readonly sizeBytes?: number | undefined;
}

/** An attempt that cannot be continued, with the origin of its session. */
export interface BrokenAttempt extends Readonly<ExtentCommit["attempt"]> {
  readonly origin: string;
}

export interface PullChange {
  readonly pull: Pull;
  readonly events: readonly NewEvent[];
}

export interface AttemptOutcome {
  readonly file: SessionFile;
  readonly session?: Session;
  readonly events: readonly NewEvent[];
  readonly accepted: Content | undefined;
  /** Lets go of all content of the session: it failed with this file. */
  readonly releaseContent?: boolean;
}
