import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  assertChecksums,
  checksumAlgorithms,
  createHasher,
  parseChecksum,
  parseChecksums,
} from "../../src/core/index.js";

const text = (value: string) => new TextEncoder().encode(value);

/** Of "123456789", from the algorithms' own documents. */
const known: readonly (readonly [string, string])[] = [
  ["md5", "25f9e794323b453885f5181f1b624d0b"],
  ["sha1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"],
  ["sha224", "9b3e61bf29f17c75572fae2e86e17809a4513d07c8a18152acf34521"],
  ["sha256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"],
  ["sha384", "eb455d56d2c1a69de64e832011f3393d45f3fa31d6842f21af92d2fe469c499da5e3179847334a18479c8d1dedea1be3"],
  [
    "sha512",
    "d9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274ad27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85",
  ],
  ["crc32c", "e3069283"],
];

describe("a checksum", () => {
  it.each(known)("by %s has as many digits as the algorithm gives, in either case", (algorithm, value) => {
    expect(parseChecksum(algorithm.toUpperCase(), value.toUpperCase())).toEqual({ algorithm, value });
    for (const wrong of [value.slice(1), `${value}0`, "", `${value.slice(1)}g`, `${value.slice(1)}\n`, ` ${value}`]) {
      expect(() => parseChecksum(algorithm, wrong)).toThrow(
        expect.objectContaining({ code: "invalid", details: { reason: "CHECKSUM_MALFORMED" } }),
      );
    }
  });

  it.each(["", "sha-256", "SHA3-256", "crc32", "md5 ", "__proto__", "constructor", "x".repeat(10_000)])(
    "by %j is unsupported, in a short sentence",
    (algorithm) => {
      const refused = expect.objectContaining({ code: "unsupported", details: { reason: "ALGORITHM_UNKNOWN" } });
      expect(() => parseChecksum(algorithm, "00")).toThrow(refused);
      expect(() => parseChecksum(algorithm, "00")).toThrow(/^.{0,200}$/);
    },
  );

  it("said twice is one, and said twice differently is refused", () => {
    const [algorithm, value] = known[0]!;
    const twice = [
      { algorithm, value },
      { algorithm: "MD5", value: value.toUpperCase() },
    ];
    expect(parseChecksums(twice)).toEqual([{ algorithm, value }]);
    expect(parseChecksums([])).toEqual([]);
    expect(() => parseChecksums([...twice, { algorithm, value: "0".repeat(32) }])).toThrow(
      expect.objectContaining({ code: "invalid", details: { reason: "CHECKSUM_MALFORMED" } }),
    );
  });
});

describe("a hasher", () => {
  it("knows every algorithm (P6)", () => {
    const hasher = createHasher(checksumAlgorithms);
    hasher.update(text("12345"));
    hasher.update(text(""));
    hasher.update(text("6789"));
    const computed = new Map(hasher.digests().map(({ algorithm, value }) => [algorithm as string, value]));
    expect(computed).toEqual(new Map(known));
    expect(known.map(([name]) => name).sort()).toEqual([...checksumAlgorithms].sort());
  });

  it("always computes SHA-256, and each algorithm once (P6)", () => {
    expect(createHasher([]).algorithms).toEqual(["sha256"]);
    expect(createHasher(["md5", "sha256", "md5"]).algorithms).toEqual(["sha256", "md5"]);
  });

  it("goes on after its digests were asked for, and its copies go their own way", () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(bytes, bytes, bytes, (head, tail, other) => {
        const hasher = createHasher(["crc32c", "sha1"]);
        hasher.update(head);
        hasher.digests();
        const copy = hasher.copy();
        hasher.update(tail);
        copy.update(other);
        expect(hasher.offset).toBe(head.length + tail.length);
        expect(copy.offset).toBe(head.length + other.length);
        for (const [one, end] of [[hasher, tail] as const, [copy, other] as const]) {
          const direct = createHasher(["crc32c", "sha1"]);
          direct.update(new Uint8Array([...head, ...end]));
          expect(one.digests()).toEqual(direct.digests());
        }
      }),
    );
  });

  it("gives the digest of nothing before it took anything", () => {
    expect(createHasher([]).digests()).toEqual([{ algorithm: "sha256", value: createHash("sha256").digest("hex") }]);
    expect(createHasher(["crc32c"]).digests()[1]!.value).toBe("00000000");
  });
});

describe("checking", () => {
  const computed = known.map(([algorithm, value]) => parseChecksum(algorithm, value));

  it("passes when all agree or nothing is declared", () => {
    assertChecksums(computed, computed, "file");
    assertChecksums([], computed, "file");
  });

  it.each(known)("tells both values when %s differs (P6)", (algorithm, value) => {
    const declared = "0".repeat(value.length);
    expect(() => assertChecksums([parseChecksum(algorithm, declared)], computed, "file")).toThrow(
      expect.objectContaining({
        code: "checksum_mismatch",
        details: { reason: "CHECKSUM_DIFFERS", declared, actual: value },
      }),
    );
  });

  it("never passes what was not computed", () => {
    expect(() => assertChecksums(computed, [], "file")).toThrow(TypeError);
  });
});
