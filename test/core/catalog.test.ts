import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ItemFile, maxPageSize } from "../../src/core/index.js";
import { pseudoRandom } from "../support/bodies.js";
import { makeItem, type OpenedUploads, openUploads, startSession, storeFile } from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

const refused = (code: string, reason: string) => ({ code, details: { reason } });

describe("an update with an expected version", () => {
  it("is a conflict when the thing has another one, whatever else is asked, and changes nothing", async () => {
    const { uploads, admin } = opened;
    const item = await makeItem(opened);
    const { itemId, libraryId } = { itemId: item.id, libraryId: item.libraryId };
    const library = await uploads.getLibrary({ libraryId }, admin);
    for (const expectedVersion of [0, 2, Number.MAX_SAFE_INTEGER]) {
      const changed = { name: "changed", description: "changed", attributes: { a: 1 }, expectedVersion };
      const aliases = [{ kind: "k", value: "changed" }];
      const ofItem = uploads.updateItem({ itemId, aliases, type: "changed", ...changed }, admin);
      await expect(ofItem).rejects.toMatchObject(refused("conflict", "VERSION_CHANGED"));
      const ofLibrary = uploads.updateLibrary({ libraryId, ...changed }, admin);
      await expect(ofLibrary).rejects.toMatchObject(refused("conflict", "VERSION_CHANGED"));
    }
    expect(await uploads.getItem({ itemId }, admin)).toEqual(item);
    expect(await uploads.getLibrary({ libraryId }, admin)).toEqual(library);
  });

  it("is done when the thing has it, which it then has no longer", async () => {
    const { uploads, admin } = opened;
    const { id: itemId, libraryId } = await makeItem(opened);
    for (const expectedVersion of [1, 2, 3]) {
      const change = { description: `${expectedVersion}`, expectedVersion };
      const next = { description: change.description, version: expectedVersion + 1 };
      expect(await uploads.updateItem({ itemId, ...change }, admin)).toMatchObject(next);
      expect(await uploads.updateLibrary({ libraryId, ...change }, admin)).toMatchObject(next);
    }
  });

  it("is not disturbed by content that came meanwhile", async () => {
    const { uploads, admin, alice } = opened;
    const { id: itemId } = await makeItem(opened);
    const { id: sessionId } = await startSession(uploads, alice, { itemId });
    await storeFile(uploads, alice, pseudoRandom(10), { sessionId });
    await uploads.completeSession({ sessionId }, alice);
    const updated = await uploads.updateItem({ itemId, description: "d", expectedVersion: 1 }, admin);
    expect(updated).toMatchObject({ version: 2, contentVersion: 2 });
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])("of %d is invalid", async (expectedVersion) => {
    const { uploads, admin } = opened;
    const { id: itemId, libraryId } = await makeItem(opened);
    const invalid = refused("invalid", "NUMBER_INVALID");
    await expect(uploads.updateItem({ itemId, expectedVersion }, admin)).rejects.toMatchObject(invalid);
    await expect(uploads.updateLibrary({ libraryId, expectedVersion }, admin)).rejects.toMatchObject(invalid);
  });
});

describe("an item's aliases", () => {
  it("are left when none are given, and replaced as a whole when some are, or none", async () => {
    const { uploads, admin } = opened;
    const { id: itemId } = await makeItem(opened);
    const [one, two, three] = ["1", "2", "3"].map((value) => ({ kind: "whole", value }));
    const update = async (aliases?: { kind: string; value: string }[]) =>
      (await uploads.updateItem({ itemId, ...(aliases && { aliases }) }, admin)).aliases;
    expect(await update([one!, two!])).toEqual([one, two]);
    expect(await update()).toEqual([one, two]);
    expect(await update([two!, three!])).toEqual([two, three]);
    expect(await uploads.findItemByAlias(one!, admin)).toBeUndefined();
    expect((await uploads.getItemByAlias(three!, admin)).id).toBe(itemId);
    expect(await update([])).toEqual([]);
    await expect(uploads.getItemByAlias(three!, admin)).rejects.toMatchObject(refused("not_found", "ITEM_NOT_FOUND"));
  });

  it("that another item has are already_exists, and nothing of the update is applied", async () => {
    const { uploads, admin } = opened;
    const [free, mine, taken] = ["free", "mine", "taken"].map((value) => ({ kind: "taken", value }));
    const { id: otherId } = await makeItem(opened);
    await uploads.updateItem({ itemId: otherId, aliases: [taken!] }, admin);
    const { id: itemId } = await makeItem(opened);
    const before = await uploads.updateItem({ itemId, aliases: [mine!] }, admin);
    const update = uploads.updateItem({ itemId, name: "changed", aliases: [free!, taken!] }, admin);
    await expect(update).rejects.toMatchObject(refused("already_exists", "NAME_TAKEN"));
    expect(await uploads.getItem({ itemId }, admin)).toEqual(before);
    expect((await uploads.getItemByAlias(mine!, admin)).id).toBe(itemId);
    expect(await uploads.findItemByAlias(free!, admin)).toBeUndefined();
  });

  it("that could never be given find nothing but a refusal", async () => {
    const { uploads, admin } = opened;
    const wrong: [string, { kind: string; value: string }][] = [
      ["NAME_INVALID", { kind: "", value: "v" }],
      ["NAME_INVALID", { kind: "a/b", value: "v" }],
      ["TEXT_INVALID", { kind: "k", value: "\0" }],
      ["TEXT_INVALID", { kind: "k", value: "\ud800" }],
      ["TEXT_INVALID", { kind: "k", value: "x".repeat(256) }],
    ];
    const { id: itemId } = await makeItem(opened);
    for (const [reason, alias] of wrong) {
      for (const ask of [uploads.findItemByAlias, uploads.getItemByAlias]) {
        await expect(ask(alias, admin)).rejects.toMatchObject(refused("invalid", reason));
      }
      const update = uploads.updateItem({ itemId, aliases: [alias] }, admin);
      await expect(update).rejects.toMatchObject(refused("invalid", reason));
    }
  });

  it("that say the same twice are invalid, and different kinds do not say the same", async () => {
    const { uploads, admin } = opened;
    const { id: itemId } = await makeItem(opened);
    const aliases = ["twice a", "twice", "twice"].map((kind) => ({ kind, value: "a" }));
    const update = uploads.updateItem({ itemId, aliases }, admin);
    await expect(update).rejects.toMatchObject(refused("invalid", "NAME_INVALID"));
    const different = [aliases[0]!, aliases[1]!, { kind: "twice", value: "a a" }];
    expect((await uploads.updateItem({ itemId, aliases: different }, admin)).aliases).toEqual(different);
  });
});

describe("the files of an item", () => {
  it("of any names come in pages of any size, by name, each once", async () => {
    const { uploads, alice, bob } = opened;
    const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 });
    const name = fc.oneof(word, fc.constantFrom("%", "%20", "+", "=", "name", "é", "e\u0301")).filter(isName);
    const sizes = fc.integer({ min: 1, max: 9 });
    const property = fc.asyncProperty(fc.uniqueArray(name, { maxLength: 8 }), sizes, async (names, size) => {
      const { id: itemId } = await makeItem(opened);
      const { id: sessionId } = await startSession(uploads, alice, { itemId });
      for (const each of names) await storeFile(uploads, alice, pseudoRandom(1), { sessionId, name: each });
      await uploads.completeSession({ sessionId }, alice);
      const found: ItemFile[] = [];
      for (let cursor: string | undefined = ""; cursor !== undefined; ) {
        const page: Awaited<ReturnType<typeof uploads.listItemFiles>> = await uploads.listItemFiles(
          { itemId, page: { size, cursor } },
          bob,
        );
        expect(page.things.length).toBeLessThanOrEqual(size);
        found.push(...page.things);
        cursor = page.nextCursor;
      }
      const inOrder = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(found.map((file) => file.name)).toEqual(inOrder);
    });
    await fc.assert(property, { numRuns: 15 });
  });

  it("are asked for in pages of at most the largest, and with tokens of this list only", async () => {
    const { uploads, alice } = opened;
    const { id: itemId } = await makeItem(opened);
    const list = (page: { size?: number; cursor?: string }) => uploads.listItemFiles({ itemId, page }, alice);
    expect(await list({ size: maxPageSize + 1 })).toEqual({ things: [], nextCursor: undefined });
    const foreign = ["bm9ib2R5", btoa("1750000000000 11111111-1111-4111-8111-111111111111"), "%", btoa("name ")];
    for (const cursor of foreign) {
      await expect(list({ cursor })).rejects.toMatchObject(refused("invalid", "PAGE_INVALID"));
    }
    await expect(list({ size: -1 })).rejects.toMatchObject(refused("invalid", "PAGE_INVALID"));
  });
});

function isName(text: string): boolean {
  return /^[^/\\\p{Cc}]+$/u.test(text) && text !== "." && text !== "..";
}
