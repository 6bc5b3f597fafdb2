import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createId } from "../../../../src/core/index.js";
import type { VsphereCall } from "../../../../src/rest/vsphere/call.js";
import { listWhole } from "../../../../src/rest/vsphere/list-whole.js";
import { toVapiError } from "../../../../src/rest/vsphere/errors.js";
import { type OpenedUploads, openUploads, startSession } from "../../../support/uploads.js";
import { type Catalog, catalogOf, through, typeOfRefusal } from "./scene.js";

let opened: OpenedUploads;
let catalog: Catalog;
let admin: VsphereCall;
let stranger: VsphereCall;
beforeAll(async () => {
  opened = await openUploads();
  catalog = catalogOf(opened);
  admin = through(opened.admin, "read", "upload", "administer", "read_storage");
  stranger = through(opened.otherTenant);
});
afterAll(() => opened.close());

type Spec = Parameters<Catalog["localLibraries"]["create"]>[0]["create_spec"];

const create = (spec: Partial<Spec> = {}, client_token?: string, call = admin) =>
  catalog.localLibraries.create(
    { ...(client_token && { client_token }), create_spec: { name: createId(), ...spec } },
    call,
  );
const get = (library_id: string, call = admin) => catalog.libraries.get({ library_id }, call);
const backing = { type: "DATASTORE", datastore_id: "datastore-1" } as const;

/** As another face can make one. */
async function subscribed(): Promise<string> {
  const attributes = { vsphere: { type: "SUBSCRIBED" } };
  return (await opened.uploads.createLibrary({ name: createId(), attributes }, opened.admin)).id;
}

describe("creating a local library", () => {
  it("records what was said of it, and answers an id under which all of it is found", async () => {
    const name = createId();
    const id = await create({ name, description: "d", type: "LOCAL", storage_backings: [backing] });
    const model = await get(id);
    expect(model).toEqual({
      ...{ id, name, description: "d", type: "LOCAL", version: "1", publish_info: undefined },
      ...{ storage_backings: [backing], creation_time: expect.any(Date), last_modified_time: model.creation_time },
    });
    expect(await catalog.localLibraries.get({ library_id: id }, admin)).toEqual(model);
  });

  it("without a backing, or one that says nothing, has one all the same", async () => {
    const ids = [await create(), await create({ storage_backings: [{ type: "OTHER", storage_uri: "" }] })];
    for (const id of ids) expect((await get(id)).storage_backings).toEqual([{ type: "OTHER" }]);
    expect((await opened.uploads.getLibrary({ libraryId: ids[0]! }, admin)).attributes).toEqual({});
  });

  it.each(["file:///srv/images", "ds:///srv/images/", "FILE:/srv//images", "file://localhost/srv/im%61ges"])(
    "in a folder of the server (%s) lets the core take files over from there, for who may read storage",
    async (storage_uri) => {
      const storage_backings = [{ type: "OTHER", storage_uri } as const];
      const id = await create({ storage_backings });
      expect((await opened.uploads.getLibrary({ libraryId: id }, admin)).backingFolder).toBe("/srv/images");
      expect((await get(id)).storage_backings).toEqual(storage_backings);
      expect(await typeOfRefusal(create({ storage_backings }, undefined, through(opened.admin)))).toBe("unauthorized");
    },
  );

  it.each(["nfs://server/path?version=4", "smb://server/path", "https://server/path"])(
    "elsewhere (%s) is recorded and nothing more",
    async (storage_uri) => {
      const id = await create({ storage_backings: [{ type: "OTHER", storage_uri }] }, undefined, through(opened.admin));
      expect((await opened.uploads.getLibrary({ libraryId: id }, admin)).backingFolder).toBeUndefined();
      expect((await get(id)).storage_backings).toEqual([{ type: "OTHER", storage_uri }]);
    },
  );

  const refusals: [string, string, Partial<Spec>][] = [
    ["two backings", "unsupported", { storage_backings: [backing, backing] }],
    ["the type SUBSCRIBED", "invalid_argument", { type: "SUBSCRIBED" }],
    ["no name", "invalid_argument", { name: "" }],
    ["a name with a slash", "invalid_argument", { name: "a/b" }],
    ["a description that is too long", "invalid_argument", { description: "x".repeat(2001) }],
    ["that it is published", "unsupported", { publish_info: { published: true } }],
    ...["here", "file:", "file:///", "file://elsewhere/srv", "ds:///a/../b", "nfs://u:p@h/x", "smb://h/a b", "\0"].map(
      (storage_uri): [string, string, Partial<Spec>] => [
        `the storage URI ${JSON.stringify(storage_uri)}`,
        "invalid_argument",
        { storage_backings: [{ type: "OTHER", storage_uri }] },
      ],
    ),
  ];
  it.each(refusals)("with %s is %s, and makes nothing", async (_, type, spec) => {
    const before = await catalog.libraries.list({}, admin);
    expect(await typeOfRefusal(create(spec))).toBe(type);
    expect(await catalog.libraries.list({}, admin)).toEqual(before);
  });

  it("of a name that is taken is already_exists, and without the permission unauthorized", async () => {
    const name = createId();
    await create({ name });
    expect(await typeOfRefusal(create({ name }))).toBe("already_exists");
    expect(await typeOfRefusal(create({}, undefined, through(opened.alice)))).toBe("unauthorized");
  });

  it("twice with one client token makes one, also at once; with other words it is invalid_argument (P4)", async () => {
    const [spec, token] = [{ name: createId(), storage_backings: [backing] }, createId()];
    const ids = await Promise.all([1, 2, 3, 4].map(() => create(spec, token)));
    expect(new Set(ids).size).toBe(1);
    expect(await create(spec, token.toUpperCase())).toBe(ids[0]);
    expect(await typeOfRefusal(create({ ...spec, description: "d" }, token))).toBe("invalid_argument");
    expect(await typeOfRefusal(create({}, "no token"))).toBe("invalid_argument");
  });

  it("records how it shall be published, without passwords", async () => {
    const secret = "not to be kept";
    const publish_info = {
      authentication_method: "BASIC",
      user_name: "u",
      password: secret,
      current_password: secret,
    } as const;
    const id = await create({ publish_info });
    const kept = { published: false, authentication_method: "BASIC", user_name: "u" };
    expect((await get(id)).publish_info).toEqual(kept);
    const { attributes } = await opened.uploads.getLibrary({ libraryId: id }, admin);
    expect(JSON.stringify(attributes)).not.toContain(secret);
    const update_spec = { publish_info: { persist_json_enabled: true, password: secret } };
    await catalog.localLibraries.update({ library_id: id, update_spec }, admin);
    expect((await get(id)).publish_info).toEqual({ published: false, persist_json_enabled: true });
    const published = { library_id: id, update_spec: { publish_info: { published: true } } };
    expect(await typeOfRefusal(catalog.localLibraries.update(published, admin))).toBe("unsupported");
  });
});

describe("a library", () => {
  it("that is not there, another tenant's, or what is no id is not_found (P9)", async () => {
    const mine = await create();
    const asks: ((library_id: string, call: VsphereCall) => Promise<unknown>)[] = [
      (library_id, call) => catalog.libraries.get({ library_id }, call),
      (library_id, call) => catalog.libraries.update({ library_id, update_spec: { name: "n" } }, call),
      (library_id, call) => catalog.localLibraries.get({ library_id }, call),
      (library_id, call) => catalog.localLibraries.update({ library_id, update_spec: { name: "n" } }, call),
      (library_id, call) => catalog.localLibraries.delete({ library_id }, call),
      (library_id, call) => catalog.localLibraries.forceDelete({ library_id }, call),
      (library_id, call) => catalog.subscribedLibraries.get({ library_id }, call),
      (library_id, call) => catalog.subscribedLibraries.delete({ library_id }, call),
    ];
    for (const ask of asks) {
      expect(await typeOfRefusal(ask(mine, stranger))).toBe("not_found");
      for (const id of [createId(), "lib", ""]) expect(await typeOfRefusal(ask(id, admin))).toBe("not_found");
    }
    expect(await get(mine)).toMatchObject({ id: mine, version: "1" });
    expect(await catalog.libraries.list({}, stranger)).toEqual([]);
    expect(await catalog.libraries.find({ spec: { type: "LOCAL" } }, stranger)).toEqual([]);
  });

  it("is renamed and described, and its version grows; what is not for an update is passed over", async () => {
    const id = await create({ description: "d", storage_backings: [backing] });
    const name = createId();
    const ignored = { id: createId(), type: "SUBSCRIBED", storage_backings: [{ type: "OTHER" }] } as const;
    await catalog.libraries.update({ library_id: id, update_spec: { ...ignored, name } }, admin);
    const kept = { name, description: "d", version: "2", type: "LOCAL", storage_backings: [backing] };
    expect(await get(id)).toMatchObject(kept);
    await catalog.localLibraries.update({ library_id: id, update_spec: { description: "", version: "2" } }, admin);
    expect(await get(id)).toMatchObject({ ...kept, description: "", version: "3" });
  });

  it("of another version than the update's stays as it is: concurrent_change", async () => {
    const library_id = await create();
    const update = (version: string) =>
      typeOfRefusal(catalog.libraries.update({ library_id, update_spec: { name: createId(), version } }, admin));
    expect(await update("2")).toBe("concurrent_change");
    for (const version of ["", "one", "-1", "1.0"]) expect(await update(version)).toBe("invalid_argument");
    expect(await get(library_id)).toMatchObject({ version: "1" });
    expect(await update("1")).toBe("ok");
  });

  it("whose publication is changed by two at once, neither of whom names a version, is resource_busy for one", async () => {
    const library_id = await create();
    const uploads = {
      ...opened.uploads,
      async updateLibrary(...asked: Parameters<typeof opened.uploads.updateLibrary>) {
        await opened.uploads.updateLibrary({ libraryId: library_id, description: "meanwhile" }, admin);
        return opened.uploads.updateLibrary(...asked);
      },
    };
    const update_spec = { publish_info: { user_name: "u" } };
    const late = catalogOf({ uploads }).localLibraries.update({ library_id, update_spec }, admin);
    expect(await typeOfRefusal(late)).toBe("resource_busy");
    expect(await get(library_id)).toMatchObject({ description: "meanwhile", publish_info: undefined });
  });

  it("that is subscribed is seen and named, and refused to what is for local ones; the other way round, too", async () => {
    const [there, here] = [await subscribed(), await create()];
    expect(await get(there)).toMatchObject({ type: "SUBSCRIBED", storage_backings: [{ type: "OTHER" }] });
    expect(await catalog.subscribedLibraries.list({}, admin)).toEqual([there]);
    expect(await catalog.localLibraries.list({}, admin)).not.toContain(there);
    expect(await catalog.localLibraries.list({}, admin)).toContain(here);
    expect(await catalog.libraries.list({}, admin)).toEqual(expect.arrayContaining([there, here]));
    const { localLibraries: local, subscribedLibraries } = catalog;
    const update_spec = { name: createId() };
    for (const deed of [
      local.get({ library_id: there }, admin),
      local.update({ library_id: there, update_spec }, admin),
      local.delete({ library_id: there }, admin),
      local.forceDelete({ library_id: there }, admin),
      subscribedLibraries.get({ library_id: here }, admin),
      subscribedLibraries.update({ library_id: here, update_spec }, admin),
      subscribedLibraries.delete({ library_id: here }, admin),
    ])
      expect(await typeOfRefusal(deed)).toBe("invalid_element_type");
    await subscribedLibraries.update({ library_id: there, update_spec }, admin);
    expect(await subscribedLibraries.get({ library_id: there }, admin)).toMatchObject(update_spec);
    await subscribedLibraries.delete({ library_id: there }, admin);
    expect(await typeOfRefusal(get(there))).toBe("not_found");
    expect(await typeOfRefusal(subscribedLibraries.create({ create_spec: { name: "n" } }, admin))).toBe("unsupported");
  });

  it.each([5, "text", null, [], { type: 1, storage_backings: "x" }, { storage_backings: [5, { type: "NFS" }, null] }])(
    "whose attributes say %j of this API is local, and has one backing",
    async (vsphere) => {
      const attributes = { vsphere, other: 1 };
      const { id } = await opened.uploads.createLibrary({ name: createId(), attributes }, opened.admin);
      expect(await get(id)).toMatchObject({ type: "LOCAL", storage_backings: [{ type: "OTHER" }] });
      await catalog.localLibraries.update({ library_id: id, update_spec: { publish_info: { user_name: "u" } } }, admin);
      expect((await opened.uploads.getLibrary({ libraryId: id }, admin)).attributes.other).toBe(1);
    },
  );
});

describe("finding libraries", () => {
  const find = (spec: Parameters<Catalog["libraries"]["find"]>[0]["spec"]) => catalog.libraries.find({ spec }, admin);

  it("takes a name as it is, whatever the case of its letters, and a type", async () => {
    const name = `Ünits * of 100%_${createId()}`;
    const id = await create({ name });
    await create({ name: name.replace("*", "x") });
    expect(await find({ name: name.toLowerCase() })).toEqual([id]);
    expect(await find({ name: name.toUpperCase(), type: "LOCAL" })).toEqual([id]);
    expect(await find({ name, type: "SUBSCRIBED" })).toEqual([]);
    for (const other of ["*", "", name.replace("%", "_"), `${name}*`]) expect(await find({ name: other })).toEqual([]);
    const there = await subscribed();
    expect(await find({ type: "SUBSCRIBED" })).toContain(there);
    expect(await find({ type: "LOCAL" })).not.toContain(there);
  });

  it("by nothing is invalid_argument", async () => {
    expect(await typeOfRefusal(find({}))).toBe("invalid_argument");
  });
});

describe("deleting a library", () => {
  async function busyLibrary() {
    const library_id = await create();
    const create_spec = { library_id, name: "item" };
    const itemId = await catalog.items.create({ create_spec }, admin);
    const session = await startSession(opened.uploads, opened.alice, { itemId, origin: "another" });
    return { library_id, itemId, sessionId: session.id };
  }

  it("takes its items along, unless one of them is in use: resource_in_use", async () => {
    const { library_id, itemId, sessionId } = await busyLibrary();
    const remove = () => typeOfRefusal(catalog.localLibraries.delete({ library_id }, admin));
    expect(await remove()).toBe("resource_in_use");
    await opened.uploads.cancelSession({ sessionId }, opened.alice);
    expect(await remove()).toBe("ok");
    expect(await typeOfRefusal(catalog.items.get({ library_item_id: itemId }, admin))).toBe("not_found");
  });

  it("by force ends what is in the way, through whichever face it came", async () => {
    const { library_id, itemId, sessionId } = await busyLibrary();
    const uploader = catalog.localLibraries.forceDelete({ library_id }, through(opened.alice));
    expect(await typeOfRefusal(uploader)).toBe("unauthorized");
    expect((await opened.uploads.getSession({ sessionId }, opened.alice)).state).toBe("active");
    await catalog.localLibraries.forceDelete({ library_id }, admin);
    expect((await opened.uploads.getSession({ sessionId }, opened.alice)).state).toBe("canceled");
    expect(await typeOfRefusal(catalog.items.get({ library_item_id: itemId }, admin))).toBe("not_found");
  });
});

describe("a list", () => {
  it("is whole, however many pages it takes", async () => {
    const pages = ["a", "b", "c"].map((id, at) => ({ things: [{ id }], nextCursor: at < 2 ? `${at + 1}` : undefined }));
    const list = async ({ cursor }: { cursor?: string }) => pages[Number(cursor)]!;
    expect(await listWhole(list, admin)).toEqual([{ id: "a" }, { id: "b" }, { id: "c" }]);
    expect(await listWhole(list, admin, 3)).toHaveLength(3);
  });

  it("that is too long for one answer says to ask for fewer", async () => {
    const endless = async () => ({ things: Array.from({ length: 1000 }, () => ({ id: "a" })), nextCursor: "on" });
    const error = await listWhole(endless, admin).catch((thrown: unknown) => toVapiError(thrown));
    expect(error).toMatchObject({ type: "unable_to_allocate_resource", messages: [{ args: ["100000"] }] });
    expect(error).toMatchObject({ message: expect.stringMatching(/more than 100000 entries.*; ask for fewer$/) });
  });
});
