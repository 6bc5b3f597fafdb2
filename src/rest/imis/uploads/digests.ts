// Digests that clients send beside content, in the several spellings that there are.
import { type Checksum, invalid, parseChecksum, parseChecksums } from "../../../core/index.js";
import { parseDigestField, type WireRequest } from "../../kit/index.js";
import { ImisError } from "../errors.js";

type Headers = WireRequest["headers"];

/**
 * What the part that a request carries must hash to: `Content-Digest` (RFC 9530), `Upload-Checksum` (tus) or
 * `Content-MD5`. Of several the strongest counts. Throws `digest_invalid`, also for two that contradict each other.
 */
export function readPartDigest(headers: Headers): Checksum | undefined {
  if (headers["repr-digest"] !== undefined) {
    const told = "Repr-Digest is said when the session is created; the digest of a part is Content-Digest";
    throw new ImisError("digest_invalid", told);
  }
  return parseChecksums(digestsOfBody(headers)).reduce<Checksum | undefined>(stronger, undefined);
}

/** All that a body must hash to that is the whole content. Throws `digest_invalid`, also for two that contradict each other. */
export function readBodyDigests(headers: Headers): readonly Checksum[] {
  return parseChecksums([...digestsOfBody(headers), ...readWholeDigests(headers, undefined)]);
}

function digestsOfBody(headers: Headers): readonly Checksum[] {
  const content = headers["content-digest"];
  const upload = headers["upload-checksum"];
  const md5 = headers["content-md5"];
  return [
    ...(content === undefined ? [] : parseDigestField(content, "Content-Digest")),
    ...(upload === undefined ? [] : [parseUploadChecksum(upload)]),
    ...(md5 === undefined ? [] : [parseBase64Digest("md5", md5.trim(), "Content-MD5")]),
  ];
}

/** What the whole must hash to, by those who know it before they send it. Throws `digest_invalid`. */
export function readWholeDigests(headers: Headers, sha256: string | undefined): readonly Checksum[] {
  const field = headers["repr-digest"];
  return parseChecksums([
    ...(field === undefined ? [] : parseDigestField(field, "Repr-Digest")),
    ...(sha256 === undefined ? [] : [parseChecksum("sha256", sha256)]),
  ]);
}

/** In lower-case hex. Throws `digest_invalid`. */
export function readSha256(text: string | undefined): string | undefined {
  return text === undefined ? undefined : parseChecksum("sha256", text).value;
}

function stronger(a: Checksum | undefined, b: Checksum): Checksum {
  return a === undefined || b.value.length > a.value.length ? b : a;
}

function parseUploadChecksum(text: string): Checksum {
  const [, algorithm, base64] = /^([!-~]{1,40}) ([A-Za-z0-9+/]+={0,2})$/.exec(text.trim()) ?? [];
  if (algorithm === undefined || base64 === undefined) throw malformed("Upload-Checksum", "sha256 BASE64", text);
  return parseBase64Digest(algorithm, base64, "Upload-Checksum");
}

function parseBase64Digest(algorithm: string, base64: string, name: string): Checksum {
  const digest = Buffer.from(base64, "base64");
  if (digest.toString("base64") !== base64) throw malformed(name, "Base64", base64);
  return parseChecksum(algorithm, digest.toString("hex"));
}

function malformed(name: string, form: string, text: string): Error {
  return invalid("CHECKSUM_MALFORMED", `${name} must be ${form}, not ${JSON.stringify(text.slice(0, 140))}`);
}
