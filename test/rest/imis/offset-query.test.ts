import { describe, expect, it } from "vitest";
import { pseudoRandom } from "../../support/bodies.js";
import { httpVersions } from "../../support/http.js";
import { refusalOf } from "../../support/imis.js";
import { hour } from "./face-scene.js";
import { useUploads } from "./upload-scene.js";

const scene = useUploads();
/** Whose sessions do not live long. */
const hasty = useUploads({ deadlines: { idleTtlMs: 4_000, absoluteTtlMs: hour } });
const endless = useUploads({ deadlines: { absoluteTtlMs: undefined } });

const content = pseudoRandom(1000);
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe("decision 9: a session that is asked for", () => {
  it("tells how far it is, and all else that is known of it", async () => {
    const at = await scene.begin({ content_type: "Audio/WAV; a=b" });
    const common = { id: at.id, content_type: "Audio/WAV; a=b", expires: expect.stringMatching(isoTime) };
    expect(await at.client.session(at.handle, at.id)).toEqual({ ...common, offset: 0, state: "open", parts: 0 });
    await at.client.putPart(at.handle, at.id, 0, content.subarray(0, 400));
    await at.client.putPart(at.handle, at.id, 400, content.subarray(400, 500), { total: 1000 });
    const seen = await at.client.session(at.handle, at.id);
    expect(seen).toEqual({ ...common, offset: 500, state: "open", size: 1000, parts: 2 });
    await at.client.putPart(at.handle, at.id, 500, content.subarray(500));
    const { id } = await at.client.save(at.handle, at.id);
    const saved = { ...common, offset: 1000, state: "saved", size: 1000, parts: 3, object: { id } };
    expect(await at.client.session(at.handle, at.id)).toEqual(saved);
  });

  it("tells it in the head, too: by GET and HEAD, with and without .json, over both versions of HTTP", async () => {
    const at = await scene.begin({ size: 1000 });
    await at.client.putPart(at.handle, at.id, 0, content.subarray(0, 400));
    for (const version of httpVersions) {
      const client = await scene.client(undefined, { version });
      for (const method of ["GET", "HEAD"]) {
        for (const suffix of ["", ".json"]) {
          const path = `entities/H:${at.handle}/create_sessions/${at.id}${suffix}`;
          const { status, headers, text } = await client.ask(method, path);
          expect(status).toBe(200);
          const told = { "upload-offset": "400", "upload-length": "1000", "cache-control": "no-store" };
          expect(headers).toMatchObject(told);
          if (method === "HEAD") expect(text).toBe("");
          else expect(JSON.parse(text).session).toMatchObject({ offset: 400, size: 1000 });
        }
      }
    }
    const unknown = await scene.begin();
    const { headers } = await unknown.client.ask("HEAD", `entities/H:${unknown.handle}/create_sessions/${unknown.id}`);
    expect(headers).not.toHaveProperty("upload-length");
  });

  it("disturbs nobody who is sending it (P7)", async () => {
    const at = await scene.begin();
    const client = await scene.client(undefined, { version: "2" });
    const path = `entities/H:${at.handle}/create_sessions/${at.id}`;
    const hanging = client.begin("PUT", path, content.subarray(0, 500), 1000, { "content-range": "0-999" });
    while ((await at.client.session(at.handle, at.id)).parts !== 1) await new Promise(setImmediate);
    for (let i = 0; i < 10; i++) await at.offset();
    const state = await Promise.race([hanging.answer, new Promise((resolve) => setTimeout(resolve, 50, "sending"))]);
    expect(state).toBe("sending");
    hanging.cut();
  });

  it("is unknown to others, at other entities and in other archives, and where it never was", async () => {
    const at = await scene.begin();
    const { handle: foreign } = await scene.begin();
    const told = { status: 404, code: "session_not_found" };
    expect(await refusalOf(at.client.session(foreign, at.id))).toMatchObject(told);
    for (const id of [crypto.randomUUID(), "x", "%2e%2e", `${at.id}x`, "a".repeat(300)]) {
      expect(await refusalOf(at.client.session(at.handle, id))).toMatchObject(told);
    }
    const stranger = await scene.client(scene.stranger);
    expect(await refusalOf(stranger.session(at.handle, at.id))).toMatchObject({ code: "handle_not_found" });
    const library = await scene.opened.uploads.createLibrary({ name: "OTHER" }, scene.opened.admin);
    const path = `/archives/${library.name}/entities/H:${at.handle}/create_sessions/${at.id}`;
    expect(await refusalOf(at.client.value("GET", path))).toMatchObject({ status: 404, code: "handle_not_found" });
    // Its id is taken in either case of its letters.
    expect(await at.client.session(at.handle.toUpperCase(), at.id.toUpperCase())).toMatchObject({ id: at.id });
  });

  it("and is none of this face's uploads is unknown", async () => {
    const at = await scene.begin();
    const { uploads } = scene.opened;
    const { caller } = await scene.callOf(scene.members.uploader);
    const deadlines = { idleTtlMs: hour, absoluteTtlMs: undefined, keepTerminalMs: hour };
    const words = { itemId: at.entity.id, access: "additive", visibility: "owner", deadlines } as const;
    for (const origin of ["rpc", "imis"]) {
      const { session } = await uploads.createSession({ ...words, origin, files: [{ name: "a" }] }, { caller });
      expect(await refusalOf(at.client.session(at.handle, session.id))).toMatchObject({ code: "session_not_found" });
    }
    expect(await at.client.sessions(at.handle)).toMatchObject([{ id: at.id }]);
  });
});

describe("decision 9: the open sessions of an entity", () => {
  it("are listed for their user, newest first, under any handle, without those that are over", async () => {
    const at = await scene.begin({ content_type: "audio/wav", size: 1000 });
    const { client, entity, handle } = at;
    await client.putPart(handle, at.id, 0, content.subarray(0, 10));
    const more = { client, entity, handle };
    const second = await scene.begin(undefined, more);
    const saved = await scene.begin({ size: 0 }, more);
    await client.save(handle, saved.id);
    const cancelled = await scene.begin(undefined, more);
    await client.cancel(handle, cancelled.id);
    const other = await scene.client(scene.members.other);
    const theirs = await scene.begin(undefined, { client: other, entity });
    const listed = await client.sessions(handle);
    expect(listed.map(({ id }) => id)).toEqual([second.id, at.id]);
    expect(listed[1]).toEqual(await client.session(handle, at.id));
    const again = await scene.reopen(at);
    expect(await again.client.sessions(again.handle)).toEqual(listed);
    const admin = await scene.reopen(at, scene.members.admin);
    const all = await admin.client.sessions(admin.handle);
    expect(all.map(({ id }) => id)).toEqual([theirs.id, second.id, at.id]);
    expect(await other.sessions(theirs.handle)).toMatchObject([{ id: theirs.id }]);
    const bare = await client.ask("GET", `entities/H:${handle}/create_sessions`);
    expect(JSON.parse(bare.text).sessions).toEqual(listed);
  });
});

describe("decision 23: the end of a session", () => {
  it("is put off by what is sent, and nobody is promised more than is kept", async () => {
    const at = await hasty.begin();
    const first = Date.parse((await at.client.session(at.handle, at.id)).expires!);
    expect(first).toBeLessThanOrEqual(Date.now() + 4_000);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const told = await at.client.putPart(at.handle, at.id, 0, content.subarray(0, 10));
    const kept = Date.parse((await at.client.session(at.handle, at.id)).expires!);
    expect(Date.parse(told.expires!)).toBeGreaterThan(first + 400);
    expect(Date.parse(told.expires!)).toBeLessThanOrEqual(kept);
  });

  it("comes when nothing is done, and is told as such to everybody who asks then", async () => {
    const at = await hasty.begin();
    hasty.elapse(3_000);
    // Asking puts off the end of the handle, and not that of the session.
    await at.offset();
    hasty.elapse(2_000);
    const gone = { status: 410, code: "session_gone", details: { reason: "expired" } };
    const again = await hasty.reopen(at);
    expect(await refusalOf(again.offset())).toMatchObject(gone);
    expect(await refusalOf(again.client.putPart(again.handle, at.id, 0, content))).toMatchObject(gone);
    expect(await refusalOf(again.client.save(again.handle, at.id))).toMatchObject(gone);
    expect(await refusalOf(again.client.cancel(again.handle, at.id))).toMatchObject(gone);
    expect(await again.client.sessions(again.handle)).toEqual([]);
  });
});

describe("decision 24: what sessions are held to", () => {
  const path = `entities/H:${crypto.randomUUID()}/create_sessions`;

  it("is told by OPTIONS, to everybody, with or without .json", async () => {
    for (const suffix of ["", ".json"]) {
      const { status, headers, text } = await scene.nobody().ask("OPTIONS", path + suffix);
      expect([status, text]).toEqual([204, ""]);
      expect(headers).toMatchObject({
        allow: "GET, HEAD, POST, OPTIONS",
        "upload-limit": "max-size=1099511627776, max-append-size=1099511627776, min-append-size=0, max-age=604800",
      });
    }
  });

  it("has no age where sessions have none", async () => {
    const { headers } = await endless.nobody().ask("OPTIONS", path);
    expect(headers["upload-limit"]).not.toContain("max-age");
  });
});
