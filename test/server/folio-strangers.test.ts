import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adminPassword, startServer, type TestServer } from "../support/server.js";

const path = "/data-import/uploadDefinitions";
const page = { origin: "https://page.example" };
const preflight = {
  method: "OPTIONS",
  headers: { ...page, "access-control-request-method": "GET", "access-control-request-headers": "x-okapi-tenant" },
};

function allowed(answer: Response): readonly string[] {
  return [...answer.headers.keys()].filter((name) => name.startsWith("access-control-"));
}

describe("pages of strangers", () => {
  let behindOkapi: TestServer;
  let gateway: TestServer;
  beforeAll(async () => {
    behindOkapi = await startServer({ env: { SLIPWAY_FOLIO_TRUST_OKAPI: "1", SLIPWAY_CORS_ORIGINS: page.origin } });
    gateway = await startServer();
  });
  afterAll(async () => {
    await behindOkapi?.kill();
    await gateway?.kill();
  });

  it("behind Okapi, where a header says who asks, may neither send one nor read an answer", async () => {
    expect(allowed(await fetch(behindOkapi.url + path, preflight))).toEqual([]);
    const answer = await fetch(behindOkapi.url + path, { headers: { ...page, "x-okapi-tenant": "default" } });
    expect(answer.status).toBe(200);
    expect(allowed(answer)).toEqual([]);
  });

  it("where tokens say who asks, may show one, without cookies", async () => {
    const answer = await fetch(gateway.url + path, preflight);
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
  });
});

describe("whoever has not logged in", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.kill());

  it.each(["/authn/login", "/bl-users/login", "/authn/login-with-expiry", "/bl-users/login-with-expiry"])(
    "gets no more memory by %s than a login needs",
    async (login) => {
      const send = async (filler: string) => {
        const body = JSON.stringify({ username: "admin", password: adminPassword, filler });
        const headers = { "content-type": "application/json" };
        const answer = await fetch(server.url + login, { method: "POST", headers, body });
        return [answer.status, answer.status === 413 && (await answer.text())];
      };
      expect(await send("x".repeat(10_000))).toEqual([201, false]);
      expect(await send("x".repeat(20_000))).toEqual([413, "the body may have 16384 bytes at most here"]);
    },
  );
});
