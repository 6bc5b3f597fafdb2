import { randomUUID } from "node:crypto";

/**
 * Where immutable bytes lie: random, opaque to everyone but the blob store that made it, and final from its creation.
 * At most 128 printable ASCII characters.
 */
export type BlobKey = string & { readonly __brand: "BlobKey" };

/** The largest content that a store puts beside others in a pack rather than on its own (bytes). */
export const smallContentBytes = 128 * 1024;

/** A fresh id for anything that needs one: a version 4 UUID (RFC 9562). */
export function createId(): string {
  return randomUUID();
}
