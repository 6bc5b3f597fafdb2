import { createHmac, timingSafeEqual } from "node:crypto";
import { type Capabilities, type CapabilityClaim, capabilityPurposes } from "../core/index.js";

const version = 1;
// version, purpose, deadline, attempt; then four UUIDs.
const headBytes = 1 + 1 + 4 + 4;
const idBytes = 16;
const claimBytes = headBytes + 4 * idBytes;
/**
 * Half of SHA-256, the least that RFC 2104 allows: nobody gets more than one guess at 2^-128 a request, and 90 bytes in
 * all are 120 characters without spare bits, so that every token has exactly one spelling.
 */
const macBytes = 16;
const spelling = new RegExp(`^[A-Za-z0-9_-]{${((claimBytes + macBytes) * 4) / 3}}$`);

/** Tokens that are the claim itself and an HMAC-SHA-256 of it: nothing has to be looked up to refuse one. */
export function createCapabilities({ key }: { readonly key: Uint8Array }): Capabilities {
  const macOf = (claim: Uint8Array) => createHmac("sha256", key).update(claim).digest().subarray(0, macBytes);
  return {
    sign(claim) {
      const bytes = encode(claim);
      return Buffer.concat([bytes, macOf(bytes)]).toString("base64url");
    },
    verify(text, now) {
      if (!spelling.test(text)) return undefined;
      const bytes = Buffer.from(text, "base64url");
      const claim = bytes.subarray(0, claimBytes);
      if (!timingSafeEqual(macOf(claim), bytes.subarray(claimBytes)) || claim[0] !== version) return undefined;
      const decoded = decode(claim);
      return now.getTime() < decoded.deadline * 1000 ? decoded : undefined;
    },
  };
}

function encode(claim: CapabilityClaim): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt8(version, 0);
  head.writeUInt8(capabilityPurposes.indexOf(claim.purpose), 1);
  head.writeUInt32BE(claim.deadline, 2);
  head.writeUInt32BE(claim.attempt, 6);
  const ids = [claim.tenantId, claim.userId, claim.sessionId, claim.fileId];
  const bytes = Buffer.concat([head, ...ids.map((id) => Buffer.from(id.replaceAll("-", ""), "hex"))]);
  if (bytes.length !== claimBytes) throw new TypeError(`a claim names something by another thing than a UUID: ${ids}`);
  return bytes;
}

function decode(bytes: Buffer): CapabilityClaim {
  const idAt = (index: number) => {
    const hex = bytes.toString("hex", headBytes + index * idBytes, headBytes + (index + 1) * idBytes);
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };
  return {
    tenantId: idAt(0),
    userId: idAt(1),
    sessionId: idAt(2),
    fileId: idAt(3),
    attempt: bytes.readUInt32BE(6),
    purpose: capabilityPurposes[bytes[1] ?? -1]!,
    deadline: bytes.readUInt32BE(2),
  };
}
