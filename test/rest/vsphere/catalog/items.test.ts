import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createId, defaultSweep } from "../../../../src/core/index.js";
import type { VsphereCall } from "../../../../src/rest/vsphere/call.js";
import { toVapiError } from "../../../../src/rest/vsphere/errors.js";
import { pseudoRandom, readWhole } from "../../../support/bodies.js";
import { type OpenedUploads, openUploads, startSession, storeFile } from "../../../support/uploads.js";
import { type Catalog, catalogOf, publish, through, typeOfRefusal } from "./scene.js";

let opened: OpenedUploads;
let catalog: Catalog;
let alice: VsphereCall;
let stranger: VsphereCall;
let library_id: string;
beforeAll(async () => {
  opened = await openUploads();
  catalog = catalogOf(opened);
  alice = through(opened.alice);
  stranger = through(opened.otherTenant);
});
afterAll(() => opened.close());
beforeEach(async () => {
  library_id = await makeLibrary();
});

type Spec = Parameters<Catalog["items"]["create"]>[0]["create_spec"];

const makeLibrary = async (type?: "SUBSCRIBED") => {
  const attributes = type && { vsphere: { type } };
  return (await opened.uploads.createLibrary({ name: createId(), attributes }, opened.admin)).id;
};
const create = (spec: Partial<Spec> = {}, client_token?: string) =>
  catalog.items.create(
    { ...(client_token && { client_token }), create_spec: { library_id, name: createId(), ...spec } },
    alice,
  );
const get = (library_item_id: string) => catalog.items.get({ library_item_id }, alice);
const copy = (source_library_item_id: string, spec: Partial<Spec> = {}, client_token?: string) => {
  const destination_create_spec = { library_id, name: createId(), ...spec };
  return catalog.items.copy(
    { source_library_item_id, destination_create_spec, ...(client_token && { client_token }) },
    alice,
  );
};
/** An item as a face without libraries of its own kind makes one in a subscribed library. */
const itemOfSubscribed = async () => {
  const there = await makeLibrary("SUBSCRIBED");
  return (await opened.uploads.createItem({ libraryId: there, name: "item" }, opened.alice)).id;
};
const sha1 = (content: Uint8Array) => createHash("sha1").update(content).digest("hex");
const sha256 = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");

describe("creating an item", () => {
  it("makes one without content, at its first versions", async () => {
    const name = createId();
    const id = await create({ name, description: "d", type: "anything", cached: false, size: 5, content_version: "9" });
    const model = await get(id);
    expect(model).toEqual({
      ...{ id, library_id, name, description: "d", type: "anything", cached: true, size: 0 },
      ...{ content_version: "1", metadata_version: "1", version: "1" },
      ...{ creation_time: expect.any(Date), last_modified_time: model.creation_time },
    });
  });

  it.each<[string, string, Partial<Spec>]>([
    ["no name", "invalid_argument", { name: "" }],
    ["a name of 81 characters", "invalid_argument", { name: "x".repeat(81) }],
    ["a name that no file system holds", "invalid_argument", { name: "a/b" }],
    ["a description of 2001 characters", "invalid_argument", { description: "x".repeat(2001) }],
    ["a library that is not there", "not_found", { library_id: createId() }],
    ["what is no id of a library", "not_found", { library_id: "lib" }],
    ["a name of 80 characters", "ok", { name: `${"x".repeat(76)}🐘é  ` }],
    ["a description of 2000 characters", "ok", { description: "x".repeat(2000) }],
  ])("with %s is %s", async (_, type, spec) => {
    expect(await typeOfRefusal(create(spec))).toBe(type);
  });

  it("of a name that its library has says which, in the words of the API", async () => {
    const { name: library } = await opened.uploads.getLibrary({ libraryId: library_id }, alice);
    const id = await create({ name: "taken" });
    const other = await create({ name: "free" });
    const update = { library_item_id: other, update_spec: { name: "taken" } };
    for (const deed of [create({ name: "taken" }), copy(id, { name: "taken" }), catalog.items.update(update, alice)]) {
      const error = await deed.catch((thrown: unknown) => toVapiError(thrown));
      expect(error).toMatchObject({
        type: "already_exists",
        messages: [
          {
            id: "com.vmware.vdcs.cls-main.duplicate_item_name_unsupported_in_library",
            args: ["taken", library, library_id],
          },
        ],
      });
    }
    await create({ name: "taken", library_id: await makeLibrary() });
  });

  it("twice with one client token makes one, also at once; with other words it is invalid_argument (P4)", async () => {
    const [name, token] = [createId(), createId()];
    const ids = await Promise.all([1, 2, 3, 4].map(() => create({ name }, token)));
    expect(new Set(ids).size).toBe(1);
    expect(await typeOfRefusal(create({ name, type: "t" }, token))).toBe("invalid_argument");
    expect(await typeOfRefusal(create({}, "no token"))).toBe("invalid_argument");
    await catalog.items.delete({ library_item_id: ids[0]! }, alice);
    // Deleted since: the repeat is answered as the first, and makes no other one.
    expect(await create({ name }, token)).toBe(ids[0]);
    expect(await typeOfRefusal(catalog.items.get({ library_item_id: ids[0]! }, alice))).toBe("not_found");
  });

  it("needs the permission: unauthorized", async () => {
    const create_spec = { library_id, name: "n" };
    expect(await typeOfRefusal(catalog.items.create({ create_spec }, through(opened.alice, "read")))).toBe(
      "unauthorized",
    );
  });
});

describe("what is in a subscribed library", () => {
  it("is for its source to change: invalid_element_type", async () => {
    const id = await itemOfSubscribed();
    const { library_id: there } = await get(id);
    const mine = await create();
    for (const deed of [
      create({ library_id: there }),
      copy(mine, { library_id: there }),
      catalog.items.update({ library_item_id: id, update_spec: { name: "n" } }, alice),
      catalog.items.delete({ library_item_id: id }, alice),
    ])
      expect(await typeOfRefusal(deed)).toBe("invalid_element_type");
    expect(await catalog.items.list({ library_id: there }, alice)).toEqual([id]);
    expect(await get(await copy(id))).toMatchObject({ library_id });
  });
});

describe("an item", () => {
  it("that is not there, another tenant's, or what is no id is not_found (P9)", async () => {
    const mine = await create();
    const [theirs] = [await opened.uploads.createLibrary({ name: createId() }, opened.otherTenant)];
    const asks: ((library_item_id: string, call: VsphereCall) => Promise<unknown>)[] = [
      (library_item_id, call) => catalog.items.get({ library_item_id }, call),
      (library_item_id, call) => catalog.items.update({ library_item_id, update_spec: { name: "n" } }, call),
      (library_item_id, call) => catalog.items.delete({ library_item_id }, call),
      (library_item_id, call) =>
        catalog.items.copy(
          {
            source_library_item_id: library_item_id,
            destination_create_spec: { library_id: call === stranger ? theirs!.id : library_id, name: createId() },
          },
          call,
        ),
      (library_item_id, call) => catalog.itemFiles.list({ library_item_id }, call),
      (library_item_id, call) => catalog.itemFiles.get({ library_item_id, name: "a" }, call),
      (library_item_id, call) => catalog.itemStorages.list({ library_item_id }, call),
      (library_item_id, call) => catalog.itemStorages.get({ library_item_id, file_name: "a" }, call),
    ];
    for (const ask of asks) {
      expect(await typeOfRefusal(ask(mine, stranger))).toBe("not_found");
      for (const id of [createId(), "item", ""]) expect(await typeOfRefusal(ask(id, alice))).toBe("not_found");
    }
    expect(await typeOfRefusal(catalog.items.list({ library_id }, stranger))).toBe("not_found");
    expect(await typeOfRefusal(catalog.items.create({ create_spec: { library_id, name: "n" } }, stranger))).toBe(
      "not_found",
    );
    expect(await catalog.items.find({ spec: { library_id } }, stranger)).toEqual([]);
    expect(await get(mine)).toMatchObject({ version: "1" });
  });

  it("has a size and a content version that move with its content, and other versions with its words", async () => {
    const id = await create();
    await publish(opened, id, { a: pseudoRandom(300), b: pseudoRandom(20) });
    expect(await get(id)).toMatchObject({ size: 320, content_version: "2", version: "1", metadata_version: "1" });
    await catalog.items.update({ library_item_id: id, update_spec: { description: "d", type: "iso" } }, alice);
    const after = { content_version: "2", version: "2", metadata_version: "2", description: "d", type: "iso" };
    expect(await get(id)).toMatchObject(after);
  });

  it("of another version than the update's stays as it is: concurrent_change", async () => {
    const library_item_id = await create();
    const update = (version: string) =>
      typeOfRefusal(catalog.items.update({ library_item_id, update_spec: { description: "d", version } }, alice));
    expect(await update("7")).toBe("concurrent_change");
    expect(await update("seven")).toBe("invalid_argument");
    expect(await get(library_item_id)).toMatchObject({ version: "1", description: "" });
    expect(await update("1")).toBe("ok");
    const long = { library_item_id, update_spec: { name: "x".repeat(81) } };
    expect(await typeOfRefusal(catalog.items.update(long, alice))).toBe("invalid_argument");
  });

  it("that a session is open on is not deleted: resource_in_use", async () => {
    const id = await create();
    const { id: sessionId } = await startSession(opened.uploads, opened.alice, { itemId: id });
    const remove = () => typeOfRefusal(catalog.items.delete({ library_item_id: id }, alice));
    expect(await remove()).toBe("resource_in_use");
    await opened.uploads.cancelSession({ sessionId }, opened.alice);
    expect(await remove()).toBe("ok");
    expect(await typeOfRefusal(get(id))).toBe("not_found");
  });
});

describe("finding items", () => {
  const find = (spec: Parameters<Catalog["items"]["find"]>[0]["spec"]) => catalog.items.find({ spec }, alice);

  it("takes all that is said together; name and type in any case, and nothing stands for anything else", async () => {
    const name = `Disk * ${createId()}`;
    const id = await create({ name, type: "ISO" });
    const elsewhere = await create({ name, library_id: await makeLibrary() });
    expect([...(await find({ name: name.toUpperCase() }))].sort()).toEqual([id, elsewhere].sort());
    expect(await find({ name, library_id: library_id.toUpperCase(), type: "iso", cached: true })).toEqual([id]);
    expect(await find({ library_id })).toEqual([id]);
    const none = [{ type: "ovf" }, { source_id: createId() }, { cached: false }, { name: name.replace("*", "x") }];
    for (const more of none) expect(await find({ name, library_id, ...more })).toEqual([]);
    expect(await find({ name, library_id: "lib" })).toEqual([]);
    expect(await find({ source_id: "" })).toEqual([]);
    expect(await find({ cached: true })).toEqual(expect.arrayContaining([id, elsewhere]));
  });

  it("by nothing is invalid_argument", async () => {
    expect(await typeOfRefusal(find({}))).toBe("invalid_argument");
  });
});

describe("copying an item", () => {
  it("makes one with the same files, whose bytes stay whatever becomes of the source (P8)", async () => {
    const content = pseudoRandom(200_000);
    const source = await create({ description: "d", type: "iso" });
    await publish(opened, source, { "a.iso": content });
    const token = createId();
    const name = createId();
    const ids = await Promise.all([1, 2, 3].map(() => copy(source, { name }, token)));
    expect(new Set(ids).size).toBe(1);
    const [id] = ids as [string];
    expect(await get(id)).toMatchObject({ name, description: "d", type: "iso", size: 200_000, content_version: "1" });
    const files = await catalog.itemFiles.list({ library_item_id: id }, alice);
    expect(files).toMatchObject([{ name: "a.iso", size: 200_000, version: "1" }]);

    await publish(opened, source, { "a.iso": pseudoRandom(5, 9) });
    await catalog.items.delete({ library_item_id: source }, alice);
    await opened.uploads.sweep(defaultSweep);
    await opened.uploads.sweep({ keepUnreferencedMs: 0, keepTrashMs: 0 });
    const read = await opened.uploads.readItemFile({ itemId: id, name: "a.iso" }, alice);
    expect(await readWhole(read.body)).toEqual(content);
    expect(await typeOfRefusal(copy(source, { name: "other" }, token))).toBe("invalid_argument");
  });

  it("checks the words of the new item", async () => {
    const source = await create();
    expect(await typeOfRefusal(copy(source, { name: "x".repeat(81) }))).toBe("invalid_argument");
    expect(await typeOfRefusal(copy(source, { library_id: createId() }))).toBe("not_found");
    expect(await typeOfRefusal(copy(source, {}, "no token"))).toBe("invalid_argument");
  });
});

describe("the files of an item", () => {
  it("are told by name, with versions and the checksum that was declared of them", async () => {
    const [a, b] = [pseudoRandom(10, 1), pseudoRandom(20, 2)];
    const id = await create();
    const { uploads } = opened;
    const { id: sessionId } = await startSession(uploads, opened.alice, { itemId: id });
    await storeFile(uploads, opened.alice, b, { sessionId, name: "b" });
    const checksums = [{ algorithm: "sha1", value: sha1(a) }];
    await storeFile(uploads, opened.alice, a, { sessionId, name: "a", checksums });
    expect(await catalog.itemFiles.list({ library_item_id: id }, alice)).toEqual([]);
    await uploads.completeSession({ sessionId }, opened.alice);
    await publish(opened, id, { b });
    const told = [
      { name: "a", size: 10, cached: true, version: "1", checksum_info: { algorithm: "SHA1", checksum: sha1(a) } },
      { name: "b", size: 20, cached: true, version: "2", checksum_info: { algorithm: "SHA256", checksum: sha256(b) } },
    ];
    expect(await catalog.itemFiles.list({ library_item_id: id }, alice)).toEqual(told);
    expect(await catalog.itemFiles.get({ library_item_id: id, name: "b" }, alice)).toEqual(told[1]);
    for (const name of ["c", "", "a/b", "x".repeat(300)]) {
      const file = { library_item_id: id, name };
      expect(await typeOfRefusal(catalog.itemFiles.get(file, alice))).toBe("not_found");
      const stored = catalog.itemStorages.get({ library_item_id: id, file_name: name }, alice);
      expect(await typeOfRefusal(stored)).toBe("not_found");
    }
  });

  it("are stored where their library says, under a URI that names the content and no path of the server", async () => {
    const backing = { type: "OTHER", storage_uri: "nfs://server/path" } as const;
    const create_spec = { name: createId(), storage_backings: [backing] };
    const library = await catalog.localLibraries.create({ create_spec }, through(opened.admin));
    const id = await create({ library_id: library });
    await publish(opened, id, { a: pseudoRandom(10, 1), b: pseudoRandom(20, 2) });
    const stored = await catalog.itemStorages.list({ library_item_id: id }, alice);
    expect(stored.map(({ name, storage_backing }) => [name, storage_backing])).toEqual([
      ["a", backing],
      ["b", backing],
    ]);
    const uuid = /^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
    for (const { storage_uris } of stored) expect(storage_uris).toEqual([expect.stringMatching(uuid)]);
    expect(await catalog.itemStorages.get({ library_item_id: id, file_name: "b" }, alice)).toEqual([stored[1]]);
    await publish(opened, id, { b: pseudoRandom(20, 3) });
    const after = await catalog.itemStorages.list({ library_item_id: id }, alice);
    expect(after[0]).toEqual(stored[0]);
    expect(after[1]!.storage_uris).not.toEqual(stored[1]!.storage_uris);
  });
});
