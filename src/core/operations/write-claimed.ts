import type { Attempt } from "../attempt.js";
import { type BodyReader, createBodyReader } from "../body-reader.js";
import { assertChecksums, createHasher, type Hasher } from "../checksum.js";
import type { CoreDeps } from "../deps.js";
import { isUploadError } from "../error.js";
import { type SessionFile, settleSize } from "../file.js";
import { assertFileSize, type Limits } from "../limits.js";
import type { BrokenAttempt, ClaimedFile, FileRef } from "../ports/transfer-store.js";
import type { Appender } from "./append-content.js";
import { compareRepeat } from "./compare-repeat.js";
import { failAttempt, finishContent } from "./finish-content.js";
import { openWriting, type Writing } from "./open-writing.js";
import { type Part, type PartEnding, partTooLarge, pastDeclaredSize, pastPart, planEnding } from "./plan-part.js";

export interface PartResult {
  readonly file: SessionFile;
  /** Committed bytes of the attempt, or the size of content that is whole. */
  readonly offset: number;
  /** False when everything in the part was stored before. */
  readonly applied: boolean;
}

/** A file whose seat was taken. */
export interface SeatedFile extends ClaimedFile {
  readonly attempt: Attempt;
}

export function hasSeat(claimed: ClaimedFile): claimed is SeatedFile {
  return claimed.attempt !== undefined;
}

/** Bytes for a file whose writer's seat was taken for them. */
export interface ClaimedWrite {
  readonly ref: FileRef;
  readonly claimed: SeatedFile;
  readonly part: Part;
  readonly body: AsyncIterable<Uint8Array>;
  readonly ending?: (() => PartEnding) | undefined;
  /** What becomes of content that is whole and hashes to something else than was said. */
  readonly onMismatch?: "fail" | "keep";
}

/**
 * Takes the bytes in from where the part begins, to their durable end: what `writePart` promises from its first byte
 * on.
 */
export async function writeClaimed(deps: CoreDeps, write: ClaimedWrite, signal?: AbortSignal): Promise<PartResult> {
  const { ref, claimed, part } = write;
  const file = { ...claimed.file, sizeBytes: settleSize(claimed.file, part.sizeBytes, deps.limits) };
  const claim = { ...claimed, file };
  const { attempt } = claim;
  const sizeOnceKnown = (sizeBytes: number | undefined) =>
    claimed.file.sizeBytes === undefined ? sizeBytes : undefined;
  const mark = { attemptNumber: attempt.number, epoch: attempt.epoch };
  const seat = deps.seats.take({ sessionId: ref.sessionId, fileId: ref.fileId, epoch: mark });
  const share = deps.budget.join();
  const trouble = new AbortController();
  const reader = createBodyReader(write.body, [signal, seat.signal, trouble.signal], (bytes) =>
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
    const end = await receive(deps, { ...write, claimed: claim }, reader, writing);
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
      origin: claim.session.origin,
      attempt,
      file: { ...file, sizeBytes: end.sizeBytes },
      sizeBytes: received,
      extent,
      checksums: end.checksums,
      onMismatch: write.onMismatch ?? "fail",
      unhashed: received - writing.follower.offset,
      hash: () => writing.follower.settle(received).then(() => writing.follower.hasher),
      keepHash: () => deps.hashes.put(attempt.id, writing.follower.hasher.copy()),
      rehash: writing.rehash,
    });
    deps.observer.appended("file", (performance.now() - arrivedAt) / 1000);
    return { file: finished.file, offset: received, applied: true };
  } catch (error) {
    const place = { ...ref, attemptId: attempt.id, epoch: attempt.epoch };
    if (part.once) await failInterrupted(deps, { ...place, origin: claim.session.origin }, error);
    throw error;
  } finally {
    clearInterval(ticking);
    reader.close();
    share.leave();
    await writing.appender.close();
    seat.leave();
  }
}

/** What has come of the attempt is of no use to anyone: nobody can continue it. */
async function failInterrupted(deps: CoreDeps, broken: BrokenAttempt, error: unknown): Promise<void> {
  const message = isUploadError(error) ? error.message : "it broke off while it was being sent";
  try {
    await failAttempt(deps, broken, message);
  } catch (failed) {
    // Whoever took over, removed the file or found its content wrong has told its end already.
    if (isUploadError(failed, "unavailable")) deps.untold.set(broken.attemptId, { broken, message });
  }
}

/**
 * Takes the body in and says what its end means. When it is cut, or too long, or ends too early, what counts of it is
 * committed before the error comes out.
 */
async function receive(
  deps: CoreDeps,
  { claimed: claim, part, ending }: ClaimedWrite,
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
    const end = planEnding(file, part, reached, ending?.() ?? { finish: false }, deps.limits);
    if (part.checksum) assertChecksums([part.checksum], digest!.digests(), `the part at ${part.offset}`);
    // A repeat that says it is the whole content contradicts what is stored behind it.
    if (end.whole && reached < attempt.offset) throw pastDeclaredSize(file.name, reached, attempt.offset);
    return end;
  } catch (error) {
    const isDropped = part.dropsExcess && isUploadError(error, "too_large");
    const keepable = part.checksum === undefined && !part.once && !isDropped && !isUploadError(error, "superseded");
    // The error that cut the body is the one to tell; keeping the prefix failed for a reason that the next request will
    // meet again.
    if (keepable) await writing.keep().catch(() => undefined);
    throw error;
  }
}

async function appendNew(
  reader: BodyReader,
  appender: Appender,
  claim: SeatedFile,
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
