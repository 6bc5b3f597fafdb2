import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parseSource } from "../../../src/core/index.js";
import { endpointOf, sourceOf } from "../../../src/rest/vsphere/endpoint.js";
import { VapiError } from "../../../src/rest/vsphere/errors.js";
import { derFromPem, pemFromDer } from "../../../src/rest/vsphere/pem.js";
import { makeCertificate } from "../../support/certificate.js";

const uri = "https://example.com/a.iso";
const { cert, key } = makeCertificate();
const { raw, fingerprint256 } = new X509Certificate(cert);
const base64 = raw.toString("base64");
const armoured = (inner: string) => `-----BEGIN CERTIFICATE-----\n${inner}\n-----END CERTIFICATE-----\n`;

describe("a transfer endpoint", () => {
  it.each([
    ["nothing", {}],
    ["an empty thumbprint and certificate", { ssl_certificate_thumbprint: "", ssl_certificate: "" }],
  ])("with %s pins nothing", (_, more) => {
    expect(sourceOf({ uri, ...more })).toEqual({ uri });
  });

  it("hands a thumbprint on as it is written", () => {
    expect(sourceOf({ uri, ssl_certificate_thumbprint: "aa:BB" })).toEqual({ uri, thumbprint: "aa:BB" });
  });

  it.each([
    ["as it is printed", cert],
    ["with CRLF and space around it", `\r\n ${cert.replaceAll("\n", "\r\n")}\t`],
    ["in one line", armoured(base64)],
  ])("with a certificate is pinned to that, whatever the thumbprint beside it says: %s", (_, pem) => {
    const source = sourceOf({ uri, ssl_certificate: pem, ssl_certificate_thumbprint: "00:11" });
    expect(source).toEqual({ uri, thumbprint: fingerprint256 });
  });

  it.each([
    ["two certificates", cert + cert],
    ["two in one armour", armoured(Buffer.concat([raw, raw]).toString("base64"))],
    ["a key", key],
    ["a key beside it", cert + key],
    ["no armour", base64],
    ["nothing within", armoured("")],
    ["something that is no base64", armoured("a*b=")],
    ["base64 that is cut", armoured(base64.slice(0, 101))],
    ["a certificate that is cut", armoured(raw.subarray(0, 99).toString("base64"))],
    ["a path", "/etc/ssl/cert.pem"],
  ])("with %s instead of a certificate is an invalid argument", (_, pem) => {
    const refused = () => sourceOf({ uri, ssl_certificate: pem });
    expect(refused).toThrow(VapiError);
    expect(refused).toThrow(/^ssl_certificate is not one certificate in PEM form/);
    try {
      refused();
    } catch (error) {
      expect(error).toMatchObject({ type: "invalid_argument", messages: [{ id: "slipway.certificate_malformed" }] });
    }
  });

  it("with a certificate of more than 64 KiB is an invalid argument that says so", () => {
    const padded = (length: number) => cert + " ".repeat(length - cert.length);
    expect(sourceOf({ uri, ssl_certificate: padded(65_536) })).toEqual({ uri, thumbprint: fingerprint256 });
    expect(() => sourceOf({ uri, ssl_certificate: padded(65_537) })).toThrow(
      "ssl_certificate has 65537 characters, at most 65536 are allowed",
    );
  });

  it("is answered in its normal form, with the thumbprint in upper-case pairs", () => {
    const thumbprint = fingerprint256.replaceAll(":", "").toLowerCase();
    expect(endpointOf(parseSource("HTTPS://Example.com:443/a.iso#part", thumbprint))).toEqual({
      uri,
      ssl_certificate_thumbprint: fingerprint256,
    });
    expect(endpointOf(parseSource("ds:///vmfs/volumes/a/b.iso"))).toEqual({ uri: "ds:///vmfs/volumes/a/b.iso" });
  });
});

describe("a certificate as text", () => {
  it("is what other programs read, and comes back as it was", () => {
    expect(pemFromDer(raw)).toBe(cert);
    expect(new X509Certificate(pemFromDer(raw)).raw.equals(raw)).toBe(true);
  });

  it.each([0, 1, 127, 128, 255, 256, 65_535, 65_536])(
    "is told from others by its length: %i bytes within",
    (length) => {
      const size = length < 128 ? [length] : lengthBytes(length);
      const bytes = Buffer.concat([Buffer.from([0x30, ...size]), Buffer.alloc(length)]);
      expect(derFromPem(pemFromDer(bytes))).toEqual(bytes);
      expect(derFromPem(pemFromDer(bytes.subarray(0, -1)))).toBeUndefined();
      expect(derFromPem(pemFromDer(Buffer.concat([bytes, Buffer.alloc(1)])))).toBeUndefined();
    },
  );
});

describe("what is not a certificate", () => {
  const many = 200_000;
  const begin = "-----BEGIN CERTIFICATE-----";

  it.each([
    ["white space after the armour", begin + " ".repeat(many)],
    ["white space that ends with a mark", `${begin}${" ".repeat(many)}!`],
    ["white space within the armour", armoured(`${" ".repeat(many)}!`)],
    ["letters with white space between them", armoured(`${"A ".repeat(many / 2)}!`)],
    ["armour again and again", `${begin}\n`.repeat(many / 28)],
    ["letters of base64", armoured("A".repeat(many - 1))],
    ["white space around a letter", `${" ".repeat(many)}x${" ".repeat(many)}`],
  ])("is told in a time that does not grow with its square: %s", (_, text) => {
    const startedAt = performance.now();
    expect(derFromPem(text)).toBeUndefined();
    expect(() => sourceOf({ uri, ssl_certificate: text })).toThrow(VapiError);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it("is armour that ends within its beginning", () => {
    expect(derFromPem("-----BEGIN CERTIFICATE-----END CERTIFICATE-----")).toBeUndefined();
    expect(derFromPem(cert.replace("-----\n", "-----"))).toBeUndefined();
  });
});

/** The long form of a DER length. */
function lengthBytes(length: number): readonly number[] {
  const bytes = Buffer.from(length.toString(16).padStart(6, "0"), "hex");
  const short = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
  return [0x80 | short.length, ...short];
}
