import type { BigIntStats } from "node:fs";
import { lstat, open, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { errorCode } from "./error-code.js";

/** Which file it is, and in which state: it is another one when it was replaced, written to or cut. */
export interface FileIdentity {
  /** Device, inode, size and time of the last write in nanoseconds. A new name for the file (a link) changes none. */
  readonly validator: string;
  readonly sizeBytes: number;
}

export function readIdentity({ dev, ino, size, mtimeNs }: BigIntStats): FileIdentity {
  return { validator: [dev, ino, size, mtimeNs].join("-"), sizeBytes: Number(size) };
}

/**
 * Removes a name where it still leads to that very file, unchanged; false where it does not. Between the look and the
 * deed lies as little as Node allows. Durable when it resolves.
 */
export async function unlinkIfSame(path: string, validator: string): Promise<boolean> {
  try {
    if (readIdentity(await lstat(path, { bigint: true })).validator !== validator) return false;
    await unlink(path);
    await syncFolder(dirname(path));
    return true;
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return false;
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
