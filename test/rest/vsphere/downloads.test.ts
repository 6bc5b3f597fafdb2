import { beforeAll, describe, expect, it } from "vitest";
import { createId, type Item } from "../../../src/core/index.js";
import type { VsphereCall } from "../../../src/rest/vsphere/call.js";
import { hour, prepareAll, useDownloads } from "./download-scene.js";
import { refusalOf } from "./face-scene.js";

const scene = useDownloads();
let call: VsphereCall;
let item: Item;
beforeAll(async () => {
  call = await scene.callOf(scene.members.reader);
  item = await scene.makeItem({ "a.ovf": "descriptor", "disk 1.vmdk": "disk" });
});
const ref = (id: string) => ({ download_session_id: id });
const create = (more: { client_token?: string; of?: Item; as?: VsphereCall } = {}) => {
  const { of = item, as = call, ...token } = more;
  return scene.sessions.create({ ...token, create_spec: { library_item_id: of.id } }, as);
};
const get = (id: string) => scene.sessions.get(ref(id), call);
const missing = { type: "not_found" };
const minute = 60_000;

describe("a download session", () => {
  it("is there once it is created, as of the item's content then", async () => {
    const own = await scene.makeItem({ a: "1" });
    const { contentVersion } = await scene.opened.uploads.getItem({ itemId: own.id }, call);
    const before = scene.now().getTime();
    const id = await create({ of: own });
    await scene.changeItem(own, { a: "2" });
    const session = await get(id);
    expect(session).toEqual({
      id,
      library_item_id: own.id,
      library_item_content_version: String(contentVersion),
      error_message: undefined,
      client_progress: 0,
      state: "ACTIVE",
      expiration_time: expect.any(Date),
    });
    const expiresMs = session.expiration_time.getTime();
    expect(expiresMs).toBeGreaterThanOrEqual(before + hour);
    expect(expiresMs).toBeLessThanOrEqual(scene.now().getTime() + hour);
    expect(await get(id.toUpperCase())).toEqual(session);
  });

  it.each([createId(), "nonsense", "a/b\0c", ""])("is not created for the item %j, which is not there", async (id) => {
    const work = scene.sessions.create({ create_spec: { library_item_id: id } }, call);
    expect(await refusalOf(work)).toMatchObject(missing);
    expect(await refusalOf(scene.sessions.list({ library_item_id: id }, call))).toMatchObject(missing);
  });

  it.each([createId(), "nonsense", "a/b\0c", ""])("%j is not found", async (id) => {
    const { sessions, files } = scene;
    const named = { ...ref(id), file_name: "a.ovf" };
    for (const work of [
      sessions.get(ref(id), call),
      sessions.keepAlive(ref(id), call),
      sessions.cancel(ref(id), call),
      sessions.fail(ref(id), call),
      sessions.delete(ref(id), call),
      files.list(ref(id), call),
      files.prepare(named, call),
      files.get(named, call),
    ]) {
      expect(await refusalOf(work)).toMatchObject(missing);
    }
  });

  it("is nobody's but its owner's", async () => {
    const id = await create();
    const own = await scene.sessions.list({}, call);
    expect(own).toContain(id);
    for (const member of [scene.members.other, scene.members.admin, scene.stranger]) {
      const as = await scene.callOf(member);
      const { sessions, files } = scene;
      const named = { ...ref(id), file_name: "a.ovf" };
      for (const work of [
        sessions.get(ref(id), as),
        sessions.cancel(ref(id), as),
        sessions.delete(ref(id), as),
        files.list(ref(id), as),
        files.prepare(named, as),
      ]) {
        expect(await refusalOf(work)).toMatchObject(missing);
      }
      expect(await sessions.list({}, as)).not.toContain(id);
    }
    expect((await get(id)).state).toBe("ACTIVE");
  });

  it("is listed with its owner's others, of all items or of one", async () => {
    const as = await scene.callOf(scene.members.other);
    const second = await scene.makeItem({});
    const ids = [await create({ as }), await create({ as }), await create({ as, of: second })];
    expect((await scene.sessions.list({}, as)).toSorted()).toEqual(ids.toSorted());
    expect(await scene.sessions.list({ library_item_id: second.id.toUpperCase() }, as)).toEqual([ids[2]]);
  });

  it.each([
    ["cancel", "CANCELED", ""],
    ["fail", "ERROR", "no room left"],
  ] as const)("is over when its client says so: %s", async (name, state, reason) => {
    const id = await create();
    const words = { ...ref(id), client_error_message: "no room left" };
    const before = scene.now().getTime();
    await scene.sessions[name](words, call);
    const session = await get(id);
    expect([session.state, session.error_message?.default_message ?? ""]).toEqual([state, reason]);
    const goneMs = session.expiration_time.getTime();
    expect(goneMs).toBeGreaterThanOrEqual(before + hour);
    expect(goneMs).toBeLessThanOrEqual(scene.now().getTime() + hour);
    for (const again of ["keepAlive", "cancel", "fail"] as const) {
      const operation = again === "keepAlive" ? "keep_alive" : again;
      expect(await refusalOf(scene.sessions[again](ref(id), call))).toMatchObject({
        type: "not_allowed_in_current_state",
        args: [operation, state, reason],
      });
    }
    const prepared = scene.files.prepare({ ...ref(id), file_name: "a.ovf" }, call);
    expect(await refusalOf(prepared)).toMatchObject({ args: ["prepare", state, reason] });
    expect((await scene.files.list(ref(id), call)).map((file) => file.name)).toEqual(["a.ovf", "disk 1.vmdk"]);
    await scene.sessions.delete(ref(id), call);
    expect(await refusalOf(get(id))).toMatchObject(missing);
  });

  it("that fails says so without a message as well", async () => {
    const id = await create();
    await scene.sessions.fail(ref(id), call);
    expect((await get(id)).error_message?.default_message).toBe("the client gave the session up");
  });

  it.each(["x".repeat(1_025), "a\0b"])("does not fail with a message that cannot be kept", async (text) => {
    const id = await create();
    const refused = await refusalOf(scene.sessions.fail({ ...ref(id), client_error_message: text }, call));
    expect(refused).toMatchObject({ type: "invalid_argument", id: "slipway.text_invalid" });
    expect((await get(id)).state).toBe("ACTIVE");
  });

  it("is deleted while it is active, once", async () => {
    const id = await create();
    await scene.sessions.delete(ref(id.toUpperCase()), call);
    expect(await refusalOf(scene.sessions.delete(ref(id), call))).toMatchObject(missing);
  });

  it("takes progress that does not fall, up to 100", async () => {
    const id = await create();
    const tell = (progress?: number) =>
      scene.sessions.keepAlive({ ...ref(id), ...(progress !== undefined && { progress }) }, call);
    for (const progress of [0, 30, 30]) await tell(progress);
    await tell();
    for (const progress of [29, -1, 101]) {
      expect(await refusalOf(tell(progress))).toMatchObject({ type: "invalid_argument", args: [String(progress)] });
    }
    expect((await get(id)).client_progress).toBe(30);
    await tell(100);
    expect((await get(id)).client_progress).toBe(100);
  });

  it("expires after an hour without activity, can be looked at for another, and is gone then", async () => {
    const id = await create();
    scene.elapse(hour);
    const expired = await get(id);
    expect(expired.state).toBe("ERROR");
    expect(expired.error_message).toEqual({
      id: "slipway.expired",
      default_message: "the session has expired: nothing happened before its deadline",
      args: [],
    });
    expect(expired.expiration_time.getTime() - scene.now().getTime()).toBeLessThanOrEqual(hour);
    expect(expired.expiration_time.getTime()).toBeGreaterThan(scene.now().getTime());
    const reason = expired.error_message!.default_message;
    const kept = scene.sessions.keepAlive(ref(id), call);
    expect(await refusalOf(kept)).toMatchObject({ args: ["keep_alive", "ERROR", reason] });
    scene.elapse(hour - minute);
    expect(await scene.sessions.list({}, call)).toContain(id);
    scene.elapse(minute);
    expect(await refusalOf(get(id))).toMatchObject(missing);
    expect(await scene.sessions.list({}, call)).not.toContain(id);
  });

  it.each([
    ["a look at it", (id: string) => get(id)],
    ["being kept alive", (id: string) => scene.sessions.keepAlive(ref(id), call)],
    ["a list of its files", (id: string) => scene.files.list(ref(id), call)],
    ["a file that is prepared", (id: string) => scene.files.prepare({ ...ref(id), file_name: "a.ovf" }, call)],
    ["a look at a file", (id: string) => scene.files.get({ ...ref(id), file_name: "a.ovf" }, call)],
  ])("lives on by %s", async (_activity, act) => {
    const id = await create();
    for (let step = 0; step < 3; step++) {
      scene.elapse(hour - minute);
      await act(id);
    }
    expect((await get(id)).state).toBe("ACTIVE");
  });

  it("is written once a minute at most, however often it is looked at", async () => {
    const id = await create();
    const versionOf = async () => {
      const key = `${call.caller.userId}/${id}`;
      return (await scene.opened.uploads.findRecord({ namespace: "vsphere.download-session", key }, call))!.version;
    };
    for (let look = 0; look < 20; look++) await get(id);
    expect(await versionOf()).toBe(1);
    scene.elapse(minute);
    for (let look = 0; look < 20; look++) await get(id);
    expect(await versionOf()).toBe(2);
  });

  it("is one of a thousand active ones of its owner at most", async () => {
    const [own] = [await scene.callOf(scene.members.admin)];
    const value = {
      itemId: item.id,
      contentVersion: 1,
      hasToken: false,
      state: "ACTIVE",
      error: null,
      progress: 0,
      endsAt: new Date(scene.now().getTime() + hour).toISOString(),
    };
    const ids = Array.from({ length: 1_000 }, createId);
    const changes = ids.map((id) => ({
      namespace: "vsphere.download-session",
      key: `${own.caller.userId}/${id}`,
      value,
    }));
    await scene.opened.uploads.changeRecords({ changes }, own);
    expect(await refusalOf(create({ as: own }))).toMatchObject({
      type: "unable_to_allocate_resource",
      args: ["1000"],
    });
    await scene.sessions.cancel(ref(ids[0]!), own);
    await create({ as: own });
    expect(await scene.sessions.list({}, own)).toHaveLength(1_001);
  });
});

describe("a client token", () => {
  it("makes the same session of the same words, in any case of letters", async () => {
    const client_token = createId();
    const id = await create({ client_token });
    expect(await create({ client_token: client_token.toUpperCase() })).toBe(id);
    expect(await create({ client_token: createId() })).not.toBe(id);
  });

  it("of many at the same time makes one session, over several processes", async () => {
    const client_token = createId();
    const others = [scene.startProcess(), scene.startProcess()].map(({ downloadSessions }) => downloadSessions);
    const before = (await scene.sessions.list({}, call)).length;
    const ids = await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        others[n % 2]!.create({ client_token, create_spec: { library_item_id: item.id } }, call),
      ),
    );
    expect(new Set(ids).size).toBe(1);
    expect(await scene.sessions.list({}, call)).toHaveLength(before + 1);
  });

  it("is refused with another item, also where both come at the same time", async () => {
    const client_token = createId();
    const other = await scene.makeItem({});
    const outcomes = await Promise.allSettled([create({ client_token }), create({ client_token, of: other })]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const lost = outcomes[0]!.status === "rejected" ? item : other;
    expect(await refusalOf(create({ client_token, of: lost }))).toMatchObject({
      type: "invalid_argument",
      id: "slipway.client_token_reused",
    });
  });

  it("of another user is another one", async () => {
    const client_token = createId();
    const id = await create({ client_token });
    const as = await scene.callOf(scene.members.other);
    expect(await create({ client_token, as })).not.toBe(id);
  });

  it("has to be a UUID", async () => {
    expect(await refusalOf(create({ client_token: "mine" }))).toMatchObject({ type: "invalid_argument" });
  });

  it.each([
    ["was deleted", async (id: string) => scene.sessions.delete(ref(id), call)],
    ["expired and is gone", async () => scene.elapse(2 * hour)],
  ])("is known for a day after its session %s", async (_how, end) => {
    const client_token = createId();
    const other = await scene.makeItem({});
    const id = await create({ client_token });
    await end(id);
    expect(await refusalOf(get(id))).toMatchObject(missing);
    expect(await create({ client_token })).toBe(id);
    expect(await refusalOf(get(id))).toMatchObject(missing);
    expect(await refusalOf(create({ client_token, of: other }))).toMatchObject({ type: "invalid_argument" });
    const key = `${call.caller.userId}/${id}`;
    const kept = await scene.opened.uploads.findRecord({ namespace: "vsphere.download-token", key }, call);
    const leftMs = kept!.expiresAt!.getTime() - scene.now().getTime();
    expect(leftMs).toBeGreaterThan(23 * hour);
    expect(leftMs).toBeLessThanOrEqual(24 * hour);
  });
});

describe("a file of a download session", () => {
  const checksum = { algorithm: "SHA256", checksum: expect.stringMatching(/^[0-9a-f]{64}$/) };

  it("is not prepared until somebody asks for that", async () => {
    const id = await create();
    expect(await scene.files.list(ref(id), call)).toEqual([
      { name: "a.ovf", status: "UNPREPARED", bytes_transferred: 0, size: 10, checksum_info: checksum },
      { name: "disk 1.vmdk", status: "UNPREPARED", bytes_transferred: 0, size: 4, checksum_info: checksum },
    ]);
    const named = { ...ref(id), file_name: "disk 1.vmdk" };
    const prepared = await scene.files.prepare({ ...named, endpoint_type: "HTTPS" }, call);
    expect(prepared).toEqual({
      name: "disk 1.vmdk",
      status: "PREPARED",
      bytes_transferred: 0,
      size: 4,
      checksum_info: checksum,
      download_endpoint: {
        uri: expect.stringMatching(
          /^https:\/\/slipway\.example\/rest\/com\/vmware\/cis\/data\/[\w-]{120}\/disk%201\.vmdk$/,
        ),
      },
    });
    expect(await scene.files.prepare(named, call)).toEqual(prepared);
    expect(await scene.files.get(named, call)).toEqual(prepared);
    expect((await scene.files.list(ref(id), call))[1]).toEqual(prepared);
    expect((await scene.files.get({ ...ref(id), file_name: "a.ovf" }, call)).status).toBe("UNPREPARED");
  });

  it.each(["nothing.iso", "", "..", "a/b", "a\0b", "x".repeat(300)])("is none as %j", async (file_name) => {
    const id = await create();
    for (const name of ["prepare", "get"] as const) {
      const refused = await refusalOf(scene.files[name]({ ...ref(id), file_name }, call));
      expect(refused.type).toBe("invalid_argument");
    }
  });

  it("has no direct path, and nobody asks for one who may not read the storage", async () => {
    const id = await create();
    const direct = { ...ref(id), file_name: "a.ovf", endpoint_type: "DIRECT" } as const;
    expect(await refusalOf(scene.files.prepare(direct, call))).toMatchObject({ type: "unauthorized" });
    await scene.sessions.delete(ref(id), call);
    const admin = await scene.callOf(scene.members.admin);
    await scene.sessions
      .list({}, admin)
      .then((ids) => Promise.all(ids.map((each) => scene.sessions.delete(ref(each), admin))));
    const own = await create({ as: admin });
    const refused = await refusalOf(scene.files.prepare({ ...direct, download_session_id: own }, admin));
    expect(refused).toMatchObject({ type: "unsupported", args: ["a.ovf"] });
  });

  it("that was replaced or removed since is in ERROR, until it is prepared again", async () => {
    const own = await scene.makeItem({ a: "1", b: "2", c: "3" });
    const { id } = await prepareAll(scene, own, call);
    await scene.changeItem(own, { a: "other", b: undefined, d: "4" });
    const shown = async () =>
      (await scene.files.list(ref(id), call)).map((file) => [
        file.name,
        file.status,
        file.error_message?.default_message,
        file.download_endpoint !== undefined,
      ]);
    const removed = ["b", "ERROR", 'file "b" was removed since its download was prepared', false];
    expect(await shown()).toEqual([
      ["a", "ERROR", 'file "a" was replaced since its download was prepared', false],
      ["c", "PREPARED", undefined, true],
      ["d", "UNPREPARED", undefined, false],
      removed,
    ]);
    expect((await scene.files.get({ ...ref(id), file_name: "b" }, call)).status).toBe("ERROR");
    expect((await scene.files.prepare({ ...ref(id), file_name: "a" }, call)).status).toBe("PREPARED");
    const again = scene.files.prepare({ ...ref(id), file_name: "b" }, call);
    expect((await refusalOf(again)).type).toBe("invalid_argument");
    expect((await shown())[0]).toEqual(["a", "PREPARED", undefined, true]);
  });

  it("stays to be seen when its item is gone", async () => {
    const own = await scene.makeItem({ a: "1" });
    const { id } = await prepareAll(scene, own, call);
    await scene.opened.uploads.deleteItem({ itemId: own.id }, scene.opened.alice);
    expect((await scene.files.list(ref(id), call)).map(({ name, status }) => [name, status])).toEqual([["a", "ERROR"]]);
    expect((await get(id)).library_item_id).toBe(own.id);
  });

  it("leaves nothing when its session is deleted", async () => {
    const { id } = await prepareAll(scene, item, call);
    const kept = () =>
      scene.opened.uploads.listRecords({ namespace: "vsphere.download-file", prefix: `${id}/`, limit: 9 }, call);
    expect(await kept()).toHaveLength(4);
    await scene.sessions.delete(ref(id), call);
    expect(await kept()).toEqual([]);
  });

  it("is one of very many that are listed", async () => {
    const own = await scene.makeItem(Object.fromEntries(Array.from({ length: 1_005 }, (_, n) => [`f${n}`, ""])));
    const id = await create({ of: own });
    await scene.files.prepare({ ...ref(id), file_name: "f1004" }, call);
    const files = await scene.files.list(ref(id), call);
    expect(new Set(files.map(({ name }) => name)).size).toBe(1_005);
    expect(files.filter(({ status }) => status === "PREPARED").map(({ name }) => name)).toEqual(["f1004"]);
  }, 120_000);
});
