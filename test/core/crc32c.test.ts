import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createHasher } from "../../src/core/checksum.js";
import { crc32c, createCrc32c } from "../../src/core/crc32c.js";

/** One bit at a time, after the definition: reflected polynomial 0x82f63b78, all ones before and after. */
function crcByBit(bytes: Iterable<number>): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

const readCommand = [
  "01c00000",
  "00000000",
  "00000000",
  "00000000",
  "14000000",
  "00000400",
  "00000014",
  "00000018",
  "28000000",
  "00000000",
  "02000000",
  "00000000",
].join("");

/** RFC 3720 appendix B.4 lists the checksums byte by byte, the least significant first. */
const vectors: readonly (readonly [string, Uint8Array, string])[] = [
  ["32 zeros", new Uint8Array(32), "aa36918a"],
  ["32 ones", new Uint8Array(32).fill(0xff), "43aba862"],
  ["32 rising", Uint8Array.from({ length: 32 }, (_, i) => i), "4e79dd46"],
  ["32 falling", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), "5cdb3f11"],
  ["an iSCSI read command", new Uint8Array(Buffer.from(readCommand, "hex")), "563a96d9"],
];

const hex = (crc: number) => crc.toString(16).padStart(8, "0");

describe("CRC-32C", () => {
  it.each(vectors)("of %s is what RFC 3720 says", (_what, bytes, listed) => {
    const value = Buffer.from(listed, "hex").reverse().toString("hex");
    expect(hex(crc32c(bytes))).toBe(value);
    expect(createCrc32c().update(bytes).digest("hex")).toBe(value);
  });

  it("of nothing is zero, and nothing changes no value", () => {
    expect(crc32c(new Uint8Array(0))).toBe(0);
    expect(crc32c(new Uint8Array(0), 0xdeadbeef)).toBe(0xdeadbeef);
  });

  it("equals the definition, however the bytes are sliced and wherever they lie in their buffer", () => {
    const property = fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.nat(300), { maxLength: 6 }),
      fc.nat(9),
      (bytes, cuts, shift) => {
        const place = new Uint8Array(bytes.length + shift);
        place.set(bytes, shift);
        const edges = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const running = createCrc32c();
        let number = 0;
        for (let i = 1; i < edges.length; i++) {
          const slice = place.subarray(shift + edges[i - 1]!, shift + edges[i]!);
          running.update(slice);
          number = crc32c(slice, number);
        }
        expect(hex(number)).toBe(hex(crcByBit(bytes)));
        expect(running.digest("hex")).toBe(hex(crcByBit(bytes)));
      },
    );
    fc.assert(property, { numRuns: 500 });
  });

  it("of a copy goes its own way", () => {
    const first = createCrc32c().update(new Uint8Array([1, 2, 3]));
    const copy = first.copy().update(new Uint8Array([4]));
    expect(first.digest("hex")).toBe(hex(crcByBit([1, 2, 3])));
    expect(copy.digest("hex")).toBe(hex(crcByBit([1, 2, 3, 4])));
  });

  it("with leading zeros is written with eight digits", () => {
    const found = Array.from({ length: 1000 }, (_, i) => new Uint8Array([i & 255, i >> 8])).find(
      (bytes) => crc32c(bytes) < 2 ** 24,
    )!;
    const hasher = createHasher(["crc32c"]);
    hasher.update(found);
    expect(hasher.digests()[1]!.value).toMatch(/^00[0-9a-f]{6}$/);
    expect(hasher.digests()[1]!.value).toBe(hex(crcByBit(found)));
  });
});
