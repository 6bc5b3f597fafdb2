import { type FileHandle, open } from "node:fs/promises";
import { errorCode } from "./errors.js";

/** The most buffers that one writev takes (IOV_MAX). */
const maxVectors = 1024;

/**
 * Writes all of `chunks` from `position` on, however little the system takes at a time; answers how many bytes that
 * was.
 */
export async function writeFully(handle: FileHandle, chunks: readonly Uint8Array[], position: number): Promise<number> {
  let rest = chunks.filter((chunk) => chunk.byteLength > 0);
  let written = 0;
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev(rest.slice(0, maxVectors), position + written);
    if (bytesWritten === 0) throw Object.assign(new Error("writev wrote nothing"), { code: "EIO" });
    written += bytesWritten;
    rest = dropBytes(rest, bytesWritten);
  }
  return written;
}

/** Up to `length` bytes from `position` on, fewer only where the file ends, in memory that nobody else holds. */
export async function readFully(handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return new Uint8Array(buffer.buffer, 0, filled);
}

/** Opens a file for reading; undefined when there is none. */
export async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function dropBytes(chunks: Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  let whole = 0;
  while (whole < chunks.length && left >= chunks[whole]!.byteLength) {
    left -= chunks[whole]!.byteLength;
    whole++;
  }
  const rest = chunks.slice(whole);
  if (left > 0) rest[0] = rest[0]!.subarray(left);
  return rest;
}
