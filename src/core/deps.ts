import type { BlobCommitter } from "./blob-committer.js";
import type { BufferBudget } from "./buffer-budget.js";
import type { HashCache } from "./hash-cache.js";
import type { Limits } from "./limits.js";
import type { UntoldEnd } from "./operations/fail-broken-attempts.js";
import type { BlobStore } from "./ports/blob-store.js";
import type { Clock } from "./ports/clock.js";
import type { MetadataStore } from "./ports/metadata-store.js";
import type { Observer } from "./ports/observer.js";
import type { SourceProber } from "./ports/source-prober.js";
import type { ProbeTurns } from "./probe-turns.js";
import type { SessionNews } from "./session-news.js";
import type { Settlers } from "./settle-attempt.js";
import type { WriterSeats } from "./writer-seats.js";

/** What every operation works with: the ports, the limits, and the little that is kept in memory. */
export interface CoreDeps {
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly observer: Observer;
  readonly seats: WriterSeats;
  readonly hashes: HashCache;
  readonly budget: BufferBudget;
  readonly news: SessionNews;
  readonly committer: BlobCommitter;
  /** Ends of attempts that could not be told when they came, by attempt. */
  readonly untold: Map<string, UntoldEnd>;
  readonly settlers: Settlers;
  /** Told when a file waits to be fetched. */
  readonly pulls: { wake(): void };
  readonly prober?: SourceProber | undefined;
  readonly probes: ProbeTurns;
}
