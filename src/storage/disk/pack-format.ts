// A pack is records one after the other; a record is this header (big-endian) and the payload:
//   0  magic "SWPK"
//   4  version (16 bits), zero (16 bits)
//   8  payload length
//  12  CRC-32 of the payload
//  16  CRC-32 of the 16 bytes above, seeded with the pack's id and the record's offset
// The seed makes a header valid in its own place only: uploaded content that contains a pack's bytes never passes for a
// record of another.
import { crc32 } from "node:zlib";
import { smallContentBytes } from "../../core/index.js";

export const headerBytes = 20;
const magic = Buffer.from("SWPK", "latin1");
const version = 1;

export interface RecordPlace {
  readonly packId: string;
  /** Where the record's header stands. */
  readonly offset: number;
}

export interface RecordHeader {
  readonly length: number;
  readonly payloadCrc: number;
}

export function formatHeader(place: RecordPlace, header: RecordHeader): Uint8Array {
  const bytes = Buffer.alloc(headerBytes);
  magic.copy(bytes);
  bytes.writeUInt16BE(version, 4);
  bytes.writeUInt32BE(header.length, 8);
  bytes.writeUInt32BE(header.payloadCrc, 12);
  bytes.writeUInt32BE(headerCrc(bytes, place), 16);
  return bytes;
}

/** The header that `bytes` begin with, or undefined where no whole and valid one stands. */
export function findHeader(bytes: Uint8Array, place: RecordPlace): RecordHeader | undefined {
  if (bytes.byteLength < headerBytes) return undefined;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, headerBytes);
  if (!view.subarray(0, magic.length).equals(magic) || view.readUInt32BE(16) !== headerCrc(view, place))
    return undefined;
  const length = view.readUInt32BE(8);
  if (view.readUInt16BE(4) !== version || length === 0 || length > smallContentBytes) return undefined;
  return { length, payloadCrc: view.readUInt32BE(12) };
}

/** The next place in `bytes`, at `from` or after it, where a header may begin: also one that is cut off by the end. */
export function findCandidate(bytes: Uint8Array, from: number): number {
  const found = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(magic, from);
  return found >= 0 ? found : Math.max(from, bytes.byteLength - magic.length + 1);
}

export function checksum(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((crc, chunk) => crc32(chunk, crc), 0);
}

function headerCrc(header: Uint8Array, place: RecordPlace): number {
  return crc32(header.subarray(0, 16), crc32(`${place.packId}:${place.offset}`));
}
