import { createHash } from "node:crypto";
import { truncate } from "node:fs/promises";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { SessionAccess } from "../../gen/slipway/upload/v1/session_pb.js";
import { pseudoRandom } from "../support/bodies.js";
import { mainWires, refusalOf, type TestClient } from "../support/client.js";
import { damage } from "./damage.js";
import {
  listItemFiles,
  makeItem,
  makeLibrary,
  publish,
  readItemFile,
  startSession,
  storeFile,
  useServer,
} from "./scene.js";

const server = useServer(() => ({ env: { SLIPWAY_SWEEP_INTERVAL: "100ms" } }));
const attributes = { text: "ü\u{1f600}", list: [1, 2.5, null, true], tree: { a: { b: [] } } };
const unique = (word: string) => `${word} ${crypto.randomUUID()}`;

describe.each(mainWires)("over %s", (wire) => {
  const client = new Proxy({} as TestClient, { get: (_, name: keyof TestClient) => server.client(wire)[name] });
  const getItem = async (itemId: string) => (await client.catalog.getItem({ itemId })).item;
  const getLibrary = async (libraryId: string) => (await client.catalog.getLibrary({ libraryId })).library;

  it("an item is made, found, filled by a session, listed and read back (P5)", async () => {
    const { library } = await client.catalog.createLibrary({
      name: unique("films"),
      description: "moving",
      attributes,
    });
    const libraryId = library?.id ?? "";
    expect(library).toMatchObject({ description: "moving", version: 1n, attributes });
    const handle = { kind: "handle", value: unique("10.1/é") };
    const item = await makeItem(client, { libraryId, name: "film", type: "mp4", aliases: [handle], attributes });
    expect(item).toMatchObject({ libraryId, name: "film", type: "mp4", version: 1n, contentVersion: 1n, attributes });
    expect((await client.catalog.findItem({ alias: handle })).item).toEqual(item);

    const contents = { "a.mp4": pseudoRandom(3_000_001), "b.srt": pseudoRandom(1_000, 2), empty: new Uint8Array() };
    const { id: sessionId } = await startSession(client, { itemId: item.id, access: SessionAccess.EXCLUSIVE });
    for (const [name, content] of Object.entries(contents)) {
      await storeFile(client, content, { name, mediaType: "video/mp4", attributes }, sessionId);
      expect(await listItemFiles(client, item.id)).toEqual([]);
    }
    expect(await getItem(item.id)).toEqual(item);
    await client.sessions.completeSession({ sessionId });

    expect(await getItem(item.id)).toMatchObject({ contentVersion: 2n, version: 1n });
    const files = await listItemFiles(client, item.id);
    expect(files.map(({ name }) => name)).toEqual(Object.keys(contents));
    for (const file of files) {
      const content = contents[file.name as keyof typeof contents];
      const checksum = createHash("sha256").update(content).digest("hex");
      expect(file).toMatchObject({ version: 1n, mediaType: "video/mp4", attributes });
      expect(file.content).toMatchObject({ sizeBytes: BigInt(content.length), checksums: [{ checksum }] });
      expect((await readItemFile(client, { itemId: item.id, name: file.name })).equals(content)).toBe(true);
    }
  });

  it("a session that is cancelled or failed leaves nothing in its item (P5)", async () => {
    const item = await makeItem(client);
    await publish(client, item.id, { kept: pseudoRandom(100) });
    const before = [await getItem(item.id), await listItemFiles(client, item.id)];
    for (const end of ["cancelSession", "failSession"] as const) {
      const { id: sessionId } = await startSession(client, { itemId: item.id });
      for (const name of ["kept", "other"]) await storeFile(client, pseudoRandom(200, 2), { name }, sessionId);
      await client.sessions[end]({ sessionId });
    }
    expect([await getItem(item.id), await listItemFiles(client, item.id)]).toEqual(before);
  });

  it("a file that is sent again has the next version, and keeps when it was first there", async () => {
    const item = await makeItem(client);
    await publish(client, item.id, { a: pseudoRandom(100), b: pseudoRandom(100) });
    const [first] = await listItemFiles(client, item.id);
    await publish(client, item.id, { a: pseudoRandom(300_000, 2) });
    const [second, other] = await listItemFiles(client, item.id);
    expect([second?.version, second?.content?.sizeBytes, other?.version]).toEqual([2n, 300_000n, 1n]);
    expect(second?.createTime).toEqual(first?.createTime);
    expect(timestampMs(second!.updateTime!)).toBeGreaterThan(timestampMs(first!.updateTime!));
  });

  it.each(["replaced", "deleted with its item"])(
    "a read that has begun goes on with its content when the file is %s (P5)",
    async (how) => {
      const content = pseudoRandom(5_000_000);
      const { id: itemId } = await makeItem(client);
      await publish(client, itemId, { a: content });
      const answers = client.catalog.readItemFile({ itemId, name: "a" })[Symbol.asyncIterator]();
      const first = await answers.next();
      const chunks = [first.value?.data ?? new Uint8Array()];
      if (how === "replaced") await publish(client, itemId, { a: pseudoRandom(1_000, 3) });
      else await client.catalog.deleteItem({ itemId });
      for (let next = await answers.next(); next.done !== true; next = await answers.next()) {
        chunks.push(next.value.data);
      }
      expect(Buffer.concat(chunks).equals(content)).toBe(true);
      if (how === "replaced") expect((await readItemFile(client, { itemId, name: "a" })).length).toBe(1_000);
      else expect((await refusalOf(readItemFile(client, { itemId, name: "a" }))).reason).toBe("ITEM_NOT_FOUND");
    },
  );

  it("a range of a file is exactly these bytes, and its first message says the file", async () => {
    const content = pseudoRandom(2_000_000);
    const { id: itemId } = await makeItem(client);
    await publish(client, itemId, { a: content });
    for (const [offset, limit] of [
      [0, undefined],
      [0, 0],
      [1, 1],
      [1_048_575, 3],
      [1_999_999, 100],
      [2_000_000, undefined],
      [5, Number.MAX_SAFE_INTEGER],
    ] as const) {
      const range = { offset: BigInt(offset), ...(limit === undefined ? {} : { limit: BigInt(limit) }) };
      const messages = [];
      for await (const message of client.catalog.readItemFile({ itemId, name: "a", ...range })) messages.push(message);
      expect(messages[0]?.file).toMatchObject({ name: "a", content: { sizeBytes: 2_000_000n } });
      expect(messages.slice(1).every(({ file }) => file === undefined)).toBe(true);
      expect(messages.every(({ data }) => data.length <= 2 ** 20)).toBe(true);
      const expected = content.subarray(offset, limit === undefined ? undefined : offset + limit);
      expect(Buffer.concat(messages.map(({ data }) => data)).equals(expected)).toBe(true);
    }
  });

  it("an update changes what is set, also to nothing, and its version by one", async () => {
    const { library: made } = await client.catalog.createLibrary({ name: unique("a"), description: "d", attributes });
    const libraryId = made!.id;
    const name = unique("b");
    const { library: named } = await client.catalog.updateLibrary({ libraryId, name });
    expect(named).toMatchObject({ name, description: "d", attributes, version: 2n });
    const { library: emptied } = await client.catalog.updateLibrary({ libraryId, description: "", attributes: {} });
    expect(emptied).toMatchObject({ name, description: "", attributes: {}, version: 3n });
    expect(await getLibrary(libraryId)).toEqual(emptied);

    const aliases = [1, 2].map((n) => ({ kind: "k", value: unique(`${n}`) }));
    const { id: itemId } = await makeItem(client, { libraryId, description: "d", type: "t", aliases, attributes });
    const { item: renamed } = await client.catalog.updateItem({ itemId, name: "other" });
    expect(renamed).toMatchObject({ name: "other", description: "d", type: "t", aliases, attributes, version: 2n });
    const { item: bare } = await client.catalog.updateItem({ itemId, description: "", type: "", attributes: {} });
    expect(bare).toMatchObject({ name: "other", description: "", type: "", aliases, attributes: {}, version: 3n });
    expect(await getItem(itemId)).toEqual(bare);
  });

  it("aliases are replaced as a whole, and those that are let go are free", async () => {
    const [one, two, three] = ["1", "2", "3"].map((n) => ({ kind: "k", value: unique(n) }));
    const { id: itemId } = await makeItem(client, { aliases: [one!, two!] });
    const update = async (aliases: { kind: string; value: string }[]) =>
      (await client.catalog.updateItem({ itemId, aliases: { aliases } })).item?.aliases;
    expect(await update([three!, two!])).toMatchObject([three, two]);
    expect((await refusalOf(client.catalog.findItem({ alias: one! }))).reason).toBe("ITEM_NOT_FOUND");
    const { id: other } = await makeItem(client, { aliases: [one!, { kind: "l", value: two!.value }] });
    expect((await client.catalog.findItem({ alias: one! })).item?.id).toBe(other);
    expect((await client.catalog.findItem({ alias: two! })).item?.id).toBe(itemId);
    expect(await update([])).toEqual([]);
    expect((await refusalOf(client.catalog.findItem({ alias: three! }))).reason).toBe("ITEM_NOT_FOUND");
  });

  it("of updates that expect the same version exactly one wins, and the others change nothing", async () => {
    const { id: itemId, libraryId } = await makeItem(client);
    const eight = Array.from({ length: 8 }, (_, n) => n);
    const deeds: ((n: number) => Promise<unknown>)[] = [
      (n) => client.catalog.updateItem({ itemId, description: `${n}`, expectedVersion: 1n }),
      (n) => client.catalog.updateLibrary({ libraryId, description: `${n}`, expectedVersion: 1n }),
    ];
    for (const [at, deed] of deeds.entries()) {
      const outcomes = await Promise.all(
        eight.map((n) =>
          deed(n).then(
            () => `${n}`,
            async (error) => (await refusalOf(Promise.reject(error))).reason,
          ),
        ),
      );
      const [winner, ...others] = outcomes.filter((outcome) => outcome !== "VERSION_CHANGED");
      expect(others).toEqual([]);
      const left = at === 0 ? await getItem(itemId) : await getLibrary(libraryId);
      expect(left).toMatchObject({ version: 2n, description: winner });
    }
    const { item } = await client.catalog.updateItem({ itemId, description: "next", expectedVersion: 2n });
    expect(item?.version).toBe(3n);
  });

  it("names that only look alike are different names", async () => {
    const { libraryId } = await makeItem(client, { name: "\u00e9" });
    const names = ["e\u0301", "E\u0301", "\u00c9", "\u00e9 "];
    for (const name of names) await makeItem(client, { libraryId, name });
    for (const name of ["\u00e9", ...names]) {
      const { items } = await client.catalog.listItems({ libraryId, name });
      expect(items.map((item) => item.name)).toEqual([name]);
    }
  });

  it("files of an item are listed by name, page by page, also while names come and go", async () => {
    const { id: itemId } = await makeItem(client);
    const names = ["%41", "+", "A", "a b", "a%20b", "b", "name x", "é", "\u{fb00}", "\u{1f600}"];
    await publish(client, itemId, Object.fromEntries([...names].reverse().map((name) => [name, pseudoRandom(1)])));
    for (const size of [0, 1, 3, 10, 2 ** 31 - 1]) {
      expect((await listItemFiles(client, itemId, size)).map(({ name }) => name)).toEqual(names);
    }
    const { files, nextPageToken } = await client.catalog.listItemFiles({ itemId, pageSize: 5 });
    expect(files.map(({ name }) => name)).toEqual(names.slice(0, 5));
    await publish(client, itemId, { "0": pseudoRandom(1), az: pseudoRandom(1) });
    const { files: rest } = await client.catalog.listItemFiles({ itemId, pageToken: nextPageToken });
    expect(rest.map(({ name }) => name)).toEqual(["az", ...names.slice(5)]);
    const whole = await client.catalog.listItemFiles({ itemId, pageSize: names.length + 2 });
    expect([whole.files.length, whole.nextPageToken]).toEqual([names.length + 2, ""]);
  });

  it("libraries and items are listed newest first, by what is asked of them, page by page", async () => {
    const { catalog } = client;
    const name = unique("library");
    const { library } = await catalog.createLibrary({ name });
    const libraryId = library!.id;
    expect((await catalog.listLibraries({ name })).libraries).toEqual([library]);
    expect((await catalog.listLibraries({ name: `${name} ` })).libraries).toEqual([]);
    expect((await catalog.listLibraries({})).libraries.map(({ id }) => id)).toContain(libraryId);

    const made = [];
    for (let n = 0; n < 7; n++)
      made.push(await makeItem(client, { libraryId, name: `${n}`, type: n % 2 ? "odd" : "" }));
    const found = [];
    for (let pageToken: string | undefined = ""; pageToken !== undefined; ) {
      const { items, nextPageToken } = await catalog.listItems({ libraryId, pageSize: 3, pageToken });
      found.push(...items);
      pageToken = nextPageToken === "" ? undefined : nextPageToken;
    }
    const times = found.map(({ createTime }) => timestampMs(createTime!));
    expect(times).toEqual([...times].sort((a, b) => b - a));
    expect(new Set(found.map(({ id }) => id))).toEqual(new Set(made.map(({ id }) => id)));
    expect(found).toHaveLength(7);
    const namesOf = async (filter: { name?: string; type?: string }) =>
      (await catalog.listItems({ libraryId, ...filter })).items.map((item) => item.name).sort();
    expect(await namesOf({ type: "odd" })).toEqual(["1", "3", "5"]);
    expect(await namesOf({ type: "" })).toEqual(["0", "2", "4", "6"]);
    expect(await namesOf({ name: "3", type: "odd" })).toEqual(["3"]);
    expect(await namesOf({ name: "3", type: "" })).toEqual([]);
    expect((await catalog.listItems({ libraryId: await makeLibrary(client) })).items).toEqual([]);
  });

  it("an item that is deleted takes its files and its name with it, and its library may follow", async () => {
    const alias = { kind: "k", value: unique("v") };
    const { id: itemId, libraryId } = await makeItem(client, { aliases: [alias] });
    await publish(client, itemId, { a: pseudoRandom(100) });
    await client.catalog.deleteItem({ itemId });
    expect((await refusalOf(client.catalog.findItem({ alias }))).reason).toBe("ITEM_NOT_FOUND");
    expect((await refusalOf(listItemFiles(client, itemId))).reason).toBe("ITEM_NOT_FOUND");
    const again = await makeItem(client, { libraryId, aliases: [alias] });
    expect(await listItemFiles(client, again.id)).toEqual([]);
    await client.catalog.deleteItem({ itemId: again.id });
    await client.catalog.deleteLibrary({ libraryId });
    expect((await refusalOf(client.catalog.getLibrary({ libraryId }))).reason).toBe("LIBRARY_NOT_FOUND");
  });
});

it("a file whose bytes are gone from the disk is CONTENT_DAMAGED, and what was sent before is right", async () => {
  const client = server.client("grpc/2");
  const content = pseudoRandom(3_000_000, 77);
  const { id: itemId } = await makeItem(client);
  await publish(client, itemId, { a: content });
  await damage(server.get().dataDir, content.subarray(0, 64), (path) => truncate(path, 1_500_000));
  const read: Uint8Array[] = [];
  const refusal = await refusalOf(
    (async () => {
      for await (const { data } of client.catalog.readItemFile({ itemId, name: "a" })) read.push(data);
    })(),
  );
  expect([refusal.code, refusal.reason]).toEqual(["DATA_LOSS", "CONTENT_DAMAGED"]);
  const got = Buffer.concat(read);
  expect(got.length).toBeLessThan(content.length);
  expect(got.equals(content.subarray(0, got.length))).toBe(true);
});

it("what a client does wrong is not in the server's log, and what is wrong with the server is", async () => {
  const client = server.client("connect/1.1");
  const content = pseudoRandom(200_000, 79);
  const { id: itemId, libraryId, name } = await makeItem(client);
  await publish(client, itemId, { a: content });
  const before = server.get().stderr();
  expect((await refusalOf(client.catalog.createItem({ libraryId, name }))).reason).toBe("NAME_TAKEN");
  await damage(server.get().dataDir, content.subarray(0, 64), (path) => truncate(path, 100_000));
  expect((await refusalOf(readItemFile(client, { itemId, name: "a" }))).reason).toBe("CONTENT_DAMAGED");
  await expect.poll(() => server.get().stderr().slice(before.length)).toContain("ReadItemFile");
  expect(server.get().stderr().slice(before.length)).not.toContain("CreateItem");
});
