import { X509Certificate } from "node:crypto";
import type { Certificate } from "../support/certificate.js";

/** As OpenSSL prints it: the test's own way to the value, not the code's. */
export function thumbprintOf({ cert }: Certificate, algorithm: "sha1" | "sha256" = "sha256"): string {
  const { fingerprint, fingerprint256 } = new X509Certificate(cert);
  return algorithm === "sha1" ? fingerprint : fingerprint256;
}
