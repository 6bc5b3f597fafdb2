import { expect, it } from "vitest";
import { createId, type FilePut, type Item, type ItemFileRef, type Session } from "../../../src/core/index.js";
import { buildContent, buildFile, buildKey, buildSession } from "../../support/builders.js";
import { type OpenStore, publish, refOf, refusal, startItem, startSession, sweepContent, useWorld } from "./world.js";

export function describePutFile(open: OpenStore): void {
  const world = useWorld(open);

  /** A done session with one file of ten bytes. */
  function putting(more: Partial<FilePut> & { name?: string } = {}): FilePut {
    const { name = "a.bin", ...rest } = more;
    return {
      tenantId: world.tenantId,
      ownerId: world.userId,
      itemId: undefined,
      extent: { epoch: 1, offset: 0, length: 10, blobKey: buildKey() },
      build: ({ now, item, itemFiles }) => {
        const session = buildSession({
          tenantId: world.tenantId,
          ownerId: world.userId,
          itemId: item?.id,
          state: "done",
          fileCount: 1,
          createdAt: now,
          modifiedAt: now,
          endedAt: now,
          expiresAt: undefined,
        });
        const current = buildContent({ id: createId() });
        const { id: sessionId, tenantId } = session;
        const file = {
          ...buildFile({ name, sessionId, tenantId, state: "ready", attempts: 1, createdAt: now, modifiedAt: now }),
          current,
        };
        const version = (itemFiles.find((known) => known.name === name)?.version ?? 0) + 1;
        return {
          session,
          file,
          events: [
            { type: "session.created", details: {} },
            { type: "session.done", details: { name } },
          ],
          ...(item && { apply: { contentVersion: item.contentVersion + 1, put: [{ file, version }], remove: [] } }),
        };
      },
      ...rest,
    };
  }

  it("a put file is read back with its session, its content and its history as they were built", async () => {
    const input = putting();
    const { session, file, applied } = await world.store.putFile(input);
    expect(applied).toBe(true);
    expect(session.lastEvent).toBe(2);
    expect(await world.store.getSession(refOf(session))).toEqual(session);
    const found = await world.store.getFile({ ...refOf(session), fileId: file.id });
    expect(found.file).toEqual(file);
    expect(await world.store.listExtents(file.current?.id ?? "")).toEqual([input.extent]);
    const events = await world.store.listEvents(refOf(session), 0, 10);
    expect(events.map(({ number, type }) => [number, type])).toEqual([
      [1, "session.created"],
      [2, "session.done"],
    ]);
  });

  it("a put file without bytes has no extents", async () => {
    const { file } = await world.store.putFile({ ...putting(), extent: undefined });
    expect(await world.store.listExtents(file.current?.id ?? "")).toEqual([]);
  });

  it("a put file's bytes are named until its session is deleted and swept (P8)", async () => {
    const input = putting();
    const keys = [input.extent!.blobKey];
    const { session } = await world.store.putFile(input);
    await sweepContent(world.store);
    expect([...(await world.store.findReferencedKeys(keys))]).toEqual(keys);
    await world.store.deleteSession(refOf(session), () => undefined);
    await sweepContent(world.store);
    expect([...(await world.store.findReferencedKeys(keys))]).toEqual([]);
  });

  it("building a put file is shown the item, its open sessions and its files, and what it applies happens with it (P5)", async () => {
    const item = await startItem(world);
    await publish(world, item, { "a.bin": 1, "b.bin": 2 });
    const other = await startSession(world, { itemId: item.id });
    let seen: { item: Item | undefined; open: readonly Session[]; itemFiles: readonly ItemFileRef[] } | undefined;
    const input = putting({ itemId: item.id });
    const { session, file } = await world.store.putFile({
      ...input,
      build: (view) => {
        seen = view;
        return input.build(view);
      },
    });
    expect(seen?.item?.id).toBe(item.id);
    expect(seen?.open.map(({ id }) => id)).toEqual([other.id]);
    expect(seen?.itemFiles.map(({ name, version }) => [name, version])).toEqual([
      ["a.bin", 1],
      ["b.bin", 1],
    ]);
    expect(session.itemId).toBe(item.id);
    expect((await world.store.getItem(world.tenantId, item.id)).contentVersion).toBe(3);
    const applied = await world.store.getItemFile(world.tenantId, item.id, "a.bin");
    expect(applied).toMatchObject({ version: 2, content: { id: file.current?.id } });
  });

  it("a put file with a token that was given before answers the first session and file, and is not built", async () => {
    const clientToken = { operation: "put", token: createId(), fingerprint: "f" };
    const first = await world.store.putFile(putting({ clientToken }));
    const build = () => {
      throw new Error("asked");
    };
    const again = await world.store.putFile({ ...putting({ clientToken }), build });
    expect(again).toEqual({ ...first, applied: false });
    const other = world.store.putFile(putting({ clientToken: { ...clientToken, fingerprint: "g" } }));
    await expect(other).rejects.toEqual(refusal("conflict", "CLIENT_TOKEN_REUSED"));
  });

  it("two puts with one token at once are one", async () => {
    const clientToken = { operation: "put", token: createId(), fingerprint: "f" };
    const both = await Promise.all([1, 2].map(() => world.store.putFile(putting({ clientToken }))));
    expect(both[0]?.session).toEqual(both[1]?.session);
    expect(both.filter(({ applied }) => applied)).toHaveLength(1);
  });

  it("a put that is refused, or whose item is unknown, leaves nothing", async () => {
    const clientToken = { operation: "put", token: createId(), fingerprint: "f" };
    const refused = new Error("no");
    const build = () => {
      throw refused;
    };
    await expect(world.store.putFile({ ...putting({ clientToken }), build })).rejects.toBe(refused);
    const unknown = world.store.putFile(putting({ itemId: createId(), clientToken }));
    await expect(unknown).rejects.toEqual(refusal("not_found", "ITEM_NOT_FOUND"));
    const everything = await world.store.listSessions(world.tenantId, { all: [] }, { limit: 10 });
    expect(everything.things).toEqual([]);
    expect(await world.store.putFile(putting({ clientToken }))).toMatchObject({ applied: true });
  });
}
