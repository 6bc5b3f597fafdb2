import { createBlobCommitter } from "./blob-committer.js";
import { createBufferBudget } from "./buffer-budget.js";
import type { Call } from "./call.js";
import type { CoreDeps } from "./deps.js";
import { createHashCache } from "./hash-cache.js";
import type { Limits } from "./limits.js";
import { listBlobs, publishFile, readBlob, removeBlobs, statBlobs } from "./operations/blobs.js";
import { createCatalogOperations } from "./operations/catalog.js";
import { createCheckStore } from "./operations/check/check-store.js";
import { completeSession, validateSession } from "./operations/complete-session.js";
import { failBrokenAttempts } from "./operations/fail-broken-attempts.js";
import { addFile, findFile, getFile, getUploadStatus, listFiles } from "./operations/files.js";
import { finishFile } from "./operations/finish-file.js";
import { countSessions, listSessionViews, type SessionViewsInput, viewSession } from "./operations/list-views.js";
import { probeSource } from "./operations/probe-source.js";
import { createPuller, type Puller, type PullerOptions } from "./operations/pull/puller.js";
import { putBlob, putBlobs } from "./operations/put-blobs.js";
import { putFile } from "./operations/put-file.js";
import { readFile, readItemFile } from "./operations/read-file.js";
import type { BlobInput } from "./operations/receive-blob.js";
import { createRecordOperations } from "./operations/records.js";
import { refuseFile } from "./operations/refuse-file.js";
import { removeFile, removeItemFile, removeName } from "./operations/remove-files.js";
import {
  cancelSession,
  changeAttributes,
  createSession,
  deleteSession,
  failSession,
  getSession,
  keepSessionAlive,
  listSessionEvents,
  listSessions,
} from "./operations/sessions.js";
import { type SweepOptions, type SweepReport, sweep, sweepRows } from "./operations/sweep.js";
import { watchSession } from "./operations/watch-session.js";
import { writePart } from "./operations/write-part.js";
import type { BlobStore } from "./ports/blob-store.js";
import type { Clock } from "./ports/clock.js";
import type { MetadataStore } from "./ports/metadata-store.js";
import { type Observer, silentObserver } from "./ports/observer.js";
import type { SourceProber } from "./ports/source-prober.js";
import { createProbeTurns } from "./probe-turns.js";
import { createSessionNews, tellNews } from "./session-news.js";
import { tellChecksums, tellSessions } from "./tell-observer.js";
import type { Settlers } from "./settle-attempt.js";
import { createWriterSeats } from "./writer-seats.js";

/**
 * The service: every operation that any face can ask for, as `(input, call)`. What each promises and throws is said
 * where it is defined.
 */
export type Uploads = ReturnType<typeof createUploads>;

export function createUploads(ports: {
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly limits: Limits;
  /** Default: nobody. */
  readonly observer?: Observer;
  /** Default: none. */
  readonly settlers?: Settlers;
  /** Default: none, and probing is nothing to be asked for. */
  readonly prober?: SourceProber;
}) {
  const { observer = silentObserver } = ports;
  const news = createSessionNews(ports.limits);
  let puller: Puller | undefined;
  const deps: CoreDeps = {
    ...ports,
    settlers: ports.settlers ?? {},
    pulls: { wake: () => puller?.wake() },
    observer,
    metadata: tellNews(tellSessions(ports.metadata, observer), news),
    news,
    seats: createWriterSeats(observer),
    hashes: createHashCache(),
    budget: createBufferBudget(ports.limits.maxBufferedBytes),
    committer: createBlobCommitter(ports.metadata),
    untold: new Map(),
    probes: createProbeTurns(ports.limits),
  };
  /** The operation with its first parameter filled in. */
  const on =
    <Input, Result>(operation: (deps: CoreDeps, input: Input, call: Call) => Promise<Result>) =>
    (input: Input, call: Call): Promise<Result> =>
      operation(deps, input, call);

  return {
    limits: ports.limits,

    createSession: on(createSession),
    getSession: on(getSession),
    listSessions: on(listSessions),
    viewSession: on(viewSession),
    countSessions: on(countSessions),
    listSessionViews: (input: SessionViewsInput, call: Call) => listSessionViews(deps, input, call),
    listSessionEvents: on(listSessionEvents),
    keepSessionAlive: on(keepSessionAlive),
    validateSession: on(validateSession),
    completeSession: on(completeSession),
    changeAttributes: on(changeAttributes),
    cancelSession: on(cancelSession),
    failSession: on(failSession),
    deleteSession: on(deleteSession),
    watchSession: (input: Parameters<typeof watchSession>[1], call: Call) => watchSession(deps, input, call),

    addFile: on(addFile),
    getFile: on(getFile),
    findFile: on(findFile),
    listFiles: on(listFiles),
    removeFile: on(removeFile),
    removeItemFile: on(removeItemFile),
    removeName: on(removeName),
    refuseFile: on(refuseFile),
    probeSource: on(probeSource),
    writePart: on(tellChecksums("file", writePart)),
    finishFile: on(tellChecksums("file", finishFile)),
    putFile: on(tellChecksums("file", putFile)),
    getUploadStatus: on(getUploadStatus),
    readFile: on(readFile),
    readItemFile: on(readItemFile),

    statBlobs: on(statBlobs),
    putBlob: on(tellChecksums("blob", putBlob)),
    putBlobs: (input: { readonly blobs: AsyncIterable<BlobInput> }, call: Call) => putBlobs(deps, input, call),
    readBlob: on(readBlob),
    listBlobs: on(listBlobs),
    removeBlobs: on(removeBlobs),
    publishFile: on(publishFile),

    checkStore: createCheckStore(deps),

    ...createCatalogOperations(deps),
    ...createRecordOperations(deps),

    /** Not for callers: fetches what files with a source wait for, one puller for the service. */
    createPuller(options: PullerOptions): Puller {
      puller = createPuller(deps, options);
      return puller;
    },
    /** Not for callers: for a start, before anybody sends anything. */
    failBrokenAttempts: () => failBrokenAttempts(deps),
    /** Not for callers: what all uploads that are under way hold in memory. */
    bufferUse: () => deps.budget.use,
    /** Not for callers: the service's own housekeeping, its quick part and the whole of it. */
    sweepRows: () => sweepRows(deps),
    sweep: (options: SweepOptions): Promise<SweepReport> => sweep(deps, options),
  };
}
