import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { isId } from "../../../src/core/index.js";
import { refusalOf } from "../../support/imis.js";
import { hour } from "./face-scene.js";
import { useUploads } from "./upload-scene.js";

const scene = useUploads();

const hex = (text: string) => createHash("sha256").update(text).digest("hex");
const reprDigest = (text: string) => ({
  "repr-digest": `sha-256=:${createHash("sha256").update(text).digest("base64")}:`,
});

async function openEntity() {
  const client = await scene.client();
  const entity = await scene.makeEntity();
  return { client, entity, handle: await client.openEntity(entity.id) };
}

async function create(words?: unknown, headers: Record<string, string> = {}) {
  const { client, handle, entity } = await openEntity();
  const path = `entities/H:${handle}/create_sessions.json`;
  return { client, handle, entity, answer: await client.ask("POST", path, { body: words, headers }) };
}

async function createRefused(words: unknown, headers?: Record<string, string>) {
  const { answer } = await create(words, headers);
  return { ...JSON.parse(answer.text).error, status: answer.status };
}

async function seenAfter(words?: unknown, headers?: Record<string, string>) {
  const { client, handle, answer } = await create(words, headers);
  expect(answer.status).toBe(200);
  return client.session(handle, JSON.parse(answer.text).session.id);
}

describe("decision 28: creating a session", () => {
  it("answers 200 with the session's id, as the documentation shows it, and how far it is and until when it lives", async () => {
    const before = Date.now();
    const { answer } = await create({ content_type: "audio/wav" });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      "content-type": "application/json",
      "cache-control": "no-store",
      "upload-offset": "0",
    });
    const { session } = JSON.parse(answer.text);
    expect(Object.keys(session)).toEqual(["id", "offset", "expires"]);
    expect(isId(session.id)).toBe(true);
    expect(session.offset).toBe(0);
    expect(session.expires).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Date.parse(session.expires)).toBeGreaterThan(before + 23.9 * hour);
  });

  it("is asked for as it is documented: by a body of one member, without a content-type, with and without .json", async () => {
    const { client, handle } = await openEntity();
    for (const path of ["create_sessions.json", "create_sessions"]) {
      const body = '{\n"content_type": "audio/wav"\n}';
      const answer = await client.ask("POST", `entities/H:${handle}/${path}`, { body });
      expect(answer.status).toBe(200);
    }
    expect(await client.sessions(handle)).toHaveLength(2);
  });
});

describe("decision 16: the content type of a session", () => {
  it.each([
    [undefined, "application/octet-stream"],
    ["", "application/octet-stream"],
    ["  \n", "application/octet-stream"],
    ["null", "application/octet-stream"],
    ["{}", "application/octet-stream"],
    [{ content_type: null }, "application/octet-stream"],
    [{ content_type: "" }, "application/octet-stream"],
    [{ content_type: "audio/wav" }, "audio/wav"],
    [{ content_type: " Audio/WAV ; Codec=1;" }, "Audio/WAV ; Codec=1"],
    [{ content_type: 'text/plain; charset="utf-8"', unknown: [1] }, 'text/plain; charset="utf-8"'],
    [{ content_type: `a/${"b".repeat(253)}` }, `a/${"b".repeat(253)}`],
    // It is a claim: nothing measures the content by it.
    [{ content_type: "image/png" }, "image/png"],
  ])("of the body %j is %j", async (words, expected) => {
    expect((await seenAfter(words)).content_type).toBe(expected);
  });

  it.each([
    "audio",
    "audio/",
    "/wav",
    "audio/wav/x",
    "audio wav",
    "audio/wav; a",
    "audio/wav; a=b c",
    'audio/wav; a="b',
    "audio/wav\r\nx-a: b",
    "äudio/wav",
    "audio/wav, audio/mp3",
    `a/${"b".repeat(254)}`,
    ";",
    "*/*;q",
  ])("is refused where it is %j", async (type) => {
    expect(await createRefused({ content_type: type })).toMatchObject({ status: 400, code: "content_type_invalid" });
  });

  it.each([1, true, [], {}, ["audio/wav"]])("is refused where it is no text: %j", async (type) => {
    expect(await createRefused({ content_type: type })).toMatchObject({ status: 400, code: "request_invalid" });
  });
});

describe("the body of a creation", () => {
  it.each(["[]", "1", '"audio/wav"', "true", "{", "{a:1}", '{"content_type":"audio/wav"}}', "\u0000"])(
    "is refused where it is no JSON object: %j",
    async (body) => expect(await createRefused(body)).toMatchObject({ status: 400, code: "request_invalid" }),
  );

  it("is refused where it is not in UTF-8, too deep or too large", async () => {
    expect(await createRefused(Buffer.from([0x7b, 0xff, 0x7d]))).toMatchObject({
      status: 400,
      code: "request_invalid",
    });
    expect(await createRefused("[".repeat(200))).toMatchObject({ status: 400, code: "request_invalid" });
    const large = { content_type: "audio/wav", unknown: "x".repeat(64 * 1024) };
    expect(await createRefused(large)).toMatchObject({ status: 413, code: "body_too_large" });
  });

  it("may tell the size, which is a whole number or nothing", async () => {
    expect((await seenAfter({ size: 0 })).size).toBe(0);
    expect((await seenAfter({ size: 2 ** 40 })).size).toBe(2 ** 40);
    for (const size of [null, ""]) expect(await seenAfter({ size })).not.toHaveProperty("size");
    for (const size of [-1, 1.5, "10", true, [1], 2 ** 53, 1e300]) {
      expect(await createRefused({ size })).toMatchObject({ status: 400, code: "request_invalid" });
    }
  });
});

describe("decision 22: the digest of the whole", () => {
  it("is told by Repr-Digest or in the body, and by both if they agree", async () => {
    for (const [words, headers] of [
      [{ sha256: hex("a") }, {}],
      [{}, reprDigest("a")],
      [{ sha256: hex("a").toUpperCase() }, reprDigest("a")],
    ] as const) {
      const { client, handle, answer } = await create(words, headers);
      const { id } = JSON.parse(answer.text).session;
      await client.putPart(handle, id, 0, Buffer.from("b"));
      const refused = await refusalOf(client.save(handle, id));
      expect(refused).toMatchObject({ status: 409, code: "digest_mismatch" });
      expect(refused.details).toEqual({ declared: hex("a"), actual: hex("b") });
    }
  });

  it.each<[string, object, Record<string, string>]>([
    ["they contradict each other", { sha256: hex("b") }, reprDigest("a")],
    ["it is no SHA-256", { sha256: "abc" }, {}],
    ["it is of no algorithm that is served", {}, { "repr-digest": "md5=:AAAA:" }],
    ["it is malformed", {}, { "repr-digest": "sha-256=abc" }],
  ])("is refused where %s", async (_, words, headers) => {
    expect(await createRefused(words, headers)).toMatchObject({ status: 400, code: "digest_invalid" });
  });
});

describe("decision 18: who may create sessions", () => {
  it("is whoever may upload, and by a handle that is good for it", async () => {
    const entity = await scene.makeEntity();
    const client = await scene.client();
    const reading = await client.openEntity(entity.id, "read");
    expect(await refusalOf(client.createSession(reading))).toMatchObject({ status: 403, code: "handle_read_only" });
    const reader = await scene.client(scene.members.reader);
    const theirs = await reader.openEntity(entity.id);
    expect(await refusalOf(reader.createSession(theirs))).toMatchObject({ status: 403, code: "handle_read_only" });
  });

  it("is nobody without a login, with a handle of somebody else, or with one that never was", async () => {
    const { client, handle } = await openEntity();
    const other = await scene.client(scene.members.other);
    expect(await refusalOf(other.createSession(handle))).toMatchObject({ status: 404, code: "handle_not_found" });
    const never = crypto.randomUUID();
    expect(await refusalOf(client.createSession(never))).toMatchObject({ status: 404, code: "handle_not_found" });
    expect(await refusalOf(client.createSession("x"))).toMatchObject({ status: 404, code: "handle_not_found" });
    const nobody = scene.nobody();
    expect(await refusalOf(nobody.createSession(handle))).toMatchObject({ status: 401, code: "unauthenticated" });
  });

  it("is nobody while another face holds the entity for itself alone", async () => {
    const { client, handle, entity } = await openEntity();
    const { uploads, alice } = scene.opened;
    const deadlines = { idleTtlMs: hour, absoluteTtlMs: undefined, keepTerminalMs: hour };
    const words = {
      itemId: entity.id,
      access: "exclusive",
      visibility: "owner",
      origin: "vsphere",
      deadlines,
    } as const;
    const { session } = await uploads.createSession(words, alice);
    expect(await refusalOf(client.createSession(handle))).toMatchObject({ status: 409, code: "entity_busy" });
    await uploads.cancelSession({ sessionId: session.id }, alice);
    expect(await client.createSession(handle)).toMatchObject({ offset: 0 });
  });
});

describe("several sessions of one entity", () => {
  it("are open at the same time, and know nothing of each other", async () => {
    const { client, handle, entity } = await openEntity();
    const ids = [];
    for (const text of ["first", "second", "third"]) {
      const { id } = await client.createSession(handle);
      await client.putPart(handle, id, 0, Buffer.from(text));
      ids.push(id);
    }
    const saved = await Promise.all(ids.map((id) => client.save(handle, id)));
    const contents = await Promise.all(saved.map(({ id }) => scene.contentOf(entity, id)));
    expect(contents.map((bytes) => Buffer.from(bytes).toString())).toEqual(["first", "second", "third"]);
  });
});
