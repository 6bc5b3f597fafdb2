import type { Attempt, Extent } from "../attempt.js";
import { assertChecksums, type Checksum, createHasher, type Hasher } from "../checksum.js";
import type { CoreDeps } from "../deps.js";
import { isUploadError, type UploadError } from "../error.js";
import type { Failure } from "../failure.js";
import type { LinkedContent, SessionFile } from "../file.js";
import { moveFile } from "../file-state.js";
import type { AttemptOutcome, BrokenAttempt, ExtentCommit, FileRef, FileView } from "../ports/transfer-store.js";
import { endSession } from "../session.js";
import { superseded } from "../writer-seats.js";
import { endAttempt } from "./end-attempt.js";

/** Content of which every byte is stored, and how to hash what of it is not hashed yet. */
export interface ArrivedContent {
  readonly ref: FileRef;
  /** The session's. */
  readonly origin: string;
  readonly attempt: Attempt;
  readonly file: SessionFile;
  readonly sizeBytes: number;
  /** What is durable but not committed yet. */
  readonly extent: Extent | undefined;
  /** What it must hash to, beside what the file declares. */
  readonly checksums: readonly Checksum[];
  /** `keep`: content that is not what was said stays as it is, for who said it may have erred. Default: `fail`. */
  readonly onMismatch?: "fail" | "keep";
  /** How many bytes are still to be hashed. */
  readonly unhashed: number;
  /** Hashes the rest and answers the state at the end. */
  hash(): Promise<Hasher>;
  /** Keeps how far it has been hashed for the next one who finishes it; only for bytes that are all committed. */
  keepHash(): void;
  /** Feeds the whole stored content to a hasher. */
  rehash(hasher: Hasher): Promise<void>;
  /** Present for bytes that are shared with a file outside of the store. */
  readonly linked?: Omit<LinkedContent, "contentId">;
}

/** From here on a re-read takes long enough to be shown as `validating`. */
const longHashBytes = 256 * 2 ** 20;

/**
 * Verifies content that has arrived and makes it the file's current content in one transaction (P6). A wrong checksum
 * fails the file (and its session, if it was declared so), unless it is kept, and throws `checksum_mismatch`; the former
 * content stays.
 */
export async function finishContent(deps: CoreDeps, arrived: ArrivedContent): Promise<FileView> {
  const { ref, attempt, file } = arrived;
  const place = { ...ref, attemptId: attempt.id, epoch: attempt.epoch };
  let extent = arrived.extent;
  if (arrived.unhashed > longHashBytes) {
    if (extent !== undefined) await deps.metadata.commitExtent({ attempt: place, extent });
    extent = undefined;
    await showState(deps, place, "check");
  }
  const expected = [...file.checksums, ...arrived.checksums];
  const computed = await computeChecksums(arrived, expected).catch((error: unknown) => {
    // So that clients who wait less long than this takes get there in the end.
    if (extent === undefined) arrived.keepHash();
    throw error;
  });
  const mismatch = findMismatch(expected, computed, file.name);
  if (mismatch !== undefined && arrived.onMismatch === "keep") {
    if (extent !== undefined) await deps.metadata.commitExtent({ attempt: place, extent });
    arrived.keepHash();
    await showState(deps, place, "begin");
    throw mismatch;
  }
  const content = { id: attempt.id, sizeBytes: arrived.sizeBytes, checksums: computed };
  const linked = arrived.linked && { ...arrived.linked, contentId: attempt.id };
  const lockSession = mismatch !== undefined && file.onFailure === "session";
  const finished = await endAttempt(deps, place, { extent, lockSession, origin: arrived.origin }, (view, now) =>
    mismatch === undefined
      ? accept({ ...view.file, sizeBytes: file.sizeBytes, linked }, content, now)
      : rejectContent(view, { reason: "checksum_differs", message: mismatch.message }, now),
  );
  deps.hashes.drop(attempt.id);
  if (mismatch !== undefined) throw mismatch;
  return finished;
}

async function computeChecksums(arrived: ArrivedContent, expected: readonly Checksum[]): Promise<readonly Checksum[]> {
  const hasher = await arrived.hash();
  if (hasher.offset !== arrived.sizeBytes) throw new TypeError(`${hasher.offset} of ${arrived.sizeBytes} bytes hashed`);
  const known = hasher.digests();
  const missing = expected.map(({ algorithm }) => algorithm).filter((name) => !hasher.algorithms.includes(name));
  if (missing.length === 0) return known;
  const second = createHasher(missing);
  await arrived.rehash(second);
  return [...known, ...second.digests().filter(({ algorithm }) => missing.includes(algorithm))];
}

function findMismatch(
  expected: readonly Checksum[],
  computed: readonly Checksum[],
  name: string,
): UploadError | undefined {
  try {
    assertChecksums(expected, computed, `file ${JSON.stringify(name)}`);
    return undefined;
  } catch (error) {
    if (isUploadError(error, "checksum_mismatch")) return error;
    throw error;
  }
}

/**
 * The end of an attempt that cannot be continued: its file fails, and what came of it is let go. Throws what
 * `finishAttempt` of the metadata port throws.
 */
export async function failAttempt(
  deps: Parameters<typeof endAttempt>[0],
  { origin, ...place }: BrokenAttempt,
  message: string,
): Promise<void> {
  await endAttempt(deps, place, { extent: undefined, lockSession: true, origin }, (view, now) =>
    rejectContent(view, { reason: "interrupted", message }, now),
  );
}

function accept(file: SessionFile, content: NonNullable<AttemptOutcome["accepted"]>, now: Date): AttemptOutcome {
  return {
    file: {
      ...file,
      state: moveFile(file, "accept"),
      failure: undefined,
      current: content,
      running: undefined,
      pull: undefined,
      modifiedAt: now,
    },
    accepted: content,
    events: [{ type: "file.ready", details: { fileId: file.id, name: file.name, sizeBytes: content.sizeBytes } }],
  };
}

/** The end of an attempt whose content cannot be had or is wrong: of the file, and of its session if it was declared so. */
export function rejectContent(view: FileView, failure: Failure, now: Date): AttemptOutcome {
  const { file, session } = view;
  const { message } = failure;
  const failed: SessionFile = {
    ...file,
    state: moveFile(file, "reject"),
    failure,
    running: undefined,
    pull: undefined,
    modifiedAt: now,
  };
  const events = [{ type: "file.failed" as const, details: { fileId: file.id, name: file.name, ...failure } }];
  if (file.onFailure === "file") return { file: failed, accepted: undefined, events };
  const why = { reason: "file_failed", message: `file ${JSON.stringify(file.name)}: ${message}` } as const;
  const ended = endSession(session, "fail", now, why);
  if (ended === undefined) return { file: failed, accepted: undefined, events };
  return {
    file: { ...failed, current: undefined },
    session: ended,
    accepted: undefined,
    events: [...events, { type: "session.failed", details: why }],
    releaseContent: true,
  };
}

async function showState(deps: CoreDeps, place: ExtentCommit["attempt"], event: "begin" | "check"): Promise<void> {
  await deps.metadata.changeFile(place, { fileId: place.fileId }, ({ session, file }, now) => {
    if (file?.running?.id !== place.attemptId || file.running.epoch !== place.epoch) throw superseded();
    return { session, file: { ...file, state: moveFile(file, event), modifiedAt: now }, events: [] };
  });
}
