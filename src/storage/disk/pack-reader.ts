import type { FileHandle } from "node:fs/promises";
import type { BlobKey } from "../../core/index.js";
import { damageError } from "./errors.js";
import { checksum, findCandidate, findHeader, headerBytes, type RecordPlace } from "./pack-format.js";
import { openIfThere, readFully } from "./positional-io.js";

const windowBytes = 64 * 1024;

/** Where a record stands in its pack, and how long its payload is. */
export interface PackRecord {
  readonly offset: number;
  readonly length: number;
}

/** A record's payload, whole and checked. */
export async function readRecord(
  handle: FileHandle,
  place: RecordPlace,
  expected: { readonly key: BlobKey; readonly length: number },
): Promise<Uint8Array> {
  const { key, length } = expected;
  const bytes = await readFully(handle, place.offset, headerBytes + length);
  const header = findHeader(bytes, place);
  if (header === undefined) throw damageError(key, "their record header is missing or wrong");
  if (header.length !== length) throw damageError(key, `their record holds ${header.length} bytes`);
  const payload = bytes.subarray(headerBytes);
  if (payload.byteLength < length) throw damageError(key, "their record is cut off");
  if (checksum([payload]) !== header.payloadCrc) throw damageError(key, "their record checksum differs");
  return payload;
}

/**
 * Every record of a pack, by its header alone; none when the file is not there. What is no header is passed over up to
 * the next one: behind the bytes that a crash tore, or that went bad, there may be records that rows name, and a pack
 * is only ever deleted by what is found here.
 */
export async function* scanPack(path: string, packId: string): AsyncGenerator<PackRecord, void, undefined> {
  const handle = await openIfThere(path);
  if (handle === undefined) return;
  try {
    for (let base = 0; ; ) {
      const window = await readFully(handle, base, windowBytes);
      if (window.byteLength < headerBytes) return;
      let at = 0;
      while (at + headerBytes <= window.byteLength) {
        const offset = base + at;
        const header = findHeader(window.subarray(at), { packId, offset });
        if (header === undefined) {
          at = findCandidate(window, at + 1);
        } else {
          yield { offset, length: header.length };
          at += headerBytes + header.length;
        }
      }
      base += at;
    }
  } finally {
    await handle.close();
  }
}
