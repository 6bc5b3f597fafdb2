// Local files on their way to become blobs: read once for their ref, and once more to be sent.
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileError, systemCodeOf } from "../shell/cli-error.js";
import { unlessAborted } from "../shell/interrupt.js";
import type { BlobAlgorithm, Ref } from "./ref.js";

const chunkBytes = 2 ** 20;

export interface LocalBlob {
  /** As it was named, for people. */
  readonly path: string;
  readonly location: string;
  readonly ref: Ref;
  readonly sizeBytes: number;
}

export async function readLocalBlob(
  path: string,
  location: string,
  algorithm: BlobAlgorithm,
  signal: AbortSignal,
): Promise<LocalBlob> {
  const hash = createHash(algorithm);
  let sizeBytes = 0;
  try {
    if (!(await stat(location)).isFile()) throw new FileError(`${path} is no file`);
    for await (const bytes of createReadStream(location, { highWaterMark: chunkBytes, signal })) {
      hash.update(bytes);
      sizeBytes += bytes.length;
    }
  } catch (error) {
    throw unreadable(path, error);
  }
  return { path, location, ref: { algorithm, digest: hash.digest("hex") }, sizeBytes };
}

/** The bytes that were read before, in chunks, of which the last one says so; an empty file is one empty chunk. */
export async function* chunksOf(
  blob: LocalBlob,
): AsyncGenerator<{ readonly data: Uint8Array; readonly last: boolean }> {
  const { path, location, sizeBytes } = blob;
  let handle: FileHandle | undefined;
  try {
    handle = await open(location, "r");
    for (let at = 0; ; ) {
      const data = new Uint8Array(Math.min(chunkBytes, sizeBytes - at));
      const { bytesRead } = data.length === 0 ? { bytesRead: 0 } : await handle.read(data, 0, data.length, at);
      if (bytesRead < data.length) throw new FileError(`${path} changed while it was read`);
      at += bytesRead;
      yield { data, last: at === sizeBytes };
      if (at === sizeBytes) return;
    }
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    await handle?.close();
  }
}

/** Keeps a stream, which can be read only once, in a file of nobody else's until `use` is done with it. */
export async function withSpooled<T>(
  stream: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  use: (location: string) => Promise<T>,
): Promise<T> {
  const location = join(tmpdir(), `slipway-${randomBytes(12).toString("hex")}`);
  const handle = await open(location, "wx", 0o600);
  try {
    const copy = async () => {
      for await (const bytes of stream) {
        if (signal.aborted) return;
        await handle.appendFile(bytes);
      }
    };
    await unlessAborted(copy(), signal);
    return await use(location);
  } finally {
    await handle.close();
    await rm(location, { force: true });
  }
}

function unreadable(path: string, error: unknown): unknown {
  const code = systemCodeOf(error);
  if (code === undefined) return error;
  return new FileError(code === "ENOENT" ? `${path} is not there` : `${path} cannot be read (${code})`, error);
}
