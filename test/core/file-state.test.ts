import { describe, expect, it } from "vitest";
import {
  type FileEvent,
  type FileState,
  fileEvents,
  fileStates,
  isUploadError,
  moveFile,
} from "../../src/core/index.js";

const rows: readonly (readonly [FileState, FileEvent, FileState | "wrong_state"])[] = [
  ["waiting", "begin", "transferring"],
  ["waiting", "check", "wrong_state"],
  ["waiting", "accept", "wrong_state"],
  ["waiting", "reject", "wrong_state"],
  ["waiting", "declare", "waiting"],
  ["waiting", "lose", "wrong_state"],
  ["waiting", "refuse", "failed"],

  ["transferring", "begin", "transferring"],
  ["transferring", "check", "validating"],
  ["transferring", "accept", "ready"],
  ["transferring", "reject", "failed"],
  ["transferring", "declare", "waiting"],
  ["transferring", "lose", "failed"],
  ["transferring", "refuse", "failed"],

  ["validating", "begin", "transferring"],
  ["validating", "check", "validating"],
  ["validating", "accept", "ready"],
  ["validating", "reject", "failed"],
  ["validating", "declare", "waiting"],
  ["validating", "lose", "failed"],
  ["validating", "refuse", "failed"],

  ["ready", "begin", "transferring"],
  ["ready", "check", "wrong_state"],
  ["ready", "accept", "wrong_state"],
  ["ready", "reject", "wrong_state"],
  ["ready", "declare", "waiting"],
  ["ready", "lose", "failed"],
  ["ready", "refuse", "failed"],

  ["failed", "begin", "transferring"],
  ["failed", "check", "wrong_state"],
  ["failed", "accept", "wrong_state"],
  ["failed", "reject", "wrong_state"],
  ["failed", "declare", "waiting"],
  ["failed", "lose", "wrong_state"],
  ["failed", "refuse", "failed"],
];

function outcomeOf(state: FileState, event: FileEvent): FileState | "wrong_state" {
  try {
    return moveFile({ name: "a.bin", state }, event);
  } catch (error) {
    if (!isUploadError(error, "wrong_state")) throw error;
    expect(error.details.reason).toBe("FILE_STATE");
    return "wrong_state";
  }
}

describe("a file", () => {
  it.each(rows)("that is %s answers %s with %s", (state, event, expected) => {
    expect(outcomeOf(state, event)).toBe(expected);
  });

  it("has a row for every pair of a state and an event", () => {
    const pairs = fileStates.flatMap((state) => fileEvents.map((event) => `${state} ${event}`));
    expect(rows.map(([state, event]) => `${state} ${event}`).sort()).toEqual(pairs.sort());
  });

  it("can be sent again from every state", () => {
    for (const state of fileStates) expect(outcomeOf(state, "begin")).toBe("transferring");
  });
});
