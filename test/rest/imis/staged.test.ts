import { createHash, randomBytes } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { Call, Session, Uploads } from "../../../src/core/index.js";
import { httpVersions, openHttp } from "../../support/http.js";
import { type ImisAsk, type ImisClient, refusalFrom, refusalOf } from "../../support/imis.js";
import { archive, hour, useFace } from "./face-scene.js";
import { objectServices } from "./object-scene.js";

const maxObjectBytes = 200_000;
const maxStreams = 4;
const scene = useFace({ services: objectServices, limits: { maxObjectBytes, maxStreams } });
const other = "another archive";
let client: ImisClient;
beforeAll(async () => {
  client = await scene.client();
  await scene.opened.uploads.createLibrary({ name: other }, scene.opened.admin);
});

interface Staged {
  readonly id: string;
  readonly size: number;
  readonly content_type: string;
  readonly extension: string;
}

const pdf = { "content-type": "application/pdf" };
const missing = { status: 404, code: "object_not_found" };
const as = (id: string, kind = "E") => `objects/${kind}:${encodeURIComponent(id)}`;
const create = async (body: Uint8Array | string, query = "", headers: ImisAsk["headers"] = pdf, by = client) =>
  (await by.value<{ object: Staged }>("POST", `objects${query}`, { body, headers })).object;
const named = (externalId: string, body: Uint8Array | string = externalId, by = client) =>
  create(body, `?external_id=${encodeURIComponent(externalId)}`, pdf, by);
const read = async (path: string, by = client) => {
  const answer = await by.ask("GET", path);
  if (answer.status !== 200) throw refusalFrom(answer);
  return answer.text;
};
const remove = (path: string, by = client) => by.value("DELETE", path);
async function stagedSessions(): Promise<readonly Session[]> {
  const page = await scene.opened.uploads.listSessions({ page: { size: 1_000 } }, scene.opened.admin);
  return page.things.filter(({ attributes }) => attributes.staged === true);
}
/** Waits until the face has begun to take in an object beside those that were there. */
async function newSession(before: readonly Session[]): Promise<Session> {
  for (;;) {
    const found = (await stagedSessions()).find(({ id }) => before.every((known) => known.id !== id));
    if (found !== undefined) return found;
  }
}
/** What the deed has left behind of itself. */
async function leftBy(deed: () => Promise<unknown>): Promise<readonly Session[]> {
  const before = new Set((await stagedSessions()).map(({ id }) => id));
  await deed();
  return (await stagedSessions()).filter(({ id }) => !before.has(id));
}

describe("a staged object", () => {
  it("is what the API's page says, with its dot, and is read as it was sent", async () => {
    const bytes = randomBytes(100_000);
    const object = await create(bytes, "?external_id=x1&reason=because&stage=2");
    expect(object).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      size: 100_000,
      content_type: "application/pdf",
      extension: ".pdf",
    });
    expect(Object.keys(object)).toEqual(["id", "size", "content_type", "extension"]);
    const answer = await client.ask("GET", `objects/${object.id}`);
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      "content-type": "application/pdf",
      "content-length": "100000",
      "content-disposition": `attachment; filename="${object.id}.pdf"`,
    });
    expect(answer.body.equals(bytes)).toBe(true);
  });

  it("is kept in a session of no entity, with what was said of it, which is no upload session of the face", async () => {
    const [session] = await leftBy(() => create("a", "?external_id=kept&reason=because&stage=2"));
    expect(session).toMatchObject({
      itemId: undefined,
      origin: "imis",
      state: "done",
      expiresAt: undefined,
      visibility: "owner",
      attributes: {
        staged: true,
        libraryId: scene.library.id,
        externalId: "kept",
        reason: "because",
        stage: "2",
      },
    });
  });

  it("is found by its id, plain or with its kind, in either case, with `.json` and without, and by its external id", async () => {
    const { id } = await named("find me");
    const paths = [id, `I:${id}`, `I%3A${id}`, `I:${id.toUpperCase()}`, `${id}.json`, `I:${id}.json`, `${id}/`];
    for (const path of [...paths, "E:find%20me", "E%3Afind%20me"]) {
      expect(await read(`objects/${path}`)).toBe("find me");
    }
    expect(await read(`/scsvc/archives/${archive}/objects/${id}`)).toBe("find me");
    expect(await read(`/archives/${scene.library.id}/objects/E:find%20me`)).toBe("find me");
  });

  it.each([
    "a/b",
    "100%",
    "%41",
    "report.json",
    ".json",
    "x.json.json",
    "E:1",
    "I:2",
    "H:3",
    "Grüße 🎧",
    "a+b&c=d?e#f",
    "  ",
  ])("may have the external id %j", async (externalId) => {
    const { id } = await named(externalId);
    expect(await read(as(externalId))).toBe(externalId);
    const { handle } = await client.value<{ handle: string }>("GET", `${as(externalId)}/handle/open.json`);
    expect((await client.ask("GET", `objects/H:${handle}/stream`)).text).toBe(externalId);
    await client.value("GET", `objects/${handle}/handle/close.json`);
    await remove(as(externalId));
    expect(await refusalOf(read(`objects/${id}`))).toMatchObject(missing);
  });

  it("with an external id is not taken for another whose id goes on with .json", async () => {
    await named("both");
    await named("both.json");
    expect([await read(as("both")), await read(as("both.json"))]).toEqual(["both", "both.json"]);
    await remove(as("both.json"));
    expect(await refusalOf(remove(as("both.json")))).toMatchObject(missing);
    expect(await read(as("both"))).toBe("both");
  });

  it.each(["nothing", "C:1", "e:MQ==", "E:nothing", "E:", "I:", "E:a%00b", "I:a%00b", `E:${"x".repeat(300)}`])(
    "%s is not found where there is none",
    async (path) => {
      for (const ask of [
        () => read(`objects/${path}`),
        () => remove(`objects/${path}`),
        () => client.value("GET", `objects/${path}/handle/open.json`),
      ]) {
        expect(await refusalOf(ask())).toMatchObject(missing);
      }
    },
  );

  it("is nobody's but its owner's, not even an administrator's, and not another archive's", async () => {
    const { id } = await named("mine");
    const { handle } = await client.value<{ handle: string }>("GET", `objects/${id}/handle/open.json`);
    for (const member of [scene.members.other, scene.members.admin, scene.members.reader, scene.stranger]) {
      const stranger = await scene.client(member);
      for (const path of [`objects/${id}`, as("mine")]) {
        expect(await refusalOf(read(path, stranger))).toMatchObject(missing);
        expect(await refusalOf(remove(path, stranger))).toMatchObject(missing);
        expect(await refusalOf(stranger.value("GET", `${path}/handle/open.json`))).toMatchObject(missing);
      }
      const stream = await stranger.ask("GET", `objects/H:${handle}/stream`);
      expect(refusalFrom(stream)).toMatchObject({ status: 404, code: "stream_not_found" });
    }
    const elsewhere = `/archives/${encodeURIComponent(other)}/objects`;
    for (const path of [id, `E:mine`]) {
      expect(await refusalOf(read(`${elsewhere}/${path}`))).toMatchObject(missing);
      expect(await refusalOf(remove(`${elsewhere}/${path}`))).toMatchObject(missing);
    }
    expect(await read(`objects/${id}`)).toBe("mine");
  });

  it("is not made by who may not upload, nor in an archive that is not there", async () => {
    const reader = await scene.client(scene.members.reader);
    const left = await leftBy(async () => {
      expect(await refusalOf(create("a", "", pdf, reader))).toMatchObject({ status: 403, code: "access_denied" });
      const nowhere = client.value("POST", "/archives/nowhere/objects", { body: "a" });
      expect(await refusalOf(nowhere)).toMatchObject({ status: 404, code: "archive_not_found" });
    });
    expect(left).toEqual([]);
  });

  it("is deleted with 200, and is not found from then on", async () => {
    const { id } = await named("going");
    await remove(as("going"));
    for (const path of [`objects/${id}`, as("going")]) {
      expect(await refusalOf(read(path))).toMatchObject(missing);
      expect(await refusalOf(remove(path))).toMatchObject(missing);
    }
    const again = await named("again");
    await remove(`objects/${again.id}`);
    expect(await refusalOf(remove(`objects/I:${again.id}.json`))).toMatchObject(missing);
    expect((await stagedSessions()).map((session) => session.id)).not.toContain(id);
  });

  it("is there in another process, too", async () => {
    const { id } = await named("lasting");
    const second = await scene.startProcess();
    const there = await scene.client(scene.members.uploader, {}, second);
    expect([await read(`objects/${id}`, there), await read(as("lasting"), there)]).toEqual(["lasting", "lasting"]);
    await second.stop();
  });

  it.each([
    ["audio/vnd.wave", "audio/vnd.wave", ".wav"],
    ["text/plain; charset=utf-8", "text/plain; charset=utf-8", ".txt"],
    ["x-custom/thing", "x-custom/thing", ""],
    [undefined, "application/octet-stream", ".bin"],
  ])("of type %j has its extension", async (type, contentType, extension) => {
    const object = await create("a", "", type === undefined ? {} : { "content-type": type });
    expect(object).toMatchObject({ content_type: contentType, extension });
    const answer = await client.ask("GET", `objects/${object.id}`);
    expect(answer.headers["content-type"]).toBe(contentType);
  });

  it.each([
    ["content-type", "nonsense", "content_type_invalid"],
    ["content-type", `text/${"x".repeat(255)}`, "content_type_invalid"],
    ["content-digest", "sha-256=nonsense", "digest_invalid"],
    ["content-digest", "md5=:AAAA:", "digest_invalid"],
    ["repr-digest", "sha-256=:AAAA:", "digest_invalid"],
    ["content-md5", "AAAA", "digest_invalid"],
    ["content-md5", "not base64", "digest_invalid"],
    ["content-encoding", "gzip", "coding_unsupported"],
  ])("is refused for %s: %s before any of it is read", async (name, value, code) => {
    const left = await leftBy(async () => {
      const hanging = client.begin("POST", "objects", Buffer.alloc(1), 10, { [name]: value });
      const answer = await hanging.answer;
      expect(refusalFrom({ ...answer, text: answer.body.toString() })).toMatchObject({ code });
      hanging.cut();
    });
    expect(left).toEqual([]);
  });

  it.each([
    ["external_id", "x".repeat(256)],
    ["external_id", "a\nb"],
    ["reason", "x".repeat(1_001)],
    ["stage", "x".repeat(256)],
    ["stage", "\u0000"],
  ])("is refused for a %s that is no such text", async (name, text) => {
    const refusal = await refusalOf(create("a", `?${name}=${encodeURIComponent(text)}`));
    expect(refusal).toMatchObject({ status: 400, code: "request_invalid" });
    expect(refusal.text).toContain(`${name} has`);
  });

  it("may have empty words, which say nothing, and as many with the same content as there are requests", async () => {
    const query = "?external_id=&reason=&stage=";
    const [one, two] = [await create("same", query), await create("same", query)];
    expect(one.id).not.toBe(two.id);
    expect([await read(`objects/${one.id}`), await read(`objects/${two.id}`)]).toEqual(["same", "same"]);
  });
});

describe("an upload session", () => {
  it("is none of those that hold staged objects, whole or not, for whoever asks", async () => {
    const before = await stagedSessions();
    const hanging = client.begin("POST", "objects", randomBytes(10), 1_000, pdf);
    const unfinished = await newSession(before);
    const { id: whole } = await named("no upload session");
    const { id: itemId } = await scene.makeEntity();
    for (const member of [scene.members.uploader, scene.members.admin]) {
      const by = await scene.client(member);
      const handle = await by.openEntity(itemId);
      const { id: upload } = await by.createSession(handle);
      expect((await by.sessions(handle)).map(({ id }) => id)).toEqual([upload]);
      for (const id of [whole, unfinished.id]) {
        const gone = { status: 404, code: "session_not_found" };
        expect(await refusalOf(by.session(handle, id))).toMatchObject(gone);
        expect(await refusalOf(by.putPart(handle, id, 0, Buffer.from("a")))).toMatchObject(gone);
        expect(await refusalOf(by.save(handle, id))).toMatchObject(gone);
        expect(await refusalOf(by.cancel(handle, id))).toMatchObject(gone);
      }
      await by.closeEntity(handle);
    }
    expect(await read(as("no upload session"))).toBe("no upload session");
    expect((await stagedSessions()).find(({ id }) => id === unfinished.id)).toMatchObject({ state: "active" });
    hanging.cut();
  });
});

describe.each(httpVersions)("a staged object over HTTP/%s", (version) => {
  let own: ImisClient;
  beforeAll(async () => {
    own = await scene.client(scene.members.uploader, { version });
  });

  it("may have no bytes", async () => {
    const object = await create("", "", { ...pdf, "content-length": "0" }, own);
    expect(object.size).toBe(0);
    const answer = await own.ask("GET", `objects/${object.id}`);
    expect([answer.status, answer.headers["content-length"], answer.text]).toEqual([200, "0", ""]);
  });

  it("may have as many bytes as the limit says, and not one more, which is decided before any is read", async () => {
    expect((await create(randomBytes(maxObjectBytes), "", pdf, own)).size).toBe(maxObjectBytes);
    const left = await leftBy(async () => {
      const hanging = own.begin("POST", "objects", Buffer.alloc(1), maxObjectBytes + 1);
      const answer = await hanging.answer;
      expect(refusalFrom({ ...answer, text: answer.body.toString() })).toMatchObject({
        status: 413,
        code: "object_too_large",
        details: { limit: maxObjectBytes, setting: "SLIPWAY_IMIS_MAX_OBJECT_BYTES" },
      });
      hanging.cut();
    });
    expect(left).toEqual([]);
  });

  it("of which half is sent leaves nothing, not even its external id", async () => {
    const before = await stagedSessions();
    const left = await leftBy(async () => {
      const hanging = own.begin("POST", "objects?external_id=half", randomBytes(50_000), 100_000, pdf);
      const session = await newSession(before);
      expect(session).toMatchObject({ state: "active", deadlines: { idleTtlMs: hour } });
      expect(await refusalOf(read(`objects/${session.id}`))).toMatchObject(missing);
      expect(await refusalOf(read(as("half")))).toMatchObject(missing);
      expect(await refusalOf(remove(`objects/${session.id}`))).toMatchObject(missing);
      hanging.cut();
      await expect(hanging.answer).rejects.toThrow();
      while ((await stagedSessions()).some(({ id }) => id === session.id));
    });
    expect(left).toEqual([]);
    const { userId } = (await scene.callOf(scene.members.uploader)).caller;
    const key = `${userId}/${scene.library.id}/half`;
    await expect
      .poll(() => scene.uploads.findRecord({ namespace: "imis.staged-name", key }, scene.opened.admin))
      .toBeUndefined();
  });

  it("that hangs gives its external id up to a newer request at once (P7)", async () => {
    const before = await stagedSessions();
    const hanging = own.begin("POST", `objects?external_id=over${version}`, randomBytes(10_000), 100_000, pdf);
    await newSession(before);
    const newer = await named(`over${version}`, "newer");
    const answer = await hanging.answer;
    expect(refusalFrom({ ...answer, text: answer.body.toString() })).toMatchObject({ status: 409, code: "superseded" });
    hanging.cut();
    expect(await read(as(`over${version}`))).toBe("newer");
    await expect.poll(async () => (await stagedSessions()).length).toBe(before.length + 1);
    expect((await stagedSessions()).map(({ id }) => id)).toContain(newer.id);
  });
});

describe("the length of a staged object", () => {
  async function* chunks(count: number): AsyncGenerator<Uint8Array, void> {
    for (let at = 0; at < count; at++) yield Buffer.alloc(50_000, at);
  }
  async function sendChunked(version: (typeof httpVersions)[number], body: AsyncIterable<Uint8Array>) {
    const http = openHttp(scene.url, version);
    const headers = { authorization: `Bearer ${client.token}`, ...pdf };
    const answer = await http.ask({ method: "POST", path: `/archives/${archive}/objects`, headers, body });
    http.close();
    return { ...answer, text: answer.body.toString() };
  }

  it("need not be announced over HTTP/1.1, where the last chunk tells the end (P11)", async () => {
    const { text } = await sendChunked("1.1", chunks(4));
    const { object } = JSON.parse(text) as { object: Staged };
    expect(object.size).toBe(200_000);
    const answer = await client.ask("GET", `objects/${object.id}`, { headers: { range: "bytes=49999-50000" } });
    expect([...answer.body]).toEqual([0, 1]);
  });

  it("is measured where it is not announced, and leaves nothing when it is over the limit", async () => {
    const left = await leftBy(async () => {
      expect(refusalFrom(await sendChunked("1.1", chunks(5)))).toMatchObject({
        status: 413,
        code: "object_too_large",
        details: { limit: maxObjectBytes },
      });
    });
    expect(left).toEqual([]);
  });

  it("is to be announced over HTTP/2, where nothing else tells the end (P11)", async () => {
    const left = await leftBy(async () => {
      expect(refusalFrom(await sendChunked("2", chunks(1)))).toMatchObject({ status: 411, code: "length_required" });
    });
    expect(left).toEqual([]);
  });
});

describe("an external id", () => {
  it("is one object's of its owner: another one is refused, and the first is named (decision 20)", async () => {
    const { id } = await named("taken", "first");
    const left = await leftBy(async () => {
      const refusal = await refusalOf(named("taken", "second"));
      expect(refusal).toMatchObject({ status: 409, code: "name_taken", details: { object_id: id } });
    });
    expect(left).toEqual([]);
    expect(await read(as("taken"))).toBe("first");
    const colleague = await scene.client(scene.members.other);
    await named("taken", "another's", colleague);
    expect([await read(as("taken")), await read(as("taken"), colleague)]).toEqual(["first", "another's"]);
    const elsewhere = `/archives/${encodeURIComponent(other)}/objects`;
    await client.value("POST", `${elsewhere}?external_id=taken`, { body: "elsewhere" });
    expect([await read(as("taken")), await read(`${elsewhere}/E:taken`)]).toEqual(["first", "elsewhere"]);
  });

  it("is free again once its object is deleted", async () => {
    const first = await named("again and again", "first");
    await remove(`objects/${first.id}`);
    const second = await named("again and again", "second");
    expect(second.id).not.toBe(first.id);
    expect(await read(as("again and again"))).toBe("second");
  });

  it("is one object's, however many want it at once", async () => {
    const left = await leftBy(async () => {
      const all = await Promise.allSettled(Array.from({ length: 12 }, (_, at) => named("wanted", `content ${at}`)));
      const refused = all.flatMap((one) => (one.status === "rejected" ? [one.reason.code] : []));
      expect(refused).toHaveLength(11);
      expect(new Set([...refused, "name_taken", "superseded"])).toEqual(new Set(["name_taken", "superseded"]));
      const winner = all.findIndex(({ status }) => status === "fulfilled");
      expect(await read(as("wanted"))).toBe(`content ${winner}`);
    });
    expect(left).toHaveLength(1);
  });
});

describe("a server that dies", () => {
  /** From there on nothing works there any more. */
  const dying = (at: "writePart" | "completeSession") => (uploads: Uploads) => {
    let isDead = false;
    const untilThen =
      <Input, Result>(work: (input: Input, call: Call) => Promise<Result>, kills = false) =>
      async (input: Input, call: Call) => {
        isDead ||= kills;
        if (isDead) throw new Error("this process is dead");
        return work(input, call);
      };
    return {
      ...uploads,
      writePart: untilThen(uploads.writePart, at === "writePart"),
      completeSession: untilThen(uploads.completeSession, at === "completeSession"),
      changeRecords: untilThen(uploads.changeRecords),
      cancelSession: untilThen(uploads.cancelSession),
      deleteSession: untilThen(uploads.deleteSession),
    };
  };

  it.each(["writePart", "completeSession"] as const)(
    "in %s leaves nothing that stands in the way of a repeat",
    async (at) => {
      const second = await scene.startProcess(dying(at));
      const there = await scene.client(scene.members.uploader, {}, second);
      const left = await leftBy(async () => {
        const refusal = await refusalOf(named(`repeated ${at}`, "first", there));
        expect(refusal).toMatchObject({ status: 500, code: "internal" });
      });
      expect(left).toMatchObject([{ state: "active", deadlines: { idleTtlMs: hour } }]);
      await second.stop();
      expect(await refusalOf(read(as(`repeated ${at}`)))).toMatchObject(missing);
      const { id } = await named(`repeated ${at}`, "second");
      expect(await read(as(`repeated ${at}`))).toBe("second");
      const after = await stagedSessions();
      expect(after.find((session) => session.id === left[0]?.id)).toMatchObject({ state: "canceled" });
      expect(after.map((session) => session.id)).toContain(id);
    },
  );
});

describe("a digest of a staged object (decision 22)", () => {
  const body = "what is sent";
  const digestOf = (algorithm: string, of = body) => createHash(algorithm).update(of).digest("base64");
  const field = (of?: string) => `sha-256=:${digestOf("sha256", of)}:`;

  it.each([
    ["content-digest", field()],
    ["repr-digest", field()],
    ["repr-digest", `sha-512=:${digestOf("sha512")}:, ${field()}`],
    ["content-md5", digestOf("md5")],
    ["upload-checksum", `sha1 ${digestOf("sha1")}`],
  ])("in %s that is right changes nothing", async (name, value) => {
    const { id } = await create(body, "", { ...pdf, [name]: value });
    expect(await read(`objects/${id}`)).toBe(body);
  });

  it.each([
    ["content-digest", field("something else")],
    ["repr-digest", field("something else")],
    ["repr-digest", `sha-512=:${digestOf("sha512", "something else")}:, ${field()}`],
    ["content-md5", digestOf("md5", "something else")],
    ["upload-checksum", `sha1 ${digestOf("sha1", "something else")}`],
  ])("in %s that is wrong is refused with both, and leaves nothing", async (name, value) => {
    const left = await leftBy(async () => {
      const refusal = await refusalOf(create(body, "?external_id=wrong", { ...pdf, [name]: value }));
      expect(refusal).toMatchObject({
        status: 400,
        code: "digest_mismatch",
        details: { declared: expect.stringMatching(/^[0-9a-f]+$/), actual: expect.stringMatching(/^[0-9a-f]+$/) },
      });
    });
    expect(left).toEqual([]);
    expect(await refusalOf(read(as("wrong")))).toMatchObject(missing);
  });

  it("is checked even where a stronger one is right beside it", async () => {
    const headers = { ...pdf, "content-digest": field(), "content-md5": digestOf("md5", "something else") };
    expect(await refusalOf(create(body, "", headers))).toMatchObject({ code: "digest_mismatch" });
  });
});

describe("reading a staged object", () => {
  const bytes = randomBytes(1_000);
  let object: Staged;
  beforeAll(async () => {
    object = await create(bytes);
  });
  const path = () => `objects/${object.id}`;
  const openStream = async (spelling: "handle" | "stream", by = client) =>
    (await by.value<{ handle: string }>("GET", `${path()}/${spelling}/open.json`)).handle;
  const readOf = (spelling: "handle" | "stream", stream: string) =>
    spelling === "handle" ? `objects/H:${stream}/stream` : `${path()}/stream/${stream}`;
  const closeOf = (spelling: "handle" | "stream", stream: string) =>
    spelling === "handle" ? `objects/${stream}/handle/close.json` : `${path()}/stream/${stream}/close.json`;

  it("goes by ranges, both ends of which are included", async () => {
    const answer = await client.ask("GET", path(), { headers: { range: "bytes=10-19" } });
    expect(answer.status).toBe(206);
    expect(answer.headers).toMatchObject({ "content-range": "bytes 10-19/1000", "content-type": "application/pdf" });
    expect(answer.body.equals(bytes.subarray(10, 20))).toBe(true);
    const beyond = refusalFrom(await client.ask("GET", path(), { headers: { range: "bytes=1000-" } }));
    expect(beyond).toMatchObject({ status: 416, code: "range_not_satisfiable", details: { size: 1_000 } });
    const head = await client.ask("HEAD", path());
    expect([head.status, head.headers["content-length"], head.text]).toEqual([200, "1000", ""]);
  });

  it.each(["handle", "stream"] as const)("goes by streams as well, in the spelling with %s", async (spelling) => {
    const stream = await openStream(spelling);
    const answer = await client.ask("GET", readOf(spelling, stream), { headers: { range: "bytes=5-6" } });
    expect(answer.status).toBe(206);
    expect(answer.headers).toMatchObject({ "content-range": "bytes 5-6/1000", "content-type": "application/pdf" });
    expect(answer.body.equals(bytes.subarray(5, 7))).toBe(true);
    expect((await client.ask("GET", readOf(spelling, stream))).body.equals(bytes)).toBe(true);
    const beyond = await client.ask("GET", readOf(spelling, stream), { headers: { range: "bytes=1000-" } });
    expect(refusalFrom(beyond)).toMatchObject({ status: 416, details: { size: 1_000 } });
    const closings = [closeOf(spelling, stream), closeOf(spelling, stream), closeOf(spelling, "nonsense")];
    for (const closing of closings) await client.value("GET", closing);
    expect(refusalFrom(await client.ask("GET", readOf(spelling, stream)))).toMatchObject({
      status: 404,
      code: "stream_not_found",
    });
  });

  it("goes by a stream that its handle closes with its `H:`, too", async () => {
    const stream = await openStream("handle");
    await client.value("GET", `objects/H:${stream}/handle/close`);
    const answer = await client.ask("GET", readOf("handle", stream));
    expect(refusalFrom(answer)).toMatchObject({ code: "stream_not_found" });
  });

  it("by a stream is over when the object is deleted", async () => {
    const { id } = await named("read to the end");
    const { handle } = await client.value<{ handle: string }>("GET", `objects/${id}/stream/open.json`);
    await remove(`objects/${id}`);
    for (const place of [`objects/H:${handle}/stream`, `objects/${id}/stream/${handle}`]) {
      expect(refusalFrom(await client.ask("GET", place))).toMatchObject({ status: 410, code: "stream_gone" });
    }
    await client.value("GET", `objects/${handle}/handle/close.json`);
  });

  it("by a stream of another object, or in another archive, does not go", async () => {
    const { id } = await named("another one");
    const stream = await openStream("stream");
    const wrong = await client.ask("GET", `objects/${id}/stream/${stream}`);
    expect(refusalFrom(wrong)).toMatchObject({ status: 404, code: "stream_not_found" });
    const elsewhere = await client.ask("GET", `/archives/${encodeURIComponent(other)}/objects/H:${stream}/stream`);
    expect(refusalFrom(elsewhere)).toMatchObject({ status: 404, code: "stream_not_found" });
    await client.value("GET", closeOf("stream", stream));
  });

  it("goes by so many streams of one user at once, and by no more (P10)", async () => {
    const own = await scene.client(scene.members.other);
    const object = await named("streamed", "x", own);
    const opening = () => own.value<{ handle: string }>("GET", `objects/${object.id}/handle/open.json`);
    const streams: string[] = [];
    for (let count = 0; count < maxStreams; count++) streams.push((await opening()).handle);
    expect(await refusalOf(opening())).toMatchObject({
      status: 429,
      code: "too_many_streams",
      details: { limit: maxStreams, setting: "SLIPWAY_IMIS_MAX_STREAMS" },
    });
    await own.value("GET", `objects/${streams[0]}/handle/close.json`);
    await opening();
  });
});

it("meets nothing that nobody foresaw, but for servers that die", () => {
  expect(scene.unexpected.filter((error) => !String(error).includes("this process is dead"))).toEqual([]);
});
