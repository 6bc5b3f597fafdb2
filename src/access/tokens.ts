import { createHash, randomBytes } from "node:crypto";

const form = /^slp_[A-Za-z0-9_-]{43}$/;

/** A token for nobody yet: 256 random bits. */
export function generateToken(): string {
  return `slp_${randomBytes(32).toString("base64url")}`;
}

/** The digest of a token, which is all that is ever kept; undefined for text that is none. */
export function digestToken(text: string): Buffer | undefined {
  return form.test(text) ? createHash("sha256").update(text).digest() : undefined;
}
