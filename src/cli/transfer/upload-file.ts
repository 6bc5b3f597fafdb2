import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import type { File } from "../../../gen/slipway/upload/v1/file_pb.js";
import { contentTimeoutMs } from "../connection/client.js";
import { type ContentHash, createContentHash, sha256Info } from "./content-hash.js";
import { formatBytes, formatSeconds } from "../shell/format.js";
import { type LocalFile, openLocalFile } from "./local-file.js";
import type { FileProgress } from "./progress.js";
import { brokenRequestOf, describeError, isConnectionLost, isReason } from "../connection/rpc-error.js";
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
import { sendStream } from "./upload-stream.js";

/** Up to this much is one call instead of a stream. */
const smallBytes = 2 ** 20;
const hashStepBytes = 4 * 2 ** 20;

/** What is known while one file is on its way. */
export interface Sending {
  readonly deps: UploadDeps;
  readonly fileId: string;
  readonly local: LocalFile;
  readonly hash: ContentHash;
  readonly tally: Tally;
}

/** Counts what is handed to connections, and what of it not for the first time. */
export interface Tally {
  readonly sentBytes: number;
  readonly resentBytes: number;
  handed(offset: number, length: number): void;
}

/**
 * Sends one file, going on after whatever broke from where the server says, until it is whole there and the same as
 * here.
 */
export async function uploadFile(
  deps: UploadDeps,
  planned: PlannedFile & { readonly location: string },
): Promise<Uploaded> {
  const local = await openLocalFile(planned.location, planned.path);
  const progress = deps.progress.begin();
  try {
    return await send(deps, planned, local, progress);
  } finally {
    await local.close();
  }
}

async function send(
  deps: UploadDeps,
  planned: PlannedFile,
  local: LocalFile,
  progress: FileProgress,
): Promise<Uploaded> {
  let at = 0;
  const retry = createFileRetry(deps, (error, delayMs) => describeTrouble(planned.path, error, at, delayMs));
  const file = await addFile(deps, retry, {
    name: planned.name,
    sizeBytes: BigInt(local.sizeBytes),
    attributes: { path: planned.path, mtime: local.modifiedAt },
  });
  const tally = createTally((offset) => {
    at = offset;
    progress.at(offset);
  });
  const sending: Sending = { deps, fileId: file.id, local, hash: createContentHash(), tally };
  let standing = standingOf(file);
  let committed = "offset" in standing ? standing.offset : local.sizeBytes;
  progress.found(committed);
  let broken = 0;
  while (!("finished" in standing)) {
    try {
      standing = { finished: await sendRest(sending, standing.offset) };
    } catch (error) {
      // A writer of ours from before the break may have been let in late; anybody else's is not ours to push out.
      const ours = broken > 0 && broken < 5 && isReason(error, ErrorReason.WRITER_SUPERSEDED);
      if (!ours) await retry.pause(brokenRequestOf(error));
      broken += 1;
      standing = await askStanding(deps, retry, file.id);
      const offset = "offset" in standing ? standing.offset : local.sizeBytes;
      if (offset > committed) retry.progressed();
      committed = offset;
      progress.at(offset);
    }
  }
  await hashUpTo(sending, local.sizeBytes);
  await local.assertUnchanged();
  const sha256 = sending.hash.digest();
  await verifyFinished(deps, retry, standing.finished, planned.path, sha256);
  progress.at(local.sizeBytes);
  progress.done();
  const { sentBytes, resentBytes } = tally;
  const skipped = sentBytes === 0 && broken === 0 && "finished" in standingOf(file);
  return {
    path: planned.path,
    name: planned.name,
    fileId: file.id,
    sizeBytes: local.sizeBytes,
    sha256,
    sentBytes,
    resentBytes,
    skipped,
  };
}

async function sendRest(sending: Sending, offset: number): Promise<File> {
  await hashUpTo(sending, offset);
  return sending.local.sizeBytes - offset <= smallBytes ? sendAtOnce(sending, offset) : sendStream(sending, offset);
}

async function sendAtOnce({ deps, fileId, local, hash, tally }: Sending, offset: number): Promise<File> {
  const length = local.sizeBytes - offset;
  const data = await local.read(offset, length);
  hash.take(offset, data);
  await local.assertUnchanged();
  tally.handed(offset, length);
  const { file } = await deps.client.files.uploadPart(
    {
      sessionId: deps.sessionId,
      fileId,
      offset: BigInt(offset),
      data,
      finish: true,
      fileChecksums: [sha256Info(hash.digest())],
    },
    { signal: deps.signal, timeoutMs: contentTimeoutMs(length) },
  );
  return assertAnswered(file);
}

/** Bytes that another command sent, or that the server has from before, count for the whole file's checksum, too. */
async function hashUpTo({ deps, local, hash }: Sending, end: number): Promise<void> {
  while (hash.offset < end) {
    deps.signal.throwIfAborted();
    const from = hash.offset;
    hash.take(from, await local.read(from, Math.min(hashStepBytes, end - from)));
  }
}

export function createTally(onMove: (offset: number) => void): Tally {
  let highest = 0;
  let sentBytes = 0;
  let resentBytes = 0;
  let first = true;
  return {
    get sentBytes() {
      return sentBytes;
    },
    get resentBytes() {
      return resentBytes;
    },
    handed(offset, length) {
      // What lies before the first byte that we send was sent by somebody else.
      if (first) highest = offset;
      first = false;
      sentBytes += length;
      resentBytes += Math.max(0, Math.min(offset + length, highest) - offset);
      highest = Math.max(highest, offset + length);
      onMove(offset + length);
    },
  };
}

export function describeTrouble(path: string, error: unknown, at: number, delayMs: number): string {
  const what = isConnectionLost(error) ? "connection lost" : describeError(error);
  return `${path}: ${what} at ${formatBytes(at)}, retrying in ${formatSeconds(delayMs)}`;
}
