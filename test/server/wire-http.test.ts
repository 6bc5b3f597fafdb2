import { connect, constants } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WireRequest } from "../../src/rest/kit/index.js";
import { createDrain } from "../../src/server/drain.js";
import { type Listener, listen } from "../../src/server/listen.js";
import { createRequestReader } from "../../src/server/node-http.js";
import { createWireHandler } from "../../src/server/wire-http.js";
import { type HttpClient, httpVersions, openHttp } from "../support/http.js";

const cookies = ["a=1; Path=/", "b=2; Expires=Thu, 01 Jan 1970 00:00:00 GMT"];
const unexpected: unknown[] = [];
const broken = new Error("the database is away");
/** By then the client has the beginning of the answer. */
let halfSeen: Promise<unknown>;
async function* breaking() {
  yield Buffer.from("the first half");
  await halfSeen;
  throw broken;
}
let listener: Listener;
let asked: WireRequest;

beforeAll(async () => {
  const requests = createRequestReader({ publicUrl: undefined, trustProxy: false });
  const handler = createWireHandler({
    handle: async (request) => {
      asked = request;
      if (request.path === "/breaks") return { status: 200, headers: {}, body: breaking() };
      return { status: 200, headers: { "set-cookie": cookies, "x-one": "1" }, body: "whole" };
    },
    describe: requests.requestOf,
    track: createDrain().track,
    cut: new AbortController().signal,
    logUnexpected: (error) => unexpected.push(error),
  });
  const onError = (error: unknown) => unexpected.push(error);
  const options = { host: "127.0.0.1", port: 0, maxBufferedBytes: 2 ** 27, onError };
  listener = await listen({ ...options, handler: requests.identify(handler) });
});
afterAll(() => listener.destroy());

describe.each(httpVersions)("over HTTP/%s", (version) => {
  let client: HttpClient;
  beforeAll(() => {
    client = openHttp(listener.url, version);
  });
  afterAll(() => client.close());

  it("a header with several values goes out as several lines", async () => {
    const { status, headers, body } = await client.ask({ method: "GET", path: "/" });
    expect([status, body.toString(), headers["x-one"], headers["content-length"]]).toEqual([200, "whole", "1", "5"]);
    expect(headers["set-cookie"]).toEqual(cookies);
    expect(unexpected).toEqual([]);
  });

  it("an answer that breaks off does not look like a whole one (P11)", async () => {
    halfSeen = sleep(100);
    if (version === "2") {
      const session = connect(listener.url);
      const stream = session.request({ ":path": "/breaks" });
      stream.on("error", () => undefined).resume();
      await new Promise((resolve) => stream.once("close", resolve));
      expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
      session.close();
    } else await expect(client.ask({ method: "GET", path: "/breaks" })).rejects.toThrow();
    expect(unexpected.splice(0)).toEqual([broken]);
  });

  it("several cookies come in as one header, and the sender's address with them", async () => {
    await client.ask({ method: "GET", path: "/a?b", headers: { cookie: "a=1; b=2" } });
    expect(asked).toMatchObject({ path: "/a", query: "b", headers: { cookie: "a=1; b=2" }, peerAddress: "127.0.0.1" });
  });
});
