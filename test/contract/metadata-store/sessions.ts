import { expect, it, vi } from "vitest";
import { createId, type PageQuery, parsePage, type Session } from "../../../src/core/index.js";
import { buildSession } from "../../support/builders.js";
import {
  addFile,
  codeOf,
  complete,
  endBy,
  fileRefOf,
  type OpenStore,
  refOf,
  refusal,
  startItem,
  startSession,
  useWorld,
} from "./world.js";

export function describeSessions(open: OpenStore): void {
  const world = useWorld(open);

  it("the store is tied to the first store id it is given and answers that one ever after", async () => {
    const [first, second] = [createId(), createId()];
    expect(await world.store.findStore()).toBeUndefined();
    expect(await world.store.bindStore(first)).toBe(first);
    expect(await world.store.findStore()).toBe(first);
    expect(await world.store.bindStore(second)).toBe(first);
    expect(await world.store.bindStore(first)).toBe(first);
  });

  it("ensuring a user makes it once, and the same name in another tenant is another user", async () => {
    const ada = await world.store.ensureUser("default", "ada");
    expect(ada).toEqual({ tenantId: world.tenantId, userId: world.userId });
    expect(world.stranger.tenantId).not.toBe(world.tenantId);
    expect(world.stranger.userId).not.toBe(world.userId);
    expect(world.colleagueId).not.toBe(world.userId);
  });

  it("checking the health of an open store resolves", async () => {
    await expect(world.store.checkHealth()).resolves.toBeUndefined();
  });

  it("a created session is read back field by field as it was built", async () => {
    const item = await startItem(world);
    let built: Session | undefined;
    const created = await world.store.createSession({
      tenantId: world.tenantId,
      ownerId: world.userId,
      itemId: item.id,
      build: ({ now }) => {
        built = buildSession({
          tenantId: world.tenantId,
          ownerId: world.userId,
          access: "exclusive",
          visibility: "tenant",
          origin: "vsphere",
          label: "a 'label' \"quoted\" ? :x \\ ü 🐘",
          itemId: item.id,
          baseContentVersion: item.contentVersion,
          removals: ["old.iso", 'qu"ote', "comma,brace}"],
          attributes: { uiKey: "1", deep: { list: [1, null, "x", { y: true }] }, __proto: 1.5 },
          clientProgress: 42,
          failure: { reason: "client", message: "not yet" },
          deadlines: { idleTtlMs: 86_400_000, absoluteTtlMs: 604_800_000, keepTerminalMs: 315_360_000_000 },
          createdAt: now,
          modifiedAt: now,
        });
        return { session: built, events: [] };
      },
    });
    expect(created).toEqual({ session: built, applied: true });
    expect(await world.store.getSession(refOf(created.session))).toEqual(built);
  });

  it("building a session is given the item, the transaction's time and only the item's active and completing sessions", async () => {
    const item = await startItem(world);
    const active = await startSession(world, { itemId: item.id, label: "active" });
    const completing = await startSession(world, { itemId: item.id, state: "completing" });
    await startSession(world, { itemId: (await startItem(world)).id });
    await startSession(world);
    for (const event of ["cancel", "fail"] as const) {
      await endBy(world, await startSession(world, { itemId: item.id }), event);
    }
    await complete(world, await startSession(world, { itemId: item.id }));
    const latest = await world.store.getItem(world.tenantId, item.id);
    await startSession(world, { itemId: item.id });

    const build = vi.fn(({ now }: { now: Date }) => ({
      session: buildSession({ tenantId: world.tenantId, ownerId: world.colleagueId, itemId: item.id, createdAt: now }),
      events: [],
    }));
    await world.store.createSession({
      tenantId: world.tenantId,
      ownerId: world.colleagueId,
      itemId: item.id,
      build: (view) => {
        expect(view.item).toEqual(latest);
        expect(view.now).toBeInstanceOf(Date);
        expect(view.now.getTime()).toBeGreaterThanOrEqual(active.createdAt.getTime());
        expect(view.open.map((session) => session.id)).toEqual(expect.arrayContaining([active.id, completing.id]));
        expect(view.open).toHaveLength(3);
        expect(view.open).toContainEqual(active);
        return build(view);
      },
    });
    expect(build).toHaveBeenCalled();
  });

  it("building a session without a target item is given no item and no sessions", async () => {
    await startSession(world);
    await world.store.createSession({
      tenantId: world.tenantId,
      ownerId: world.userId,
      itemId: undefined,
      build: ({ now, item, open: sessions }) => {
        expect([item, sessions]).toEqual([undefined, []]);
        return {
          session: buildSession({ tenantId: world.tenantId, ownerId: world.userId, createdAt: now }),
          events: [],
        };
      },
    });
  });

  it("creating a session on an unknown item fails with not_found and asks nobody", async () => {
    const build = vi.fn();
    const input = { tenantId: world.tenantId, ownerId: world.userId, itemId: createId(), build };
    await expect(world.store.createSession(input)).rejects.toEqual(refusal("not_found", "ITEM_NOT_FOUND"));
    expect(build).not.toHaveBeenCalled();
  });

  it("a client token given again answers the first session as it is now and builds nothing (P4)", async () => {
    const clientToken = { operation: "create", token: "t-1", fingerprint: "f" };
    const first = await startSession(world, {}, clientToken);
    await addFile(world, first);
    const build = vi.fn();
    const again = await world.store.createSession({
      tenantId: world.tenantId,
      ownerId: world.userId,
      itemId: undefined,
      clientToken,
      build,
    });
    expect(again).toEqual({ session: await world.store.getSession(refOf(first)), applied: false });
    expect(again.session.fileCount).toBe(1);
    expect(build).not.toHaveBeenCalled();
    expect(await ids()).toEqual([first.id]);
  });

  it("a client token given again after its session ended answers the ended session (P4)", async () => {
    const clientToken = { operation: "create", token: "t-1", fingerprint: "f" };
    const item = await startItem(world);
    const first = await startSession(world, { itemId: item.id }, clientToken);
    await complete(world, first);
    expect(await startSession(world, { itemId: item.id }, clientToken)).toMatchObject({ id: first.id, state: "done" });
  });

  it("a client token with another fingerprint is a conflict and creates nothing (P4)", async () => {
    const first = await startSession(world, {}, { operation: "create", token: "t-1", fingerprint: "f" });
    await expect(startSession(world, {}, { operation: "create", token: "t-1", fingerprint: "g" })).rejects.toEqual(
      refusal("conflict", "CLIENT_TOKEN_REUSED"),
    );
    expect(await ids()).toEqual([first.id]);
  });

  it("a client token counts for its user and operation only", async () => {
    const clientToken = { operation: "create", token: "t-1", fingerprint: "f" };
    const sessions = [
      await startSession(world, {}, clientToken),
      await startSession(world, { ownerId: world.colleagueId }, clientToken),
      await startSession(world, {}, { ...clientToken, operation: "put" }),
      await startSession(world, {}, { ...clientToken, token: "T-1" }),
      await startSession(
        world,
        { tenantId: world.stranger.tenantId, ownerId: world.stranger.userId },
        { ...clientToken, fingerprint: "other" },
      ),
    ];
    expect(new Set(sessions.map((session) => session.id)).size).toBe(5);
  });

  it("a client token whose session is deleted fails with not_found and does not build another", async () => {
    const clientToken = { operation: "create", token: "t-1", fingerprint: "f" };
    const first = await startSession(world, {}, clientToken);
    await world.store.deleteSession(refOf(first), () => {});
    await expect(startSession(world, {}, clientToken)).rejects.toEqual(refusal("not_found", "SESSION_NOT_FOUND"));
    expect(await ids()).toEqual([]);
  });

  it("a client token whose creation was refused is free for another try", async () => {
    const clientToken = { operation: "create", token: "t-1", fingerprint: "f" };
    const input = { tenantId: world.tenantId, ownerId: world.userId, itemId: undefined, clientToken };
    const refused = new RangeError("not today");
    const build = () => {
      throw refused;
    };
    await expect(world.store.createSession({ ...input, build })).rejects.toBe(refused);
    const session = await startSession(world, {}, { ...clientToken, fingerprint: "another" });
    expect(await ids()).toEqual([session.id]);
  });

  it("updating writes the session that the change returns and answers it", async () => {
    const session = await startSession(world);
    const { session: updated, applied } = await world.store.updateSession(refOf(session), (found, now) => {
      expect(found).toEqual(session);
      expect(now.getTime()).toBeGreaterThanOrEqual(session.createdAt.getTime());
      return {
        session: {
          ...found,
          state: "failed",
          label: "renamed",
          visibility: "tenant",
          removals: ["x"],
          attributes: { status: "ERROR" },
          clientProgress: 100,
          failure: { reason: "client", message: "no route" },
          expiresAt: undefined,
          modifiedAt: now,
          endedAt: now,
        },
        events: [],
      };
    });
    expect(applied).toBe(true);
    expect(updated).toMatchObject({ state: "failed", label: "renamed", clientProgress: 100, expiresAt: undefined });
    expect(await world.store.getSession(refOf(session))).toEqual(updated);
  });

  it("updating with a change that returns nothing changes nothing and says so", async () => {
    const session = await startSession(world);
    expect(await world.store.updateSession(refOf(session), () => undefined)).toEqual({ session, applied: false });
    expect(await world.store.getSession(refOf(session))).toEqual(session);
  });

  it("the time a change is given is the store's own: it agrees across deeds and never runs backwards", async () => {
    const session = await startSession(world);
    const times = [session.createdAt.getTime()];
    for (let round = 0; round < 10; round++) {
      await world.store.updateSession(refOf(session), (_, now) => void times.push(now.getTime()));
    }
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it("records that go with a session are changed together with it, or neither is", async () => {
    const record = { namespace: "vsphere", key: "k", value: { handle: 7 } };
    const session = await startSession(world);
    const change = (found: Session) => ({
      session: { ...found, label: "changed" },
      events: [{ type: "session.changed" as const, details: {} }],
      records: [{ ...record, expect: 0 }],
    });
    await world.store.updateSession(refOf(session), change);
    expect(await world.store.findRecord(world.tenantId, "vsphere", "k")).toMatchObject({ value: { handle: 7 } });

    const before = await world.store.getSession(refOf(session));
    await expect(
      world.store.updateSession(refOf(session), (found) => ({ ...change(found), session: { ...found, label: "no" } })),
    ).rejects.toEqual(refusal("conflict", "RECORD_CHANGED"));
    expect(await world.store.getSession(refOf(session))).toEqual(before);
    expect(await world.store.listEvents(refOf(session), 0, 100)).toHaveLength(2);
    expect(await codeOf(createWith(record))).toBe("conflict");
    expect(await ids()).toEqual([session.id]);
  });

  it("deleting removes the session with its files and history once the check lets it pass", async () => {
    const session = await startSession(world);
    const file = await addFile(world, session);
    const check = vi.fn();
    await world.store.deleteSession(refOf(session), check);
    expect(check).toHaveBeenCalledWith(expect.objectContaining({ id: session.id, fileCount: 1 }), expect.any(Date));
    const gone = [
      () => world.store.getSession(refOf(session)),
      () => world.store.getFile(fileRefOf(file)),
      () => world.store.listFiles(refOf(session), { limit: 10 }),
      () => world.store.listEvents(refOf(session), 0, 10),
      () => world.store.deleteSession(refOf(session), check),
    ];
    for (const deed of gone) await expect(deed()).rejects.toEqual(refusal("not_found"));
  });

  it("listing is newest first and pages through 250 sessions of the same millisecond without loss or repeat", async () => {
    const createdAt = new Date("2026-02-02T02:02:02.002Z");
    const older = await startSession(world, { createdAt: new Date(createdAt.getTime() - 1) });
    const same = await Promise.all(Array.from({ length: 250 }, () => startSession(world, { createdAt })));
    const newer = await startSession(world, { createdAt: new Date(createdAt.getTime() + 1) });
    const listed = await listAll(37);
    expect(listed[0]).toBe(newer.id);
    expect(listed.at(-1)).toBe(older.id);
    expect([...listed].sort()).toEqual([older, newer, ...same].map((session) => session.id).sort());
  });

  it("a page of exactly what is there is the last one", async () => {
    for (let n = 0; n < 3; n++) await startSession(world);
    const page = await world.store.listSessions(world.tenantId, { all: [] }, { limit: 3 });
    expect([page.things.length, page.nextCursor]).toEqual([3, undefined]);
    expect(await world.store.listSessions(world.tenantId, { any: [] }, { limit: 3 })).toEqual({
      things: [],
      nextCursor: undefined,
    });
  });

  it("sessions that appear while a list is paged through neither hide nor repeat others", async () => {
    const old = [await startSession(world), await startSession(world), await startSession(world)];
    const first = await world.store.listSessions(world.tenantId, { all: [] }, { limit: 2 });
    await startSession(world);
    const rest = await world.store.listSessions(world.tenantId, { all: [] }, next(first.nextCursor, 2));
    const seen = [...first.things, ...rest.things].map((session) => session.id);
    expect(seen.sort()).toEqual(old.map((session) => session.id).sort());
  });

  async function ids(): Promise<string[]> {
    return listAll(1000);
  }

  async function listAll(limit: number): Promise<string[]> {
    const found: string[] = [];
    let page: PageQuery | undefined = { limit };
    while (page) {
      const all = { all: [] as const };
      const { things, nextCursor } = await world.store.listSessions(world.tenantId, all, page);
      found.push(...things.map((session) => session.id));
      page = nextCursor === undefined ? undefined : next(nextCursor, limit);
    }
    return found;
  }

  function createWith(record: { namespace: string; key: string; value: { handle: number } }) {
    return world.store.createSession({
      tenantId: world.tenantId,
      ownerId: world.userId,
      itemId: undefined,
      build: ({ now }) => ({
        session: buildSession({ tenantId: world.tenantId, ownerId: world.userId, createdAt: now }),
        events: [],
        records: [{ ...record, expect: 0 }],
      }),
    });
  }
}

const next = (cursor: string | undefined, size: number): PageQuery => parsePage({ cursor: cursor ?? "", size });
