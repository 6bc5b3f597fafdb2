import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blobAlgorithms, formatBlobRef, parseBlobRef, parseBlobRefText } from "../../src/core/index.js";

const lengths = { sha1: 40, sha224: 56, sha256: 64 };
const anyRef = fc
  .constantFrom(...blobAlgorithms)
  .chain((algorithm) =>
    fc
      .array(fc.constantFrom(..."0123456789abcdef"), { minLength: lengths[algorithm], maxLength: lengths[algorithm] })
      .map((digits) => ({ algorithm, digest: digits.join("") })),
  );

describe("a blob's ref", () => {
  it("is the same after it was a text", () => {
    fc.assert(
      fc.property(anyRef, (ref) => {
        expect(parseBlobRefText(formatBlobRef(ref))).toEqual(ref);
      }),
    );
  });

  it("is written in lower case and read in either", () => {
    const ref = { algorithm: "sha1" as const, digest: "9b03f7aca1ac60d40b5e570c34f79a3e07c918e8" };
    expect(formatBlobRef(ref)).toBe("sha1-9b03f7aca1ac60d40b5e570c34f79a3e07c918e8");
    expect(parseBlobRef({ algorithm: "SHA1", digest: ref.digest.toUpperCase() })).toEqual(ref);
  });

  it.each(["md5", "sha384", "sha512", "crc32c", "UNSPECIFIED", "", "sha", "sha-1"])("of %j is unsupported", (name) => {
    const refused = expect.objectContaining({ code: "unsupported", details: { reason: "ALGORITHM_UNKNOWN" } });
    expect(() => parseBlobRef({ algorithm: name, digest: "0".repeat(64) })).toThrow(refused);
  });

  it.each(["", "0".repeat(63), "0".repeat(65), `${"0".repeat(63)}g`, `${"0".repeat(64)}\n`, `-${"0".repeat(63)}`])(
    "with the digest %j is malformed",
    (digest) => {
      const refused = expect.objectContaining({ code: "invalid", details: { reason: "CHECKSUM_MALFORMED" } });
      expect(() => parseBlobRef({ algorithm: "sha256", digest })).toThrow(refused);
    },
  );

  it.each(["", "-", "sha1", "sha256-", "sha1-sha1-", "-0", "sha256"])("is not read from the text %j", (text) => {
    expect(() => parseBlobRefText(text)).toThrow(expect.objectContaining({ name: "UploadError" }));
  });
});
