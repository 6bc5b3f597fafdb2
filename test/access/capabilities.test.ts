import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCapabilities } from "../../src/access/capabilities.js";
import { type CapabilityClaim, capabilityPurposes, claimUpload, createId } from "../../src/core/index.js";
import { buildFile } from "../support/builders.js";

const key = new Uint8Array(32).fill(7);
const capabilities = createCapabilities({ key });
const deadline = Date.UTC(2026, 0, 10) / 1000;
const now = new Date(Date.UTC(2026, 0, 2, 3));
const claim: CapabilityClaim = {
  tenantId: createId(),
  userId: createId(),
  sessionId: createId(),
  fileId: createId(),
  attempt: 3,
  purpose: "upload",
  deadline,
};
const token = capabilities.sign(claim);

describe("a capability", () => {
  it("comes back as it was signed, whatever it claims", () => {
    const id = fc.uuid();
    const number = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    const purpose = fc.constantFrom(...capabilityPurposes);
    const claims = fc.record({
      tenantId: id,
      userId: id,
      sessionId: id,
      fileId: id,
      attempt: number,
      purpose,
      deadline: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    });
    fc.assert(
      fc.property(claims, (any) => {
        expect(capabilities.verify(capabilities.sign(any), new Date(0))).toEqual(any);
      }),
    );
  });

  it("is the same text each time, of 120 characters that need no escape in a URL", () => {
    expect(capabilities.sign({ ...claim })).toBe(token);
    expect(token).toMatch(/^[A-Za-z0-9_-]{120}$/);
  });

  it("is good until its deadline and not from then on", () => {
    const end = deadline * 1000;
    expect(capabilities.verify(token, new Date(end - 1))).toEqual(claim);
    expect(capabilities.verify(token, new Date(end))).toBeUndefined();
  });

  it("is nothing with any bit of it changed (P9)", () => {
    const bytes = Buffer.from(token, "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const forged = Buffer.from(bytes);
      forged[bit >> 3]! ^= 1 << (bit & 7);
      expect(capabilities.verify(forged.toString("base64url"), now)).toBeUndefined();
    }
  });

  it("is nothing cut, grown, spelled otherwise, or made up", () => {
    for (let length = 0; length < token.length; length++) {
      expect(capabilities.verify(token.slice(0, length), now)).toBeUndefined();
    }
    const standard = Buffer.from(token, "base64url").toString("base64");
    const padded = [`${token}=`, `${token}A`, ` ${token}`, `${token}\n`, `${token.slice(0, -4)}====`];
    for (const text of padded) expect(capabilities.verify(text, now)).toBeUndefined();
    if (standard !== token) expect(capabilities.verify(standard, now)).toBeUndefined();
    fc.assert(
      fc.property(fc.string({ minLength: 100, maxLength: 140, unit: "binary" }), (text) => {
        expect(capabilities.verify(text, now)).toBeUndefined();
      }),
    );
  });

  it("is nothing under another key", () => {
    const other = createCapabilities({ key: new Uint8Array(32).fill(8) });
    expect(other.verify(token, now)).toBeUndefined();
    expect(capabilities.verify(other.sign(claim), now)).toBeUndefined();
  });

  it("for one purpose is another text than for the other", () => {
    const download = capabilities.sign({ ...claim, purpose: "download" });
    expect(download).not.toBe(token);
    expect(capabilities.verify(download, now)?.purpose).toBe("download");
  });

  it("of another version is nothing, though the key signed it", () => {
    const bytes = Buffer.from(token, "base64url").subarray(0, 74);
    const signed = (head: Uint8Array) => {
      const mac = createHmac("sha256", key).update(head).digest().subarray(0, 16);
      return Buffer.concat([head, mac]).toString("base64url");
    };
    expect(signed(bytes)).toBe(token);
    const later = Buffer.from(bytes);
    later[0] = 2;
    expect(capabilities.verify(signed(later), now)).toBeUndefined();
  });

  it("is not made for what has no UUID", () => {
    expect(() => capabilities.sign({ ...claim, fileId: "a.bin" })).toThrow(TypeError);
  });
});

describe("the claim to upload a file", () => {
  const caller = { tenantId: claim.tenantId, userId: claim.userId, permissions: new Set(["upload"] as const) };
  const file = buildFile({ tenantId: claim.tenantId, sessionId: claim.sessionId, attempts: 2 });

  it.each([
    ["waiting", 3],
    ["failed", 3],
    ["transferring", 2],
    ["validating", 2],
    ["ready", 2],
  ] as const)("that is %s after two attempts is for attempt %i", (state, attempt) => {
    expect(claimUpload({ ...file, state }, caller, now)).toEqual({
      tenantId: claim.tenantId,
      userId: claim.userId,
      sessionId: claim.sessionId,
      fileId: file.id,
      attempt,
      purpose: "upload",
      deadline,
    });
  });

  it("is the same all day, and ends with the day that is a week ahead", () => {
    const at = (...time: [number, number, number, number]) =>
      claimUpload(file, caller, new Date(Date.UTC(2026, 0, ...time))).deadline;
    expect([at(2, 0, 0, 0), at(2, 23, 59, 59), at(3, 0, 0, 0)]).toEqual([deadline, deadline, deadline + 86_400]);
  });
});
