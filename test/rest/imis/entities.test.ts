import { afterEach, describe, expect, it } from "vitest";
import { isId } from "../../../src/core/index.js";
import type { ImisCall } from "../../../src/rest/imis/call.js";
import { refusalOf } from "../../support/imis.js";
import { hangingBody, sendWhole } from "../../support/bodies.js";
import { type StartedUpload, standingOf, startUpload } from "./entity-scene.js";
import { archive, buildRequest, type FaceProcess, useFace } from "./face-scene.js";

const scene = useFace();
afterEach(() => expect(scene.unexpected).toEqual([]));

/** An entity that is open, by way of the services. */
async function open(call: ImisCall, process: FaceProcess = scene, entity?: string) {
  const { handle } = await process.entities.open(
    { archive, entity: entity ?? (await scene.makeEntity()).id, mode: undefined },
    call,
  );
  return process.entities.use({ archive, handle }, call);
}
const codeOf = async (deed: Promise<unknown>) => {
  try {
    await deed;
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "done";
};
const code = async (deed: Promise<unknown>) => {
  const { status, code } = await refusalOf(deed);
  return `${status} ${code}`;
};
describe("decision 31: an entity", () => {
  it.each(["POST", "GET"])("is opened by %s, which answers its handle, and closed by it with 200", async (method) => {
    const { id } = await scene.makeEntity();
    const client = await scene.client();
    const answer = await client.ask(method, `entities/I:${id}/open.json`);
    expect([answer.status, answer.headers["content-type"], answer.headers["cache-control"]]).toEqual([
      ...[200, "application/json"],
      "no-store",
    ]);
    const body = JSON.parse(answer.text) as { handle: string };
    expect(body).toEqual({ handle: expect.any(String) });
    expect(isId(body.handle)).toBe(true);
    expect(await client.ask(method, `entities/H:${body.handle}/close.json`)).toMatchObject({ status: 200, text: "" });
  });

  it("is found by its id, and by its external id and its classification code, plain and in either Base64", async () => {
    // In Base64 they have what the alphabets do not share, and padding.
    const [external, classification] = ["A/7 ¿Käse? ~ÿ", "17-01>>>"];
    const { id } = await scene.makeEntity({
      aliases: [
        { kind: "external_id", value: external },
        { kind: "classification_code", value: classification },
      ],
    });
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    const url = (text: string) => Buffer.from(text).toString("base64url");
    expect([base64(external), base64(classification)]).toEqual([
      expect.stringMatching(/[/].*=$/),
      expect.stringMatching(/[+].*=$/),
    ]);
    const client = await scene.client();
    for (const entity of [
      ...[id, id.toUpperCase(), `I:${id}`, `E:${external}`, `C:${classification}`],
      ...[`e:${base64(external)}`, `e:${url(external)}`, `e:${base64(external).replaceAll("=", "")}`],
      ...[`c:${base64(classification)}`, `c:${url(classification)}`],
    ]) {
      const call = await scene.callOf(scene.members.uploader);
      const handle = await client.openEntity(entity);
      expect((await scene.entities.use({ archive, handle }, call)).itemId).toBe(id);
    }
  });

  it("is open under a new handle each time, which is closed alone", async () => {
    const { id } = await scene.makeEntity();
    const call = await scene.callOf(scene.members.uploader);
    const [first, second] = [await open(call, scene, id), await open(call, scene, id)];
    expect(second).toEqual({ ...first, handle: expect.not.stringMatching(first.handle) });
    await scene.entities.close({ archive, handle: first.handle }, call);
    expect(await codeOf(scene.entities.use({ archive, handle: first.handle }, call))).toBe("handle_closed");
    expect(await scene.entities.use({ archive, handle: second.handle }, call)).toEqual(second);
  });

  it("is there by the archive's id as by its name", async () => {
    const { id } = await scene.makeEntity();
    const client = await scene.client(scene.members.uploader, { archive: scene.library.id });
    const handle = await client.openEntity(id);
    const call = await scene.callOf(scene.members.uploader);
    expect((await scene.entities.use({ archive, handle }, call)).libraryId).toBe(scene.library.id);
  });

  it.each([
    ["uploader", undefined, "write"],
    ["uploader", "read", "read"],
    ["uploader", "write", "write"],
    ["admin", undefined, "write"],
    ["reader", undefined, "read"],
    ["reader", "read", "read"],
  ] as const)("that the %s opens with mode %s is open to %s", async (name, mode, expected) => {
    const client = await scene.client(scene.members[name]);
    const handle = await client.openEntity((await scene.makeEntity()).id, mode);
    const call = await scene.callOf(scene.members[name]);
    expect((await scene.entities.use({ archive, handle }, call)).mode).toBe(expected);
  });

  it("is not open to write for who may only read: 403 access_denied", async () => {
    const client = await scene.client(scene.members.reader);
    expect(await code(client.openEntity((await scene.makeEntity()).id, "write"))).toBe("403 access_denied");
  });

  it.each(["x", "", "WRITE"])("has no mode %j: 400 request_invalid", async (mode) => {
    const refused = await refusalOf((await scene.client()).openEntity((await scene.makeEntity()).id, mode));
    expect([refused.status, refused.text]).toEqual([400, `mode is "read" or "write", not ${JSON.stringify(mode)}`]);
  });

  it.each([
    ["H:00000000-0000-4000-8000-000000000000", 'has the kind "H", which is none of I, E, e, C, c'],
    ["constructor:x", 'has the kind "constructor", which is none of I, E, e, C, c'],
    ["E:", "names no entity: its id is empty"],
    ["e:a b", 'is not the Base64 form of a text in UTF-8: "a b"'],
    ["e:%%%", "is not the Base64 form"],
    ["c:/w", "is not the Base64 form"],
    ["c:A", "is not the Base64 form"],
  ])("has no id like %j: 400 request_invalid", async (entity, message) => {
    const refused = await refusalOf((await scene.client()).openEntity(entity));
    expect([refused.status, refused.code]).toEqual([400, "request_invalid"]);
    expect(refused.text).toContain(message.split(":")[0]);
  });

  it("that is nowhere, in another archive, or in another tenant is 404 entity_not_found, in the same words", async () => {
    const { uploads, admin, otherTenant } = scene.opened;
    const elsewhere = await uploads.createLibrary({ name: "another archive" }, admin);
    const alias = { kind: "external_id", value: "far away" };
    const there = await scene.makeEntity({ libraryId: elsewhere.id, aliases: [alias] });
    const [foreign] = (await uploads.listLibraries({ page: {} }, otherTenant)).things;
    const theirs = await uploads.createItem({ libraryId: foreign!.id, name: "theirs", aliases: [alias] }, otherTenant);
    const client = await scene.client();
    for (const entity of [
      ...["00000000-0000-4000-8000-000000000000", "I:17", "E:nobody has it", "E:a\u0001b"],
      ...[there.id, `I:${theirs.id}`, "E:far away"],
    ]) {
      const refused = await refusalOf(client.openEntity(entity));
      expect([refused.status, refused.code, refused.text, refused.details]).toEqual([
        ...[404, "entity_not_found"],
        `there is no entity ${JSON.stringify(entity)} in the archive "IARC"`,
        {},
      ]);
    }
  });

  it("of an archive that there is not is 404 archive_not_found, and nobody opens any without a login", async () => {
    const client = await scene.client();
    const { id } = await scene.makeEntity();
    expect(await code(client.value("POST", `/archives/nowhere/entities/${id}/open`))).toBe("404 archive_not_found");
    expect(await code(scene.nobody().openEntity(id))).toBe("401 unauthenticated");
  });
});

describe("decision 21: closing an entity", () => {
  it("ends the upload sessions of its handle, and no others, and leaves what was saved", async () => {
    const call = await scene.callOf(scene.members.uploader);
    const { uploads } = scene;
    const { id } = await scene.makeEntity();
    const [mine, other] = [await open(call, scene, id), await open(call, scene, id)];
    const [first, second, saved, kept] = [
      await startUpload(uploads, mine, call),
      await startUpload(uploads, mine, call),
      await startUpload(uploads, mine, call),
      await startUpload(uploads, other, call),
    ];
    for (const upload of [first, saved]) {
      const body = sendWhole(Buffer.from("some content"));
      await uploads.writePart({ ...upload, offset: 0, body, ending: () => ({ finish: upload === saved }) }, call);
    }
    await uploads.completeSession(saved, call);
    await (await scene.client()).closeEntity(mine.handle);
    const standings = [first, second, saved, kept].map((upload) => standingOf(uploads, upload, call));
    expect(await Promise.all(standings)).toEqual([
      ...["canceled entity_closed", "canceled entity_closed"],
      ...["done", "active"],
    ]);
    expect((await uploads.listItemFiles({ itemId: id, page: {} }, call)).things).toMatchObject([
      { content: { sizeBytes: 12 } },
    ]);
    await expect(uploads.readFile(first, call)).rejects.toMatchObject({ code: "wrong_state" });
  });

  it("ends more sessions than one page of them", async () => {
    const call = await scene.callOf(scene.members.uploader);
    const entity = await open(call);
    const started: StartedUpload[] = [];
    for (let count = 0; count < 130; count++) started.push(await startUpload(scene.uploads, entity, call));
    await scene.entities.close({ archive, handle: entity.handle }, call);
    const standings = await Promise.all(started.map((upload) => standingOf(scene.uploads, upload, call)));
    expect(new Set(standings)).toEqual(new Set(["canceled entity_closed"]));
  });

  it("cuts a part that is under way", async () => {
    const call = await scene.callOf(scene.members.uploader);
    const entity = await open(call);
    const upload = await startUpload(scene.uploads, entity, call);
    const body = hangingBody([Buffer.alloc(100_000)]);
    const part = codeOf(
      scene.uploads.writePart({ ...upload, offset: 0, body, ending: () => ({ finish: true }) }, call),
    );
    await scene.entities.close({ archive, handle: entity.handle }, call);
    expect(await part).toMatch(/^(superseded|wrong_state)$/);
    expect(await standingOf(scene.uploads, upload, call)).toBe("canceled entity_closed");
  });

  it("is answered 200 however often it is asked, and for a handle that nobody has", async () => {
    const client = await scene.client();
    const handle = await client.openEntity((await scene.makeEntity()).id);
    for (const known of [handle, handle, handle.toUpperCase(), "17", "00000000-0000-4000-8000-000000000000", "%00"]) {
      await client.closeEntity(known);
    }
    expect(await code(client.value("POST", `/archives/nowhere/entities/H:${handle}/close`))).toBe(
      "404 archive_not_found",
    );
  });

  it("by somebody else, or by way of another archive, closes nothing", async () => {
    const { uploads, admin } = scene.opened;
    await uploads.createLibrary({ name: "third archive" }, admin);
    const call = await scene.callOf(scene.members.uploader);
    const entity = await open(call);
    await (await scene.client(scene.members.other)).closeEntity(entity.handle);
    await (await scene.client(scene.members.admin)).closeEntity(entity.handle);
    await (await scene.client(scene.members.uploader, { archive: "third archive" })).closeEntity(entity.handle);
    expect(await scene.entities.use({ archive, handle: entity.handle }, call)).toEqual(entity);
  });

  it("is known from its first moment on, and what a death left of it is ended by the next one", async () => {
    const call = await scene.callOf(scene.members.uploader);
    const dying = await scene.startProcess((uploads) => ({
      ...uploads,
      cancelSession: () => Promise.reject(new Error("the power is gone")),
    }));
    const entity = await open(call, dying);
    const upload = await startUpload(scene.uploads, entity, call);
    const place = { archive, handle: entity.handle };
    await expect(dying.entities.close(place, call)).rejects.toThrow("the power is gone");
    expect(await standingOf(scene.uploads, upload, call)).toBe("active");
    expect(await scene.entities.isClosed(entity.handle, call)).toBe(true);
    expect(await codeOf(scene.entities.use(place, call))).toBe("handle_closed");
    await scene.entities.close(place, call);
    expect(await standingOf(scene.uploads, upload, call)).toBe("canceled entity_closed");
  });

  it("or saving: whichever takes the session first wins, and a save that wins is whole", async () => {
    const call = await scene.callOf(scene.members.uploader);
    const startSaving = async () => {
      const entity = await open(call);
      const upload = await startUpload(scene.uploads, entity, call);
      const body = sendWhole(Buffer.from("some content"));
      await scene.uploads.writePart({ ...upload, offset: 0, body, ending: () => ({ finish: true }) }, call);
      const close = (process: FaceProcess = scene) => process.entities.close({ archive, handle: entity.handle }, call);
      return { entity, upload, close, save: () => codeOf(scene.uploads.completeSession(upload, call)) };
    };
    const assertOutcome = async (saved: string, { entity, upload }: Awaited<ReturnType<typeof startSaving>>) => {
      const standing = await standingOf(scene.uploads, upload, call);
      const { things } = await scene.uploads.listItemFiles({ itemId: entity.itemId, page: {} }, call);
      expect([saved, standing, things.map(({ content }) => content.sizeBytes)]).toEqual(
        saved === "done" ? ["done", "done", [12]] : ["wrong_state", "canceled entity_closed", []],
      );
    };
    const late = await startSaving();
    let saved = "";
    const process = await scene.startProcess((uploads) => ({
      ...uploads,
      async cancelSession(input, call) {
        saved = await late.save();
        return uploads.cancelSession(input, call);
      },
    }));
    await late.close(process);
    expect(saved).toBe("done");
    await assertOutcome(saved, late);

    const early = await startSaving();
    await early.close();
    const refusedSave = await early.save();
    expect(refusedSave).toBe("wrong_state");
    await assertOutcome(refusedSave, early);

    for (let round = 0; round < 8; round++) {
      const both = await startSaving();
      const [raced] = await Promise.all([both.save(), both.close()]);
      await assertOutcome(raced, both);
    }
  });

  it("leaves a session alone that is used through another handle by then", async () => {
    const call = await scene.callOf(scene.members.uploader);
    const { id } = await scene.makeEntity();
    const process = await scene.startProcess((uploads) => ({
      ...uploads,
      async listSessions(input, call) {
        const found = await uploads.listSessions(input, call);
        const change = () => ({ attributes: { handle: other.handle }, details: {} });
        for (const { id: sessionId } of found.things) await uploads.changeAttributes({ sessionId, change }, call);
        return found;
      },
    }));
    const [mine, other] = [await open(call, process, id), await open(call, process, id)];
    const upload = await startUpload(scene.uploads, mine, call);
    await process.entities.close({ archive, handle: mine.handle }, call);
    expect(await standingOf(scene.uploads, upload, call)).toBe("active");
  });

  it("is possible for who may upload no more", async () => {
    const { caller, ...more } = await scene.callOf(scene.members.uploader);
    const entity = await open({ caller, ...more });
    const upload = await startUpload(scene.uploads, entity, { caller, ...more });
    const demoted = { ...more, caller: { ...caller, permissions: new Set(["read"] as const) } };
    await scene.entities.close({ archive, handle: entity.handle }, demoted);
    expect(await standingOf(scene.uploads, upload, demoted)).toBe("canceled entity_closed");
  });
});

describe("decision 21: closing a bearer session", () => {
  it("closes the entities that were used under it last, and so ends their upload sessions, and no others", async () => {
    const { uploader } = scene.members;
    const [mine, other] = [await scene.client(uploader), await scene.client(uploader)];
    const call = await scene.callOf(uploader);
    const [handles, uploads]: [string[], StartedUpload[]] = [[], []];
    for (const client of [mine, mine, other]) {
      const { id: itemId } = await scene.makeEntity();
      const handle = await client.openEntity(itemId);
      handles.push(handle);
      uploads.push(await startUpload(scene.uploads, { handle, itemId }, call));
    }
    // Somebody goes on with the second one under another login.
    await scene.entities.use({ archive, handle: handles[1]! }, call);
    await mine.logOut();
    expect(await Promise.all(handles.map((handle) => scene.entities.isClosed(handle, call)))).toEqual([
      ...[true, false],
      false,
    ]);
    expect(await Promise.all(uploads.map((upload) => standingOf(scene.uploads, upload, call)))).toEqual([
      ...["canceled entity_closed", "active"],
      "active",
    ]);
  });

  it("ends what an earlier closing of an entity left", async () => {
    const client = await scene.client();
    const call = await scene.callOf(scene.members.uploader);
    const dying = await scene.startProcess((uploads) => ({
      ...uploads,
      cancelSession: () => Promise.reject(new Error("the power is gone")),
    }));
    const entity = await open(call, dying);
    const upload = await startUpload(scene.uploads, entity, call);
    await expect(dying.entities.close({ archive, handle: entity.handle }, call)).rejects.toThrow("the power is gone");
    await client.logOut();
    expect(await standingOf(scene.uploads, upload, call)).toBe("canceled entity_closed");
  });

  it("leaves nothing open of what is being opened under it", async () => {
    const { id } = await scene.makeEntity();
    const client = await scene.client();
    const { login } = await callFor(client.token);
    const opening = Array.from({ length: 8 }, () => client.openEntity(id).catch(() => undefined));
    await client.logOut();
    const handles = (await Promise.all(opening)).filter((handle) => handle !== undefined);
    const call = await scene.callOf(scene.members.uploader);
    expect(await Promise.all(handles.map((handle) => scene.entities.isClosed(handle, call)))).not.toContain(false);
    expect(await loginsOfOpen(call)).not.toContain(login?.id);
  });

  it.each(["opened", "used for the first time"])("refuses and closes what is just being %s under it", async (how) => {
    const { id } = await scene.makeEntity();
    const [mine, others] = [await scene.callOf(scene.members.uploader), await scene.callOf(scene.members.uploader)];
    const theirs = await open(others, scene, id);
    let closing: Promise<void> | undefined;
    const slow = await scene.startProcess((uploads) => ({
      ...uploads,
      async changeRecords(input, call) {
        closing ??= scene.entities.closeAllOf(mine.login!.id, mine);
        await closing;
        return uploads.changeRecords(input, call);
      },
    }));
    const place = { archive, handle: theirs.handle };
    const deed = how === "opened" ? open(mine, slow, id) : slow.entities.use(place, mine);
    expect(await codeOf(deed)).toBe("unauthenticated");
    expect(await loginsOfOpen(mine)).not.toContain(mine.login!.id);
    expect(await scene.entities.isClosed(theirs.handle, mine)).toBe(how !== "opened");
  });

  it("is its closing alone: when it only ends, entities stay open, and so do their upload sessions", async () => {
    const client = await scene.client();
    const handle = await client.openEntity((await scene.makeEntity()).id);
    const call = await scene.callOf(scene.members.uploader);
    const { login, ...rest } = await callFor(client.token);
    const entity = await scene.entities.use({ archive, handle }, { login, ...rest });
    const upload = await startUpload(scene.uploads, entity, call);
    await scene.access.revokeToken({ tokenId: login!.id }, await scene.administrator());
    expect(await code(client.logOut())).toBe("401 unauthenticated");
    expect(await scene.entities.use({ archive, handle }, await scene.callOf(scene.members.uploader))).toEqual(entity);
    expect(await standingOf(scene.uploads, upload, call)).toBe("active");
  });
});

async function callFor(token: string): Promise<ImisCall> {
  const headers = { authorization: `Bearer ${token}` };
  return (await scene.admit(buildRequest({ headers }), { admits: "login", acts: false })).call;
}

/** Under which logins the caller's open entities were used last. */
async function loginsOfOpen(call: ImisCall): Promise<readonly string[]> {
  const prefix = `${call.caller.userId}/`;
  const found = await scene.uploads.listRecords({ namespace: "imis.handle", prefix, limit: 1_000 }, call);
  return found.map(({ value }) => (value as { readonly loginId: string }).loginId);
}
