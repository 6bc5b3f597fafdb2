// Decisions about what the documentation leaves open, where they are about the face as a whole: each over its port.
import { once } from "node:events";
import { connect as connect2 } from "node:http2";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { createId } from "../../../src/core/index.js";
import { imisStatuses } from "../../../src/rest/imis/errors.js";
import { pseudoRandom } from "../../support/bodies.js";
import { openHttp } from "../../support/http.js";
import { type ImisObject, type ImisSession, logIn, refusalFrom, refusalOf } from "../../support/imis.js";
import { startServer } from "../../support/server.js";
import { archive, hour } from "./face-scene.js";
import { objectServices } from "./object-scene.js";
import { type Uploading, useUploads } from "./upload-scene.js";

const scene = useUploads({ services: objectServices });
afterEach(() => expect(scene.unexpected).toEqual([]));

const content = pseudoRandom(4096);
const bytes = (from: number, to: number) => content.subarray(from, to);
const sessionsOf = ({ handle }: Pick<Uploading, "handle">) => `entities/H:${handle}/create_sessions`;
const pathOf = (at: Pick<Uploading, "handle" | "id">) => `${sessionsOf(at)}/${at.id}`;
const send = (at: Uploading, from: number, to: number) => at.client.putPart(at.handle, at.id, from, bytes(from, to));
const told = async (deed: Promise<unknown>) => {
  const { status, code, details } = await refusalOf(deed);
  return { status, code, details };
};
/** A part of which nobody sends more than the half, once it has come to write. */
async function beginHalf(at: Uploading) {
  const writer = at.client.beginPart(at.handle, at.id, 0, 100, bytes(0, 50));
  await expect.poll(async () => (await at.client.session(at.handle, at.id)).parts).toBe(1);
  return writer;
}

/** Whatever may be done with one session, but for its being deleted. */
const deeds = {
  see: (at: Uploading) => at.client.session(at.handle, at.id),
  send: (at: Uploading) => send(at, 0, 10),
  probe: (at: Uploading) => at.client.value("PUT", pathOf(at), { headers: { "content-range": "*/10" } }),
  save: (at: Uploading) => at.client.save(at.handle, at.id),
};
const all = { ...deeds, cancel: (at: Uploading) => at.client.cancel(at.handle, at.id) };

describe("decision 2: the end of a range is inclusive", () => {
  it("and a client that means the byte behind it is refused with 400, and told so", async () => {
    const at = await scene.begin();
    const { status, code, text } = await refusalOf(
      at.client.value("PUT", pathOf(at), { body: bytes(0, 10), headers: { "content-range": "0-10" } }),
    );
    expect([status, code]).toEqual([400, "content_length_mismatch"]);
    expect(text).toContain("0-9");
    expect(await at.offset()).toBe(0);
  });
});

describe("decision 9: the offset query", () => {
  it.each(["", ".json"])("by GET and HEAD, with the suffix %j, tells how far the content is", async (suffix) => {
    const at = await scene.begin({ content_type: "audio/wav", size: 200 });
    await send(at, 0, 100);
    const got = await at.client.ask("GET", pathOf(at) + suffix);
    const head = await at.client.ask("HEAD", pathOf(at) + suffix);
    for (const { status, headers } of [got, head]) {
      expect(status).toBe(200);
      expect(headers).toMatchObject({ "upload-offset": "100", "cache-control": "no-store" });
      // A range from 0 cannot tell nothing from one byte.
      expect(headers).not.toHaveProperty("range");
    }
    expect(head.text).toBe("");
    expect(JSON.parse(got.text)).toEqual({
      session: {
        ...{ id: at.id, offset: 100, state: "open", content_type: "audio/wav", size: 200, parts: 1 },
        expires: expect.stringMatching(/Z$/),
      },
    });
  });

  it("tells nothing of a size that nobody has said, and of a saved session its object", async () => {
    const at = await scene.begin();
    expect(Object.keys(await deeds.see(at))).toEqual(["id", "offset", "state", "content_type", "expires", "parts"]);
    await send(at, 0, 10);
    const { id } = await at.client.save(at.handle, at.id);
    expect(await deeds.see(at)).toMatchObject({ state: "saved", offset: 10, size: 10, object: { id } });
  });

  it("lists the open sessions of the handle's entity, and none that is over", async () => {
    const open = await scene.begin();
    const [second, third] = [await scene.begin(undefined, open), await scene.begin(undefined, open)];
    await send(open, 0, 10);
    await send(second, 0, 10);
    await second.client.save(second.handle, second.id);
    await third.client.cancel(third.handle, third.id);
    expect(await open.client.sessions(open.handle)).toEqual([await deeds.see(open)]);
  });

  it("does not disturb whoever writes (P7)", async () => {
    const at = await scene.begin();
    const http = openHttp(scene.url, "1.1");
    async function* body() {
      yield bytes(0, 50);
      for (let i = 0; i < 20; i++) await at.offset();
      expect(await deeds.see(at)).toMatchObject({ parts: 1 });
      yield bytes(50, 100);
    }
    const headers = { authorization: `Bearer ${at.client.token}`, "content-range": "0-99" };
    const path = `/archives/${archive}/${pathOf(at)}`;
    const answer = await http.ask({ method: "PUT", path, headers, body: body() });
    http.close();
    expect([answer.status, answer.headers["upload-offset"]]).toEqual([200, "100"]);
    expect(await deeds.see(at)).toMatchObject({ offset: 100, parts: 1 });
  });
});

describe("decision 10: a session that is not there", () => {
  it.each(Object.entries(all))("is 404 session_not_found by %s, be it unknown or another entity's", async (_, deed) => {
    const at = await scene.begin();
    const elsewhere = await scene.begin(undefined, { client: at.client });
    for (const id of [createId(), "x", elsewhere.id, `${at.id}0`]) {
      expect(await told(deed({ ...at, id }))).toMatchObject({ status: 404, code: "session_not_found" });
    }
  });

  it("is 404 in another archive, where the handle is not known either", async () => {
    const at = await scene.begin();
    const { id: other } = await scene.opened.uploads.createLibrary({ name: createId() }, scene.opened.admin);
    const answer = await at.client.ask("GET", `/archives/${other}/${pathOf(at)}`);
    expect([answer.status, refusalFrom(answer).code]).toEqual([404, "handle_not_found"]);
  });

  it.each(Object.entries(deeds))(
    "is 410 session_gone by %s once it was cancelled or its entity closed",
    async (_, deed) => {
      const at = await scene.begin();
      await at.client.cancel(at.handle, at.id);
      expect(await told(deed(at))).toEqual({ status: 410, code: "session_gone", details: { reason: "cancelled" } });
      const closed = await scene.begin();
      await closed.client.closeEntity(closed.handle);
      const gone = { status: 410, code: "session_gone", details: { reason: "entity_closed" } };
      expect(await told(deed(closed))).toEqual(gone);
      expect(await told(deed(await scene.reopen(closed)))).toEqual(gone);
    },
  );
});

describe("decisions 10, 19 and 23: in time", () => {
  const aging = useUploads({ services: objectServices });

  it("a session is 410 for its expiry, and one that was ended is unknown once its tombstone is gone", async () => {
    const idle = await aging.begin();
    const [cancelled, saved] = [await aging.begin(undefined, idle), await aging.begin(undefined, idle)];
    await cancelled.client.cancel(cancelled.handle, cancelled.id);
    await send(saved, 0, 10);
    const object = await saved.client.save(saved.handle, saved.id);
    const { expires } = await deeds.see(idle);
    const leftMs = Date.parse(expires!) - Date.now();
    expect(leftMs).toBeGreaterThan(23.9 * hour);
    expect(leftMs).toBeLessThanOrEqual(24 * hour);

    aging.elapse(25 * hour);
    // Login and handle are gone as well; that alone is no end of a session.
    const later = await aging.reopen(idle);
    for (const deed of Object.values(all)) {
      const gone = { status: 410, code: "session_gone", details: { reason: "expired" } };
      expect(await told(deed(later))).toEqual(gone);
      for (const { id } of [cancelled, saved]) {
        expect(await told(deed({ ...later, id }))).toMatchObject({ status: 404, code: "session_not_found" });
      }
    }
    expect(await later.client.sessions(later.handle)).toEqual([]);
    expect(await aging.objectsOf(idle.entity)).toEqual([object.id]);
    expect(aging.unexpected).toEqual([]);
  });
});

describe("decision 19: a delete", () => {
  it("never touches a saved object: 409 already_saved with its id", async () => {
    const at = await scene.begin();
    await send(at, 0, 10);
    const { id } = await at.client.save(at.handle, at.id);
    for (let i = 0; i < 2; i++) {
      const refused = { status: 409, code: "already_saved", details: { object_id: id } };
      expect(await told(at.client.cancel(at.handle, at.id))).toEqual(refused);
    }
    expect(await scene.contentOf(at.entity, id)).toEqual(bytes(0, 10));
  });

  it("of a cancelled session is answered 200 again, with `.json` and without, and there is no object", async () => {
    const at = await scene.begin();
    await send(at, 0, 10);
    for (const suffix of [".json", ".json", ""]) {
      expect(await at.client.ask("DELETE", pathOf(at) + suffix)).toMatchObject({ status: 200, text: "" });
    }
    expect(await scene.objectsOf(at.entity)).toEqual([]);
  });

  it("cuts a part that is under way, and is answered 200", async () => {
    const at = await scene.begin();
    const other = await scene.reopen(at);
    const writer = await beginHalf(at);
    await other.client.cancel(other.handle, at.id);
    const cut = await writer.answer.then(
      ({ status, body }) => `${status} ${JSON.parse(body.toString()).error.code}`,
      () => "cut",
    );
    expect(["410 session_gone", "409 superseded", "cut"]).toContain(cut);
    expect(await told(deeds.see(at))).toMatchObject({ status: 410, details: { reason: "cancelled" } });
  });
});

describe("decision 20: administrators", () => {
  it("may list and delete others' sessions, who stay unknown to everybody else", async () => {
    const at = await scene.begin();
    await send(at, 0, 10);
    const seen = await deeds.see(at);
    const other = await scene.reopen(at, scene.members.other);
    expect(await other.client.sessions(other.handle)).toEqual([]);
    expect(await told(other.client.cancel(other.handle, at.id))).toMatchObject({
      status: 404,
      code: "session_not_found",
    });
    const admin = await scene.reopen(at, scene.members.admin);
    expect(await admin.client.sessions(admin.handle)).toEqual([seen]);
    await admin.client.cancel(admin.handle, at.id);
    expect(await told(deeds.see(at))).toMatchObject({ status: 410, details: { reason: "cancelled" } });
  });
});

describe("decision 21: entity close", () => {
  it.each(["the entity", "the bearer session"])(
    "deletes all sessions of the handle when %s is closed: parts are cut, and what is saved stays",
    async (what) => {
      const at = await scene.begin();
      const [saved, second] = [await scene.begin(undefined, at), await scene.begin(undefined, at)];
      await send(saved, 0, 10);
      const { id } = await saved.client.save(saved.handle, saved.id);
      const writer = await beginHalf(at);
      if (what === "the entity") {
        await at.client.closeEntity(at.handle);
        await at.client.closeEntity(at.handle);
      } else await at.client.logOut();
      const status = await writer.answer.then(
        (answer) => answer.status,
        () => "cut",
      );
      expect([401, 409, 410, "cut"]).toContain(status);
      const again = await scene.reopen(at);
      for (const { id: sessionId } of [at, second]) {
        const gone = { status: 410, code: "session_gone", details: { reason: "entity_closed" } };
        expect(await told(deeds.see({ ...again, id: sessionId }))).toEqual(gone);
      }
      expect(await again.client.sessions(again.handle)).toEqual([]);
      expect((await again.client.objects(again.handle)).map((object) => object.id)).toEqual([id]);
      expect((await again.client.save(again.handle, saved.id)).id).toBe(id);
    },
  );
});

describe("decision 23: expiry", () => {
  const idleTtlMs = 6_000;
  const brief = useUploads({ services: objectServices, deadlines: { idleTtlMs } });

  it("never comes over a session while bytes flow into it", { timeout: 60_000 }, async () => {
    const at = await brief.begin();
    const http = openHttp(brief.url, "1.1");
    const count = 40;
    async function* slowly() {
      for (let i = 0; i < count; i++) {
        await sleep((2 * idleTtlMs) / count);
        await brief.opened.uploads.sweepRows();
        yield bytes(i, i + 1);
      }
    }
    const headers = { authorization: `Bearer ${at.client.token}`, "content-range": `0-${count - 1}` };
    const answer = await http.ask({
      method: "PUT",
      path: `/archives/${archive}/${pathOf(at)}`,
      headers,
      body: slowly(),
    });
    http.close();
    expect([answer.status, answer.headers["upload-offset"]]).toEqual([200, String(count)]);
    await brief.opened.uploads.sweepRows();
    const again = await brief.reopen(at);
    const { id } = await again.client.save(again.handle, at.id);
    expect(await brief.contentOf(at.entity, id)).toEqual(bytes(0, count));
  });

  const capped = useUploads({ services: objectServices, deadlines: { absoluteTtlMs: hour } });

  it("comes with the absolute deadline at the latest, which no part puts off", async () => {
    const at = await capped.begin();
    const { expires } = await deeds.see(at);
    expect(Date.parse(expires!)).toBeLessThanOrEqual(Date.now() + hour);
    expect(await send(at, 0, 10)).toMatchObject({ expires });
    expect(await deeds.see(at)).toMatchObject({ expires });
    capped.elapse(hour);
    expect(await told(send(at, 10, 20))).toMatchObject({ status: 410, details: { reason: "expired" } });
  });
});

describe("decision 24: limits", () => {
  const limits = { maxObjectBytes: 1000, maxPartBytes: 500, minPartBytes: 10 };
  const bounded = useUploads({
    services: objectServices,
    limits: { ...limits, maxHandleSessions: 2, maxUserSessions: 3, maxTombstones: 2 },
  });
  const tooMany = (setting: string, limit: number) => ({
    status: 429,
    code: "too_many_sessions",
    details: { limit, setting },
  });

  it("of sizes are 413 with the limit in the body, and 400 for a part that is too small", async () => {
    const client = await bounded.client(bounded.members.admin);
    const at = await bounded.begin(undefined, { client });
    expect(await told(send(at, 0, 501))).toEqual({
      status: 413,
      code: "part_too_large",
      details: { limit: 500, setting: "SLIPWAY_IMIS_MAX_PART_BYTES" },
    });
    expect(await told(send(at, 900, 1001))).toMatchObject({
      status: 413,
      code: "object_too_large",
      details: { limit: 1000 },
    });
    expect(await told(client.createSession(at.handle, { size: 1001 }))).toMatchObject({ status: 413 });
    expect(await told(send(at, 0, 9))).toMatchObject({ status: 400, code: "part_too_small", details: { limit: 10 } });
    expect(await client.putPart(at.handle, at.id, 0, bytes(0, 9), { total: 9 })).toMatchObject({ offset: 9 });
    await client.cancel(at.handle, at.id);
  });

  it("of open sessions are 429 with Retry-After: of one handle, and of one user", async () => {
    const client = await bounded.client();
    const at = await bounded.begin(undefined, { client });
    await client.createSession(at.handle);
    const refusal = await refusalOf(client.createSession(at.handle));
    expect(refusal).toMatchObject(tooMany("SLIPWAY_IMIS_MAX_HANDLE_SESSIONS", 2));
    expect(Number(refusal.headers["retry-after"])).toBeGreaterThan(0);
    const third = await bounded.begin(undefined, { client });
    const fourth = await refusalOf(bounded.begin(undefined, { client }));
    expect(fourth).toMatchObject(tooMany("SLIPWAY_IMIS_MAX_USER_SESSIONS", 3));
    expect(Number(fourth.headers["retry-after"])).toBeGreaterThan(0);
    await client.cancel(third.handle, third.id);
    await bounded.begin(undefined, { client });
  });

  it("of tombstones are 429, too", async () => {
    const client = await bounded.client(bounded.members.other);
    for (let i = 0; i < 2; i++) {
      const at = await bounded.begin(undefined, { client });
      await client.cancel(at.handle, at.id);
    }
    // A count that left room is believed for a while.
    bounded.elapse(60_000);
    const refusal = await refusalOf(bounded.begin(undefined, { client }));
    expect(refusal).toMatchObject(tooMany("SLIPWAY_IMIS_MAX_TOMBSTONES", 2));
  });

  it("are told by OPTIONS to whoever asks", async () => {
    for (const suffix of ["", ".json"]) {
      const answer = await bounded.nobody().ask("OPTIONS", `entities/H:any/create_sessions${suffix}`);
      expect(answer.status).toBe(204);
      expect(answer.headers["upload-limit"]).toBe(
        `max-size=1000, max-append-size=500, min-append-size=10, max-age=${7 * 24 * 3600}`,
      );
    }
  });
});

describe("decision 25: errors", () => {
  interface Wrong {
    readonly status: number;
    readonly code: keyof typeof imisStatuses;
    readonly ask: (at: Uploading) => Promise<{ status: number; headers: object; text: string }>;
  }
  const wrongs: readonly Wrong[] = [
    { status: 401, code: "unauthenticated", ask: (at) => scene.nobody().ask("GET", pathOf(at)) },
    { status: 401, code: "unauthenticated", ask: (at) => scene.nobody("x").ask("PUT", pathOf(at), { body: "x" }) },
    { status: 404, code: "operation_not_found", ask: (at) => at.client.ask("GET", "nothing") },
    { status: 405, code: "method_not_allowed", ask: (at) => at.client.ask("PATCH", pathOf(at)) },
    { status: 400, code: "request_invalid", ask: (at) => at.client.ask("GET", "entities/H:%zz/objects") },
    { status: 400, code: "request_invalid", ask: (at) => at.client.ask("POST", sessionsOf(at), { body: "{" }) },
    {
      status: 400,
      code: "content_type_invalid",
      ask: (at) => at.client.ask("POST", sessionsOf(at), { body: { content_type: "x" } }),
    },
    { status: 400, code: "content_range_required", ask: (at) => at.client.ask("PUT", pathOf(at), { body: "x" }) },
    { status: 404, code: "handle_not_found", ask: (at) => at.client.ask("GET", sessionsOf({ handle: createId() })) },
    {
      status: 404,
      code: "archive_not_found",
      ask: (at) => at.client.ask("GET", "/archives/none/entities/H:x/objects"),
    },
    { status: 409, code: "session_empty", ask: (at) => at.client.ask("POST", `${pathOf(at)}/save`) },
    {
      status: 413,
      code: "body_too_large",
      ask: (at) => at.client.ask("POST", sessionsOf(at), { body: " ".repeat(65 * 1024) }),
    },
    {
      status: 415,
      code: "coding_unsupported",
      ask: (at) =>
        at.client.ask("PUT", pathOf(at), {
          body: "x",
          headers: { "content-range": "0-0", "content-encoding": "gzip" },
        }),
    },
    {
      status: 416,
      code: "range_not_satisfiable",
      ask: (at) => at.client.ask("PUT", pathOf(at), { body: "x", headers: { "content-range": "9-9" } }),
    },
  ];

  it.each(wrongs)("have one shape: $status $code", async ({ status, code, ask }) => {
    const at = await scene.begin();
    const answer = await ask(at);
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({ "content-type": "application/json", "cache-control": "no-store" });
    const { error, ...others } = JSON.parse(answer.text);
    expect(others).toEqual({});
    expect(error).toEqual({ code, message: expect.stringMatching(/^[^\n]+$/), status, details: expect.any(Object) });
    expect(Object.keys(error)).toEqual(["code", "message", "status", "details"]);
    expect(imisStatuses[code]).toBe(status);
    const challenge = (answer.headers as Record<string, string>)["www-authenticate"];
    expect(challenge?.startsWith("Bearer ")).toBe(status === 401 ? true : undefined);
  });
});

describe("decision 26: a refusal before the body", () => {
  /** All that comes until the other side closes; `react` answers what has come so far. */
  async function converse(
    head: string,
    first: Uint8Array,
    react: (text: string) => Uint8Array | undefined = () => undefined,
  ) {
    const { hostname, port } = new URL(scene.url);
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    let text = "";
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      const more = react(text);
      if (more !== undefined) socket.write(more);
    });
    socket.write(head);
    socket.write(first);
    await once(socket, "close");
    return text;
  }
  const headOf = (at: Uploading, range: string, length: number, more = "") =>
    `PUT /archives/${archive}/${pathOf(at)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${at.client.token}\r\n` +
    `Content-Range: ${range}\r\nContent-Length: ${length}\r\n${more}\r\n`;

  it("is answered at once, and the connection closed, however much is announced", async () => {
    const at = await scene.begin();
    const gap = await converse(headOf(at, "5-1073741828", 2 ** 30), bytes(0, 100));
    expect(gap).toMatch(/^HTTP\/1\.1 416 /);
    expect(gap).toMatch(/^connection: close\r$/im);
    expect(gap).toContain('"expected_offset":0');
    const mismatch = await converse(headOf(at, "0-9", 2 ** 30), bytes(0, 100));
    expect(mismatch).toMatch(/^HTTP\/1\.1 400 /);
    expect(await at.offset()).toBe(0);
  });

  it("is seen by a client that sends a small body before it reads", async () => {
    const at = await scene.begin();
    const body = pseudoRandom(60 * 1024);
    const head = headOf(at, `5-${body.length + 4}`, body.length, "Connection: close\r\n");
    expect(await converse(head, body)).toMatch(/^HTTP\/1\.1 416 /);
  });

  it("over HTTP/2 resets its stream alone", async () => {
    const at = await scene.begin();
    const session = connect2(scene.url);
    const ask = (headers: Record<string, string>, body: Uint8Array) => {
      const stream = session.request({
        ":method": "PUT",
        ":path": `/archives/${archive}/${pathOf(at)}`,
        authorization: `Bearer ${at.client.token}`,
        ...headers,
      });
      stream.on("error", () => undefined);
      stream.write(body);
      stream.resume();
      return stream;
    };
    const refused = ask({ "content-range": "5-1073741828", "content-length": String(2 ** 30) }, bytes(0, 100));
    const [answer] = (await once(refused, "response")) as [Record<string, unknown>];
    expect(answer[":status"]).toBe(416);
    if (!refused.closed) await once(refused, "close");
    const good = ask({ "content-range": "0-99", "content-length": "100" }, bytes(0, 100));
    good.end();
    const [second] = (await once(good, "response")) as [Record<string, unknown>];
    expect(second[":status"]).toBe(200);
    session.destroy();
  });

  it("comes before a body that waits for 100 Continue, which is asked for where the head is good", async () => {
    const at = await scene.begin();
    const nothing = new Uint8Array();
    const refused = await converse(headOf(at, "5-104", 100, "Expect: 100-continue\r\n"), nothing);
    expect(refused).toMatch(/^HTTP\/1\.1 416 /);
    let sent = false;
    const taken = await converse(
      headOf(at, "0-99", 100, "Expect: 100-continue\r\nConnection: close\r\n"),
      nothing,
      (text) => {
        if (sent || !text.startsWith("HTTP/1.1 100 Continue\r\n")) return undefined;
        sent = true;
        return bytes(0, 100);
      },
    );
    expect(taken).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
    expect(await at.offset()).toBe(100);
  });
});

describe("decisions 27 and 28: every operation of a session", () => {
  const forms = ["", "/scsvc"].flatMap((prefix) =>
    ["", ".json"].flatMap((suffix) => [":", "%3A"].map((colon) => ({ prefix, suffix, colon }))),
  );

  it.each(forms)("is answered 200 at $prefix/archives/…H$colon…$suffix", async ({ prefix, suffix, colon }) => {
    const client = await scene.client();
    const { id: entity } = await scene.makeEntity();
    const below = `${prefix}/archives/${archive}/entities/H${colon}${await client.openEntity(entity)}`;
    const make = async () => {
      const path = `${below}/create_sessions${suffix}`;
      return (await client.value<{ session: ImisSession }>("POST", path, { body: {} })).session.id;
    };
    const [id, unwanted] = [await make(), await make()];
    await client.value("GET", `${below}/create_sessions${suffix}`);
    const at = `${below}/create_sessions/${id}`;
    const headers = { "content-range": "0-9" };
    expect(await client.value("PUT", at + suffix, { body: bytes(0, 10), headers })).toMatchObject({ session: { id } });
    expect(await client.value("GET", at + suffix)).toMatchObject({ session: { id, offset: 10 } });
    const { object } = await client.value<{ object: ImisObject }>("POST", `${at}/save${suffix}`);
    await client.value("DELETE", `${below}/create_sessions/${unwanted}${suffix}`);
    expect(await client.value("GET", `${below}/objects${suffix}`)).toMatchObject({ objects: [{ id: object.id }] });
    const stream = `${below}/objects/${object.id}/stream`;
    const { handle } = await client.value<{ handle: string }>("GET", `${stream}/open${suffix}`);
    const read = await client.ask("GET", `${stream}/${handle}${suffix}`, { headers: { range: "bytes=2-5" } });
    expect([read.status, read.headers["content-range"]]).toEqual([206, "bytes 2-5/10"]);
    expect(new Uint8Array(read.body)).toEqual(new Uint8Array(bytes(2, 6)));
    await client.value("GET", `${stream}/${handle}/close${suffix}`);
  });
});

describe("decision 30: open sessions, offsets and tombstones", () => {
  it("survive a kill -9, and so do handles and logins", { timeout: 240_000 }, async () => {
    const first = await startServer();
    const rpc = async (method: string, body: object) => {
      const answer = await fetch(`${first.url}/slipway.upload.v1.CatalogService/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: first.authorization },
        body: JSON.stringify(body),
      });
      return (await answer.json()) as { library: { id: string }; item: { id: string } };
    };
    const { library } = await rpc("CreateLibrary", { name: archive });
    const { item } = await rpc("CreateItem", { libraryId: library.id, name: "an entity" });
    const before = await logIn(first, { archive });
    const handle = await before.openEntity(item.id);
    const [open, saved, cancelled] = [
      await before.createSession(handle),
      await before.createSession(handle),
      await before.createSession(handle),
    ];
    await before.putPart(handle, open.id, 0, bytes(0, 1000));
    await before.putPart(handle, saved.id, 0, bytes(0, 500));
    const object = await before.save(handle, saved.id, { description: "kept" });
    await before.cancel(handle, cancelled.id);
    before.beginPart(handle, open.id, 1000, 2000, bytes(1000, 1500));
    await first.kill();
    before.close();

    const second = await startServer({ dataDir: first.dataDir });
    try {
      const after = await logIn(second, { archive });
      const old = { authorization: `Bearer ${before.token}` };
      const seen = await after.value<{ session: ImisSession }>("GET", pathOf({ handle, id: open.id }), {
        headers: old,
      });
      expect(seen.session).toMatchObject({ id: open.id, state: "open" });
      expect(seen.session.offset).toBeGreaterThanOrEqual(1000);
      expect(await after.save(handle, saved.id, { description: "kept" })).toEqual(object);
      expect(await told(after.session(handle, cancelled.id))).toMatchObject({
        status: 410,
        details: { reason: "cancelled" },
      });
      await after.putPart(handle, open.id, 1000, bytes(1000, 3000));
      const { id } = await after.save(handle, open.id);
      expect(await after.read(handle, id)).toEqual(new Uint8Array(bytes(0, 3000)));
      after.close();
    } finally {
      await second.kill();
    }
  });
});

describe("A.0: the end of a login", () => {
  const tokenIdleTtlMs = 5_000;
  const lapsing = useUploads({ services: objectServices, tokenIdleTtlMs });

  it("by itself leaves the upload session, which its user resumes by its id under a new handle", async () => {
    const at = await lapsing.begin();
    await send(at, 0, 100);
    await sleep(1.2 * tokenIdleTtlMs);
    expect(await told(deeds.see(at))).toMatchObject({ status: 401, code: "unauthenticated" });
    const again = await lapsing.reopen(at);
    expect(await send(again, 100, 200)).toMatchObject({ id: at.id, offset: 200 });
    const { id } = await again.client.save(again.handle, at.id);
    expect(await lapsing.contentOf(at.entity, id)).toEqual(bytes(0, 200));
  });
});
