import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { beginBody } from "../../src/rest/kit/begin-body.js";
import { pseudoRandom } from "../support/bodies.js";
import { type HttpAnswer, httpVersions, openHttp } from "../support/http.js";
import { type DialectScene, useDialect } from "./dialect-scene.js";

const MiB = 2 ** 20;
const app = "https://app.example.com";
const close = useDialect({ env: { SLIPWAY_CORS_ORIGINS: app } });
const drain = useDialect({ manners: { unread: { drainBytes: 4 * MiB, drainMs: 60_000 } } });
/** Answers that never end, and what has been pulled of them. */
const stream = { pulledBytes: 0, state: "new" };
async function* giveForEver() {
  try {
    for (let seed = 1; ; seed++) {
      stream.pulledBytes += 65_536;
      yield pseudoRandom(65_536, seed);
    }
  } finally {
    stream.state = "let go";
  }
}
const endless = useDialect({
  services: {
    give: async (_, { signal }) => beginBody(giveForEver(), signal!),
  },
});

const tell = ({ status, body }: HttpAnswer) => [status, body.toString()];
const answered = (scene: DialectScene, from: number) => scene.log.slice(from).filter(({ msg }) => msg === "answered");
const complaints = (scene: DialectScene) => scene.log.filter(({ msg }) => msg !== "answered");
/** How the requests since then ended, once there are so many. */
async function endsOf(scene: DialectScene, from: number, count: number) {
  await expect.poll(() => answered(scene, from).length).toBe(count);
  return answered(scene, from).map(({ face, method, code }) => [face, method, code]);
}

/** A connection as a program without a library has it. */
async function dial(scene: DialectScene) {
  const socket: Socket = connect(scene.port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  let received = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    received += text;
  });
  return {
    socket,
    send: (text: string | Uint8Array) => void socket.write(text),
    received: () => received,
    until: (text: string) => expect.poll(() => received, { timeout: 10_000 }).toContain(text),
  };
}
const head = (line: string, ...headers: string[]) =>
  `${[`${line} HTTP/1.1`, "host: x", ...headers].join("\r\n")}\r\n\r\n`;

describe.each(httpVersions)("a dialect over HTTP/%s", (version) => {
  const ask: DialectScene["clients"]["2"]["ask"] = (request) => close.clients[version].ask(request);
  const get = (path: string, headers: Record<string, string> = {}, method = "GET") => ask({ method, path, headers });

  it("answers on its paths by its rows, with parameters and words of the query decoded", async () => {
    expect(tell(await get("/made/things/a%2Fb%20c/parts/%C3%A9?x"))).toEqual([
      200,
      '{"line":"GET /made/things/{id}/parts/{part}","params":{"id":"a/b c","part":"\u00e9"}}',
    ]);
    expect(tell(await get("/made/query/?FILENAME=a+b%2Bc"))).toEqual([200, '{"word":"a b+c"}']);
    expect(tell(await ask({ method: "POST", path: "/made/verbs/id:7?~action=complete" }))).toEqual([
      200,
      '{"line":"POST /made/verbs/id:{id}?~action=complete","params":{"id":"7"}}',
    ]);
  });

  it("loses unknown paths and methods as it says, and tells the methods of a path", async () => {
    expect(tell(await get("/made/nothing"))).toEqual([404, "lost ()"]);
    const wrong = await get("/made/things", {}, "DELETE");
    expect([...tell(wrong), wrong.headers.allow]).toEqual([405, "lost (GET HEAD OPTIONS)", "GET, HEAD, OPTIONS"]);
    const options = await get("/made/things/7", {}, "OPTIONS");
    expect([...tell(options), options.headers.allow]).toEqual([204, "", "GET, DELETE, HEAD, OPTIONS"]);
    expect(tell(await get("/mades"))[0]).toBe(404);
    expect((await get("/healthz")).status).toBe(200);
  });

  it.each(["/made/things/%", "/made/things/%E4", "/made/query?fileName=%zz"])("refuses %s with 400", async (path) => {
    expect(tell(await get(path))).toEqual([400, expect.stringMatching(/^a percent-escape in the (path|query) means/)]);
  });

  it("answers HEAD as GET, without the body", async () => {
    const [whole, bare] = [await get("/made/things"), await get("/made/things", {}, "HEAD")];
    expect(bare).toEqual({
      ...whole,
      headers: { ...whole.headers, "x-request-id": expect.any(String) },
      body: Buffer.alloc(0),
    });
  });

  it("reads JSON, and refuses what is none, and what is too large before it is sent", async () => {
    const post = (body: string) => ask({ method: "POST", path: "/made/json", body: Buffer.from(body) });
    expect(tell(await post('{"a":[1]}'))).toEqual([201, '{"value":{"a":[1]}}']);
    expect(tell(await post(""))).toEqual([400, "the body is empty where JSON is expected"]);
    const hanging = close.clients[version].begin({ method: "POST", path: "/made/json" }, Buffer.from("{"), 50 * MiB);
    expect(tell(await hanging.answer)).toEqual([
      413,
      "the body may have 1048576 bytes at most (SLIPWAY_MAX_JSON_BYTES)",
    ]);
    hanging.cut();
  });

  it("refuses bodies of 50 MB that do not say how long they are, holding no more of each than it may (P10)", async () => {
    const chunk = Buffer.alloc(65_536, "1");
    async function* body() {
      for (let at = 0; at < 50 * 16; at++) yield chunk;
    }
    const held = () => {
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const before = held();
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, held() - before);
    }, 5);
    const from = close.log.length;
    // A client that still writes when the answer comes may lose it.
    const client = openHttp(close.url, version);
    for (let count = 0; count < 6; count++) {
      void client.ask({ method: "POST", path: "/made/json", body: body() }).catch(() => undefined);
    }
    await expect
      .poll(() => answered(close, from).filter(({ code }) => code === "too_large").length, { timeout: 20_000 })
      .toBe(6);
    clearInterval(watch);
    client.close();
    // Of 300 MB.
    expect(most).toBeLessThan(150 * MiB);
    for (const { bytesIn, code } of answered(close, from))
      if (code === "too_large") expect(bytesIn).toBeLessThan(20 * MiB);
  });

  it("says nothing of bodies that are cut, and calls them canceled", async () => {
    for (const scene of [close, drain]) {
      const [from, before] = [scene.log.length, complaints(scene).length];
      for (const path of ["/made/json", "/made/raw", "/made/nowhere"].slice(0, scene === drain ? 3 : 2)) {
        const { answer, cut } = scene.clients[version].begin({ method: "POST", path }, Buffer.from("{"), 1_000);
        await expect.poll(() => scene.faces.underWay()).toBeGreaterThan(0);
        await sleep(20);
        cut();
        await expect(answer).rejects.toThrow();
        await expect.poll(() => scene.faces.underWay()).toBe(0);
      }
      const ends = await endsOf(scene, from, scene === drain ? 3 : 2);
      expect(ends).toEqual(
        [
          ["folio", "POST /made/json", "canceled"],
          ["folio", "POST /made/raw", "canceled"],
          ["folio", "other", "not_found"],
        ].slice(0, ends.length),
      );
      expect(complaints(scene).length).toBe(before);
    }
  });

  it("compresses what may be, for those who take it, and says so to HEAD", async () => {
    const gzip = { "accept-encoding": "br, gzip" };
    const path = "/made/stream?chunks=20";
    const [plain, packed] = [await get(path), await get(path, gzip)];
    expect(plain.headers).toMatchObject({ vary: "Origin, Accept-Encoding" });
    expect(plain.headers).not.toHaveProperty("content-encoding");
    expect(packed.headers).toMatchObject({ "content-encoding": "gzip", vary: "Origin, Accept-Encoding" });
    expect(packed.body.length).toBeLessThan(plain.body.length / 10);
    expect(Buffer.compare(gunzipSync(packed.body), plain.body)).toBe(0);

    const long = `/made/things/${"x".repeat(2_000)}`;
    const text = await get(long, gzip);
    expect(JSON.parse(gunzipSync(text.body).toString()).params.id).toBe("x".repeat(2_000));
    const bare = await get(long, gzip, "HEAD");
    expect(bare).toEqual({
      ...text,
      headers: { ...text.headers, "x-request-id": expect.any(String) },
      body: Buffer.alloc(0),
    });
    const small = await get("/made/things", gzip);
    expect(small.headers).toMatchObject({
      "content-length": String(small.body.length),
      vary: "Origin, Accept-Encoding",
    });
  });

  it.each(["gzip", "identity"])("lets go at once of a stream that HEAD is not sent (%s)", async (coding) => {
    Object.assign(stream, { pulledBytes: 0, state: "new" });
    const asked = { method: "HEAD", path: "/made/stream", headers: { "accept-encoding": coding } };
    expect((await endless.clients[version].ask(asked)).status).toBe(200);
    await expect.poll(() => stream).toEqual({ pulledBytes: 65_536, state: "let go" });
  });

  it.each(["gzip", "identity"])(
    "pulls no more of an answer than its reader takes, and lets it go when that has gone (%s)",
    async (coding) => {
      Object.assign(stream, { pulledBytes: 0, state: "new" });
      if (version === "2") {
        const { answer, cut } = endless.clients["2"].begin(
          { method: "GET", path: "/made/stream", headers: { "accept-encoding": coding } },
          new Uint8Array(),
          0,
        );
        await expect.poll(() => stream.pulledBytes).toBeGreaterThan(0);
        cut();
        await expect(answer).rejects.toThrow();
      } else {
        const { socket, send, until } = await dial(endless);
        socket.pause();
        send(head("GET /made/stream", `accept-encoding: ${coding}`));
        let last = -1;
        const hasStopped = () => {
          const stopped = last > 0 && last === stream.pulledBytes;
          last = stream.pulledBytes;
          return stopped;
        };
        await expect.poll(hasStopped, { interval: 300, timeout: 20_000 }).toBe(true);
        expect(stream.pulledBytes).toBeLessThan(32 * MiB);
        socket.resume();
        await until("HTTP/1.1 200");
        socket.destroy();
      }
      await expect.poll(() => stream.state).toBe("let go");
      await expect.poll(() => endless.faces.underWay()).toBe(0);
      expect(complaints(endless)).toEqual([]);
    },
  );
});

describe("the rest of a body that nobody wants", () => {
  it("is read before the answer where the dialect drains: who writes all before reading gets it", async () => {
    const { send, received, until, socket } = await dial(drain);
    send(head("POST /made/nowhere", `content-length: ${3 * MiB}`));
    send(new Uint8Array(2 * MiB));
    await sleep(100);
    expect(received()).toBe("");
    send(new Uint8Array(MiB));
    await until("lost ()");
    expect(received()).toMatch(/^HTTP\/1.1 404 [\s\S]*lost \(\)$/);
    send(head("GET /made/query?fileName=next"));
    await until('{"word":"next"}');
    socket.destroy();
  });

  it("is not, and the answer goes out at once, where the dialect closes, or there is more than the bound", async () => {
    for (const [scene, length] of [
      [close, 3 * MiB],
      [drain, 4 * MiB + 1],
    ] as const) {
      const { send, until, socket } = await dial(scene);
      send(head("POST /made/nowhere", `content-length: ${length}`));
      await until("lost ()");
      socket.destroy();
    }
    const { send, until, socket } = await dial(drain);
    send(head("POST /made/nowhere", "transfer-encoding: chunked"));
    for (let at = 0; at < 5; at++)
      send(Buffer.concat([Buffer.from("100000\r\n"), new Uint8Array(MiB), Buffer.from("\r\n")]));
    await until("lost ()");
    socket.destroy();
  });

  it("over HTTP/2 is read before the answer, too, within the same bound", async () => {
    const body = new Uint8Array(3 * MiB);
    const from = drain.log.length;
    const asked = { method: "POST", path: "/made/nowhere", body };
    expect(tell(await drain.clients["2"].ask(asked))).toEqual([404, "lost ()"]);
    await endsOf(drain, from, 1);
    expect(answered(drain, from)[0]).toMatchObject({ bytesIn: 3 * MiB });
    const hanging = drain.clients["2"].begin({ method: "POST", path: "/made/nowhere" }, body, 5 * MiB);
    expect(tell(await hanging.answer)).toEqual([404, "lost ()"]);
  });
});

describe("a client that waits for 100 Continue", () => {
  const expecting = (line: string) => head(line, "content-length: 2", "expect: 100-continue");

  it.each([
    ["closes", close],
    ["drains", drain],
  ])(
    "is told to go on where its body is wanted, and gets the answer alone where not (a dialect that %s)",
    async (_, scene) => {
      const wanted = await dial(scene);
      wanted.send(expecting("POST /made/json"));
      await wanted.until("HTTP/1.1 100 Continue");
      wanted.send("{}");
      await wanted.until('{"value":{}}');
      const unwanted = await dial(scene);
      unwanted.send(expecting("POST /made/nowhere"));
      await unwanted.until("lost ()");
      expect(unwanted.received()).toMatch(/^HTTP\/1.1 404 /);
      for (const { socket } of [wanted, unwanted]) socket.destroy();
    },
  );
});

describe("scripts in browsers", () => {
  const ask = (method: string, path: string, headers: Record<string, string>) =>
    close.clients["1.1"].ask({ method, path, headers: { origin: app, ...headers } });

  it("may call from any origin, and with credentials from those that are named", async () => {
    const preflight = { "access-control-request-method": "POST" };
    const named = await ask("OPTIONS", "/made/secret", preflight);
    expect([named.status, named.headers]).toMatchObject([
      204,
      {
        "access-control-allow-origin": app,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": "content-type, x-made-up",
        vary: "Origin",
      },
    ]);
    const other = await ask("OPTIONS", "/made/secret", { ...preflight, origin: "https://anyone.example" });
    expect(other.headers["access-control-allow-origin"]).toBe("*");
    expect(other.headers).not.toHaveProperty("access-control-allow-credentials");
  });

  it("see answers and refusals, and the headers that the dialect names", async () => {
    for (const path of ["/made/things", "/made/nowhere"]) {
      expect((await ask("GET", path, {})).headers).toMatchObject({
        "access-control-allow-origin": app,
        "access-control-expose-headers": "x-seen",
      });
    }
  });
});

it("requests are called by the face and the line of their row, or `other`, in the log and in the metrics", async () => {
  const from = close.log.length;
  const ask = (method: string, path: string) => close.clients["2"].ask({ method, path });
  await ask("GET", "/made/things/one");
  await ask("HEAD", "/made/things/two");
  await ask("PUT", "/made/things/three");
  await ask("GET", "/made/made-up-by-a-client");
  const rows = [
    ["folio", "GET /made/things/{id}", "ok"],
    ["folio", "GET /made/things/{id}", "ok"],
    ["folio", "other", "refused"],
    ["folio", "other", "not_found"],
  ];
  expect(await endsOf(close, from, 4)).toEqual(rows);
  expect(answered(close, from)[0]).toMatchObject({ user: "default/somebody" });
  const text = await close.metrics.registry.metrics();
  expect(text).toContain(
    'slipway_request_duration_seconds_count{face="folio",method="GET /made/things/{id}",code="ok"}',
  );
  expect(text).not.toContain("made-up-by-a-client");
});

describe("a server that stops", () => {
  const scene = useDialect({ manners: { unread: { drainBytes: MiB, drainMs: 60_000 } } });

  it("waits for what is under way, and what it cuts gets the answer that is known, or 503", async () => {
    const { begin } = scene.clients["1.1"];
    const known = begin({ method: "POST", path: "/made/nowhere" }, new Uint8Array(1), 100);
    const unknown = begin({ method: "POST", path: "/made/json" }, Buffer.from("{"), 100);
    await expect.poll(() => scene.faces.underWay()).toBe(2);
    await sleep(50);
    scene.faces.cut();
    expect(tell(await known.answer)).toEqual([404, "lost ()"]);
    expect((await unknown.answer).status).toBe(503);
    await scene.faces.idle();
    expect(complaints(scene)).toEqual([]);
    expect((await endsOf(scene, 0, 2)).map(([, , code]) => code).sort()).toEqual(["not_found", "unavailable"]);
  });
});
