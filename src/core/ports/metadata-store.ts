import type { Content, Extent } from "../attempt.js";
import type { BlobKey } from "../blob.js";
import type { Item } from "../catalog.js";
import type { NewEvent, SessionHistoryEvent } from "../event.js";
import type { SessionFile } from "../file.js";
import type { Page, PageQuery, Position } from "../paging.js";
import type { Predicate } from "../predicate.js";
import type { DialectRecord, RecordChange } from "../record.js";
import type { Session } from "../session.js";
import type { Attributes } from "../values.js";
import type { BlobIndex } from "./blob-index.js";
import type { CatalogStore } from "./catalog-store.js";
import type { CheckStore } from "./check-store.js";
import type { IdentityStore } from "./identity-store.js";
import type { OriginalRemoval, PullStore } from "./pull-store.js";
import type { TransferStore } from "./transfer-store.js";

/**
 * Port: everything the service knows but the bytes. Each method is one deed and one transaction: it happens whole and
 * is durable when the promise resolves, or nothing of it happens. Decisions are handed in as pure functions that get
 * what was locked and the transaction's own time (never a replica's clock); they may run more than once, and what they
 * throw comes out unchanged after a rollback. Every method may throw `unavailable` (DATABASE_UNAVAILABLE) when the
 * database cannot be asked; whether a deed happened is then unknown, and repeating it is safe.
 */
export interface MetadataStore extends TransferStore, PullStore, CatalogStore, BlobIndex, IdentityStore, CheckStore {
  /** The id of the blob store that this database is tied to, if it is. */
  findStore(): Promise<string | undefined>;

  /**
   * Ties this database to the blob store with this id, the first time; afterwards answers the id it is tied to, which
   * may be another one.
   */
  bindStore(storeId: string): Promise<string>;

  /** Resolves when the database answers. */
  checkHealth(): Promise<void>;

  // --- sessions ---

  /**
   * Creates the session that `build` returns, with its files if it has any. With a target item, the item's row is locked and `build` sees it and the
   * item's sessions that are active or completing, so of two that exclude each other only one comes to be. With a
   * client token that its user gave before, `build` is not asked: the first session is answered with `applied: false`;
   * `conflict` (CLIENT_TOKEN_REUSED) when the fingerprint is another. `not_found` for an unknown item, and for a token
   * whose session is gone.
   */
  createSession(input: SessionCreation): Promise<{ readonly session: Session; readonly applied: boolean }>;

  /**
   * Creates a session that is over when it begins: with one file, whose content is whole, and what its completion does
   * to the item, all in one transaction. Item and client token are dealt with as by `createSession`.
   */
  putFile(
    input: FilePut,
  ): Promise<{ readonly session: Session; readonly file: SessionFile; readonly applied: boolean }>;

  /** Throws `not_found`. */
  getSession(ref: SessionRef): Promise<Session>;

  /** Newest first. */
  listSessions(tenantId: string, predicate: Predicate<SessionField>, page: PageQuery): Promise<Page<Session>>;

  /** With all its files, in the order in which they were added, as of one moment. Throws `not_found`. */
  viewSession(ref: SessionRef): Promise<SessionView>;

  /**
   * A stretch of the list of sessions that `predicate` holds for, each with all its files, all of it as of one moment.
   * No session is begun once those before it have `fileLimit` files together: the stretch ends there, before `limit`.
   */
  listSessionViews(
    tenantId: string,
    predicate: Predicate<SessionField>,
    window: SessionWindow,
  ): Promise<readonly SessionView[]>;

  /** Exactly how many there are that `predicate` holds for. */
  countSessions(tenantId: string, predicate: Predicate<SessionField>): Promise<number>;

  /**
   * Locks the session against every other deed on it and its files, then applies what `change` returns; undefined
   * changes nothing. Throws `not_found`.
   */
  updateSession(
    ref: SessionRef,
    change: (session: Session, now: Date) => SessionChange | undefined,
  ): Promise<{ readonly session: Session; readonly applied: boolean }>;

  /**
   * The same lock, and the target item's row too if there is one: `decide` sees the session, all its files and the
   * item's files, and what it returns happens together (P5).
   */
  completeSession(
    ref: SessionRef,
    decide: (view: CompletionView, now: Date) => Completion | undefined,
  ): Promise<{ readonly session: Session; readonly applied: boolean }>;

  /**
   * Removes the session's row with its files, history and content that nothing else names, once `check` lets it pass.
   * Throws `not_found`.
   */
  deleteSession(ref: SessionRef, check: (session: Session, now: Date) => void): Promise<void>;

  /** The history after event number `after`, in order. Throws `not_found`. */
  listEvents(ref: SessionRef, after: number, limit: number): Promise<readonly SessionHistoryEvent[]>;

  /** The session's running attempts that have bytes, the first `limit` by file id; none when the session is gone. */
  listProgress(ref: SessionRef, limit: number): Promise<readonly FileProgress[]>;

  /**
   * How many sessions of all tenants run. Exact up to a hundred thousand; of more it is the database's own estimate, so
   * that the question stays cheap.
   */
  countOpenSessions(): Promise<number>;

  // --- records ---

  findRecord(tenantId: string, namespace: string, key: string): Promise<DialectRecord | undefined>;

  /** All changes together, or none: throws `conflict` (RECORD_CHANGED) when one expects another version. */
  changeRecords(tenantId: string, changes: readonly RecordChange[]): Promise<void>;

  /** By key, those that begin with `prefix` and come after `afterKey`. Expired ones are not there. */
  listRecords(
    tenantId: string,
    namespace: string,
    options: { readonly prefix: string; readonly afterKey?: string; readonly limit: number },
  ): Promise<readonly DialectRecord[]>;

  // --- sweeping: each handles at most `limit` things, in short transactions, passing over what others have locked ---

  /** Sessions that run and whose deadline has passed. */
  listOverdueSessions(limit: number): Promise<readonly SessionRef[]>;
  /** Removes ended sessions whose time to be remembered is over; answers how many. */
  deleteForgottenSessions(limit: number): Promise<number>;
  /** Removes the rows of content that was let go and that nothing names any more; answers how many it looked at. */
  deleteReleasedContent(limit: number): Promise<number>;
  /** Removes expired records, client tokens and access tokens; answers how many. */
  deleteExpiredRecords(limit: number): Promise<number>;
  /** Which of these keys a row names. */
  findReferencedKeys(keys: readonly BlobKey[]): Promise<ReadonlySet<BlobKey>>;

  /** Waits for what is under way, then lets go of the database. */
  close(): Promise<void>;
}

export interface SessionRef {
  readonly tenantId: string;
  readonly sessionId: string;
}

export interface SessionView {
  readonly session: Session;
  readonly files: readonly SessionFile[];
}

/** In which order of their creation sessions are listed. */
export type SessionOrder = "newest" | "oldest";

export interface SessionWindow {
  readonly order: SessionOrder;
  /** How many to pass over, counted from `after` where it is given. */
  readonly offset: number;
  readonly limit: number;
  readonly after?: Position | undefined;
  /** How many files the sessions have together before no further one is begun, at least 1. */
  readonly fileLimit: number;
}

/** How many bytes of a file that is under way are committed. */
export interface FileProgress {
  readonly fileId: string;
  readonly offset: number;
}

export type SessionField =
  | "id"
  | "state"
  | "ownerId"
  | "visibility"
  | "origin"
  | "label"
  | "itemId"
  | "createdAt"
  | "modifiedAt";

export interface SessionCreation {
  readonly tenantId: string;
  readonly ownerId: string;
  readonly itemId: string | undefined;
  readonly clientToken?: { readonly operation: string; readonly token: string; readonly fingerprint: string };
  readonly build: (view: {
    readonly now: Date;
    readonly item: Item | undefined;
    readonly open: readonly Session[];
  }) => SessionChange & { readonly files?: readonly SessionFile[] };
}

/** A session as it shall be, and what goes with it in the same transaction. */
export interface SessionChange {
  readonly session: Session;
  readonly events: readonly NewEvent[];
  readonly records?: readonly RecordChange[];
  /**
   * True lets go of all content of the session's files (P5: a cancelled, failed or expired session leaves no trace).
   */
  readonly releaseContent?: boolean;
}

export interface FilePut extends Omit<SessionCreation, "build"> {
  /** Where the content's bytes are; undefined when it has none. */
  readonly extent: Extent | undefined;
  readonly build: (view: {
    readonly now: Date;
    readonly item: Item | undefined;
    readonly open: readonly Session[];
    readonly itemFiles: readonly ItemFileRef[];
  }) => Omit<Completion, "records" | "releaseContent"> & { readonly file: SessionFile & { readonly current: Content } };
}

export interface CompletionView {
  readonly session: Session;
  readonly files: readonly SessionFile[];
  readonly item: Item | undefined;
  readonly itemFiles: readonly ItemFileRef[];
}

/** What completion needs to know of a file that the item has. */
export interface ItemFileRef {
  readonly name: string;
  readonly version: number;
}

export interface Completion extends SessionChange {
  /** What files of the session have for attributes from now on, before they are applied. */
  readonly files?: readonly { readonly id: string; readonly attributes: Attributes }[];
  /** Originals to be removed from now on: see `takeRemovals`. */
  readonly removals?: readonly Omit<OriginalRemoval, "id">[];
  /** Undefined leaves the item's content as it is. */
  readonly apply?: {
    readonly contentVersion: number;
    /** Files whose `current` content becomes the item file's next content. */
    readonly put: readonly { readonly file: SessionFile; readonly version: number }[];
    readonly remove: readonly string[];
  };
}
