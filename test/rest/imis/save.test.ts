import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { deriveId } from "../../../src/core/index.js";
import { pseudoRandom } from "../../support/bodies.js";
import { type ImisObject, refusalFrom, refusalOf } from "../../support/imis.js";
import { hour, type Member } from "./face-scene.js";
import { type Uploading, useUploads } from "./upload-scene.js";

const scene = useUploads();
/** Whose clock is moved on. */
const later = useUploads();

const content = pseudoRandom(1000);
const sha256 = (of: Uint8Array) => createHash("sha256").update(of).digest("hex");

/** A session with this content. */
async function beginWith(bytes: Uint8Array = content, words?: object) {
  const at = await scene.begin(words);
  if (bytes.length > 0) await at.client.putPart(at.handle, at.id, 0, bytes);
  return at;
}

const save = ({ client, handle, id }: Uploading, words?: object) => client.save(handle, id, words);
const seen = ({ client, handle, id }: Uploading) => client.session(handle, id);

async function ask(at: Uploading, body?: unknown) {
  return at.client.ask("POST", `entities/H:${at.handle}/create_sessions/${at.id}/save.json`, { body });
}

async function eventsOf({ id: sessionId }: Uploading) {
  const { uploads, admin } = scene.opened;
  return (await uploads.listSessionEvents({ sessionId, after: 0 }, admin)).map(({ type }) => type);
}

describe("decision 28: a save", () => {
  it("answers 200 with the whole object, as the documentation shows it", async () => {
    const before = Date.now();
    const at = await beginWith();
    const answer = await ask(at, { description: "a tune", container_id: "" });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ "content-type": "application/json", "cache-control": "no-store" });
    const { object } = JSON.parse(answer.text) as { object: ImisObject };
    const documented = [
      "container_id",
      "id",
      "description",
      "size",
      "created",
      "accessed",
      "modified",
      "content_type",
      "extension",
      "effective_rights",
      "child_count",
      "signed",
      "indexed",
      "parent_id",
    ];
    expect(Object.keys(object)).toEqual([...documented, "sha256"]);
    expect(object).toMatchObject({
      container_id: deriveId("imis container", at.entity.id),
      description: "a tune",
      size: 1000,
      content_type: "audio/wav",
      extension: ".wav",
      effective_rights: { create_access: true, delete_access: true, read_access: true, write_access: true },
      child_count: 0,
      signed: false,
      indexed: false,
      parent_id: "",
      sha256: sha256(content),
    });
    for (const time of [object.created, object.accessed, object.modified]) {
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(Date.parse(time)).toBeGreaterThanOrEqual(before);
    }
    expect(await scene.contentOf(at.entity, object.id)).toEqual(content);
    expect(await at.client.objects(at.handle)).toEqual([object]);
  });
});

describe("decision 11: a save without any part", () => {
  it("is refused, and the session goes on", async () => {
    const at = await beginWith(new Uint8Array());
    for (const words of [undefined, {}, { allow_empty: false }, { allow_empty: null }, { allow_empty: "" }]) {
      expect(await refusalOf(save(at, words))).toMatchObject({ status: 409, code: "session_empty" });
    }
    expect(await scene.objectsOf(at.entity)).toEqual([]);
    await at.client.putPart(at.handle, at.id, 0, content);
    expect(await save(at)).toMatchObject({ size: 1000 });
  });

  it("makes an object without content where that is what was said", async () => {
    const allowed = await beginWith(new Uint8Array());
    const empty = { size: 0, sha256: sha256(new Uint8Array()) };
    expect(await save(allowed, { allow_empty: true })).toMatchObject(empty);
    const declared = await beginWith(new Uint8Array(), { size: 0 });
    const { id } = await save(declared);
    expect(await scene.contentOf(declared.entity, id)).toEqual(new Uint8Array());
    expect(await save(declared)).toMatchObject({ id, ...empty });
  });
});

describe("decision 12: a save of less than was said", () => {
  it("is refused with both numbers, and the session goes on", async () => {
    const at = await beginWith(content.subarray(0, 400), { size: 1000 });
    for (const words of [{}, { allow_empty: true }]) {
      const told = await refusalOf(save(at, words));
      expect(told).toMatchObject({ status: 409, code: "incomplete", details: { offset: 400, size: 1000 } });
      expect(told.headers["upload-offset"]).toBe("400");
    }
    await at.client.putPart(at.handle, at.id, 400, content.subarray(400));
    expect(await save(at)).toMatchObject({ size: 1000 });
  });

  it("is measured by the total of a part, too", async () => {
    const at = await scene.begin();
    await at.client.putPart(at.handle, at.id, 0, content.subarray(0, 400), { total: 1000 });
    expect(await refusalOf(save(at))).toMatchObject({ code: "incomplete", details: { offset: 400, size: 1000 } });
  });

  it("disturbs nobody who is sending the rest", async () => {
    const at = await beginWith(content.subarray(0, 400), { size: 1000 });
    const fed = at.client.begin(
      "PUT",
      `entities/H:${at.handle}/create_sessions/${at.id}`,
      content.subarray(400, 500),
      600,
      { "content-range": "400-999" },
    );
    while ((await seen(at)).parts !== 2) await new Promise(setImmediate);
    expect(await refusalOf(save(at))).toMatchObject({ code: "incomplete" });
    const state = await Promise.race([fed.answer, new Promise((resolve) => setTimeout(resolve, 50, "still sending"))]);
    expect(state).toBe("still sending");
    fed.cut();
  });
});

describe("decision 13: a save of what is saved", () => {
  it("answers the same object for the same words, under any handle and login, and nothing happens twice", async () => {
    const at = await beginWith();
    const object = await save(at, { description: "a tune" });
    const version = (await scene.opened.uploads.getItem({ itemId: at.entity.id }, scene.opened.admin)).contentVersion;
    const again = await scene.reopen(at);
    for (const who of [at, again]) {
      for (const words of [{ description: "a tune" }, { description: "a tune", container_id: object.container_id }]) {
        expect(await save(who, words)).toEqual(object);
      }
    }
    expect(await eventsOf(at)).toEqual(["session.created", "file.added", "file.ready", "session.done"]);
    const item = await scene.opened.uploads.getItem({ itemId: at.entity.id }, scene.opened.admin);
    expect(item.contentVersion).toBe(version);
    expect(await scene.objectsOf(at.entity)).toEqual([object.id]);
  });

  it("is refused with the object's id for other words", async () => {
    const at = await beginWith();
    const { id } = await save(at, { description: "a tune" });
    const words = [{}, { description: "another" }, { description: "a tune", container_id: crypto.randomUUID() }];
    for (const other of words) {
      expect(await refusalOf(save(at, other))).toMatchObject({
        status: 409,
        code: "already_saved",
        details: { object_id: id },
      });
    }
    const wrong = { description: "a tune", sha256: sha256(Buffer.from("other")) };
    expect(await refusalOf(save(at, wrong))).toMatchObject({ status: 409, code: "digest_mismatch" });
    expect(await save(at, { description: "a tune", sha256: sha256(content) })).toMatchObject({ id });
  });

  it("makes one object, however many save at the same time", async () => {
    const at = await beginWith();
    const clients = await Promise.all(Array.from({ length: 6 }, () => scene.client()));
    const saveUntilTold = async (client: Uploading["client"]) => {
      for (;;) {
        try {
          return await client.save(at.handle, at.id);
        } catch (error) {
          expect(error).toMatchObject({ status: 409, code: "superseded" });
        }
      }
    };
    const [first, ...others] = await Promise.all(clients.map(saveUntilTold));
    for (const other of others) expect(other).toEqual(first);
    expect(await eventsOf(at)).toEqual(["session.created", "file.added", "file.ready", "session.done"]);
  });

  it("is over once the session is forgotten", async () => {
    const at = await later.begin();
    await at.client.putPart(at.handle, at.id, 0, content);
    const { id } = await save(at);
    later.elapse(25 * hour);
    const again = await later.reopen(at);
    expect(await refusalOf(save(again))).toMatchObject({ status: 404, code: "session_not_found" });
    expect(await later.contentOf(at.entity, id)).toEqual(content);
  });
});

describe("decision 14: the body of a save", () => {
  it.each([
    ["no body", undefined],
    ["an empty one", ""],
    ["blanks", " \r\n"],
    ["null", "null"],
    ["no members", "{}"],
    ["null members", { description: null, container_id: null, sha256: null, allow_empty: null }],
    ["empty ones", { description: "", container_id: "", sha256: "", allow_empty: "" }],
    ["unknown members", { description: "", title: "a", nested: { a: [1] } }],
  ])("may be %s", async (_, body) => {
    const at = await beginWith();
    const answer = await ask(at, body);
    expect([answer.status, JSON.parse(answer.text).object.description]).toEqual([200, ""]);
  });

  it("has a description of at most 1,000 characters, without control characters", async () => {
    const at = await beginWith();
    for (const description of [
      "x".repeat(1001),
      "😀".repeat(1001),
      "a\nb",
      "a\tb",
      "\u0000",
      "\u007f",
      "\u0085",
      "\ud800",
    ]) {
      const told = await refusalOf(save(at, { description }));
      expect([description.slice(0, 3), told.status, told.code]).toEqual([
        description.slice(0, 3),
        400,
        "request_invalid",
      ]);
    }
    const description = `ä "quoted" ${"😀".repeat(989)}`;
    expect([...description]).toHaveLength(1000);
    expect(await save(at, { description })).toMatchObject({ description });
    expect(await at.client.objects(at.handle)).toMatchObject([{ description }]);
  });

  it.each([
    [{ description: 1 }, "request_invalid"],
    [{ description: ["a"] }, "request_invalid"],
    [{ container_id: {} }, "request_invalid"],
    [{ allow_empty: "yes" }, "request_invalid"],
    [{ allow_empty: 1 }, "request_invalid"],
    [{ sha256: 1 }, "request_invalid"],
    [{ sha256: "abc" }, "digest_invalid"],
    ["[]", "request_invalid"],
    ["{", "request_invalid"],
  ])("is refused as %j, and the session goes on", async (body, code) => {
    const at = await beginWith();
    expect(refusalFrom(await ask(at, body))).toMatchObject({ code });
    expect(await seen(at)).toMatchObject({ state: "open", offset: 1000 });
  });

  it("is refused where it is larger than words can be", async () => {
    const at = await beginWith();
    expect(refusalFrom(await ask(at, "x".repeat(65 * 1024)))).toMatchObject({ status: 413, code: "body_too_large" });
    expect(await save(at)).toMatchObject({ size: 1000 });
  });
});

describe("decision 15: the container of a save", () => {
  it("is the entity's own, or is not known, and the session goes on", async () => {
    const at = await beginWith();
    const foreign = deriveId("imis container", (await scene.makeEntity()).id);
    for (const container_id of [crypto.randomUUID(), foreign, "x", at.entity.id]) {
      expect(await refusalOf(save(at, { container_id }))).toMatchObject({ status: 404, code: "container_not_found" });
    }
    expect(await seen(at)).toMatchObject({ state: "open", offset: 1000 });
    // Before it is whole, too: that it is no container is told first.
    const short = await beginWith(content, { size: 2000 });
    expect(await refusalOf(save(short, { container_id: foreign }))).toMatchObject({ code: "container_not_found" });
    const own = deriveId("imis container", at.entity.id).toUpperCase();
    expect(await save(at, { container_id: own })).toMatchObject({ container_id: own.toLowerCase(), parent_id: "" });
  });
});

describe("decision 17: the extension of an object", () => {
  it.each([
    ["audio/wav", ".wav"],
    ["audio/wave", ".wav"],
    ["audio/x-wav", ".wav"],
    ["audio/vnd.wave; codec=1", ".wav"],
    ["AUDIO/WAV", ".wav"],
    ["application/octet-stream", ".bin"],
    ["application/x-nobody-knows", ""],
  ])("of %s is %j", async (content_type, extension) => {
    const at = await beginWith(content, { content_type });
    expect(await save(at)).toMatchObject({ content_type, extension });
  });
});

describe("decision 18: the right to save", () => {
  const setRole = async (member: Member, role: "reader" | "uploader") => {
    const { user } = member;
    await scene.access.updateUser({ userId: user.id, role }, await scene.administrator());
    scene.elapse(6_000);
  };

  it("is asked for at the time of the save, and the session goes on without it", async () => {
    const at = await beginWith();
    const reading = await scene.reopen(at, undefined, "read");
    expect(await refusalOf(save(reading))).toMatchObject({ status: 403, code: "handle_read_only" });
    await setRole(scene.members.uploader, "reader");
    try {
      expect(await refusalOf(save(at))).toMatchObject({ status: 403, code: "access_denied" });
      expect(await scene.objectsOf(at.entity)).toEqual([]);
    } finally {
      await setRole(scene.members.uploader, "uploader");
    }
    expect(await save(at)).toMatchObject({ size: 1000 });
  });
});

describe("decision 22: the digest of the whole, in a save", () => {
  it("that is another one keeps everything: the next who knows it saves", async () => {
    const at = await beginWith();
    const wrong = sha256(Buffer.from("other"));
    for (let i = 0; i < 2; i++) {
      const told = await refusalOf(save(at, { sha256: wrong }));
      expect(told).toMatchObject({ status: 409, code: "digest_mismatch" });
      expect(told.details).toEqual({ declared: wrong, actual: sha256(content) });
      expect(await seen(at)).toMatchObject({ state: "open", offset: 1000 });
    }
    const more = pseudoRandom(24, 7);
    await at.client.putPart(at.handle, at.id, 1000, more);
    const whole = Buffer.concat([content, more]);
    const { id, sha256: told } = await save(at, { sha256: sha256(whole).toUpperCase() });
    expect(told).toBe(sha256(whole));
    expect(await scene.contentOf(at.entity, id)).toEqual(new Uint8Array(whole));
  });
});

describe("decision 29: an object", () => {
  it("is not there for anybody before it is saved, and is there for everybody then", async () => {
    const at = await beginWith();
    const reader = await scene.client(scene.members.reader);
    const handle = await reader.openEntity(at.entity.id);
    expect(await reader.objects(handle)).toEqual([]);
    const object = await save(at);
    const [listed] = await reader.objects(handle);
    expect(listed).toEqual({
      ...object,
      effective_rights: { create_access: false, delete_access: false, read_access: true, write_access: false },
    });
  });

  it("is saved or not where a save broke off between its steps, and the next save makes it", async () => {
    let breaks = true;
    const process = await scene.startProcess((uploads) => ({
      ...uploads,
      completeSession: async (input, call) => {
        if (breaks) throw new Error("the process dies here");
        return uploads.completeSession(input, call);
      },
    }));
    const client = await scene.client(undefined, {}, process);
    const at = await scene.begin(undefined, { client });
    await client.putPart(at.handle, at.id, 0, content);
    expect((await ask(at)).status).toBe(500);
    expect(scene.unexpected.splice(0)).toHaveLength(1);
    expect(await seen(at)).toMatchObject({ state: "open", offset: 1000, size: 1000 });
    expect(await scene.objectsOf(at.entity)).toEqual([]);
    // Parts can only repeat what is there: whoever saved has said that it is all.
    expect(await client.putPart(at.handle, at.id, 0, content)).toMatchObject({ offset: 1000 });
    expect(await refusalOf(client.putPart(at.handle, at.id, 1000, content))).toMatchObject({
      status: 409,
      code: "state_conflict",
      details: { expected_offset: 1000 },
    });
    expect(await refusalOf(client.putPart(at.handle, at.id, 0, pseudoRandom(10, 5)))).toMatchObject({
      code: "part_conflict",
    });
    breaks = false;
    const { id } = await save(at, { description: "a tune" });
    expect(await scene.objectsOf(at.entity)).toEqual([id]);
    expect(await scene.contentOf(at.entity, id)).toEqual(content);
  });
});

describe("a session that another face completes", () => {
  it("is saved with no words", async () => {
    const at = await beginWith(content, { size: 1000 });
    const { uploads, admin } = scene.opened;
    const { things } = await uploads.listFiles({ sessionId: at.id, page: {} }, admin);
    await uploads.finishFile({ sessionId: at.id, fileId: things[0]!.id }, admin);
    await uploads.completeSession({ sessionId: at.id }, admin);
    expect(await seen(at)).toMatchObject({ state: "saved", object: { id: things[0]!.name } });
    expect(await save(at)).toMatchObject({ id: things[0]!.name, description: "", size: 1000 });
    expect(await refusalOf(save(at, { description: "a tune" }))).toMatchObject({ code: "already_saved" });
  });
});
