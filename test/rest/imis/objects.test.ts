import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { createId, deriveId, type Item } from "../../../src/core/index.js";
import type { ImisClient, ImisObject } from "../../support/imis.js";
import { refusalOf } from "../../support/imis.js";
import { useFace } from "./face-scene.js";
import { putObject, objectServices } from "./object-scene.js";

const scene = useFace({ services: objectServices });
let client: ImisClient;
beforeAll(async () => {
  client = await scene.client(scene.members.reader);
});

interface Page {
  readonly objects: readonly ImisObject[];
  readonly size: number;
  readonly page_start: number;
  readonly page_size: number;
}

async function openEntity(files: Readonly<Record<string, string>> = {}, as = client) {
  const item = await scene.makeEntity();
  for (const [name, text] of Object.entries(files)) await putObject(scene, item, name, text);
  return { item, handle: await as.openEntity(item.id) };
}
const list = (handle: string, query = "", as = client) =>
  as.value<Page>("GET", `entities/H:${handle}/objects.json${query}`);
const see = async (handle: string, path: string, as = client) =>
  (await as.value<{ object: ImisObject }>("GET", `entities/H:${handle}/objects/${path}`)).object;
const namesOf = ({ objects }: Page) => objects.map(({ id }) => id);

function shownOf(item: Item, name: string, text: string, more: Partial<ImisObject> = {}) {
  return {
    container_id: deriveId("imis container", item.id),
    id: name,
    description: "",
    size: Buffer.byteLength(text),
    created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    accessed: expect.any(String),
    modified: expect.any(String),
    content_type: "application/octet-stream",
    extension: ".bin",
    effective_rights: { create_access: false, delete_access: false, read_access: true, write_access: false },
    child_count: 0,
    signed: false,
    indexed: false,
    parent_id: "",
    sha256: createHash("sha256").update(text).digest("hex"),
    ...more,
  };
}

describe("the objects of an entity", () => {
  it("are all files of the item, whichever face brought them", async () => {
    const item = await scene.makeEntity();
    const saved = createId();
    const attributes = { description: "a dial tone", container_id: "c1" };
    await putObject(scene, item, saved, "RIFF", { mediaType: "audio/wav", attributes });
    await putObject(scene, item, "zebra.pdf", "%PDF", { mediaType: "application/pdf" });
    const handle = await client.openEntity(item.id);
    const page = await list(handle);
    expect(page).toEqual({
      objects: [
        shownOf(item, saved, "RIFF", {
          container_id: "c1",
          description: "a dial tone",
          content_type: "audio/wav",
          extension: ".wav",
        }),
        shownOf(item, "zebra.pdf", "%PDF", { content_type: "application/pdf", extension: ".pdf" }),
      ],
      size: 2,
      page_start: 0,
      page_size: 50,
    });
    for (const { created, accessed, modified } of page.objects) {
      expect([Date.parse(accessed), modified]).toEqual([Date.parse(modified), accessed]);
      expect(Date.parse(created)).toBeLessThanOrEqual(Date.parse(modified));
    }
  });

  it("are none where the entity has none", async () => {
    const { handle } = await openEntity();
    expect(await list(handle)).toEqual({ objects: [], size: 0, page_start: 0, page_size: 50 });
  });

  it("say what whoever asks may do", async () => {
    const uploader = await scene.client(scene.members.uploader);
    const { handle } = await openEntity({ a: "1" }, uploader);
    const all = { create_access: true, delete_access: true, read_access: true, write_access: true };
    expect((await list(handle, "", uploader)).objects[0]?.effective_rights).toEqual(all);
  });

  it("come in pages, by where they stand among all of them", async () => {
    const names = Array.from({ length: 12 }, (_, at) => `object ${String(at).padStart(2, "0")}`);
    const { handle } = await openEntity(Object.fromEntries(names.map((name) => [name, name])));
    const page = await list(handle, "?page_start=5&page_size=4");
    expect(page).toMatchObject({ size: 12, page_start: 5, page_size: 4 });
    expect(namesOf(page)).toEqual(names.slice(5, 9));
    expect(namesOf(await list(handle, "?page_start=9"))).toEqual(names.slice(9));
    expect(namesOf(await list(handle, "?page_start=11&page_size=1"))).toEqual(names.slice(11));
    for (const start of [12, 13, Number.MAX_SAFE_INTEGER]) {
      const beyond = await list(handle, `?page_start=${start}&page_size=1000`);
      expect(beyond).toEqual({ objects: [], size: 12, page_start: start, page_size: 1000 });
    }
  });

  it("come in pages of 50, and of those beyond the first thousand, too", async () => {
    const item = await scene.makeEntity();
    const { uploads, admin } = scene.opened;
    const names = Array.from({ length: 1_080 }, (_, at) => `object ${String(at).padStart(4, "0")}`);
    const created = await uploads.createSession(
      {
        access: "additive",
        visibility: "owner",
        origin: "rpc",
        itemId: item.id,
        deadlines: scene.deadlines,
        files: names.map((name) => ({ name, sizeBytes: 0 })),
      },
      admin,
    );
    const { id: sessionId } = created.session;
    let cursor = "";
    do {
      const page = await uploads.listFiles({ sessionId, page: { size: 1_000, cursor } }, admin);
      for (const { id: fileId } of page.things) {
        await uploads.writePart({ sessionId, fileId, offset: 0, lengthBytes: 0, body: noBytes() }, admin);
      }
      cursor = page.nextCursor ?? "";
    } while (cursor !== "");
    await uploads.completeSession({ sessionId }, admin);
    const handle = await client.openEntity(item.id);
    expect(namesOf(await list(handle))).toEqual(names.slice(0, 50));
    expect(namesOf(await list(handle, "?page_size=1000"))).toEqual(names.slice(0, 1_000));
    const across = await list(handle, "?page_start=990&page_size=20");
    expect(across.size).toBe(1_080);
    expect(namesOf(across)).toEqual(names.slice(990, 1_010));
    expect(namesOf(await list(handle, "?page_start=1040"))).toEqual(names.slice(1_040));
  });

  it.each([
    ["page_start", "-1", 0, Number.MAX_SAFE_INTEGER],
    ["page_start", "x", 0, Number.MAX_SAFE_INTEGER],
    ["page_start", "", 0, Number.MAX_SAFE_INTEGER],
    ["page_start", "1.5", 0, Number.MAX_SAFE_INTEGER],
    ["page_start", "9007199254740992", 0, Number.MAX_SAFE_INTEGER],
    ["page_size", "0", 1, 1000],
    ["page_size", "1001", 1, 1000],
    ["page_size", "1e2", 1, 1000],
    ["page_size", " 7", 1, 1000],
  ])("are not listed for %s=%j, which is no number that it may be", async (name, text, least, most) => {
    const { handle } = await openEntity();
    const refusal = await refusalOf(list(handle, `?${name}=${encodeURIComponent(text)}`));
    expect(refusal).toMatchObject({
      status: 400,
      code: "request_invalid",
      text: `${name} must be a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`,
    });
  });

  it("are not there under a handle that is closed, unknown or somebody else's", async () => {
    const { handle } = await openEntity({ a: "1" });
    const other = await scene.client(scene.members.other);
    for (const ask of [
      () => list(handle, "", other),
      () => list(createId()),
      () => see(createId(), "a.json"),
      () => list("x"),
    ]) {
      expect(await refusalOf(ask())).toMatchObject({ status: 404, code: "handle_not_found" });
    }
    await client.closeEntity(handle);
    for (const ask of [() => list(handle), () => see(handle, "a.json")]) {
      expect(await refusalOf(ask())).toMatchObject({ status: 410, code: "handle_closed" });
    }
  });

  it("are gone with the entity", async () => {
    const { item, handle } = await openEntity({ a: "1" });
    await scene.opened.uploads.deleteItem({ itemId: item.id }, scene.opened.admin);
    for (const ask of [() => list(handle), () => see(handle, "a.json")]) {
      expect(await refusalOf(ask())).toMatchObject({ status: 404, code: "entity_not_found" });
    }
  });
});

async function* noBytes(): AsyncGenerator<Uint8Array, void> {}

describe("an object", () => {
  it("is described as it is in the list, with `.json` and without", async () => {
    const id = createId();
    const { handle } = await openEntity({ [id]: "bytes" });
    const [listed] = (await list(handle)).objects;
    expect(await see(handle, `${id}.json`)).toEqual(listed);
    expect(await see(handle, id)).toEqual(listed);
    expect(await see(handle, `${id}/`)).toEqual(listed);
  });

  it("that was saved here is shown as its save showed it", async () => {
    const uploader = await scene.client(scene.members.uploader);
    const { handle } = await openEntity({}, uploader);
    const { id } = await uploader.createSession(handle, { content_type: "audio/wav" });
    await uploader.putPart(handle, id, 0, Buffer.from("RIFF"));
    const saved = await uploader.save(handle, id, { description: "a dial tone" });
    expect(saved).toMatchObject({ size: 4, description: "a dial tone", extension: ".wav" });
    expect((await list(handle, "", uploader)).objects).toEqual([saved]);
    expect(await see(handle, `${saved.id}.json`, uploader)).toEqual(saved);
    expect(Buffer.from(await uploader.read(handle, saved.id)).toString()).toBe("RIFF");
  });

  const names = [
    "a b.txt",
    "100%.txt",
    "%41",
    "a%2Fb",
    "data.json",
    ".json",
    "data.json.json",
    "stream",
    "H:x",
    "E:7",
    "Grüße 日本 🎧.wav",
    "a+b&c=d?e#f;g,h",
    'quo"te',
    "x".repeat(255),
    "__proto__",
  ];
  it.each(names)("is found by the name that another face gave it: %j", async (name) => {
    const { handle } = await openEntity({ [name]: name, other: "" });
    const { id, size } = await see(handle, `${encodeURIComponent(name)}.json`);
    expect([id, size]).toEqual([name, Buffer.byteLength(name)]);
  });

  it("whose name ends with .json is found by it alone, unless there is one without", async () => {
    const { item, handle } = await openEntity({ "data.json": "1" });
    expect(await see(handle, "data.json")).toMatchObject({ id: "data.json" });
    await putObject(scene, item, "data", "22");
    expect(await see(handle, "data.json")).toMatchObject({ id: "data" });
    expect(await see(handle, "data.json.json")).toMatchObject({ id: "data.json" });
  });

  it.each([createId(), "nothing", "x".repeat(256), "a%2Fb", "a%00b", "..%2F..", "%2E%2E%2E"])(
    "%s is not found where there is none",
    async (name) => {
      const { handle } = await openEntity({ a: "1" });
      const refusal = await refusalOf(see(handle, `${name}.json`));
      expect(refusal).toMatchObject({ status: 404, code: "object_not_found", details: {} });
      expect(refusal.text).toContain("there is no object");
    },
  );

  it("is not found by a path whose escapes mean nothing", async () => {
    const { handle } = await openEntity({ a: "1" });
    expect(await refusalOf(see(handle, "%E9.json"))).toMatchObject({ status: 400, code: "request_invalid" });
  });
});
