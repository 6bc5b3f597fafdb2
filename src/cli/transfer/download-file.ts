import { createReadStream } from "node:fs";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { FileError, systemCodeOf } from "../shell/cli-error.js";
import { createContentHash } from "./content-hash.js";
import type { RemoteFile } from "./download-source.js";
import { type DownloadDeps, type Fetching, FileReplaced, fetchRest } from "./download-stream.js";
import { openPlace, partPathOf } from "./output-paths.js";

export interface FileDownloadDeps extends DownloadDeps {
  readonly output: string;
  readonly force: boolean;
}

export interface Downloaded {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** True when it was there already. */
  readonly skipped: boolean;
}

/** Brings one file to its place, whole and with the right checksum, or not at all. */
export async function downloadFile(deps: FileDownloadDeps, file: RemoteFile, place: string): Promise<Downloaded> {
  const { sizeBytes, sha256 } = assertWhole(file, place);
  const progress = deps.progress.begin();
  const finish = (skipped: boolean): Downloaded => {
    progress.done();
    return { path: place, sizeBytes, sha256, skipped };
  };
  const target = await openPlace(deps.output, place);
  if (await isThere(target, place, sizeBytes, sha256, deps)) {
    progress.found(sizeBytes);
    return finish(true);
  }
  const partPath = partPathOf(target, sha256);
  const part = await open(partPath, "a+", 0o644);
  try {
    const fetching = { file, place, sizeBytes, sha256, progress };
    // A part from before may have been spoilt by a crash: then once more, from the beginning.
    if (!(await complete(deps, fetching, part))) {
      await part.truncate(0);
      if (!(await complete(deps, fetching, part))) {
        throw new FileReplaced(`${place} arrived with another checksum than the server says`);
      }
    }
    await part.sync();
  } catch (error) {
    // Nobody will ever go on with it.
    if (error instanceof FileReplaced) await rm(partPath, { force: true });
    throw error;
  } finally {
    await part.close();
  }
  await rename(partPath, target);
  await syncFolder(dirname(target));
  return finish(false);
}

/** Hands one file's bytes on as they come; what was wrong with them is known at the end only. */
export async function streamFile(
  deps: DownloadDeps,
  file: RemoteFile,
  take: (bytes: Uint8Array) => Promise<void>,
): Promise<Downloaded> {
  const { sizeBytes, sha256 } = assertWhole(file, file.path);
  const progress = deps.progress.begin();
  const hash = createContentHash();
  if (!(await fetchRest(deps, { file, place: file.path, sizeBytes, sha256, hash, progress, take }))) {
    throw new FileError(`${file.path} arrived with another checksum than the server says: what was written is wrong`);
  }
  progress.done();
  return { path: file.path, sizeBytes, sha256, skipped: false };
}

function assertWhole(file: RemoteFile, place: string) {
  if (file.content === undefined) throw new FileError(`${place} has no whole content yet`);
  return file.content;
}

/** True when the content is there. Other content is an error, unless it may be replaced. */
async function isThere(
  target: string,
  place: string,
  sizeBytes: number,
  sha256: string,
  deps: FileDownloadDeps,
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

/** Goes on with a part. False when the whole does not have its checksum. */
async function complete(deps: FileDownloadDeps, fetching: Omit<Fetching, "hash" | "take">, part: FileHandle) {
  const hash = createContentHash();
  if ((await part.stat()).size > fetching.sizeBytes) await part.truncate(0);
  const stored = part.createReadStream({ start: 0, autoClose: false, highWaterMark: 2 ** 20, signal: deps.signal });
  for await (const bytes of stored) hash.take(hash.offset, bytes);
  fetching.progress.found(hash.offset);
  return await fetchRest(deps, { ...fetching, hash, take: (bytes) => part.appendFile(bytes) });
}

/** The new name must survive a power cut, too; where folders cannot be opened, the system sees to it. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
