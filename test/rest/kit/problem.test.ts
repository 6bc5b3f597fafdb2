import { describe, expect, it } from "vitest";
import { UploadError, uploadErrorCodes } from "../../../src/core/index.js";
import { HttpProblem, problemFrom } from "../../../src/rest/kit/problem.js";

const statuses = Object.fromEntries(
  uploadErrorCodes.map((code) => [code, problemFrom(new UploadError(code, "x", { reason: "FILE_STATE" })).status]),
);

describe("a problem", () => {
  it("has a status for every code of the core", () => {
    expect(statuses).toEqual({
      invalid: 400,
      unauthenticated: 401,
      denied: 403,
      not_found: 404,
      already_exists: 409,
      conflict: 409,
      busy: 409,
      wrong_state: 409,
      incomplete: 409,
      superseded: 409,
      offset_mismatch: 409,
      expired: 410,
      checksum_mismatch: 400,
      too_large: 413,
      too_many: 429,
      unsupported: 415,
      damaged: 500,
      unavailable: 503,
    });
  });

  it("names the limit that was hit (P10), and never what lies behind it", () => {
    const limit = { setting: "SLIPWAY_MAX_FILE_BYTES", value: 5 };
    const error = new UploadError("too_large", "too long", { reason: "SIZE_EXCEEDED", limit }, new Error("secret"));
    expect(problemFrom(error)).toEqual({
      status: 413,
      headers: { "content-type": "application/problem+json", "cache-control": "no-store" },
      body: `${JSON.stringify({
        type: "about:blank",
        title: "Content Too Large",
        status: 413,
        detail: "too long",
        code: "too_large",
        reason: "SIZE_EXCEEDED",
        limit,
      })}\n`,
    });
  });

  it("of HTTP's own brings its headers along", () => {
    expect(problemFrom(new HttpProblem(405, "no", { allow: "GET" })).headers).toMatchObject({ allow: "GET" });
  });

  it("is not made of what nobody foresaw", () => {
    const error = new TypeError("a bug");
    expect(() => problemFrom(error)).toThrow(error);
  });
});
