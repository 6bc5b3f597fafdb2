import { decodeJwt, decodeProtectedHeader, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { createFolioTokens, type FolioClaims, readUnverified } from "../../../src/rest/folio/tokens.js";

const key = new Uint8Array(32).fill(7);
const tokens = createFolioTokens({ key });
const madeAt = new Date("2026-03-01T12:00:00Z");
const endsAt = new Date("2026-03-01T12:10:00Z");
const server = `slp_${"a".repeat(43)}`;
const claims: FolioClaims = {
  type: "access",
  tenantName: "diku",
  user: { id: "5e1f0000-0000-5000-8000-000000000001", name: "diku_ådmin" },
  token: server,
  madeAt,
  endsAt,
};
const open = (text: string, now = madeAt) => tokens.open(text, now);

describe("a token", () => {
  it("says who it is for, as clients of the API read it", async () => {
    const text = await tokens.sign(claims);
    expect(decodeProtectedHeader(text)).toEqual({ alg: "HS256" });
    expect(decodeJwt(text)).toEqual({
      sub: "diku_ådmin",
      user_id: claims.user.id,
      type: "access",
      iat: 1772366400,
      exp: 1772367000,
      tenant: "diku",
      jti: server,
    });
    expect(decodeJwt(await tokens.sign({ ...claims, type: "legacy-access", endsAt: undefined }))).not.toHaveProperty(
      "exp",
    );
  });

  it.each(["legacy-access", "access", "refresh"] as const)("of the type %s is opened", async (type) => {
    expect(await open(await tokens.sign({ ...claims, type }))).toEqual({ type, token: server, tenantName: "diku" });
  });

  it("ends with the second that it names", async () => {
    const text = await tokens.sign(claims);
    expect(await open(text, new Date(endsAt.getTime() - 1))).toBeDefined();
    expect(await open(text, endsAt)).toBeUndefined();
    expect(await open(await tokens.sign({ ...claims, endsAt: undefined }), new Date("2099-01-01"))).toBeDefined();
  });

  it("of the server itself is taken as it is", async () => {
    expect(await open(server)).toEqual({ type: "access", token: server, tenantName: undefined });
  });

  it("that was not signed here is none (P9)", async () => {
    const text = await tokens.sign(claims);
    const [header, payload, signature] = text.split(".") as [string, string, string];
    const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const other = { ...decodeJwt(text), tenant: "elsewhere" };
    const none = base64({ alg: "none", typ: "JWT" });
    const forged = [
      await createFolioTokens({ key: new Uint8Array(32).fill(8) }).sign(claims),
      `${header}.${base64(other)}.${signature}`,
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      await new SignJWT(decodeJwt(text)).setProtectedHeader({ alg: "HS512" }).sign(new Uint8Array(64).fill(7)),
      "",
      ".",
      "..",
      "eyJ",
      "x".repeat(10_000),
      "\u0000.\u0000.\u0000",
    ];
    for (const each of forged) expect([each, await open(each)]).toEqual([each, undefined]);
  });

  it("that was signed here for something else is none", async () => {
    const sign = (payload: Record<string, unknown>) =>
      new SignJWT(payload).setProtectedHeader({ alg: "HS256" }).sign(key);
    const whole = { type: "access", tenant: "diku", jti: server };
    expect(await open(await sign(whole))).toBeDefined();
    for (const part of [
      { type: "dummy" },
      { type: undefined },
      { tenant: 1 },
      { tenant: undefined },
      { jti: undefined },
    ])
      expect(await open(await sign({ ...whole, ...part }))).toBeUndefined();
  });
});

describe("what a token says that nobody verifies", () => {
  const payload = { sub: "diku_ådmin?>", user_id: "u", tenant: "diku" };
  const told = { userName: "diku_ådmin?>", userId: "u", tenantName: "diku" };

  it.each(["base64url", "base64"] as const)("is read from %s, signed or not", (alphabet) => {
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString(alphabet);
    const head = encode({ alg: "none" });
    expect(readUnverified(`${head}.${encode(payload)}.`)).toEqual(told);
    expect(readUnverified(`${head}.${encode(payload)}`)).toEqual(told);
    expect(readUnverified(`${head}.${encode(payload)}.c2ln`)).toEqual(told);
  });

  it("is nothing where it is none", () => {
    const encode = (text: string) => `e30.${Buffer.from(text).toString("base64url")}.`;
    const texts = ["", "a", "a.b.c", encode("null"), encode("1"), encode('"x"'), encode("{"), encode("[]")];
    for (const text of [...texts, encode('{"sub":1,"user_id":{},"tenant":null}')]) {
      expect([text, readUnverified(text)]).toEqual([text, {}]);
    }
  });
});
