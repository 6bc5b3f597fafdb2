import { describe, expect, test } from "vitest";
import { storageError } from "../../../src/storage/disk/errors.js";
import { systemError } from "./disk-store.js";

describe("errors of the disk", () => {
  test.each(["ENOSPC", "EDQUOT", "EIO", "EROFS", "EMFILE", "ENFILE", "ESTALE"])(
    "%s is unavailable, with its cause",
    (code) => {
      const cause = systemError(code);
      expect(storageError(cause)).toMatchObject({
        code: "unavailable",
        details: { reason: "STORAGE_UNAVAILABLE" },
        message: expect.stringContaining(code),
        cause,
      });
    },
  );

  test.each(["EACCES", "EPERM"])("%s is called what it is, and never missing or damaged bytes", (code) => {
    const message = String(storageError(systemError(code)));
    expect(message).toMatch(/denied|not permitted/);
    expect(message).not.toMatch(/missing|damaged/);
  });

  test.each([
    systemError("EBADF"),
    systemError("EINVAL"),
    new Error("no code"),
    new TypeError("wrong use"),
    "text",
    undefined,
  ])("%s passes through untouched", (error) => {
    expect(storageError(error)).toBe(error);
  });
});
