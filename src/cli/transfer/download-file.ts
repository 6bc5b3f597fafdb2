import { createReadStream } from "node:fs";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import type { File } from "../../../gen/slipway/upload/v1/file_pb.js";
import { FileError, systemCodeOf } from "../shell/cli-error.js";
import type { UploadClient } from "../connection/client.js";
import { type ContentHash, createContentHash, findSha256 } from "./content-hash.js";
import { formatBytes, formatSeconds } from "../shell/format.js";
import { openPlace, partPathOf } from "./output-paths.js";
import type { FileProgress, Progress } from "./progress.js";
import { createRetry, type Retry } from "../connection/retry.js";
import { describeError, isConnectionLost } from "../connection/rpc-error.js";

const stalledMs = 120_000;

export interface DownloadDeps {
  readonly client: UploadClient;
  readonly output: string;
  readonly force: boolean;
  readonly retryForMs: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface Downloaded {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** True when it was there already. */
  readonly skipped: boolean;
}

/** Content that is fetched into one file here. */
interface Fetching {
  readonly file: File;
  readonly place: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly part: FileHandle;
  readonly progress: FileProgress;
}

/** Brings one file to its place, whole and with the right checksum, or not at all. */
export async function downloadFile(deps: DownloadDeps, file: File, place: string): Promise<Downloaded> {
  const sha256 = findSha256(file.content?.checksums);
  if (file.content === undefined || sha256 === undefined) throw new FileError(`${place} has no whole content yet`);
  const sizeBytes = Number(file.content.sizeBytes);
  const progress = deps.progress.begin();
  const finish = (skipped: boolean): Downloaded => {
    progress.at(sizeBytes);
    progress.done();
    return { path: place, sizeBytes, sha256, skipped };
  };
  const target = await openPlace(deps.output, place);
  if (await isThere(target, place, sizeBytes, sha256, deps)) return finish(true);

  const partPath = partPathOf(target, sha256);
  const part = await open(partPath, "a+", 0o644);
  try {
    const fetching = { file, place, sizeBytes, sha256, part, progress };
    // A part from before may have been spoilt by a crash: then once more, from the beginning.
    if (!(await fetch(deps, fetching))) {
      await part.truncate(0);
      if (!(await fetch(deps, fetching))) {
        await rm(partPath, { force: true });
        throw new FileError(`${place} arrived with another checksum than the session says`);
      }
    }
    await part.sync();
  } finally {
    await part.close();
  }
  await rename(partPath, target);
  await syncFolder(dirname(target));
  return finish(false);
}

/** True when the content is there. Other content is an error, unless it may be replaced. */
async function isThere(
  target: string,
  place: string,
  sizeBytes: number,
  sha256: string,
  deps: DownloadDeps,
): Promise<boolean> {
  const found = await stat(target).catch((error: unknown) => {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined) return false;
  if (found.isFile() && found.size === sizeBytes) {
    const hash = createContentHash();
    for await (const bytes of createReadStream(target, { highWaterMark: 2 ** 20, signal: deps.signal }))
      hash.take(hash.offset, bytes);
    if (hash.digest() === sha256) return true;
  }
  if (deps.force && found.isFile()) return false;
  throw new FileError(`${place} is there already with other content${found.isFile() ? "; --force replaces it" : ""}`);
}

/** Fetches what is missing of a part. False when the whole does not have its checksum. */
async function fetch(deps: DownloadDeps, fetching: Fetching): Promise<boolean> {
  const { place, sizeBytes, part, progress } = fetching;
  const hash = createContentHash();
  if ((await part.stat()).size > sizeBytes) await part.truncate(0);
  const stored = part.createReadStream({ start: 0, autoClose: false, highWaterMark: 2 ** 20, signal: deps.signal });
  for await (const bytes of stored) hash.take(hash.offset, bytes);
  progress.at(hash.offset);
  const retry = createRetry({
    retryForMs: deps.retryForMs,
    signal: deps.signal,
    notify: (error, delayMs) => {
      const what = isConnectionLost(error) ? "connection lost" : describeError(error);
      deps.progress.trouble(`${place}: ${what} at ${formatBytes(hash.offset)}, retrying in ${formatSeconds(delayMs)}`);
    },
  });
  while (hash.offset < sizeBytes) {
    try {
      await readOn(deps, fetching, hash, retry);
    } catch (error) {
      await retry.pause(error);
    }
  }
  return hash.digest() === fetching.sha256;
}

async function readOn(deps: DownloadDeps, fetching: Fetching, hash: ContentHash, retry: Retry): Promise<void> {
  const { file, place, sizeBytes, part, progress } = fetching;
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(new Error("connection stalled")), stalledMs);
  const request = { sessionId: file.sessionId, fileId: file.id, offset: BigInt(hash.offset) };
  try {
    const signal = AbortSignal.any([deps.signal, stalled.signal]);
    for await (const message of deps.client.files.readFile(request, { signal })) {
      timer.refresh();
      if (message.file !== undefined && findSha256(message.file.content?.checksums) !== fetching.sha256) {
        throw new FileError(`${place} was replaced in the session while it was downloaded`);
      }
      if (hash.offset + message.data.length > sizeBytes)
        throw new FileError(`${place} is longer than the session says`);
      if (message.data.length > 0) {
        await part.appendFile(message.data);
        hash.take(hash.offset, message.data);
        retry.progressed();
        progress.at(hash.offset);
      }
    }
  } catch (error) {
    if (stalled.signal.aborted)
      throw new ConnectError("connection stalled", Code.Unavailable, undefined, undefined, error);
    throw error;
  } finally {
    clearTimeout(timer);
  }
  if (hash.offset < sizeBytes) throw new ConnectError("the stream ended early", Code.Unavailable);
}

/** The new name must survive a power cut, too; where folders cannot be opened, the system sees to it. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
