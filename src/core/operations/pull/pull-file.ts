// One try to fetch a file's content from its source, from the lease to what comes of it.
import type { CoreDeps } from "../../deps.js";
import { isUploadError } from "../../error.js";
import type { SessionFile } from "../../file.js";
import { moveFile } from "../../file-state.js";
import type { ContentSource, OpenedContent, SourcePosition } from "../../ports/content-source.js";
import type { FileMover } from "../../ports/file-mover.js";
import type { SessionRef } from "../../ports/metadata-store.js";
import type { LeasedPull } from "../../ports/pull-store.js";
import type { ExtentCommit, FileRef, FileView, WriterClaim } from "../../ports/transfer-store.js";
import { type Pull, type PulledContent, retryPull } from "../../pull.js";
import { moveSession } from "../../session-state.js";
import type { Source } from "../../source.js";
import { formatSourceAddress } from "../../source-address.js";
import { SourceError } from "../../source-error.js";
import { endAttempt } from "../end-attempt.js";
import { rejectContent } from "../finish-content.js";
import { partFrom } from "../plan-part.js";
import { hasSeat, type SeatedFile, writeClaimed } from "../write-claimed.js";
import { linkContent } from "./link-content.js";
import { type Trouble, troubleOf } from "./pull-trouble.js";
import { settleSession } from "./settle-session.js";

/** Where content is fetched from; without a mover nothing is taken over. */
export interface PullSources {
  readonly source: ContentSource;
  readonly mover?: FileMover | undefined;
  /** Told what a try met with, before its file is delayed or fails for it: with the cause, which the file does not tell. */
  readonly onTrouble?: ((file: FileRef, error: unknown) => void) | undefined;
}

/** What came of a try. `left`: it was for nobody to do any more, or someone else has it. */
export type PullOutcome = "fetched" | "delayed" | "failed" | "left";

/**
 * Fetches what is missing of a leased file, from where the last try got to if the source has the same content still.
 * What arrived is kept whatever happens; a problem with the source delays the file or fails it. Throws when the
 * service's own parts fail (`unavailable`), and the signal's reason: then the pull is as it was, for another try.
 */
export async function pullFile(
  deps: CoreDeps,
  sources: PullSources,
  pull: LeasedPull,
  signal: AbortSignal,
): Promise<PullOutcome> {
  const ref = { tenantId: pull.tenantId, sessionId: pull.sessionId, fileId: pull.fileId };
  try {
    return await tryToFetch(deps, sources, ref, signal);
  } catch (error) {
    // Its session ended, it was taken out or declared anew, or another one fetches it.
    if (isUploadError(error, "superseded", "not_found", "expired") || isSessionOver(error)) return "left";
    throw error;
  }
}

async function tryToFetch(
  deps: CoreDeps,
  sources: PullSources,
  ref: FileRef,
  signal: AbortSignal,
): Promise<PullOutcome> {
  const seats: { last: SeatedFile | undefined } = { last: undefined };
  const claim = async (seat: "resume" | "restart") => {
    const claimed = await deps.metadata.claimWriter(ref, (view, now) => planPull(view, seat, now));
    seats.last = hasSeat(claimed) ? claimed : undefined;
    return seats.last;
  };
  try {
    const seated = await claim("resume");
    if (seated === undefined || !(await fetchContent(deps, sources, seated, claim, signal))) return "left";
    await settleIfLast(deps, ref);
    return "fetched";
  } catch (error) {
    signal.throwIfAborted();
    if (isUploadError(error, "checksum_mismatch")) {
      await settleSession(deps, ref);
      return "failed";
    }
    const trouble = troubleOf(error, seats.last?.file.source);
    if (trouble === undefined || seats.last === undefined) throw error;
    sources.onTrouble?.(ref, error);
    return endTry(deps, seats.last, trouble);
  }
}

function isSessionOver(error: unknown): boolean {
  return isUploadError(error, "wrong_state") && error.details.reason === "SESSION_STATE";
}

/** The seat of whoever fetches: none when there is nothing to fetch any more. */
function planPull({ session, file }: FileView, seat: "resume" | "restart", now: Date): WriterClaim {
  moveSession(session, "touch", now);
  if (file.pull === undefined) return { seat: "none" };
  return { seat, file: { ...file, state: moveFile(file, "begin"), failure: undefined, modifiedAt: now } };
}

/** False when there turned out to be nothing to fetch any more. */
async function fetchContent(
  deps: CoreDeps,
  from: PullSources,
  resumed: SeatedFile,
  claim: (seat: "restart") => Promise<SeatedFile | undefined>,
  signal: AbortSignal,
): Promise<boolean> {
  const { file, attempt } = resumed;
  const source = file.source!;
  const isLinked = await linkContent(
    deps,
    resumed,
    {
      mover: from.mover,
      restart: () => claim("restart"),
      assertUsable: (sizeBytes) => assertUsable(file, source, { sizeBytes, hasEnd: true }, deps),
      noteFound: (found) => noteFound(deps, resumed, found),
    },
    signal,
  );
  if (isLinked) return true;
  const position = positionOf(resumed);
  if (position !== undefined && position.sizeBytes === position.offset) {
    // Only its end was cut off: there is nothing to ask for.
    await writeFetched(deps, resumed, noBytes(), signal);
    return true;
  }
  const opened = await from.source.open({ ...source, from: position }, signal);
  try {
    assertUsable(file, source, opened, deps);
    const seated = opened.offset === attempt.offset ? resumed : await claim("restart");
    if (seated === undefined) return false;
    if (opened.offset !== seated.attempt.offset) {
      throw new TypeError(`the source goes on at ${opened.offset}, not at ${attempt.offset}`);
    }
    const { validator, sizeBytes } = opened;
    await noteFound(deps, seated, { validator, sizeBytes });
    await writeFetched(deps, seated, opened.bytes, signal);
    return true;
  } catch (error) {
    // Where nothing but the connection says that it is the end, it may just have been cut.
    if (opened.hasEnd || !isUploadError(error, "incomplete")) throw error;
    const where = formatSourceAddress(source.address);
    throw new SourceError("ended_early", `${where} ended early: ${error.message}; try again later`, { cause: error });
  } finally {
    opened.close();
  }
}

async function writeFetched(
  deps: CoreDeps,
  seated: SeatedFile,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const part = partFrom(seated.attempt.offset);
  const ending = () => ({ finish: true });
  await writeClaimed(deps, { ref: placeOf(seated), claimed: seated, part, body: bytes, ending }, signal);
}

async function* noBytes(): AsyncIterable<Uint8Array> {}

function positionOf({ file, attempt }: SeatedFile): SourcePosition | undefined {
  const found = file.pull?.found;
  if (found?.attemptId !== attempt.id || found.validator === undefined || attempt.offset === 0) return undefined;
  return { offset: attempt.offset, validator: found.validator, sizeBytes: found.sizeBytes };
}

/** Throws a `SourceError` for content that could not be stored as what was declared, before any of it is taken. */
function assertUsable(
  file: SessionFile,
  source: Source,
  opened: Pick<OpenedContent, "sizeBytes" | "hasEnd">,
  deps: CoreDeps,
): void {
  const { sizeBytes } = opened;
  const where = formatSourceAddress(source.address);
  if (sizeBytes !== undefined && file.sizeBytes !== undefined && sizeBytes !== file.sizeBytes) {
    throw new SourceError(
      "size_differs",
      `${where} has ${sizeBytes} bytes, and ${file.sizeBytes} were declared; declare the file with the size that it has`,
    );
  }
  const { maxFileBytes } = deps.limits;
  if (sizeBytes !== undefined && sizeBytes > maxFileBytes) {
    throw new SourceError("too_large", `${where} has ${sizeBytes} bytes, and a file has at most ${maxFileBytes}`);
  }
  if (!opened.hasEnd && file.sizeBytes === undefined && file.checksums.length === 0) {
    throw new SourceError(
      "response_invalid",
      `${where} does not say where its content ends, so that a cut one could not be told; declare its size or a checksum`,
    );
  }
}

/** Stored before the first of the bytes it tells of: bytes whose origin is not known can only be fetched again. */
async function noteFound(
  deps: CoreDeps,
  { file, ...seat }: SeatedFile,
  { validator, sizeBytes, mark }: Omit<PulledContent, "attemptId">,
): Promise<void> {
  const found: PulledContent = { attemptId: seat.attempt.id, validator, sizeBytes, mark };
  const known = file.pull?.found;
  const isKnown =
    known?.attemptId === found.attemptId &&
    known.validator === validator &&
    known.sizeBytes === sizeBytes &&
    known.mark === mark;
  if (isKnown) return;
  await deps.metadata.changePull(placeOf({ file, ...seat }), ({ pull }) => ({ pull: { ...pull, found }, events: [] }));
}

/** Delays the file, or fails it where no retry can help or enough have been made. */
async function endTry(deps: CoreDeps, seated: SeatedFile, trouble: Trouble): Promise<"delayed" | "failed"> {
  const place = placeOf(seated);
  const { problem } = trouble;
  if (!trouble.isFinal && (await delayPull(deps, place, trouble))) return "delayed";
  const { origin } = seated.session;
  await endAttempt(deps, place, { extent: undefined, lockSession: true, origin }, (view, now) =>
    rejectContent(view, problem, now),
  );
  await settleSession(deps, place);
  return "failed";
}

/** False when enough tries have been made. */
async function delayPull(
  deps: CoreDeps,
  place: ExtentCommit["attempt"],
  { problem, retryAfterMs, fromZero = false }: Trouble,
): Promise<boolean> {
  const mostTries = deps.limits.maxPullTries;
  const spread = Math.random();
  let next: Pull | undefined;
  await deps.metadata.changePull(place, ({ file, pull }, now) => {
    const storedBytes = file.running?.offset ?? 0;
    next = retryPull(pull, { problem, storedBytes, retryAfterMs, mostTries, spread, now });
    if (next === undefined) return { pull, events: [] };
    const details = { fileId: file.id, name: file.name, ...problem, retryAt: next.dueAt.toISOString() };
    // Stored bytes of which it is not known what they are a part of are not gone on with.
    const found = fromZero ? undefined : next.found;
    return { pull: { ...next, found }, events: [{ type: "file.delayed", details }] };
  });
  return next !== undefined;
}

function placeOf({ file, attempt }: SeatedFile): ExtentCommit["attempt"] {
  const { tenantId, sessionId, id: fileId } = file;
  return { tenantId, sessionId, fileId, attemptId: attempt.id, epoch: attempt.epoch };
}

/** Of very many that are fetched for one completion, only the last looks at them all. */
async function settleIfLast(deps: CoreDeps, ref: SessionRef): Promise<void> {
  const [settleable] = await deps.metadata.listSettleable({ sessionId: ref.sessionId, limit: 1 });
  if (settleable !== undefined) await settleSession(deps, ref);
}
