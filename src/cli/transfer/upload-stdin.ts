import type { File } from "../../../gen/slipway/upload/v1/file_pb.js";
import { FileError } from "../shell/cli-error.js";
import { contentTimeoutMs } from "../connection/client.js";
import { brokenRequestOf } from "../connection/rpc-error.js";
import { createContentHash, sha256Info } from "./content-hash.js";
import { createTally, describeTrouble } from "./upload-file.js";
import type { PlannedFile } from "./upload-plan.js";
import {
  addFile,
  askStanding,
  assertAnswered,
  createFileRetry,
  standingOf,
  type UploadDeps,
  type Uploaded,
  verifyFinished,
} from "./upload-standing.js";

/**
 * What is read but not yet durable over there is kept in memory, and no more than that: a stream cannot be read twice.
 */
const partBytes = 4 * 2 ** 20 - 64 * 2 ** 10;

/**
 * Sends standard input part by part. Parts that the session has already, from a command before this one, are read and
 * skipped.
 */
export async function uploadStdin(
  deps: UploadDeps,
  planned: PlannedFile,
  stdin: AsyncIterable<Uint8Array>,
): Promise<Uploaded> {
  const progress = deps.progress.begin();
  let at = 0;
  const retry = createFileRetry(deps, (error, delayMs) => describeTrouble(planned.path, error, at, delayMs));
  const file = await addFile(deps, retry, { name: planned.name, attributes: { path: planned.path } });
  const hash = createContentHash();
  const tally = createTally(() => undefined);
  const standing = standingOf(file);
  let finished = "finished" in standing ? standing.finished : undefined;
  let committed = "offset" in standing ? standing.offset : 0;

  /** Brings one part over; answers the file once it is whole. */
  const sendPart = async (offset: number, part: Uint8Array, last: boolean): Promise<File | undefined> => {
    const end = offset + part.length;
    while (committed < end || last) {
      const from = Math.max(offset, committed);
      const data = part.subarray(from - offset);
      tally.handed(from, data.length);
      try {
        const answer = await deps.client.files.uploadPart(
          {
            sessionId: deps.sessionId,
            fileId: file.id,
            offset: BigInt(from),
            data,
            finish: last,
            fileChecksums: last ? [sha256Info(hash.digest())] : [],
          },
          { signal: deps.signal, timeoutMs: contentTimeoutMs(data.length) },
        );
        committed = Number(answer.committedOffset);
        retry.progressed();
        if (last) return assertAnswered(answer.file);
      } catch (error) {
        await retry.pause(brokenRequestOf(error));
        const now = await askStanding(deps, retry, file.id);
        if ("finished" in now) return now.finished;
        if (now.offset < offset) throw new FileError(`${planned.path}: the session lost its place at ${offset} bytes`);
        if (now.offset > committed) retry.progressed();
        committed = now.offset;
      }
    }
    return undefined;
  };

  for await (const { offset, part, last } of partsOf(stdin, deps.signal)) {
    hash.take(offset, part);
    if (last && finished === undefined && committed > hash.offset) {
      throw new FileError(`${planned.path} ended after ${hash.offset} bytes, but the session has ${committed} already`);
    }
    finished ??= await sendPart(offset, part, last);
    at = hash.offset;
    progress.at(at);
  }
  const sha256 = hash.digest();
  if (finished === undefined) throw new FileError(`${planned.path} did not become whole`);
  await verifyFinished(deps, retry, finished, planned.path, sha256);
  progress.done();
  const { sentBytes, resentBytes } = tally;
  const skipped = "finished" in standing;
  return {
    path: planned.path,
    name: planned.name,
    fileId: file.id,
    sizeBytes: hash.offset,
    sha256,
    sentBytes,
    resentBytes,
    skipped,
  };
}

/** Parts of full size, and one last of what is left, which may be empty. */
async function* partsOf(
  stream: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<{ offset: number; part: Uint8Array; last: boolean }> {
  let offset = 0;
  let part = Buffer.allocUnsafeSlow(partBytes);
  let filled = 0;
  for await (const piece of abortable(stream, signal)) {
    for (let taken = 0; taken < piece.length; ) {
      const some = piece.subarray(taken, taken + partBytes - filled);
      part.set(some, filled);
      filled += some.length;
      taken += some.length;
      if (filled < partBytes) continue;
      yield { offset, part, last: false };
      offset += filled;
      part = Buffer.allocUnsafeSlow(partBytes);
      filled = 0;
    }
  }
  yield { offset, part: part.subarray(0, filled), last: true };
}

/** A stream that waits for its other end must not outlive the command. */
async function* abortable<T>(stream: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  signal.throwIfAborted();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  aborted.catch(() => undefined);
  const iterator = stream[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([iterator.next(), aborted]);
    if (next.done === true) return;
    yield next.value;
  }
}
