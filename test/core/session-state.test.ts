import { describe, expect, it } from "vitest";
import {
  isUploadError,
  moveSession,
  type SessionEvent,
  type SessionState,
  sessionEvents,
  sessionMoves,
  sessionStates,
} from "../../src/core/index.js";

const now = new Date("2026-03-01T12:00:00.000Z");
const later = new Date(now.getTime() + 1);

type Outcome = SessionState | "replay" | "gone" | "wrong_state" | "expired";

/** State, event, what comes of it in time, and what comes of it once `expiresAt` has passed. */
const rows: readonly (readonly [SessionState, SessionEvent, Outcome, Outcome])[] = [
  ["active", "touch", "active", "expired"],
  ["active", "change", "active", "expired"],
  ["active", "complete", "done", "expired"],
  ["active", "defer", "completing", "expired"],
  ["active", "settle", "wrong_state", "expired"],
  ["active", "reopen", "wrong_state", "expired"],
  ["active", "cancel", "canceled", "expired"],
  ["active", "fail", "failed", "expired"],
  ["active", "expire", "wrong_state", "failed"],
  ["active", "delete", "wrong_state", "gone"],

  ["completing", "touch", "completing", "expired"],
  ["completing", "change", "wrong_state", "expired"],
  ["completing", "complete", "replay", "expired"],
  ["completing", "defer", "replay", "expired"],
  ["completing", "settle", "done", "expired"],
  ["completing", "reopen", "active", "expired"],
  ["completing", "cancel", "canceled", "expired"],
  ["completing", "fail", "failed", "expired"],
  ["completing", "expire", "wrong_state", "failed"],
  ["completing", "delete", "wrong_state", "gone"],

  // The deadline of an ended session is when its row goes, which changes none of its answers.
  ["done", "touch", "wrong_state", "wrong_state"],
  ["done", "change", "wrong_state", "wrong_state"],
  ["done", "complete", "replay", "replay"],
  ["done", "defer", "replay", "replay"],
  ["done", "settle", "replay", "replay"],
  ["done", "reopen", "wrong_state", "wrong_state"],
  ["done", "cancel", "wrong_state", "wrong_state"],
  ["done", "fail", "wrong_state", "wrong_state"],
  ["done", "expire", "wrong_state", "wrong_state"],
  ["done", "delete", "gone", "gone"],

  ["canceled", "touch", "wrong_state", "wrong_state"],
  ["canceled", "change", "wrong_state", "wrong_state"],
  ["canceled", "complete", "wrong_state", "wrong_state"],
  ["canceled", "defer", "wrong_state", "wrong_state"],
  ["canceled", "settle", "wrong_state", "wrong_state"],
  ["canceled", "reopen", "wrong_state", "wrong_state"],
  ["canceled", "cancel", "replay", "replay"],
  ["canceled", "fail", "wrong_state", "wrong_state"],
  ["canceled", "expire", "wrong_state", "wrong_state"],
  ["canceled", "delete", "gone", "gone"],

  ["failed", "touch", "wrong_state", "wrong_state"],
  ["failed", "change", "wrong_state", "wrong_state"],
  ["failed", "complete", "wrong_state", "wrong_state"],
  ["failed", "defer", "wrong_state", "wrong_state"],
  ["failed", "settle", "wrong_state", "wrong_state"],
  ["failed", "reopen", "wrong_state", "wrong_state"],
  ["failed", "cancel", "wrong_state", "wrong_state"],
  ["failed", "fail", "replay", "replay"],
  ["failed", "expire", "replay", "replay"],
  ["failed", "delete", "gone", "gone"],
];

/** The same for a session that failed because its deadline passed: whoever asks for more is told so. */
const expiredRows: readonly (readonly [SessionEvent, Outcome])[] = [
  ["touch", "expired"],
  ["change", "expired"],
  ["complete", "expired"],
  ["defer", "expired"],
  ["settle", "expired"],
  ["reopen", "expired"],
  ["cancel", "expired"],
  ["fail", "replay"],
  ["expire", "replay"],
  ["delete", "gone"],
];

function outcomeOf(
  state: SessionState,
  event: SessionEvent,
  expiresAt: Date | undefined,
  failure?: { reason: string },
): Outcome {
  try {
    return moveSession({ id: "s", state, expiresAt, failure }, event, now);
  } catch (error) {
    if (!isUploadError(error, "wrong_state", "expired")) throw error;
    expect(error.details.reason).toBe(error.code === "expired" ? "SESSION_EXPIRED" : "SESSION_STATE");
    return error.code as Outcome;
  }
}

describe("a session", () => {
  it.each(rows)(
    "that is %s answers %s with %s, and with %s once its deadline has passed",
    (state, event, ...expected) => {
      const [inTime, late] = expected;
      const failure = state === "failed" ? { reason: "client" } : undefined;
      expect(outcomeOf(state, event, later, failure)).toBe(inTime);
      expect(outcomeOf(state, event, undefined, failure)).toBe(inTime);
      expect(outcomeOf(state, event, new Date(now.getTime() - 1), failure)).toBe(late);
      // The deadline itself is too late.
      expect(outcomeOf(state, event, now, failure)).toBe(late);
    },
  );

  it.each(expiredRows)("that has expired answers %s with %s", (event, expected) => {
    expect(outcomeOf("failed", event, later, { reason: "expired" })).toBe(expected);
  });

  it("has a row for every pair of a state and an event", () => {
    const pairs = sessionStates.flatMap((state) => sessionEvents.map((event) => `${state} ${event}`));
    expect(rows.map(([state, event]) => `${state} ${event}`).sort()).toEqual(pairs.sort());
    expect(expiredRows.map(([event]) => event).sort()).toEqual([...sessionEvents].sort());
  });

  it("that has ended never runs again", () => {
    for (const ended of ["done", "canceled", "failed"] as const) {
      const comes = Object.values(sessionMoves[ended]);
      expect(comes.every((move) => move === "replay" || move === "refused" || move === "gone")).toBe(true);
    }
  });
});
