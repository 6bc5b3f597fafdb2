import { link, lstat, realpath, unlink } from "node:fs/promises";
import {
  assertThumbprintUsable,
  type ContentSource,
  type FileMover,
  type OpenedContent,
  type SourceAddress,
  SourceError,
} from "../core/index.js";
import { errorCode } from "./error-code.js";
import { type FileIdentity, readIdentity, unlinkIfSame } from "./file-identity.js";
import { type ConfinedFile, type Confinement, isBelow, openConfined } from "./roots.js";

const chunkBytes = 2 ** 20;
/** Another file system, one without links, too many of them, or a file that is not ours to link. */
const unlinkable = ["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"];

/**
 * file: and ds: sources, which are the same: an absolute path of this server below one of the roots. What lies in a
 * library's own backing folder is moved instead of copied: linked when it is declared, and removed where it was once the
 * session is done.
 */
export interface FileSource extends ContentSource, FileMover {}

export function createFileSource(confinement: Confinement): FileSource {
  const openFile = (address: SourceAddress) => openConfined(pathOf(address), confinement);
  return {
    async open(request, signal) {
      assertThumbprintUsable(request);
      signal.throwIfAborted();
      const file = await openFile(request.address);
      if (signal.aborted) await file.handle.close();
      signal.throwIfAborted();
      const { from } = request;
      const isSame = from !== undefined && from.validator === file.identity.validator;
      const offset = isSame && from.offset <= file.identity.sizeBytes ? from.offset : 0;
      return openContent(file, pathOf(request.address), offset, signal);
    },

    async liesBelow(address, folder) {
      const file = await openFile(address).catch(ignoreSourceError);
      await file?.handle.close();
      const real = await realpath(folder).catch(() => undefined);
      return file !== undefined && real !== undefined && isBelow(file.path, real);
    },

    async linkTo(address, target) {
      const file = await openFile(address);
      try {
        return await linkOpened(file, target);
      } finally {
        await file.handle.close();
      }
    },

    async removeIfSame(address, validator) {
      const file = await openFile(address).catch(ignoreFinalError);
      await file?.handle.close();
      return file !== undefined && (await unlinkIfSame(file.path, validator));
    },
  };
}

function openContent(file: ConfinedFile, path: string, offset: number, signal: AbortSignal): OpenedContent {
  const { handle, identity } = file;
  const close = () => {
    signal.removeEventListener("abort", close);
    // Waits for a read that is under way; a handle that fails to close is gone all the same.
    handle.close().catch(() => undefined);
  };
  signal.addEventListener("abort", close);
  return {
    offset,
    sizeBytes: identity.sizeBytes,
    validator: identity.validator,
    hasEnd: true,
    bytes: readBytes(file, path, offset, signal, close),
    close,
  };
}

async function* readBytes(
  { handle, identity }: ConfinedFile,
  path: string,
  from: number,
  signal: AbortSignal,
  close: () => void,
): AsyncGenerator<Uint8Array> {
  try {
    let offset = from;
    while (offset < identity.sizeBytes) {
      signal.throwIfAborted();
      const chunk = Buffer.allocUnsafeSlow(Math.min(chunkBytes, identity.sizeBytes - offset));
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, offset);
      if (bytesRead === 0) throw changedError(path);
      offset += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
    signal.throwIfAborted();
    const { validator } = readIdentity(await handle.stat({ bigint: true }));
    if (validator !== identity.validator) throw changedError(path);
  } catch (error) {
    signal.throwIfAborted();
    if (errorCode(error) === undefined) throw error;
    throw new SourceError("unreachable", `${path} could not be read on; try again later`, { cause: error });
  } finally {
    close();
  }
}

async function linkOpened(file: ConfinedFile, target: string): Promise<FileIdentity | undefined> {
  try {
    await link(file.path, target);
  } catch (error) {
    if (unlinkable.includes(errorCode(error) ?? "")) return undefined;
    if ((await lstat(file.path).catch(() => undefined)) === undefined) throw changedError(file.path);
    throw error;
  }
  // Node links by name only: the name may have come to lead elsewhere since the file was opened.
  const linked = readIdentity(await lstat(target, { bigint: true }));
  if (linked.validator === file.identity.validator) return linked;
  await unlink(target);
  throw changedError(file.path);
}

function pathOf(address: SourceAddress): string {
  if (address.scheme === "file" || address.scheme === "ds") return address.path;
  throw new TypeError(`${address.scheme} is no scheme of files`);
}

function changedError(path: string): SourceError {
  return new SourceError("changed", `${path} changed while it was read; try again when it is whole`);
}

function ignoreSourceError(error: unknown): undefined {
  if (!(error instanceof SourceError)) throw error;
}

/** One that is away is looked for again. */
function ignoreFinalError(error: unknown): undefined {
  if (!(error instanceof SourceError) || !error.isFinal) throw error;
}
