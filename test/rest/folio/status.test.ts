import { describe, expect, it } from "vitest";
import { statusAfterUpload } from "../../../src/rest/folio/status.js";

describe("the status of a definition", () => {
  it.each([
    ["NEW", "UPLOADED", [], "LOADED"],
    ["NEW", "UPLOADED", ["NEW"], "IN_PROGRESS"],
    ["IN_PROGRESS", "UPLOADED", ["UPLOADED"], "LOADED"],
    ["NEW", "UPLOADED", ["UPLOADED", "ERROR"], "IN_PROGRESS"],
    ["ERROR", "UPLOADED", ["ERROR"], "IN_PROGRESS"],
    ["NEW", "UPLOADED", ["UPLOADED", "UPLOADING"], "IN_PROGRESS"],
    ["LOADED", "UPLOADED", ["NEW"], "IN_PROGRESS"],
    ["COMPLETED", "UPLOADED", [], "LOADED"],
    ["NEW", "ERROR", [], "ERROR"],
    ["NEW", "ERROR", ["ERROR"], "ERROR"],
    ["NEW", "ERROR", ["NEW"], "NEW"],
    ["IN_PROGRESS", "ERROR", ["UPLOADED"], "IN_PROGRESS"],
    ["LOADED", "ERROR", ["UPLOADED"], "LOADED"],
  ] as const)("that is %s, after a file became %s beside %j, is %s", (before, ended, others, after) => {
    expect(statusAfterUpload(before, ended, others)).toBe(after);
  });
});
