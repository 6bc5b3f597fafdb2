import { type Checksum, invalid, UploadError } from "../../core/index.js";

/** Those that RFC 9530 calls active. */
const algorithms: Readonly<Record<string, { readonly name: "sha256" | "sha512"; readonly bytes: number }>> = {
  "sha-256": { name: "sha256", bytes: 32 },
  "sha-512": { name: "sha512", bytes: 64 },
};

/**
 * `Content-Digest` or `Repr-Digest` (RFC 9530): a dictionary of byte sequences, of which the last counts where a key
 * comes twice. Other algorithms are passed over beside one that is served, and refused without one: a digest that a client sent must
 * not go unchecked without a word. Throws `invalid` (CHECKSUM_MALFORMED) and `unsupported` (ALGORITHM_UNKNOWN).
 */
export function parseDigestField(text: string, name: string): readonly Checksum[] {
  const found = new Map<string, Checksum>();
  for (const member of text.split(",")) {
    const match = /^[ \t]*([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):[ \t]*$/.exec(member);
    const [, key = "", base64 = ""] = match ?? [];
    const digest = Buffer.from(base64, "base64");
    if (match === null || digest.toString("base64") !== base64) throw malformed(name, member);
    const algorithm = Object.hasOwn(algorithms, key) ? algorithms[key] : undefined;
    if (algorithm === undefined) continue;
    if (digest.length !== algorithm.bytes) throw malformed(name, member);
    found.set(key, { algorithm: algorithm.name, value: digest.toString("hex") });
  }
  if (found.size === 0) {
    const served = Object.keys(algorithms).join(" or ");
    throw new UploadError("unsupported", `${name} has no digest by ${served}`, { reason: "ALGORITHM_UNKNOWN" });
  }
  return [...found.values()];
}

function malformed(name: string, member: string): Error {
  const shown = JSON.stringify(member.trim().slice(0, 140));
  return invalid("CHECKSUM_MALFORMED", `${name} must be like sha-256=:BASE64:, not ${shown}`);
}
