import { describe, expect, it } from "vitest";
import { type Checksum, createHasher, parseChecksums } from "../../../src/core/index.js";
import { checksumInfoOf, checksumsFrom } from "../../../src/rest/vsphere/checksums.js";
import { parseClientToken } from "../../../src/rest/vsphere/client-token.js";

const computed = (...declared: Checksum["algorithm"][]) => {
  const hasher = createHasher(declared);
  hasher.update(new TextEncoder().encode("hello"));
  return { id: "11111111-1111-4111-8111-111111111111", sizeBytes: 5, checksums: hasher.digests() };
};
const sha1 = "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d";

describe("the checksum of content", () => {
  it("is of the algorithm that was declared", () => {
    expect(checksumInfoOf(computed("sha1"))).toEqual({ algorithm: "SHA1", checksum: sha1 });
    expect(checksumInfoOf(computed("md5")).algorithm).toBe("MD5");
    expect(checksumInfoOf(computed("sha512")).algorithm).toBe("SHA512");
  });

  it("is a SHA256 where nothing, that itself or what the API has no word for was declared", () => {
    const sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    for (const declared of [[], ["sha256"], ["crc32c"], ["sha224", "sha384"]] as Checksum["algorithm"][][]) {
      expect(checksumInfoOf(computed(...declared))).toEqual({ algorithm: "SHA256", checksum: sha256 });
    }
  });
});

describe("a declared checksum", () => {
  it("is a SHA-1 when it names no algorithm", () => {
    expect(parseChecksums(checksumsFrom({ checksum: sha1.toUpperCase() }))).toEqual([
      { algorithm: "sha1", value: sha1 },
    ]);
  });

  it("is taken as it is, and its digits are checked by the core", () => {
    expect(checksumsFrom({ algorithm: "MD5", checksum: "00" })).toEqual([{ algorithm: "md5", value: "00" }]);
    expect(() => parseChecksums(checksumsFrom({ algorithm: "MD5", checksum: "00" }))).toThrow("32 hex digits");
    expect(checksumsFrom(undefined)).toEqual([]);
  });
});

describe("a client token", () => {
  it("is a UUID of any version, whatever the case of its digits", () => {
    expect(parseClientToken("AAAAAAAA-0000-0000-0000-00000000000F")).toBe("aaaaaaaa-0000-0000-0000-00000000000f");
    expect(parseClientToken(undefined)).toBeUndefined();
  });

  it("that is none is an invalid argument", () => {
    for (const text of ["", "token", "aaaaaaaa-0000-0000-0000-00000000000f "]) {
      expect(() => parseClientToken(text)).toThrow(expect.objectContaining({ type: "invalid_argument" }));
    }
  });
});
