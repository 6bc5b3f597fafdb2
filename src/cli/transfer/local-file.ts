import type { BigIntStats } from "node:fs";
import { open } from "node:fs/promises";
import { FileChanged, FileError, systemCodeOf } from "../shell/cli-error.js";

/** A file that is being sent, and that must stay as it was when it was opened. */
export interface LocalFile {
  readonly sizeBytes: number;
  /** When it was last changed, in ISO 8601. */
  readonly modifiedAt: string;
  /** Exactly `length` bytes at a position; fails when there are fewer. */
  read(position: number, length: number): Promise<Uint8Array>;
  /** Fails when it is not what it was when it was opened. */
  assertUnchanged(): Promise<void>;
  close(): Promise<void>;
}

export async function openLocalFile(location: string, path: string): Promise<LocalFile> {
  const handle = await open(location, "r").catch((error: unknown) => {
    throw new FileError(`${path} cannot be read (${systemCodeOf(error) ?? error})`, error);
  });
  const opened = await handle.stat({ bigint: true });
  const sizeBytes = Number(opened.size);
  const changed = (how: string) => new FileChanged(`${path} changed while it was uploaded: ${how}`);
  return {
    sizeBytes,
    modifiedAt: opened.mtime.toISOString(),
    async read(position, length) {
      const bytes = Buffer.allocUnsafeSlow(length);
      for (let filled = 0; filled < length; ) {
        const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled);
        if (bytesRead === 0) throw changed(`it ends at ${position + filled} of ${sizeBytes} bytes`);
        filled += bytesRead;
      }
      return bytes;
    },
    async assertUnchanged() {
      const now = await handle.stat({ bigint: true });
      if (now.size !== opened.size) throw changed(`it had ${opened.size} bytes and has ${now.size}`);
      if (now.mtimeNs !== opened.mtimeNs) throw changed(`it was written to at ${timeOf(now)}`);
    },
    close: () => handle.close(),
  };
}

function timeOf(found: BigIntStats): string {
  return found.mtime.toISOString();
}
