import { createHash } from "node:crypto";
import { SourceError } from "./source-error.js";

/** The digest of a certificate's DER form: whoever shows that certificate is trusted, and nobody else. */
export interface Thumbprint {
  readonly algorithm: "sha1" | "sha256";
  /** Lower case, without colons. */
  readonly hex: string;
}

/**
 * `AA:BB:...` in either case, with all of its colons or none: 20 bytes are SHA-1, 32 are SHA-256. Throws
 * `thumbprint_malformed`.
 */
export function parseThumbprint(text: string): Thumbprint {
  const wellFormed = /^[0-9a-f]{2}(?:(?::[0-9a-f]{2})*|(?:[0-9a-f]{2})*)$/i.test(text);
  const hex = text.replaceAll(":", "").toLowerCase();
  if (wellFormed && hex.length === 40) return { algorithm: "sha1", hex };
  if (wellFormed && hex.length === 64) return { algorithm: "sha256", hex };
  throw new SourceError(
    "thumbprint_malformed",
    `a certificate thumbprint is 20 bytes (SHA-1) or 32 bytes (SHA-256) as hexadecimal digits such as AA:BB:..., not ${JSON.stringify(text.slice(0, 100))}`,
  );
}

/** Upper-case pairs with colons between them. */
export function formatThumbprint({ hex }: Thumbprint): string {
  return hex.toUpperCase().match(/../g)?.join(":") ?? "";
}

/** The thumbprint of a certificate in DER form. */
export function computeThumbprint(der: Uint8Array, algorithm: Thumbprint["algorithm"]): Thumbprint {
  return { algorithm, hex: createHash(algorithm).update(der).digest("hex") };
}
