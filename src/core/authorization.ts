import type { Credentials } from "./access.js";
import { UploadError } from "./error.js";

/**
 * Reads an `authorization` header: `Bearer TOKEN` (RFC 6750) or `Basic` with a login and a password in UTF-8 (RFC 7617).
 * Throws `unauthenticated` (TOKEN_INVALID) for one that is neither.
 */
export function parseAuthorization(header: string | null): Credentials | undefined {
  if (header === null) return undefined;
  const [, scheme = "", value = ""] = /^(Bearer|Basic) +([A-Za-z0-9._~+/-]+=*) *$/i.exec(header) ?? [];
  if (scheme === "") throw malformed();
  if (scheme.toLowerCase() === "bearer") return { kind: "token", token: value };
  const text = decode(value);
  const colon = text?.indexOf(":") ?? -1;
  if (text === undefined || colon < 0) throw malformed();
  return { kind: "password", login: text.slice(0, colon), password: text.slice(colon + 1) };
}

function decode(base64: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function malformed(): UploadError {
  const words = "the authorization header is neither `Bearer TOKEN` nor `Basic` with a login and a password";
  return new UploadError("unauthenticated", words, { reason: "TOKEN_INVALID" });
}
