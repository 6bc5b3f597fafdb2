import { describe, expect, it } from "vitest";
import {
  assertPermission,
  assertVisible,
  type Caller,
  deadlineFrom,
  endSession,
  type Permission,
  parseDeadlines,
  permissions,
  touchSession,
} from "../../src/core/index.js";
import { buildSession } from "../support/builders.js";

const hour = 3_600_000;
const start = new Date("2026-03-01T12:00:00.000Z");
const later = (ms: number) => new Date(start.getTime() + ms);
const deadlines = { idleTtlMs: hour, absoluteTtlMs: 3 * hour, keepTerminalMs: 5 * hour };
const session = (of = {}) => buildSession({ tenantId: "t", ownerId: "ann", createdAt: start, deadlines, ...of });
const caller = (tenantId: string, userId: string, ...may: Permission[]): Caller => ({
  tenantId,
  userId,
  permissions: new Set(may),
});

describe("deadlines", () => {
  it("are from one millisecond to ten years, and only the absolute one may be left out", () => {
    const tenYears = 10 * 365 * 24 * hour;
    expect(parseDeadlines(deadlines)).toEqual(deadlines);
    parseDeadlines({ idleTtlMs: 1, absoluteTtlMs: undefined, keepTerminalMs: tenYears });
    for (const ms of [0, -1, 0.5, Number.NaN, Infinity, tenYears + 1, 2 ** 53, "60000" as unknown as number]) {
      for (const name of ["idleTtlMs", "absoluteTtlMs", "keepTerminalMs"] as const) {
        expect(() => parseDeadlines({ ...deadlines, [name]: ms })).toThrow(
          expect.objectContaining({ code: "invalid", details: { reason: "DURATION_INVALID" } }),
        );
      }
    }
  });

  it("move with every sign of life, never past the absolute end", () => {
    expect(deadlineFrom(session(), start)).toEqual(later(hour));
    expect(touchSession(session(), "touch", later(hour / 2)).expiresAt).toEqual(later(1.5 * hour));
    const late = touchSession(session({ expiresAt: later(3 * hour) }), "change", later(2.5 * hour));
    expect(late).toMatchObject({ expiresAt: later(3 * hour), modifiedAt: later(2.5 * hour), state: "active" });
    const endless = session({ deadlines: { ...deadlines, absoluteTtlMs: undefined } });
    expect(deadlineFrom(endless, later(100 * hour))).toEqual(later(101 * hour));
  });

  it("that have passed cannot be put off", () => {
    expect(() => touchSession(session(), "touch", later(hour))).toThrow(expect.objectContaining({ code: "expired" }));
  });
});

describe("a session that ends", () => {
  it.each(["cancel", "fail"] as const)("by %s is remembered as long as was said", (event) => {
    const ended = endSession(session(), event, later(5), { reason: "client", message: "no" });
    expect(ended).toMatchObject({
      state: event === "cancel" ? "canceled" : "failed",
      endedAt: later(5),
      modifiedAt: later(5),
      expiresAt: later(5 + 5 * hour),
      failure: { reason: "client", message: "no" },
    });
  });

  it("by completion is remembered so only when an item holds its content; else nothing but a deletion ends it (P8)", () => {
    expect(endSession(session({ itemId: "i" }), "complete", later(5))?.expiresAt).toEqual(later(5 + 5 * hour));
    expect(endSession(session(), "complete", later(5))).toMatchObject({ state: "done", expiresAt: undefined });
  });

  it("expires at its deadline and not before", () => {
    expect(() => endSession(session(), "expire", later(hour - 1))).toThrow(
      expect.objectContaining({ code: "wrong_state" }),
    );
    expect(endSession(session(), "expire", later(hour))?.state).toBe("failed");
  });

  it("again in the same way stays as it is (P4)", () => {
    for (const [state, event] of [
      ["done", "complete"],
      ["canceled", "cancel"],
      ["failed", "fail"],
    ] as const) {
      expect(endSession(session({ state, endedAt: start }), event, later(9))).toBeUndefined();
    }
  });
});

describe("who sees a session (P9)", () => {
  const mine = session();
  const shared = session({ visibility: "tenant" });

  it("is its owner, an administrator of the tenant, and with visibility `tenant` everyone in it", () => {
    assertVisible(mine, caller("t", "ann"));
    assertVisible(mine, caller("t", "bob", "administer"));
    assertVisible(shared, caller("t", "bob"));
  });

  it("is nobody else, and they are told that there is none", () => {
    const strangers = [caller("t", "bob", "read", "upload"), caller("u", "ann", ...permissions), caller("", "")];
    for (const who of strangers) {
      expect(() => assertVisible(mine, who)).toThrow(
        expect.objectContaining({ code: "not_found", details: { reason: "SESSION_NOT_FOUND", subject: mine.id } }),
      );
    }
    expect(() => assertVisible(shared, caller("u", "ann", ...permissions))).toThrow(
      expect.objectContaining({ code: "not_found" }),
    );
  });
});

describe("a permission", () => {
  it.each(permissions)("to %s is what its name says and nothing more", (permission) => {
    assertPermission(caller("t", "ann", permission), permission);
    const others = permissions.filter((name) => name !== permission);
    expect(() => assertPermission(caller("t", "ann", ...others), permission)).toThrow(
      expect.objectContaining({ code: "denied", details: { reason: "PERMISSION_MISSING", subject: permission } }),
    );
  });
});
