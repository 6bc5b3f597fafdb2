// Libraries and items that are created with a token, and items that are copied.
import { expect, it } from "vitest";
import { createId, type Item, type ItemFile, type MetadataStore } from "../../../src/core/index.js";
import { buildItem, buildLibrary } from "../../support/builders.js";
import {
  codeOf,
  complete,
  endBy,
  type OpenStore,
  publish,
  refOf,
  refusal,
  sendFile,
  startItem,
  startSession,
  sweepContent,
  useWorld,
  type World,
} from "./world.js";

const tokenOf = (world: World, of: Partial<{ operation: string; token: string; fingerprint: string }> = {}) => ({
  ownerId: world.userId,
  clientToken: { operation: "create", token: "t-1", fingerprint: "f", ...of },
});

/** A copy to come, into a library of its own unless one is named. */
async function copyOf(world: World, source: Item, of: Partial<Item> = {}) {
  const { tenantId } = source;
  const libraryId = of.libraryId ?? (await world.store.createLibrary(buildLibrary({ tenantId }))).id;
  const { description, type, ...words } = buildItem({ tenantId, libraryId, name: "copy", ...of });
  return { ...words, description: of.description, type: of.type, sourceItemId: source.id };
}

async function copyItem(world: World, source: Item, of: Partial<Item> = {}): Promise<Item> {
  return world.store.copyItem(await copyOf(world, source, of));
}

const filesOf = (world: World, { tenantId, id }: Item): Promise<readonly ItemFile[]> =>
  world.store.listItemFiles(tenantId, id, { limit: 100 });

export function describeCreations(open: OpenStore): void {
  const world = useWorld(open);

  /** Each creates a thing anew, from a source of its own where it needs one. */
  const creating: [
    string,
    (of?: Partial<Item>) => Promise<(once?: ReturnType<typeof tokenOf>) => Promise<{ id: string }>>,
  ][] = [
    [
      "a library",
      async ({ tenantId = world.tenantId } = {}) =>
        (once) =>
          world.store.createLibrary(buildLibrary({ tenantId }), once),
    ],
    [
      "an item",
      async ({ tenantId = world.tenantId } = {}) => {
        const { id: libraryId } = await world.store.createLibrary(buildLibrary({ tenantId }));
        return (once) => world.store.createItem(buildItem({ tenantId, libraryId, name: createId() }), once);
      },
    ],
    [
      "a copy",
      async ({ tenantId = world.tenantId } = {}) => {
        const source = await startItem(world, { tenantId });
        return async (once) => world.store.copyItem(await copyOf(world, source), once);
      },
    ],
  ];

  it.each(creating)(
    "%s with a token that was given before is what was made then, as it is now (P4)",
    async (_, begin) => {
      const create = await begin();
      const first = await create(tokenOf(world));
      expect(await create(tokenOf(world))).toEqual(first);
      expect((await create()).id).not.toBe(first.id);
      expect((await create(tokenOf(world, { token: "T-1" }))).id).not.toBe(first.id);
      expect((await create(tokenOf(world, { operation: "else" }))).id).not.toBe(first.id);
      expect((await create({ ...tokenOf(world), ownerId: world.colleagueId })).id).not.toBe(first.id);
      const reused = create(tokenOf(world, { fingerprint: "other" }));
      await expect(reused).rejects.toEqual(refusal("conflict", "CLIENT_TOKEN_REUSED"));
    },
  );

  it.each(creating)("%s that another tenant's token made is not answered (P9)", async (_, begin) => {
    const first = await (await begin())(tokenOf(world));
    const foreign = await begin({ tenantId: world.stranger.tenantId });
    expect((await foreign(tokenOf(world))).id).not.toBe(first.id);
  });

  it("a token is answered with the thing even where its name is taken, and is free again when a creation is refused", async () => {
    const library = buildLibrary({ tenantId: world.tenantId, name: "one" });
    await world.store.createLibrary(library, tokenOf(world));
    const again = { ...library, id: createId() };
    expect((await world.store.createLibrary(again, tokenOf(world))).id).toBe(library.id);
    const refused = world.store.createLibrary(again, tokenOf(world, { token: "t-2" }));
    await expect(refused).rejects.toEqual(refusal("already_exists", "NAME_TAKEN"));
    const other = { ...again, name: "two" };
    expect((await world.store.createLibrary(other, tokenOf(world, { token: "t-2", fingerprint: "g" }))).id).toBe(
      other.id,
    );
  });

  it("a token whose thing is gone is not_found, also when its library took it along", async () => {
    const library = await world.store.createLibrary(buildLibrary({ tenantId: world.tenantId }), tokenOf(world));
    const words = () => buildItem({ tenantId: world.tenantId, libraryId: library.id, name: createId() });
    const [one, two] = ["one", "two"].map((token) => tokenOf(world, { operation: "item", token }));
    const first = await world.store.createItem(words(), one);
    await world.store.createItem(words(), two);
    await world.store.deleteItem(world.tenantId, first.id);
    const gone = refusal("not_found", "ITEM_NOT_FOUND");
    await expect(world.store.createItem(words(), one)).rejects.toEqual(gone);
    await world.store.deleteLibrary(world.tenantId, library.id, { withItems: true });
    await expect(world.store.createItem(words(), two)).rejects.toEqual(gone);
    const anew = world.store.createLibrary(buildLibrary({ tenantId: world.tenantId }), tokenOf(world));
    await expect(anew).rejects.toEqual(refusal("not_found", "LIBRARY_NOT_FOUND"));
  });

  it("a copy has the files of its source, each at its first version, and is a new item in all else", async () => {
    const source = await startItem(world, {
      description: "d",
      type: "iso",
      aliases: [{ kind: "k", value: "v" }],
      attributes: { a: 1 },
    });
    await publish(world, source, { a: 1, b: 2 });
    await publish(world, source, { b: 3 });
    const copy = await copyItem(world, source);
    expect(copy).toMatchObject({
      name: "copy",
      description: "d",
      type: "iso",
      aliases: [],
      contentVersion: 1,
      version: 1,
    });
    expect(await world.store.getItem(world.tenantId, copy.id)).toEqual(copy);
    const expected = (await filesOf(world, source)).map((file) => {
      return { ...file, itemId: copy.id, version: 1, createdAt: copy.createdAt, modifiedAt: copy.createdAt };
    });
    expect(await filesOf(world, copy)).toEqual(expected);
    expect(expected.map(({ content }) => content.sizeBytes)).toEqual([1, 3]);
    expect(await copyItem(world, source, { description: "", type: "" })).toMatchObject({ description: "", type: "" });
  });

  it("a copy keeps its content when its source is replaced and then deleted, and lets it go with itself (P8)", async () => {
    const source = await startItem(world);
    const { session, keys } = await publish(world, source, { a: 1, b: 2 });
    const copy = await copyItem(world, source);
    const before = await filesOf(world, copy);
    const { keys: newer } = await publish(world, source, { a: 5 }, ["b"]);
    await world.store.deleteSession(refOf(session), () => {});
    await sweepContent(world.store);
    expect(await world.store.findReferencedKeys([...keys, ...newer])).toEqual(new Set([...keys, ...newer]));
    await world.store.deleteItem(world.tenantId, source.id);
    await sweepContent(world.store);
    expect(await filesOf(world, copy)).toEqual(before);
    for (const [at, { content }] of before.entries()) {
      expect((await world.store.listExtents(content.id)).map(({ blobKey }) => blobKey)).toEqual([keys[at]]);
    }
    await world.store.deleteItem(world.tenantId, copy.id);
    await sweepContent(world.store);
    expect(await world.store.findReferencedKeys(keys)).toEqual(new Set());
  });

  it("a source keeps its content when its copy is deleted, or replaced", async () => {
    const source = await startItem(world);
    const { keys } = await publish(world, source, { a: 1, b: 2 });
    const [one, two] = [await copyItem(world, source), await copyItem(world, source)];
    await world.store.deleteItem(world.tenantId, one.id);
    await publish(world, two, { a: 9 });
    await sweepContent(world.store);
    expect((await filesOf(world, two)).map(({ version }) => version)).toEqual([2, 1]);
    expect((await filesOf(world, source)).map(({ content }) => content.sizeBytes)).toEqual([1, 2]);
    expect(await world.store.findReferencedKeys(keys)).toEqual(new Set(keys));
  });

  it("content that two items name is told once by a check, with both, and repaired for both", async () => {
    const source = await startItem(world);
    const { keys } = await publish(world, source, { a: 4 });
    const copy = await copyItem(world, source);
    const named = await world.store.listNamedContents({ after: undefined, limit: 10 });
    expect(named).toHaveLength(1);
    const owners = [source, copy].map(({ id }) => ({ kind: "item_file", itemId: id, name: "a" }));
    expect(named[0]!.owners).toEqual(expect.arrayContaining(owners));
    const replaced = { contentId: named[0]!.id, sizeBytes: 4, from: keys, to: "mended" as never };
    expect(await world.store.replaceContent(replaced)).toBe(true);
    for (const item of [source, copy]) {
      const [file] = await filesOf(world, item);
      expect((await world.store.listExtents(file!.content.id)).map(({ blobKey }) => blobKey)).toEqual(["mended"]);
    }
  });

  it("a copy of or into what is not there is not_found, and of a taken name already_exists; nothing comes of it", async () => {
    const source = await startItem(world, { name: "source" });
    await publish(world, source, { a: 1 });
    const nowhere = copyItem(world, source, { libraryId: createId() });
    await expect(nowhere).rejects.toEqual(refusal("not_found", "LIBRARY_NOT_FOUND"));
    const nothing = copyItem(world, { ...source, id: createId() });
    await expect(nothing).rejects.toEqual(refusal("not_found", "ITEM_NOT_FOUND"));
    const taken = copyItem(world, source, { libraryId: source.libraryId, name: "source" });
    await expect(taken).rejects.toEqual(refusal("already_exists", "NAME_TAKEN"));
    expect((await world.store.listItems(world.tenantId, { all: [] }, { limit: 9 })).things).toHaveLength(1);
  });

  it("an item is measured by the number of its files and their bytes", async () => {
    const item = await startItem(world);
    expect(await world.store.measureItem(world.tenantId, item.id)).toEqual({ fileCount: 0, sizeBytes: 0 });
    const large = 2 ** 52;
    await publish(world, item, { a: 1, b: 20, c: large });
    await sendFile(world, await startSession(world, { itemId: item.id }), "d");
    expect(await world.store.measureItem(world.tenantId, item.id)).toEqual({ fileCount: 3, sizeBytes: large + 21 });
    const unknown = world.store.measureItem(world.tenantId, createId());
    await expect(unknown).rejects.toEqual(refusal("not_found", "ITEM_NOT_FOUND"));
  });

  it("a library goes with its items and their content, and leaves the others (P8)", async () => {
    const first = await startItem(world, { aliases: [{ kind: "k", value: "v" }] });
    const { libraryId } = first;
    const second = await startItem(world, { libraryId, name: "second" });
    const other = await startItem(world);
    const keys = [...(await publish(world, first, { a: 1 })).keys, ...(await publish(world, second, { a: 1 })).keys];
    const kept = await publish(world, other, { a: 1 });
    await world.store.deleteLibrary(world.tenantId, libraryId, { withItems: true });
    for (const { id } of [first, second]) {
      await expect(world.store.getItem(world.tenantId, id)).rejects.toEqual(refusal("not_found"));
    }
    await expect(world.store.getLibrary(world.tenantId, libraryId)).rejects.toEqual(refusal("not_found"));
    expect(await world.store.findItemByAlias(world.tenantId, "k", "v")).toBeUndefined();
    expect(await filesOf(world, other)).toHaveLength(1);
    await endSessions(world);
    await sweepContent(world.store);
    expect(await world.store.findReferencedKeys(keys)).toEqual(new Set());
    expect(await world.store.findReferencedKeys(kept.keys)).toEqual(new Set(kept.keys));
  });

  it("a library is busy while a session is open on one of its items, which the list of those names", async () => {
    const { id: itemId, libraryId } = await startItem(world);
    const sessions = [await startSession(world, { itemId }), await startSession(world, { itemId })];
    const overdue = { idleTtlMs: 1, absoluteTtlMs: undefined, keepTerminalMs: 3_600_000 };
    await startSession(world, { itemId, deadlines: overdue });
    await startSession(world, { itemId: (await startItem(world)).id });
    await new Promise((resolve) => setTimeout(resolve, 5));
    const remove = () => world.store.deleteLibrary(world.tenantId, libraryId, { withItems: true });
    await expect(remove()).rejects.toEqual(refusal("busy", "ITEM_BUSY"));
    expect(await world.store.getItem(world.tenantId, itemId)).toMatchObject({ id: itemId });
    const refs = sessions.map(refOf).sort((a, b) => (a.sessionId < b.sessionId ? -1 : 1));
    const busy = await world.store.listBusySessions(world.tenantId, libraryId, 10);
    expect([...busy].sort((a, b) => (a.sessionId < b.sessionId ? -1 : 1))).toEqual(refs);
    expect(await world.store.listBusySessions(world.tenantId, libraryId, 1)).toHaveLength(1);
    expect(await world.store.listBusySessions(world.stranger.tenantId, libraryId, 10)).toEqual([]);
    for (const session of sessions) await endBy(world, session, "cancel");
    expect(await world.store.listBusySessions(world.tenantId, libraryId, 10)).toEqual([]);
    await remove();
  });
}

/** Forgets all sessions, so that nothing but items names content. */
async function endSessions(world: World): Promise<void> {
  const { things } = await world.store.listSessions(world.tenantId, { all: [] }, { limit: 100 });
  for (const session of things) await world.store.deleteSession(refOf(session), () => {});
}

/** What others may do at the same time. */
export function describeCreationRaces(open: OpenStore): void {
  const world = useWorld(open);
  const rounds = 12;

  async function onTwoStores(work: (stores: readonly [MetadataStore, MetadataStore]) => Promise<void>): Promise<void> {
    const other = await world.openAnother!();
    try {
      await work([world.store, other]);
    } finally {
      await other.close();
    }
  }
  const times = <T>(count: number, make: (n: number) => Promise<T>) =>
    Promise.all(Array.from({ length: count }, (_, n) => make(n)));

  it("twenty creations with one token at once make one thing (P4)", async () => {
    await onTwoStores(async (stores) => {
      for (let round = 0; round < rounds; round++) {
        const once = tokenOf(world, { token: createId() });
        const libraries = await times(20, (n) =>
          stores[n % 2]!.createLibrary(buildLibrary({ tenantId: world.tenantId, name: once.clientToken.token }), once),
        );
        expect(new Set(libraries.map(({ id }) => id)).size).toBe(1);
        const source = await startItem(world, { libraryId: libraries[0]!.id, name: "source" });
        await publish(world, source, { a: 1 });
        const copying = tokenOf(world, { token: createId() });
        const copies = await times(20, async (n) =>
          stores[n % 2]!.copyItem(await copyOf(world, source, { libraryId: source.libraryId }), copying),
        );
        expect(new Set(copies.map(({ id }) => id)).size).toBe(1);
        expect(await filesOf(world, copies[0]!)).toHaveLength(1);
      }
    });
  });

  it("a copy has the files of before or of after a completion on its source, never of both (P5), and they stay (P8)", async () => {
    await onTwoStores(async (stores) => {
      for (let round = 0; round < rounds; round++) {
        const source = await startItem(world);
        const first = await publish(world, source, { a: 1, b: 1, c: 1 });
        await world.store.deleteSession(refOf(first.session), () => {});
        const session = await startSession(world, { itemId: source.id, removals: ["c"] });
        for (const name of ["a", "b"]) await sendFile(world, session, name, 2);
        const words = await copyOf(world, source);
        const [copy] = await Promise.all([
          stores[1].copyItem(words),
          complete(world, session),
          sweepContent(stores[round % 2]!),
        ]);
        await world.store.deleteItem(world.tenantId, source.id);
        await endSessions(world);
        await Promise.all(stores.map(sweepContent));
        const files = await filesOf(world, copy);
        expect(["1,1,1", "2,2"]).toContain(files.map(({ content }) => content.sizeBytes).join());
        for (const { content } of files) expect(await world.store.listExtents(content.id)).toHaveLength(1);
      }
    });
  });

  it("a copy of an item that is deleted at once has all of its files, or there is none", async () => {
    await onTwoStores(async (stores) => {
      for (let round = 0; round < rounds; round++) {
        const source = await startItem(world);
        await publish(world, source, { a: 1, b: 1 });
        await endSessions(world);
        const words = await copyOf(world, source);
        const [code] = await Promise.all([
          codeOf(stores[0].copyItem(words)),
          stores[1].deleteItem(world.tenantId, source.id).then(() => sweepContent(stores[1])),
        ]);
        await sweepContent(world.store);
        if (code === "not_found") continue;
        expect(code).toBe("ok");
        const files = await world.store.listItemFiles(world.tenantId, words.id, { limit: 10 });
        expect(files).toHaveLength(2);
        for (const { content } of files) expect(await world.store.listExtents(content.id)).toHaveLength(1);
      }
    });
  });

  it("items, copies and sessions that begin while their library is deleted are in time or find nothing", async () => {
    await onTwoStores(async (stores) => {
      for (let round = 0; round < rounds; round++) {
        const source = await startItem(world);
        const { tenantId, libraryId, id: itemId } = source;
        await publish(world, source, { a: 1 });
        const words = await copyOf(world, source, { libraryId });
        const codes = await Promise.all([
          codeOf(stores[0].deleteLibrary(tenantId, libraryId, { withItems: true })),
          codeOf(stores[1].createItem(buildItem({ tenantId, libraryId, name: "new" }))),
          codeOf(stores[1].copyItem(words)),
          codeOf(startSession(world, { itemId })),
        ]);
        expect(codes.slice(1, 3).every((code) => code === "ok" || code === "not_found")).toBe(true);
        // Either the session was there before, and kept the library, or it found no item any more.
        expect([codes[0], codes[3]]).toEqual(codes[0] === "ok" ? ["ok", "not_found"] : ["busy", "ok"]);
        const field = { field: "libraryId", is: "eq", value: libraryId } as const;
        const { things } = await world.store.listItems(tenantId, field, { limit: 10 });
        expect(things).toHaveLength(codes[0] === "ok" ? 0 : 3);
      }
    });
  });
}
