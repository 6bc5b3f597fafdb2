import { describe, expect, it } from "vitest";
import { createPasswords, isPassword, parsePassword } from "../../src/access/passwords.js";
import { isUploadError } from "../../src/core/index.js";

const passwords = createPasswords();

describe("a digest", () => {
  it("carries its parameters and a salt of its own, and never the password", async () => {
    const [one, other] = await Promise.all([passwords.hash("password"), passwords.hash("password")]);
    expect(one).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$[\w-]{22}\$[\w-]{43}$/);
    expect(other).not.toBe(one);
  });

  it("is of this password and no other", async () => {
    const digest = await passwords.hash("cr\u00e8me br\u00fbl\u00e9e");
    expect(await passwords.verify("cr\u00e8me br\u00fbl\u00e9e", digest)).toBe(true);
    expect(await passwords.verify("cre\u0300me bru\u0302le\u0301e", digest)).toBe(true);
    for (const wrong of [
      "",
      "creme brulee",
      "cr\u00e8me br\u00fbl\u00e9e ",
      "cr\u00e8me br\u00fbl\u00e9e\0",
      "x".repeat(5_000_000),
    ]) {
      expect(await passwords.verify(wrong, digest), wrong.slice(0, 20)).toBe(false);
    }
  });

  it("made with other parameters is good, too", async () => {
    // RFC 7914, section 12: the second test vector.
    const hex =
      "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640";
    const digest = `$scrypt$ln=10,r=8,p=16$${Buffer.from("NaCl").toString("base64url")}$${Buffer.from(hex, "hex").toString("base64url")}`;
    expect(await passwords.verify("password", digest)).toBe(true);
    expect(await passwords.verify("Password", digest)).toBe(false);
  });

  it("that is missing is nobody's, whatever is shown", async () => {
    for (const shown of ["", "password", "\0"]) expect(await passwords.verify(shown, undefined)).toBe(false);
  });

  it("in a form that is not known is an error of ours", async () => {
    await expect(passwords.verify("password", "5f4dcc3b5aa765d61d8327deb882cf99")).rejects.toThrow(TypeError);
  });
});

it.each(["12345678", "\u{1f511}".repeat(8), "x".repeat(1024), "        "])("%j is a password", (text) => {
  expect(isPassword(text)).toBe(true);
  expect(parsePassword(text)).toBe(text);
});

it.each([
  "",
  "1234567",
  "\u{1f511}".repeat(7),
  "x".repeat(1025),
  "\u00e9".repeat(513),
  "12345678\0",
  "\ud800".repeat(8),
])("%j is none, and is not shown", (text) => {
  expect(isPassword(text)).toBe(false);
  const refused = expect.objectContaining({ code: "invalid", details: { reason: "PASSWORD_INVALID" } });
  expect(() => parsePassword(text)).toThrow(refused as never);
  if (text === "") return;
  try {
    parsePassword(text);
  } catch (error) {
    expect((error as Error).message).not.toContain(text);
  }
});

it("sixteen wait for the one whose turn it is, more are refused, and those after them get their turn (P10)", async () => {
  const own = createPasswords();
  const ends = await Promise.allSettled(Array.from({ length: 40 }, () => own.verify("password", undefined)));
  const refused = ends.filter((end) => end.status === "rejected");
  expect(refused).toHaveLength(40 - 17);
  expect(refused.every(({ reason }) => isUploadError(reason, "too_many"))).toBe(true);
  expect(await own.verify("password", await own.hash("password"))).toBe(true);
});
