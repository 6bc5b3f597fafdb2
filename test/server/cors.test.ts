import { request } from "node:http";
import { describe, expect, it } from "vitest";
import { useServer } from "../rpc/scene.js";

const app = "https://app.example.com";
const server = useServer(() => ({ env: { SLIPWAY_CORS_ORIGINS: `${app},http://localhost:3000` } }));
const rpc = "/slipway.upload.v1.SessionService/ListSessions";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** By node:http, for fetch forbids what browsers set. */
function ask(method: string, path: string, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request({ port: server.get().port, method, path, headers, agent: false }, (response) => {
      response.resume().on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers }));
    })
      .on("error", reject)
      .end(method === "POST" ? "{}" : undefined);
  });
}
const preflight = (origin: string, path = rpc) =>
  ask("OPTIONS", path, {
    origin,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type,connect-protocol-version",
  });
const call = (headers: Record<string, string>) =>
  ask("POST", rpc, { "content-type": "application/json", authorization: `Bearer ${server.get().token}`, ...headers });
const words = (header: unknown) => String(header).toLowerCase().split(/,\s*/);

describe("a preflight", () => {
  it("is answered with 204 and no credentials, and says what Connect and gRPC-Web need", async () => {
    const { status, headers } = await preflight("https://anyone.example");
    expect([status, headers["access-control-max-age"]]).toEqual([204, "7200"]);
    expect(words(headers["access-control-allow-methods"])).toEqual(["post", "get"]);
    expect(words(headers["access-control-allow-headers"])).toEqual(
      expect.arrayContaining([
        "authorization",
        "content-type",
        "connect-protocol-version",
        "connect-timeout-ms",
        "grpc-timeout",
        "x-grpc-web",
        "x-user-agent",
        "x-request-id",
      ]),
    );
    expect(headers["x-request-id"]).toBeDefined();
  });

  it("lets any origin call without credentials, and those that are named with them", async () => {
    const anyone = (await preflight("https://anyone.example")).headers;
    expect(anyone).toMatchObject({ "access-control-allow-origin": "*", vary: "Origin" });
    expect(anyone).not.toHaveProperty("access-control-allow-credentials");
    for (const origin of [app, "http://localhost:3000"]) {
      expect((await preflight(origin)).headers).toMatchObject({
        "access-control-allow-origin": origin,
        "access-control-allow-credentials": "true",
        vary: "Origin",
      });
    }
  });

  it.each([`${app}.evil.example`, `${app}:444`, "http://app.example.com", "null", "HTTPS://APP.EXAMPLE.COM"])(
    "of %s is one of anyone's",
    async (origin) => {
      const { headers } = await preflight(origin);
      expect(headers["access-control-allow-origin"]).toBe("*");
      expect(headers).not.toHaveProperty("access-control-allow-credentials");
    },
  );

  it("of a capability URL allows whatever a part is described by", async () => {
    const { headers } = await preflight(app, "/t/x");
    expect(words(headers["access-control-allow-headers"])).toEqual(
      expect.arrayContaining(["content-range", "content-digest", "repr-digest", "upload-complete", "upload-length"]),
    );
  });

  it("of a path that is no RPC's is not answered", async () => {
    const { status, headers } = await preflight(app, "/readyz");
    expect(status).toBe(405);
    expect(headers).not.toHaveProperty("access-control-allow-origin");
  });
});

describe("a call from a browser", () => {
  it("may be seen, with the headers that the protocols answer by, be it refused or not", async () => {
    for (const more of [{}, { authorization: "" }]) {
      const { status, headers } = await call({ origin: app, ...more });
      expect(status).toBe("authorization" in more ? 401 : 200);
      expect(headers).toMatchObject({ "access-control-allow-origin": app, "access-control-allow-credentials": "true" });
      expect(words(headers["access-control-expose-headers"])).toEqual(
        expect.arrayContaining(["grpc-status", "grpc-message", "grpc-status-details-bin", "x-request-id"]),
      );
    }
    expect((await call({ origin: "https://anyone.example" })).headers["access-control-allow-origin"]).toBe("*");
  });

  it("from no origin is told nothing but that answers differ by it", async () => {
    const { headers } = await call({});
    expect(headers.vary).toBe("Origin");
    expect(headers).not.toHaveProperty("access-control-allow-origin");
  });
});
