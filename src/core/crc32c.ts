// CRC-32C (Castagnoli, RFC 3720 appendix B.4), which neither node:crypto nor node:zlib has. Eight tables, eight bytes a
// step.
const tables: readonly Uint32Array[] = buildTables();

function buildTables(): readonly Uint32Array[] {
  const first = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    first[byte] = crc >>> 0;
  }
  const all = [first];
  for (let slice = 1; slice < 8; slice++) {
    const previous = all[slice - 1]!;
    all.push(previous.map((crc) => (crc >>> 8) ^ first[crc & 0xff]!));
  }
  return all;
}

function extend(start: number, bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as readonly [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  let crc = ~start;
  let at = 0;
  for (const end = bytes.length - 7; at < end; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      t7[crc & 0xff]! ^
      t6[(crc >>> 8) & 0xff]! ^
      t5[(crc >>> 16) & 0xff]! ^
      t4[crc >>> 24]! ^
      t3[bytes[at + 4]!]! ^
      t2[bytes[at + 5]!]! ^
      t1[bytes[at + 6]!]! ^
      t0[bytes[at + 7]!]!;
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}

/** The CRC-32C of `bytes` as an unsigned number, continuing from `start`. */
export function crc32c(bytes: Uint8Array, start = 0): number {
  return extend(start, bytes);
}

export interface Crc32c {
  update(chunk: Uint8Array): Crc32c;
  copy(): Crc32c;
  /** Eight hex digits, most significant first. */
  digest(encoding: "hex"): string;
}

/** The streaming form, in the manner of node:crypto's Hash. */
export function createCrc32c(start = 0): Crc32c {
  let crc = start;
  return {
    update(chunk) {
      crc = extend(crc, chunk);
      return this;
    },
    copy: () => createCrc32c(crc),
    digest: () => crc.toString(16).padStart(8, "0"),
  };
}
