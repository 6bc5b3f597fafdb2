import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDigestField } from "../../../src/rest/kit/digest-fields.js";

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const parse = (text: string) => parseDigestField(text, "Repr-Digest");
const one = `sha-256=:${base64(new Uint8Array(32))}:`;
const zeros = { algorithm: "sha256", value: "00".repeat(32) };

describe("a digest field", () => {
  it("gives each digest that is served, in hex", () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(bytes(32), bytes(64), (small, large) => {
        expect(parse(`sha-256=:${base64(small)}:, sha-512=:${base64(large)}:`)).toEqual([
          { algorithm: "sha256", value: hex(small) },
          { algorithm: "sha512", value: hex(large) },
        ]);
      }),
    );
  });

  it("passes over algorithms that are not served beside one that is, and takes the last of two", () => {
    expect(parse(`md5=:AAAA:,\t${one} , constructor=:AAAA:`)).toEqual([zeros]);
    const other = `sha-256=:${base64(new Uint8Array(32).fill(255))}:`;
    expect(parse(`${other},${one}`)).toEqual([zeros]);
  });

  it.each(["md5=:AAAA:", "tostring=:AAAA:", "md5=:AAAA:, sha=:AAAA:"])(
    "is refused where there is nothing to check by: %s",
    (text) => {
      const refused = { code: "unsupported", details: { reason: "ALGORITHM_UNKNOWN" } };
      expect(() => parse(text)).toThrow(expect.objectContaining(refused));
    },
  );

  it.each([
    "",
    ",",
    `${one},`,
    `,${one}`,
    "sha-256",
    "sha-256=?1",
    `sha-256="${base64(new Uint8Array(32))}"`,
    `sha-256=${base64(new Uint8Array(32))}`,
    `SHA-256=:${base64(new Uint8Array(32))}:`,
    `sha-256 = :${base64(new Uint8Array(32))}:`,
    "sha-256=::",
    `sha-256=:${base64(new Uint8Array(31))}:`,
    `sha-256=:${base64(new Uint8Array(32)).replace("=", "")}:`,
    `sha-256=:${base64(new Uint8Array(32)).replace("A=", "B=")}:`,
    `${one};a=1`,
    `${one} ${one}`,
  ])("is refused as %j", (text) => {
    const refused = { code: "invalid", details: { reason: "CHECKSUM_MALFORMED" } };
    expect(() => parse(text)).toThrow(expect.objectContaining(refused));
  });
});
