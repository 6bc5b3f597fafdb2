import { describe, expect, test } from "vitest";
import { UploadError } from "../../../src/core/index.js";
import { isRetryable, isUniqueViolation, toUploadError } from "../../../src/storage/postgres/errors.js";

function failure(message: string, properties: object = {}): Error {
  return Object.assign(new Error(message), properties);
}

describe("an error that says the database is away", () => {
  test.each([
    ...["08000", "08006", "57P01", "57P02", "57P03", "53300", "53100", "25006"].map((code) => failure(code, { code })),
    ...["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND"].map((code) => failure(code, { code })),
    failure("no socket", { code: "ENOENT", syscall: "connect" }),
    failure("the pool is probably full", { name: "KnexTimeoutError" }),
    failure("Connection terminated"),
    failure("select 1 - Connection terminated unexpectedly"),
    failure("Connection terminated due to connection timeout"),
    failure("Client has encountered a connection error and is not queryable"),
    failure("timeout expired"),
  ])("becomes unavailable with its cause: $message", (error) => {
    const translated = toUploadError(error);
    expect(translated).toBeInstanceOf(UploadError);
    expect(translated).toMatchObject({
      code: "unavailable",
      details: { reason: "DATABASE_UNAVAILABLE" },
      cause: error,
    });
  });
});

describe("any other error", () => {
  test.each([
    failure("unique", { code: "23505", constraint: "names_name" }),
    failure("deadlock", { code: "40P01" }),
    failure("no such file", { code: "ENOENT", syscall: "open" }),
    failure("wrong password", { code: "28P01" }),
    failure("a row says Connection terminated", { code: "23514" }),
    new TypeError("wrong use"),
    new UploadError("not_found", "gone", { reason: "FILE_NOT_FOUND" }),
    "a string",
    undefined,
  ])("is returned unchanged: %s", (error) => {
    expect(toUploadError(error)).toBe(error);
  });
});

test("serialization failures and deadlocks are retryable, nothing else is", () => {
  expect(["40001", "40P01", "23505", "57P01"].map((code) => isRetryable(failure(code, { code })))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test("a unique violation is told by its state and, if asked, its constraint", () => {
  const error = failure("unique", { code: "23505", constraint: "names_name" });
  expect(isUniqueViolation(error)).toBe(true);
  expect(isUniqueViolation(error, "names_name")).toBe(true);
  expect(isUniqueViolation(error, "other")).toBe(false);
  expect(isUniqueViolation(failure("other", { code: "23503" }))).toBe(false);
});
