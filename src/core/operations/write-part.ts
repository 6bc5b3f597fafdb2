// The durable write path: one part, from its first byte to its commit. Promises P1 to P4, P6, P7, P10 and P11 meet
// here.
import type { Attempt } from "../attempt.js";
import { type BodyReader, createBodyReader } from "../body-reader.js";
import { assertPermission, type Call } from "../call.js";
import { assertChecksums, createHasher, type Hasher } from "../checksum.js";
import type { CoreDeps } from "../deps.js";
import { isUploadError } from "../error.js";
import { type SessionFile, settleSize } from "../file.js";
import { assertFileSize, type Limits } from "../limits.js";
import type { ClaimedFile, FileView } from "../ports/transfer-store.js";
import type { Appender } from "./append-content.js";
import { compareRepeat } from "./compare-repeat.js";
import { finishContent } from "./finish-content.js";
import { openWriting, type Writing } from "./open-writing.js";
import {
  type Part,
  type PartInput,
  parseFileRef,
  parsePart,
  partTooLarge,
  pastDeclaredSize,
  pastPart,
  planEnding,
  planPart,
} from "./plan-part.js";
import { verifyRepeat } from "./verify-repeat.js";
import { orHidden } from "./view-file.js";

export interface PartResult {
  readonly file: SessionFile;
  /** Committed bytes of the attempt, or the size of content that is whole. */
  readonly offset: number;
  /** False when everything in the part was stored before. */
  readonly applied: boolean;
}

/** A file whose seat was taken. */
interface Claim extends ClaimedFile {
  readonly attempt: Attempt;
}

/**
 * Writes one part of a file's content and answers once what it reports is durable (P1). Whatever words and rows forbid
 * is refused before the first byte is read. When the body is cut, what arrived is kept and committed (P3), then the
 * body's own error comes out. Repeated bytes are compared (P4). Content that is whole, by its declared size or by
 * `ending`, is verified and becomes the file's current content (P6).
 *
 * Throws `not_found`, `denied`, `invalid`, `unsupported`, `wrong_state`, `expired`, `offset_mismatch`, `conflict`,
 * `too_large`, `incomplete`, `checksum_mismatch`, `superseded`, `unavailable`.
 */
export async function writePart(deps: CoreDeps, input: PartInput, call: Call): Promise<PartResult> {
  assertPermission(call.caller, "upload");
  const ref = parseFileRef(input, call.caller);
  const part = parsePart(input, deps.limits);
  call.signal?.throwIfAborted();
  const plan = (view: FileView, now: Date) => planPart(view, part, call.caller, deps.limits, now);
  const claimed = await orHidden(deps, ref, call, () => deps.metadata.claimWriter(ref, plan));
  if (!hasSeat(claimed)) return verifyRepeat(deps, claimed, part, input, call);

  const file = { ...claimed.file, sizeBytes: settleSize(claimed.file, part.sizeBytes, deps.limits) };
  const claim = { ...claimed, file };
  const { attempt } = claim;
  const sizeOnceKnown = (sizeBytes: number | undefined) =>
    claimed.file.sizeBytes === undefined ? sizeBytes : undefined;
  const mark = { attemptNumber: attempt.number, epoch: attempt.epoch };
  const seat = deps.seats.take({ sessionId: ref.sessionId, fileId: ref.fileId, epoch: mark });
  const share = deps.budget.join();
  const trouble = new AbortController();
  const reader = createBodyReader(input.body, [call.signal, seat.signal, trouble.signal], (bytes) =>
    deps.observer.received("file", bytes),
  );
  const newSize = sizeOnceKnown(file.sizeBytes);
  const atomic = part.checksum !== undefined;
  const writing = openWriting(deps, { ref, file, newSize, attempt, share, atomic });
  const ticking = setInterval(() => {
    writing.appender.checkpoint().catch((error: unknown) => trouble.abort(error));
  }, deps.limits.checkpointMs / 2);
  seat.signal.addEventListener("abort", () => writing.follower.stop(seat.signal.reason));
  try {
    const end = await receive(deps, claim, part, input, reader, writing);
    const arrivedAt = performance.now();
    const { received } = writing.appender;
    const applied = received > attempt.offset;
    if (!end.whole) {
      await writing.keep(sizeOnceKnown(end.sizeBytes));
      deps.observer.appended("file", (performance.now() - arrivedAt) / 1000);
      const running = { ...attempt, offset: received };
      return { file: { ...file, sizeBytes: end.sizeBytes, running }, offset: received, applied };
    }
    const extent = await writing.settle();
    const finished = await finishContent(deps, {
      ref,
      attempt,
      file: { ...file, sizeBytes: end.sizeBytes },
      sizeBytes: received,
      extent,
      checksums: end.checksums,
      unhashed: received - writing.follower.offset,
      hash: () => writing.follower.settle(received).then(() => writing.follower.hasher),
      keepHash: () => deps.hashes.put(attempt.id, writing.follower.hasher.copy()),
      rehash: writing.rehash,
    });
    deps.observer.appended("file", (performance.now() - arrivedAt) / 1000);
    return { file: finished.file, offset: received, applied: true };
  } finally {
    clearInterval(ticking);
    reader.close();
    share.leave();
    await writing.appender.close();
    seat.leave();
  }
}

function hasSeat(claimed: ClaimedFile): claimed is Claim {
  return claimed.attempt !== undefined;
}

/**
 * Takes the body in and says what its end means. When it is cut, or too long, or ends too early, what counts of it is
 * committed before the error comes out.
 */
async function receive(
  deps: CoreDeps,
  claim: Claim,
  part: Part,
  input: PartInput,
  reader: BodyReader,
  writing: Writing,
): Promise<ReturnType<typeof planEnding>> {
  const { attempt, file } = claim;
  const digest = part.checksum && createHasher([part.checksum.algorithm]);
  try {
    const stored = writing.readBack(part.offset, attempt.offset);
    const repeated =
      part.offset < attempt.offset
        ? await compareRepeat(reader, stored, part.offset, digest, deps.observer)
        : part.offset;
    if (repeated === attempt.offset) await appendNew(reader, writing.appender, claim, part, deps.limits, digest);
    const reached = repeated < attempt.offset ? repeated : writing.appender.received;
    const end = planEnding(file, part, reached, input.ending?.() ?? { finish: false }, deps.limits);
    if (part.checksum) assertChecksums([part.checksum], digest!.digests(), `the part at ${part.offset}`);
    // A repeat that says it is the whole content contradicts what is stored behind it.
    if (end.whole && reached < attempt.offset) throw pastDeclaredSize(file.name, reached, attempt.offset);
    return end;
  } catch (error) {
    const keepable = part.checksum === undefined && !isUploadError(error, "superseded");
    // The error that cut the body is the one to tell; keeping the prefix failed for a reason that the next request will
    // meet again.
    if (keepable) await writing.keep().catch(() => undefined);
    throw error;
  }
}

async function appendNew(
  reader: BodyReader,
  appender: Appender,
  claim: Claim,
  part: Part,
  limits: Limits,
  digest: Hasher | undefined,
): Promise<void> {
  const { name, sizeBytes } = claim.file;
  const partEnd = part.lengthBytes === undefined ? undefined : part.offset + part.lengthBytes;
  const most = Math.min(sizeBytes ?? limits.maxFileBytes, partEnd ?? limits.maxFileBytes, limits.maxFileBytes);
  for (;;) {
    const chunk = await reader.next();
    if (chunk === undefined) return;
    const room = most - appender.received;
    if (chunk.length > room) {
      if (room > 0) await appender.push(chunk.subarray(0, room));
      if (partEnd !== undefined && most === partEnd && partEnd !== sizeBytes) throw pastPart(part);
      if (sizeBytes !== undefined) throw pastDeclaredSize(name, sizeBytes, appender.received);
      assertFileSize(limits, appender.received + chunk.length - Math.max(room, 0));
    }
    if (part.checksum && appender.received + chunk.length - part.offset > limits.maxPartBytes) {
      throw partTooLarge(limits);
    }
    digest?.update(chunk);
    await appender.push(chunk);
  }
}
