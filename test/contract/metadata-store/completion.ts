import { describe, expect, it } from "vitest";
import {
  type Completion,
  type CompletionView,
  createId,
  endSession,
  type Item,
  type Session,
} from "../../../src/core/index.js";
import { buildFile } from "../../support/builders.js";
import {
  addFile,
  complete,
  completeAll,
  extentOf,
  fileRefOf,
  finishSeat,
  type OpenStore,
  publish,
  refOf,
  refusal,
  sendFile,
  startItem,
  startSession,
  sweepContent,
  takeSeat,
  useWorld,
} from "./world.js";

/** `many` is how many files the largest session has. */
export function describeCompletion(open: OpenStore, many: number): void {
  const world = useWorld(open);

  it("completion is shown the session, all its files, the item and the item's files", async () => {
    const item = await startItem(world);
    await publish(world, item, { "b.bin": 1, "a.bin": 2 });
    const session = await startSession(world, { itemId: item.id });
    const { file } = await sendFile(world, session, "c.bin");
    const waiting = await addFile(world, session, { name: "d.bin" });
    let seen: CompletionView | undefined;
    const result = await world.store.completeSession(refOf(session), (view) => {
      seen = view;
      return undefined;
    });
    const stored = await world.store.getSession(refOf(session));
    expect(result).toEqual({ session: stored, applied: false });
    expect(seen?.session).toEqual(stored);
    expect(seen?.files).toHaveLength(2);
    expect(seen?.files).toEqual(expect.arrayContaining([file, waiting]));
    expect(seen?.item).toEqual(await world.store.getItem(world.tenantId, item.id));
    expect([...seen!.itemFiles].sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: "a.bin", version: 1 },
      { name: "b.bin", version: 1 },
    ]);
  });

  it("completing puts new names, replaces known ones, removes named ones and leaves the rest, and moves the item once (P5)", async () => {
    const item = await startItem(world);
    await publish(world, item, { keep: 1, replace: 2, remove: 3 });
    const before = await filesOf(item);
    expect((await world.store.getItem(world.tenantId, item.id)).contentVersion).toBe(2);

    const session = await startSession(world, { itemId: item.id, removals: ["remove"] });
    const replacing = await sendFile(world, session, "replace", 22);
    const adding = await sendFile(world, session, "add", 33);
    const result = await world.store.completeSession(refOf(session), completeAll);
    expect(result).toMatchObject({ applied: true, session: { state: "done", endedAt: expect.any(Date) } });
    expect(await world.store.getSession(refOf(session))).toEqual(result.session);

    const after = await filesOf(item);
    expect(after.map(({ name, version, content }) => [name, version, content.sizeBytes])).toEqual([
      ["add", 1, 33],
      ["keep", 1, 1],
      ["replace", 2, 22],
    ]);
    expect(after.find(({ name }) => name === "keep")).toEqual(before.find(({ name }) => name === "keep"));
    expect(after.find(({ name }) => name === "replace")?.content).toEqual(replacing.file.current);
    const [old, replaced] = [before, after].map((files) => files.find(({ name }) => name === "replace")!);
    expect(replaced!.createdAt).toEqual(old!.createdAt);
    expect(replaced!.modifiedAt.getTime()).toBeGreaterThanOrEqual(old!.modifiedAt.getTime());
    expect((await world.store.getItem(world.tenantId, item.id)).contentVersion).toBe(3);
    expect(await world.store.listExtents(after[0]!.content.id)).toEqual([
      { epoch: 1, offset: 0, length: 33, blobKey: adding.key },
    ]);
  });

  it("a completed file carries its media type, its attributes and all its checksums into the item", async () => {
    const item = await startItem(world);
    const session = await startSession(world, { itemId: item.id });
    const checksums = [
      { algorithm: "sha256" as const, value: "aa".repeat(32) },
      { algorithm: "sha1" as const, value: "bb".repeat(20) },
    ];
    const file = await addFile(world, session, { name: "ö.bin", mediaType: "a/b", attributes: { k: [1] } });
    const seat = await takeSeat(world, file);
    const content = { id: seat.attempt.id, sizeBytes: 2 ** 53 - 1, checksums };
    await world.store.finishAttempt(
      seat.ref,
      { extent: extentOf(seat, content.sizeBytes), lockSession: false },
      (view) => ({
        file: { ...view.file, state: "ready" },
        events: [],
        accepted: content,
      }),
    );
    await complete(world, session);
    expect(await world.store.getItemFile(world.tenantId, item.id, "ö.bin")).toEqual({
      tenantId: world.tenantId,
      itemId: item.id,
      name: "ö.bin",
      version: 1,
      mediaType: "a/b",
      content,
      attributes: { k: [1] },
      createdAt: expect.any(Date),
      modifiedAt: expect.any(Date),
    });
  });

  it("completing without a target item ends the session and keeps its files readable", async () => {
    const session = await startSession(world);
    const { file, key } = await sendFile(world, session, "a.bin");
    await complete(world, session);
    await sweepContent(world.store);
    expect(await world.store.getSession(refOf(session))).toMatchObject({ state: "done", expiresAt: undefined });
    expect((await world.store.getFile(fileRefOf(file))).file).toEqual(file);
    expect(await world.store.listExtents(file.current!.id)).toMatchObject([{ blobKey: key }]);
  });

  it("a completion without anything to apply leaves the item as it is", async () => {
    const item = await startItem(world);
    await publish(world, item, { a: 1 });
    const before = [await world.store.getItem(world.tenantId, item.id), await filesOf(item)];
    const session = await startSession(world, { itemId: item.id });
    await world.store.completeSession(refOf(session), (view, now) => ({
      session: endSession(view.session, "complete", now)!,
      events: [],
    }));
    expect([await world.store.getItem(world.tenantId, item.id), await filesOf(item)]).toEqual(before);
  });

  it("completing again changes nothing and says so (P4)", async () => {
    const item = await startItem(world);
    const { session } = await publish(world, item, { a: 1 });
    const before = [await world.store.getItem(world.tenantId, item.id), await filesOf(item)];
    const again = await world.store.completeSession(refOf(session), completeAll);
    expect(again).toEqual({ session: await world.store.getSession(refOf(session)), applied: false });
    expect([await world.store.getItem(world.tenantId, item.id), await filesOf(item)]).toEqual(before);
    expect(await world.store.listEvents(refOf(session), 0, 100)).toHaveLength(4);
  });

  it("removing a name that the item does not have removes nothing and fails nothing", async () => {
    const item = await startItem(world);
    await publish(world, item, { a: 1 }, ["never-there", "'; drop table items; --"]);
    expect((await filesOf(item)).map((file) => file.name)).toEqual(["a"]);
  });

  it("names that differ in case or in normal form are different files of an item", async () => {
    const item = await startItem(world);
    const names = ["a", "A", "\u00e9", "e\u0301"];
    await publish(world, item, Object.fromEntries(names.map((name) => [name, 1])));
    expect((await filesOf(item)).map((file) => file.name).sort()).toEqual([...names].sort());
  });

  it("replaced and removed content goes once no session names it either, and what the item names never does (P8)", async () => {
    const item = await startItem(world);
    const first = await publish(world, item, { keep: 1, replace: 2, remove: 3 });
    const second = await publish(world, item, { replace: 4 }, ["remove"]);
    const keys = [...first.keys, ...second.keys];
    await sweepContent(world.store);
    expect(await world.store.findReferencedKeys(keys)).toEqual(new Set(keys));

    await world.store.deleteSession(refOf(first.session), () => {});
    await world.store.deleteSession(refOf(second.session), () => {});
    await sweepContent(world.store);
    const named = new Set([first.keys[0], second.keys[0]]);
    expect(await world.store.findReferencedKeys(keys)).toEqual(named);
    for (const file of await filesOf(item)) expect(await world.store.listExtents(file.content.id)).toHaveLength(1);
  });

  describe("a completion that is refused changes nothing (P5)", () => {
    const refusals: [string, (view: CompletionView, now: Date) => Completion][] = [
      ["by the decision itself", completeAllOrThrow],
      [
        "by a record that another has changed",
        (view, now) => ({
          ...appliedTo(view, now),
          records: [{ namespace: "n", key: "k", value: 1, expect: 5 }],
        }),
      ],
      [
        "for putting a file without content",
        (view, now) => {
          const completion = appliedTo(view, now);
          const file = buildFile({ tenantId: view.session.tenantId, sessionId: view.session.id, name: "no" });
          const put = [...completion.apply!.put, { file, version: 1 }];
          return { ...completion, apply: { ...completion.apply!, put } };
        },
      ],
    ];
    it.each(refusals)("%s", async (_, decide) => {
      const item = await startItem(world);
      await publish(world, item, { a: 1, b: 2 });
      const session = await startSession(world, { itemId: item.id, removals: ["b"] });
      await sendFile(world, session, "a", 9);
      await sendFile(world, session, "c", 9);
      const before = await everything(item, session);
      await expect(world.store.completeSession(refOf(session), decide)).rejects.toThrow();
      expect(await everything(item, session)).toEqual(before);
    });

    function completeAllOrThrow(view: CompletionView): never {
      throw new RangeError(`no, ${view.files.length}`);
    }
    const appliedTo = (view: CompletionView, now: Date) => completeAll(view, now)!;
  });

  it("a session whose files are not all whole is not completed, and says which are missing (P5)", async () => {
    const item = await startItem(world);
    const session = await startSession(world, { itemId: item.id });
    await sendFile(world, session, "whole");
    await takeSeat(world, await addFile(world, session, { name: "half" }));
    const deed = world.store.completeSession(refOf(session), completeAll);
    await expect(deed).rejects.toMatchObject({ code: "incomplete", details: { missing: ["half"] } });
    expect(await filesOf(item)).toEqual([]);
  });

  it("completing an unknown session fails with not_found", async () => {
    const ref = { tenantId: world.tenantId, sessionId: createId() };
    await expect(world.store.completeSession(ref, completeAll)).rejects.toEqual(
      refusal("not_found", "SESSION_NOT_FOUND"),
    );
  });

  it(`${many} files are completed at once (P5)`, { timeout: 300_000 }, async () => {
    const item = await startItem(world);
    const session = await startSession(world, { itemId: item.id });
    const numbers = Array.from({ length: many }, (_, n) => n);
    const lanes = Array.from({ length: 10 }, async () => {
      for (let n = numbers.pop(); n !== undefined; n = numbers.pop()) {
        const seat = await takeSeat(world, await addFile(world, session, { name: `file ${n}` }));
        await finishSeat(world, seat, "accept", { extent: extentOf(seat, n + 1) });
      }
    });
    await Promise.all(lanes);
    expect(await complete(world, session)).toBe(true);

    const sizes = new Map<string, number>();
    let afterName = "";
    for (;;) {
      const files = await world.store.listItemFiles(world.tenantId, item.id, { afterName, limit: 1000 });
      if (files.length === 0) break;
      for (const file of files) sizes.set(file.name, file.content.sizeBytes);
      afterName = files.at(-1)!.name;
    }
    expect(sizes.size).toBe(many);
    for (const [name, size] of sizes) expect(name).toBe(`file ${size - 1}`);
    expect((await world.store.getItem(world.tenantId, item.id)).contentVersion).toBe(2);
  });

  function filesOf(item: Item) {
    return world.store.listItemFiles(world.tenantId, item.id, { limit: 100 });
  }

  async function everything(item: Item, session: Session): Promise<unknown> {
    return [
      await world.store.getItem(world.tenantId, item.id),
      await filesOf(item),
      await world.store.getSession(refOf(session)),
      await world.store.listFiles(refOf(session), { limit: 100 }),
      await world.store.listEvents(refOf(session), 0, 100),
    ];
  }
}
