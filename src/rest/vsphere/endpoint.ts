// Where content is fetched from, in the API's words and in the core's.
import { computeThumbprint, type FileSpecInput, formatThumbprint, type Source } from "../../core/index.js";
import { invalidArgument } from "./errors.js";
import type { transferEndpoint } from "./operations/models.js";
import { derFromPem } from "./pem.js";
import type { ValueOf } from "./schema.js";

export type TransferEndpoint = ValueOf<typeof transferEndpoint>;

/** Certificates have a few KiB. */
const maxPemLength = 64 * 1024;

/**
 * The source as it is declared; the core judges the address and the thumbprint. A certificate wins over a thumbprint
 * beside it, and is pinned by its own. Throws `invalid_argument` unless it is one certificate, of 64 KiB at
 * most as text.
 */
export function sourceOf(endpoint: TransferEndpoint): NonNullable<FileSpecInput["source"]> {
  const { uri, ssl_certificate: pem, ssl_certificate_thumbprint: thumbprint } = endpoint;
  if (pem) return { uri, thumbprint: formatThumbprint(computeThumbprint(readCertificate(pem), "sha256")) };
  return { uri, ...(thumbprint && { thumbprint }) };
}

/** What is told of a declared source: a certificate that was sent comes back as its thumbprint. */
export function endpointOf({ address, thumbprint }: Source): TransferEndpoint {
  return { uri: address.uri, ...(thumbprint && { ssl_certificate_thumbprint: formatThumbprint(thumbprint) }) };
}

function readCertificate(pem: string): Uint8Array {
  if (pem.length > maxPemLength) {
    const text = `ssl_certificate has ${pem.length} characters, at most ${maxPemLength} are allowed`;
    throw invalidArgument("certificate_too_long", text, [String(pem.length)]);
  }
  const der = derFromPem(pem);
  if (der !== undefined) return der;
  throw invalidArgument(
    "certificate_malformed",
    "ssl_certificate is not one certificate in PEM form, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----",
  );
}
