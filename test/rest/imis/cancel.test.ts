import { describe, expect, it } from "vitest";
import { pseudoRandom } from "../../support/bodies.js";
import type { Hanging } from "../../support/http.js";
import { ImisRefusal, refusalOf } from "../../support/imis.js";
import { hour } from "./face-scene.js";
import { type Uploading, type UploadScene, useUploads } from "./upload-scene.js";

const scene = useUploads();
/** Whose clock is moved on. */
const later = useUploads();

const content = pseudoRandom(1000);

async function beginWith(bytes: Uint8Array = content, of: UploadScene = scene) {
  const at = await of.begin();
  await at.client.putPart(at.handle, at.id, 0, bytes);
  return at;
}

const cancel = ({ client, handle, id }: Uploading) => client.cancel(handle, id);
const save = ({ client, handle, id }: Uploading) => client.save(handle, id);
const put = ({ client, handle, id }: Uploading, offset: number, bytes: Uint8Array) =>
  client.putPart(handle, id, offset, bytes);

/** A part that hangs, and has its seat. */
async function hang(at: Uploading): Promise<Hanging> {
  const hanging = at.client.beginPart(at.handle, at.id, 1000, 1000, content.subarray(0, 10));
  while ((await at.client.session(at.handle, at.id)).parts !== 2) await new Promise(setImmediate);
  return hanging;
}

async function toldTo({ answer }: Hanging) {
  const { status, body } = await answer;
  const { code, details } = JSON.parse(body.toString()).error;
  return { status, code, details };
}

async function expectGone(at: Uploading, reason: string): Promise<void> {
  const gone = { status: 410, code: "session_gone", details: { reason } };
  expect(await refusalOf(at.offset())).toMatchObject(gone);
  expect(await refusalOf(put(at, 1000, content))).toMatchObject(gone);
  expect(await refusalOf(put(at, 0, content))).toMatchObject(gone);
  expect(await refusalOf(save(at))).toMatchObject(gone);
}

/** What of two deeds that exclude each other came true. */
async function outcomeOf(deed: Promise<unknown>): Promise<string> {
  try {
    await deed;
    return "done";
  } catch (error) {
    if (!(error instanceof ImisRefusal)) throw error;
    return `${error.status} ${error.code} ${error.details.reason ?? ""}`.trim();
  }
}

describe("decision 19: cancelling a session", () => {
  it("answers 200, with and without .json, and the session is over", async () => {
    for (const suffix of [".json", ""]) {
      const at = await beginWith();
      const path = `entities/H:${at.handle}/create_sessions/${at.id}${suffix}`;
      expect((await at.client.ask("DELETE", path)).status).toBe(200);
      await expectGone(at, "cancelled");
      expect(await at.client.sessions(at.handle)).toEqual([]);
      expect(await scene.objectsOf(at.entity)).toEqual([]);
    }
  });

  it("answers 200 again, however often it is asked, under any handle", async () => {
    const at = await beginWith();
    await cancel(at);
    await cancel(at);
    await cancel(await scene.reopen(at));
    await Promise.all([cancel(at), cancel(at), cancel(at)]);
  });

  it("cuts a part that is being sent, whose client is told", async () => {
    const at = await beginWith();
    const hanging = await hang(at);
    await cancel(at);
    expect(await toldTo(hanging)).toEqual({ status: 410, code: "session_gone", details: { reason: "cancelled" } });
  });

  it("after it was saved is refused with the object's id, and the object stays as it is", async () => {
    const at = await beginWith();
    const { id } = await save(at);
    for (const who of [at, await scene.reopen(at)]) {
      expect(await refusalOf(cancel(who))).toMatchObject({
        status: 409,
        code: "already_saved",
        details: { object_id: id },
      });
    }
    expect(await scene.contentOf(at.entity, id)).toEqual(content);
  });

  it("that is saved and forgotten finds none, and the object stays as it is", async () => {
    const at = await beginWith(content, later);
    const { id } = await save(at);
    const overdue = await beginWith(content, later);
    later.elapse(25 * hour);
    expect(await refusalOf(cancel(await later.reopen(at)))).toMatchObject({ status: 404, code: "session_not_found" });
    expect(await later.contentOf(at.entity, id)).toEqual(content);
    // One that has expired meanwhile is told as such.
    const expired = await later.reopen(overdue);
    expect(await refusalOf(cancel(expired))).toMatchObject({ status: 410, details: { reason: "expired" } });
    await expectGone(expired, "expired");
  });

  it("while it is saved leaves one of both, never both or neither", async () => {
    const outcomes = new Set<string>();
    for (let i = 0; i < 12; i++) {
      const at = await beginWith();
      const other = await scene.reopen(at);
      // So that now the one and now the other is ahead.
      const deeds = [() => save(at), () => cancel(other)];
      const order = i % 2 === 0 ? deeds : deeds.reverse();
      const told = await Promise.all(order.map((deed) => outcomeOf(deed())));
      const [saved, cancelled] = i % 2 === 0 ? told : told.reverse();
      outcomes.add(`${saved}, ${cancelled}`);
      const objects = await scene.objectsOf(at.entity);
      if (saved === "done") {
        expect([cancelled, objects.length]).toEqual(["409 already_saved", 1]);
        expect(await scene.contentOf(at.entity, objects[0]!)).toEqual(content);
      } else expect([saved, cancelled, objects]).toEqual(["410 session_gone cancelled", "done", []]);
    }
    expect([...outcomes].every((outcome) => outcome.includes("done"))).toBe(true);
  });
});

describe("decision 20: who may cancel a session", () => {
  it("is its user, by a handle that is good for changes", async () => {
    const at = await beginWith();
    const other = await scene.reopen(at, scene.members.other);
    expect(await refusalOf(cancel(other))).toMatchObject({ status: 404, code: "session_not_found" });
    const reading = await scene.reopen(at, undefined, "read");
    expect(await refusalOf(cancel(reading))).toMatchObject({ status: 403, code: "handle_read_only" });
    const elsewhere = await scene.begin();
    expect(await refusalOf(cancel({ ...elsewhere, id: at.id }))).toMatchObject({ code: "session_not_found" });
    for (const id of [crypto.randomUUID(), "x"]) {
      expect(await refusalOf(cancel({ ...at, id }))).toMatchObject({ status: 404, code: "session_not_found" });
    }
    expect(await at.offset()).toBe(1000);
    await cancel({ ...at, id: at.id.toUpperCase() });
    await expectGone(at, "cancelled");
  });

  it("and an administrator, who lists those of everybody, and does no more with them", async () => {
    const at = await beginWith();
    const admin = await scene.reopen(at, scene.members.admin);
    expect(await admin.client.sessions(admin.handle)).toMatchObject([{ id: at.id, offset: 1000 }]);
    expect(await refusalOf(admin.offset())).toMatchObject({ status: 404, code: "session_not_found" });
    await cancel(admin);
    await cancel(admin);
    await expectGone(at, "cancelled");
    const saved = await beginWith();
    await save(saved);
    expect(await refusalOf(cancel(await scene.reopen(saved, scene.members.admin)))).toMatchObject({
      code: "already_saved",
    });
  });
});

describe("decision 21: closing an entity", () => {
  it("ends the sessions of its handle, cuts their parts, and leaves what is saved and what is another handle's", async () => {
    const at = await beginWith();
    const { client, entity, handle } = at;
    const saved = await scene.begin(undefined, { client, entity, handle });
    await put(saved, 0, content);
    const object = await save(saved);
    const other = await scene.begin(undefined, { client, entity });
    await put(other, 0, content);
    const hanging = await hang(at);
    await client.closeEntity(handle);
    const gone = { status: 410, code: "session_gone", details: { reason: "entity_closed" } };
    expect(await toldTo(hanging)).toEqual(gone);
    await expectGone(at, "entity_closed");
    const again = await scene.reopen(at);
    await expectGone(again, "entity_closed");
    expect(await refusalOf(cancel(again))).toMatchObject(gone);
    expect(await refusalOf(cancel(at))).toMatchObject(gone);
    expect(await save({ ...saved, handle: again.handle })).toEqual(object);
    expect(await other.offset()).toBe(1000);
    // Through the closed handle nothing else is known.
    for (const id of [saved.id, other.id, crypto.randomUUID()]) {
      const told = { status: 410, code: "handle_closed" };
      expect(await refusalOf(client.session(handle, id))).toMatchObject(told);
      expect(await refusalOf(client.cancel(handle, id))).toMatchObject(told);
    }
    expect(await refusalOf(client.createSession(handle))).toMatchObject({ status: 410, code: "handle_closed" });
    expect(await refusalOf(client.sessions(handle))).toMatchObject({ status: 410, code: "handle_closed" });
    expect(await client.sessions(again.handle)).toMatchObject([{ id: other.id }]);
  });

  it("is told by its own reason, also of a session that was cancelled before", async () => {
    const at = await beginWith();
    await cancel(at);
    await at.client.closeEntity(at.handle);
    await expectGone(at, "cancelled");
  });

  it("is over for all at the moment when it is known, whoever has not come by yet", async () => {
    let ends = false;
    const process = await scene.startProcess((uploads) => ({
      ...uploads,
      cancelSession: (input, call) =>
        ends ? uploads.cancelSession(input, call) : Promise.reject(new Error("it dies")),
    }));
    const client = await scene.client(undefined, {}, process);
    const at = await scene.begin(undefined, { client });
    await put(at, 0, content);
    expect((await client.ask("POST", `entities/H:${at.handle}/close.json`)).status).toBe(500);
    expect(scene.unexpected.splice(0)).toHaveLength(1);
    await expectGone(at, "entity_closed");
    const again = await scene.reopen(at);
    await expectGone(again, "entity_closed");
    expect(await again.client.sessions(again.handle)).toEqual([]);
    ends = true;
    await client.closeEntity(at.handle);
    const { state } = await scene.opened.uploads.getSession({ sessionId: at.id }, scene.opened.admin);
    expect(state).toBe("canceled");
  });

  it("while a session is created there leaves none", async () => {
    for (let i = 0; i < 8; i++) {
      const client = await scene.client();
      const entity = await scene.makeEntity();
      const handle = await client.openEntity(entity.id);
      const other = await scene.client();
      const outcomes = await Promise.all([outcomeOf(client.createSession(handle)), other.closeEntity(handle)]);
      expect(["done", "410 handle_closed"]).toContain(outcomes[0]);
      const { uploads, admin } = scene.opened;
      const where = { field: "itemId", is: "eq", value: entity.id } as const;
      const { things } = await uploads.listSessions({ where, page: {} }, admin);
      expect(things.map(({ state }) => state).filter((state) => state !== "canceled")).toEqual([]);
    }
  });

  it("while a session is saved there leaves an object that is whole, or none", async () => {
    for (let i = 0; i < 12; i++) {
      const at = await beginWith();
      const other = await scene.client();
      const close = () => other.closeEntity(at.handle);
      const saving = () => outcomeOf(save(at));
      const [told] =
        i % 2 === 0 ? await Promise.all([saving(), close()]) : (await Promise.all([close(), saving()])).reverse();
      const objects = await scene.objectsOf(at.entity);
      if (told === "done") expect(await scene.contentOf(at.entity, objects[0]!)).toEqual(content);
      else
        expect([told, objects]).toEqual([
          expect.stringMatching(/^410 (session_gone entity_closed|handle_closed)$/),
          [],
        ]);
    }
  });

  it("by closing the login does the same, and the end of a login that nobody closes does not", async () => {
    const at = await beginWith();
    await at.client.logOut();
    const again = await scene.reopen(at);
    await expectGone(again, "entity_closed");

    const slow = await beginWith();
    const { metadata } = scene.opened;
    const { user } = scene.members.uploader;
    // As when nobody has used it for long.
    const { things } = await metadata.listTokens(user.id, { limit: 1 });
    await metadata.deleteToken(things[0]!.id, { userId: user.id });
    scene.elapse(6_000);
    expect(await refusalOf(slow.offset())).toMatchObject({ status: 401, code: "unauthenticated" });
    const resumed = await scene.reopen(slow);
    expect(await put(resumed, 1000, content)).toMatchObject({ offset: 2000 });
    expect(await save(resumed)).toMatchObject({ size: 2000 });
  });
});
