import { once } from "node:events";
import { get, request as request1 } from "node:http";
import { connect as connect2 } from "node:http2";
import { get as getSecurely } from "node:https";
import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { RpcRequest } from "../../src/rpc/request.js";
import { type Listener, listen } from "../../src/server/listen.js";
import { createRequestReader, type OutsideOptions } from "../../src/server/node-http.js";
import { useServer } from "../rpc/scene.js";
import { makeCertificate } from "../support/certificate.js";

const certificate = makeCertificate();
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

let listener: Listener;
afterEach(() => listener.destroy());

/** A port whose every answer says how the request was read. */
async function start(options: Partial<OutsideOptions> = {}, tls = false): Promise<void> {
  const requests = createRequestReader({ publicUrl: undefined, trustProxy: false, ...options });
  listener = await listen({
    host: "127.0.0.1",
    port: 0,
    tls: tls ? certificate : undefined,
    maxBufferedBytes: 2 ** 27,
    onError: (error) => console.error(error),
    handler: requests.identify((request, response) => void response.end(JSON.stringify(requests.requestOf(request)))),
  });
}

async function ask(headers: Record<string, string | string[]> = {}): Promise<RpcRequest> {
  const options = { agent: false as const, headers, ca: certificate.cert, servername: "localhost" };
  const asked = listener.url.startsWith("https:") ? getSecurely(listener.url, options) : get(listener.url, options);
  const [response] = await once(asked, "response");
  return JSON.parse((await response.setEncoding("utf8").toArray()).join(""));
}

async function ask2(headers: Record<string, string> = {}): Promise<RpcRequest> {
  const session = connect2(listener.url, { ca: certificate.cert });
  try {
    const stream = session.request({ ":path": "/", ...headers }).setEncoding("utf8");
    return JSON.parse((await stream.toArray()).join(""));
  } finally {
    session.destroy();
  }
}

describe("the origin of a request", () => {
  it.each([false, true])("is the scheme and the host it was sent to, over either HTTP (TLS: %s)", async (tls) => {
    await start({}, tls);
    const scheme = tls ? "https" : "http";
    expect((await ask({ host: "up.example.com:81" })).origin).toBe(`${scheme}://up.example.com:81`);
    expect((await ask2({ ":authority": "up.example.com" })).origin).toBe(`${scheme}://up.example.com`);
    expect((await ask({ host: "[::1]:81" })).origin).toBe(`${scheme}://[::1]:81`);
  });

  it.each(["a/b", "user@host", "a b", "[::1", "a:99999", "a\u00e9", "a?b", "a#b", "a\\b", ""])(
    "is the address it came to where the host is %j",
    async (host) => {
      await start();
      const { port } = new URL(listener.url);
      const socket = connect(Number(port), "127.0.0.1");
      socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`, "latin1");
      const answer = (await socket.setEncoding("latin1").toArray()).join("");
      expect(answer).toContain(`"origin":"http://127.0.0.1:${port}"`);
    },
  );

  it("is the public URL, where there is one, whatever the request says", async () => {
    await start({ publicUrl: "https://up.example.com", trustProxy: true });
    const { origin } = await ask({
      host: "evil.example",
      "x-forwarded-host": "evil.example",
      "x-forwarded-proto": "http",
    });
    expect(origin).toBe("https://up.example.com");
  });
});

describe("what a proxy says of a request", () => {
  const lies = {
    "x-forwarded-for": "192.0.2.9",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "evil.example",
    forwarded: "for=192.0.2.9;proto=https;host=evil.example",
  };

  it("is not believed unless the settings say so", async () => {
    await start();
    expect(await ask({ ...lies, host: "here" })).toMatchObject({ peerAddress: "127.0.0.1", origin: "http://here" });
  });

  it.each<[Record<string, string | string[]>, string, string]>([
    [{ "x-forwarded-for": "192.0.2.1" }, "192.0.2.1", "http://here"],
    [{ "x-forwarded-for": "6.6.6.6, 192.0.2.1" }, "192.0.2.1", "http://here"],
    [{ "x-forwarded-for": ["6.6.6.6", "192.0.2.1:4711"] }, "192.0.2.1", "http://here"],
    [{ "x-forwarded-for": "[2001:db8::1]:4711" }, "2001:db8::1", "http://here"],
    [{ "x-forwarded-for": "::ffff:192.0.2.1" }, "192.0.2.1", "http://here"],
    [{ "x-forwarded-for": "unknown" }, "127.0.0.1", "http://here"],
    [{ "x-forwarded-for": "192.0.2.1," }, "127.0.0.1", "http://here"],
    [
      { "x-forwarded-proto": "http, HTTPS", "x-forwarded-host": "evil, up.example:8" },
      "127.0.0.1",
      "https://up.example:8",
    ],
    [{ "x-forwarded-proto": "javascript", "x-forwarded-host": "a/b" }, "127.0.0.1", "http://here"],
    [{ forwarded: "for=192.0.2.1;proto=https;host=up.example" }, "192.0.2.1", "https://up.example"],
    [{ forwarded: 'for=6.6.6.6, For="[2001:db8::1]:4711";Proto=https' }, "2001:db8::1", "https://here"],
    [{ forwarded: 'for="192.0.2.1, for=6.6.6.6"' }, "127.0.0.1", "http://here"],
    [{ forwarded: "for=_hidden;by=x" }, "127.0.0.1", "http://here"],
    [{ forwarded: 'for="' }, "127.0.0.1", "http://here"],
    [{ "x-forwarded-for": "192.0.2.1", forwarded: "for=6.6.6.6;host=evil" }, "192.0.2.1", "http://here"],
  ])("is read from its right-most entry where it is trusted: %j", async (headers, peerAddress, origin) => {
    await start({ trustProxy: true });
    expect(await ask({ host: "here", ...headers })).toMatchObject({ peerAddress, origin });
  });
});

describe("the id of a request", () => {
  const server = useServer();
  const good = ["a", "A-z_0.9", "x".repeat(128)];
  const bad = ["", "x".repeat(129), "a b", "a,b", "a/b", "\u00e9"];
  const rpc = "/slipway.upload.v1.SessionService/ListSessions";

  /** The answer's headers, its status among them. */
  function post(path: string, headers: Record<string, string>, body = "{}"): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      const { port, token } = server.get();
      const all = { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers };
      request1({ port, path, method: "POST", headers: all, agent: false }, (response) => {
        response.resume().on("end", () => resolve({ ...response.headers, status: response.statusCode }));
      })
        .on("error", reject)
        .end(body);
    });
  }

  it.each(good)("is the client's: %s", async (id) => {
    expect(await post(rpc, { "x-request-id": id })).toMatchObject({ status: 200, "x-request-id": id });
  });

  it.each(bad)("is a fresh one for %j", async (id) => {
    const answers = await Promise.all([post(rpc, { "x-request-id": id }), post(rpc, {})]);
    const ids = answers.map((headers) => headers["x-request-id"]);
    for (const each of ids) expect(each).toMatch(uuid);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it.each<[string, string, Record<string, string>, number]>([
    ["a refusal", rpc, { authorization: "" }, 401],
    ["an error of the core", rpc.replace("ListSessions", "GetSession"), {}, 400],
    ["a path that is not there", "/nowhere", {}, 404],
    ["a method that is not there", `${rpc}s`, {}, 404],
    ["a media type that is not taken", rpc, { "content-type": "text/plain" }, 415],
    ["a wrong method", "/healthz", {}, 405],
    ["a host that makes no URL", rpc, { host: "[" }, 400],
    ["a stream", "/slipway.upload.v1.FileService/ReadFile", { "content-type": "application/connect+json" }, 200],
  ])("is on the answer of %s", async (_what, path, headers, status) => {
    expect(await post(path, { ...headers, "x-request-id": "mine" })).toMatchObject({ status, "x-request-id": "mine" });
  });

  const upload = "/slipway.upload.v1.FileService/UploadFile";

  it.each<[string, string, Record<string, string>, string, number]>([
    ["a success", rpc, {}, "{}", 200],
    ["a refusal", rpc, { authorization: "" }, "{}", 401],
    ["an error of the core", rpc.replace("ListSessions", "GetSession"), {}, "{}", 400],
    ["a stream", upload, { "content-type": "application/grpc+json" }, "", 200],
    ["a path that is not there", "/nowhere", {}, "", 404],
  ])("is on the answer of %s over HTTP/2", async (_what, path, headers, body, status) => {
    const { url, token } = server.get();
    const connection = connect2(url);
    const ask = async (id: Record<string, string>) => {
      const all = { authorization: `Bearer ${token}`, "content-type": "application/json", te: "trailers", ...headers };
      const stream = connection.request({ ":method": "POST", ":path": path, ...all, ...id });
      stream.end(body);
      const [answer] = await once(stream, "response");
      stream.resume();
      return answer;
    };
    expect(await ask({ "x-request-id": "mine" })).toMatchObject({ ":status": status, "x-request-id": "mine" });
    expect(await ask({})).toMatchObject({ ":status": status, "x-request-id": expect.stringMatching(uuid) });
    connection.destroy();
  });
});
