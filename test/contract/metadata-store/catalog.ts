import { expect, it } from "vitest";
import { createId, type Item, type Library, type Page, type PageQuery, parsePage } from "../../../src/core/index.js";
import { buildItem, buildLibrary } from "../../support/builders.js";
import {
  complete,
  endBy,
  type OpenStore,
  publish,
  refOf,
  refusal,
  startItem,
  startSession,
  sweepContent,
  useWorld,
  wait,
} from "./world.js";

export function describeCatalog(open: OpenStore): void {
  const world = useWorld(open);

  it("a created library is read back field by field, dated by the store", async () => {
    const library = buildLibrary({
      tenantId: world.tenantId,
      name: "ISOs & 'more'",
      description: "?\n\\",
      version: 3,
      attributes: { type: "LOCAL" },
    });
    const created = await world.store.createLibrary(library);
    expect(created).toEqual({ ...library, createdAt: expect.any(Date), modifiedAt: created.createdAt });
    expect(await world.store.getLibrary(world.tenantId, library.id)).toEqual(created);
  });

  it("a created item is read back field by field, found by each alias, and dated by the store", async () => {
    const library = await world.store.createLibrary(buildLibrary({ tenantId: world.tenantId }));
    const item = buildItem({
      tenantId: world.tenantId,
      libraryId: library.id,
      name: "disk",
      description: "d",
      type: "ovf",
      contentVersion: 7,
      version: 2,
      aliases: [
        { kind: "imis", value: "A'1" },
        { kind: "imis", value: "A2" },
        { kind: "path", value: "A2" },
      ],
      attributes: { x: { y: [1] } },
    });
    const created = await world.store.createItem(item);
    expect(sorted(created)).toEqual({ ...item, createdAt: expect.any(Date), modifiedAt: created.createdAt });
    expect(await world.store.getItem(world.tenantId, item.id)).toEqual(created);
    for (const { kind, value } of item.aliases) {
      expect(await world.store.findItemByAlias(world.tenantId, kind, value)).toEqual(created);
    }
    expect(await world.store.findItemByAlias(world.tenantId, "path", "A'1")).toBeUndefined();
    const listed = await world.store.listItems(world.tenantId, { all: [] }, { limit: 10 });
    expect(listed.things).toEqual([created]);
  });

  it("getting what is not there fails with not_found", async () => {
    const id = createId();
    const item = await startItem(world);
    const deeds: [() => Promise<unknown>, string][] = [
      [() => world.store.getLibrary(world.tenantId, id), "LIBRARY_NOT_FOUND"],
      [() => world.store.updateLibrary(world.tenantId, id, (library) => library), "LIBRARY_NOT_FOUND"],
      [() => world.store.deleteLibrary(world.tenantId, id), "LIBRARY_NOT_FOUND"],
      [() => world.store.createItem(buildItem({ tenantId: world.tenantId, libraryId: id })), "LIBRARY_NOT_FOUND"],
      [() => world.store.getItem(world.tenantId, id), "ITEM_NOT_FOUND"],
      [() => world.store.updateItem(world.tenantId, id, (found) => found), "ITEM_NOT_FOUND"],
      [() => world.store.deleteItem(world.tenantId, id), "ITEM_NOT_FOUND"],
      [() => world.store.listItemFiles(world.tenantId, id, { limit: 1 }), "ITEM_NOT_FOUND"],
      [() => world.store.getItemFile(world.tenantId, id, "a"), "ITEM_NOT_FOUND"],
      [() => world.store.getItemFile(world.tenantId, item.id, "a"), "FILE_NOT_FOUND"],
    ];
    for (const [deed, reason] of deeds) {
      await expect(deed()).rejects.toMatchObject({ code: "not_found", details: { reason } });
    }
  });

  it("a library's name is taken in its tenant only, and free again once it is deleted", async () => {
    const taken = await world.store.createLibrary(buildLibrary({ tenantId: world.tenantId, name: "one" }));
    const same = () => world.store.createLibrary(buildLibrary({ tenantId: world.tenantId, name: "one" }));
    await expect(same()).rejects.toEqual(refusal("already_exists", "NAME_TAKEN"));
    await world.store.createLibrary(buildLibrary({ tenantId: world.stranger.tenantId, name: "one" }));
    const other = await world.store.createLibrary(buildLibrary({ tenantId: world.tenantId, name: "two" }));
    const rename = world.store.updateLibrary(world.tenantId, other.id, (library) => ({ ...library, name: "one" }));
    await expect(rename).rejects.toEqual(refusal("already_exists", "NAME_TAKEN"));
    expect(await world.store.getLibrary(world.tenantId, other.id)).toEqual(other);
    await world.store.deleteLibrary(world.tenantId, taken.id);
    await same();
  });

  it("an item's name is taken in its library only", async () => {
    const item = await startItem(world, { name: "one" });
    await expect(startItem(world, { name: "one", libraryId: item.libraryId })).rejects.toEqual(
      refusal("already_exists", "NAME_TAKEN"),
    );
    await startItem(world, { name: "one" });
    const other = await startItem(world, { name: "two", libraryId: item.libraryId });
    const rename = world.store.updateItem(world.tenantId, other.id, (found) => ({ ...found, name: "one" }));
    await expect(rename).rejects.toEqual(refusal("already_exists", "NAME_TAKEN"));
    expect(await world.store.getItem(world.tenantId, other.id)).toEqual(other);
  });

  it("an alias is taken in its tenant and kind only, and a refused item leaves none of its aliases behind", async () => {
    await startItem(world, { aliases: [{ kind: "k", value: "v" }] });
    const aliases = [
      { kind: "k", value: "free" },
      { kind: "k", value: "v" },
    ];
    await expect(startItem(world, { aliases })).rejects.toEqual(refusal("already_exists", "NAME_TAKEN"));
    expect(await world.store.findItemByAlias(world.tenantId, "k", "free")).toBeUndefined();
    await startItem(world, { aliases: [{ kind: "l", value: "v" }] });
    await startItem(world, { tenantId: world.stranger.tenantId, aliases });
    expect(await world.store.findItemByAlias(world.tenantId, "k", "free")).toBeUndefined();
  });

  it("updating an item writes its fields and its aliases as a whole, and not its content", async () => {
    const item = await startItem(world, { aliases: [{ kind: "k", value: "old" }] });
    await publish(world, item, { a: 1 });
    const updated = await world.store.updateItem(world.tenantId, item.id, (found, now) => ({
      ...found,
      name: "renamed",
      description: "new",
      type: "iso",
      version: found.version + 1,
      attributes: { a: 1 },
      aliases: [{ kind: "k", value: "new" }],
      contentVersion: 99,
      modifiedAt: now,
    }));
    expect(updated).toMatchObject({ name: "renamed", description: "new", type: "iso", version: 2, contentVersion: 2 });
    expect(await world.store.getItem(world.tenantId, item.id)).toEqual(updated);
    expect(await world.store.findItemByAlias(world.tenantId, "k", "old")).toBeUndefined();
    expect(await world.store.findItemByAlias(world.tenantId, "k", "new")).toEqual(updated);
    expect(await world.store.listItemFiles(world.tenantId, item.id, { limit: 9 })).toHaveLength(1);
  });

  it("an update that meets a taken alias changes nothing of the item", async () => {
    await startItem(world, { aliases: [{ kind: "k", value: "taken" }] });
    const item = await startItem(world, { aliases: [{ kind: "k", value: "mine" }] });
    const deed = world.store.updateItem(world.tenantId, item.id, (found) => ({
      ...found,
      description: "changed",
      aliases: [{ kind: "k", value: "taken" }],
    }));
    await expect(deed).rejects.toEqual(refusal("already_exists", "NAME_TAKEN"));
    expect(await world.store.getItem(world.tenantId, item.id)).toEqual(item);
    expect((await world.store.findItemByAlias(world.tenantId, "k", "mine"))?.id).toBe(item.id);
  });

  it("updating a library writes what the change returns", async () => {
    const library = await world.store.createLibrary(buildLibrary({ tenantId: world.tenantId }));
    const updated = await world.store.updateLibrary(world.tenantId, library.id, (found, now) => {
      expect(found).toEqual(library);
      return { ...found, name: "n", description: "d", version: 2, attributes: { b: [] }, modifiedAt: now };
    });
    expect(updated).toMatchObject({ name: "n", description: "d", version: 2, attributes: { b: [] } });
    expect(updated.createdAt).toEqual(library.createdAt);
    expect(await world.store.getLibrary(world.tenantId, library.id)).toEqual(updated);
  });

  it("a library with items is busy, and goes once they are gone", async () => {
    const item = await startItem(world);
    const deed = world.store.deleteLibrary(world.tenantId, item.libraryId);
    await expect(deed).rejects.toEqual(refusal("busy", "ITEM_BUSY"));
    await world.store.deleteItem(world.tenantId, item.id);
    await world.store.deleteLibrary(world.tenantId, item.libraryId);
    await expect(world.store.getLibrary(world.tenantId, item.libraryId)).rejects.toEqual(refusal("not_found"));
  });

  it.each(["active", "completing"] as const)("an item with an %s session is busy", async (state) => {
    const item = await startItem(world, { aliases: [{ kind: "k", value: "v" }] });
    const session = await startSession(world, { itemId: item.id, state });
    const deed = world.store.deleteItem(world.tenantId, item.id);
    await expect(deed).rejects.toEqual(refusal("busy", "ITEM_BUSY"));
    await endBy(world, session, "cancel");
    await world.store.deleteItem(world.tenantId, item.id);
    expect(await world.store.findItemByAlias(world.tenantId, "k", "v")).toBeUndefined();
  });

  it("deleting an item takes its files with it and leaves its ended sessions to be remembered (P8)", async () => {
    const item = await startItem(world);
    const { session, keys } = await publish(world, item, { a: 1 });
    await world.store.deleteItem(world.tenantId, item.id);
    await expect(world.store.getItem(world.tenantId, item.id)).rejects.toEqual(refusal("not_found"));
    await expect(world.store.getItemFile(world.tenantId, item.id, "a")).rejects.toEqual(refusal("not_found"));
    expect(await world.store.getSession(refOf(session))).toMatchObject({ id: session.id, state: "done" });
    expect(await complete(world, session)).toBe(false);
    await world.store.deleteSession(refOf(session), () => {});
    await sweepContent(world.store);
    expect(await world.store.findReferencedKeys(keys)).toEqual(new Set());
  });

  it("libraries and items list newest first and page without loss or repeat", async () => {
    const libraryId = (await world.store.createLibrary(buildLibrary({ tenantId: world.tenantId }))).id;
    for (let n = 0; n < 23; n++) {
      await startItem(world, { libraryId });
      if (n > 0) await world.store.createLibrary(buildLibrary({ tenantId: world.tenantId }));
      if (n % 8 === 0) await wait(2);
    }
    const lists: ((page: PageQuery) => Promise<Page<Library | Item>>)[] = [
      (page) => world.store.listItems(world.tenantId, { all: [] }, page),
      (page) => world.store.listLibraries(world.tenantId, { all: [] }, page),
    ];
    for (const list of lists) {
      const whole = (await list({ limit: 100 })).things;
      const times = whole.map((thing) => thing.createdAt.getTime());
      expect(times).toEqual([...times].sort((a, b) => b - a));
      expect((await pageThrough(list, 5)).map((thing) => thing.id)).toEqual(whole.map((thing) => thing.id));
      expect(whole).toHaveLength(23);
    }
  });

  it("an item's files list by name, code point by code point, after the given one and up to the limit", async () => {
    const item = await startItem(world);
    const names = ["B", "a b", "a-b", "a.b", "aB", "ab", "b", "é", "ﬀ", "🐘"];
    await publish(world, item, Object.fromEntries([...names].reverse().map((name) => [name, 1])));
    const list = async (options: { afterName?: string; limit: number }) =>
      (await world.store.listItemFiles(world.tenantId, item.id, options)).map((file) => file.name);
    expect(await list({ limit: 100 })).toEqual(names);
    expect(await list({ limit: 3 })).toEqual(names.slice(0, 3));
    expect(await list({ afterName: "a.b", limit: 3 })).toEqual(names.slice(4, 7));
    expect(await list({ afterName: "a.a", limit: 1 })).toEqual(["a.b"]);
    expect(await list({ afterName: "🐘", limit: 3 })).toEqual([]);
  });
}

async function pageThrough<T>(list: (page: PageQuery) => Promise<Page<T>>, size: number): Promise<T[]> {
  const found: T[] = [];
  let page: PageQuery | undefined = { limit: size };
  while (page) {
    const { things, nextCursor }: Page<T> = await list(page);
    found.push(...things);
    page = nextCursor === undefined ? undefined : parsePage({ cursor: nextCursor, size });
  }
  return found;
}

/** Aliases are a set; the order they come back in is nobody's business. */
function sorted(item: Item): Item {
  const words = (alias: Item["aliases"][number]) => `${alias.kind} ${alias.value}`;
  return { ...item, aliases: [...item.aliases].sort((a, b) => (words(a) < words(b) ? -1 : 1)) };
}
