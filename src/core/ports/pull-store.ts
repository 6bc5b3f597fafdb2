import type { FileRef } from "./transfer-store.js";

/**
 * The part of the metadata port that hands out fetching: every file that has a `pull` waits here from when it is due,
 * and whoever leases it is alone with it until the lease ends. A lease only saves work; what keeps two from writing one
 * file is the seat (P7).
 */
export interface PullStore {
  /**
   * Leases the pull that has been due the longest, of sessions that run; none of these tenants'. With none due, how
   * long until one is, if any.
   */
  leasePull(options: {
    readonly leaseMs: number;
    readonly exceptTenants: readonly string[];
  }): Promise<{ readonly pull: LeasedPull } | { readonly pull: undefined; readonly nextMs: number | undefined }>;

  /** Makes these leases last `leaseMs` from now; answers the ids of the files whose lease is still held. */
  renewPulls(pulls: readonly LeasedPull[], leaseMs: number): Promise<readonly string[]>;

  /** Gives the leases up that are still held: each pull is due when its file says. */
  returnPulls(pulls: readonly LeasedPull[]): Promise<void>;

  /**
   * Ends every lease, and makes every removal due: for a start, when those who held them have died. Answers how many
   * pulls there were.
   */
  returnAllPulls(): Promise<number>;

  /**
   * Puts the deadlines of sessions off that have files to fetch and would end soon: to wait for their turn, or for a
   * source, is no idleness of theirs. At most `limit` of them; those that another deed has locked are passed over.
   * Answers how many.
   */
  keepPullingAlive(limit: number): Promise<number>;

  /** Sessions that are completing, in time, and have nothing left to wait for: at most `limit`, or the one that is named. */
  listSettleable(options: { readonly sessionId?: string; readonly limit: number }): Promise<readonly PullSession[]>;

  /**
   * Originals that are to be removed and are due, at most `limit`, the longest due first. Each is due again after a
   * minute, twice as long each time, at most a day: so that whoever takes it and dies is no loss, and one that cannot be
   * removed costs little.
   */
  takeRemovals(limit: number): Promise<readonly OriginalRemoval[]>;

  /** Forgets one that was seen to. One that is not there is passed over. */
  dropRemoval(id: string): Promise<void>;
}

/** The original of content that was taken over: written in the step that ended its session. */
export interface OriginalRemoval {
  readonly id: string;
  readonly uri: string;
  readonly validator: string;
}

export interface LeasedPull extends FileRef {
  /** Grows by one with each lease of this pull. */
  readonly lease: number;
}

type PullSession = Pick<FileRef, "tenantId" | "sessionId">;
