// What callers on connections of their own may see of each other. Every round runs on two stores with many connections
// each.
import { expect, it } from "vitest";
import {
  type BlobKey,
  createId,
  type Item,
  isUploadError,
  type Library,
  type MetadataStore,
  type Session,
  UploadError,
} from "../../../src/core/index.js";
import { buildLibrary, buildSession } from "../../support/builders.js";
import {
  addFile,
  codeOf,
  extentOf,
  fileRefOf,
  finishSeat,
  type OpenStore,
  refOf,
  type Seat,
  startItem,
  startSession,
  takeSeat,
  useWorld,
} from "./world.js";

export function describeConcurrency(open: OpenStore): void {
  const world = useWorld(open);

  async function onTwoStores(work: (stores: readonly [MetadataStore, MetadataStore]) => Promise<void>): Promise<void> {
    const other = await world.openAnother!();
    try {
      await work([world.store, other]);
    } finally {
      await other.close();
    }
  }

  function createExclusive(store: MetadataStore, itemId: string): Promise<{ session: Session }> {
    return store.createSession({
      tenantId: world.tenantId,
      ownerId: world.userId,
      itemId,
      build: ({ now, open: sessions }) => {
        if (sessions.length > 0) throw new UploadError("busy", "item is taken", { reason: "ITEM_BUSY" });
        const of = { tenantId: world.tenantId, ownerId: world.userId, itemId, access: "exclusive" as const };
        return { session: buildSession({ ...of, createdAt: now }), events: [] };
      },
    });
  }

  it("of ten exclusive sessions begun on one item at once exactly one comes to be", async () => {
    await onTwoStores(async (stores) => {
      for (let round = 0; round < 10; round++) {
        const item = await startItem(world);
        const codes = await Promise.all(times(10, (n) => codeOf(createExclusive(stores[n % 2]!, item.id))));
        expect(codes.sort()).toEqual([...Array(9).fill("busy"), "ok"]);
        const field = { field: "itemId", is: "eq", value: item.id } as const;
        expect((await world.store.listSessions(world.tenantId, field, { limit: 10 })).things).toHaveLength(1);
      }
    });
  });

  it("of ten changes of one library or item that pass only over what they know exactly one passes", async () => {
    await onTwoStores(async (stores) => {
      const { tenantId } = world;
      const decide = <Thing extends Library | Item>(thing: Thing): Thing => {
        if (thing.version !== 1) throw new UploadError("conflict", "changed", { reason: "VERSION_CHANGED" });
        return { ...thing, version: 2 };
      };
      for (let round = 0; round < 10; round++) {
        const { id, libraryId } = await startItem(world);
        const changes = [
          (n: number) => stores[n % 2]!.updateItem(tenantId, id, decide),
          (n: number) => stores[n % 2]!.updateLibrary(tenantId, libraryId, decide),
        ];
        for (const change of changes) {
          const codes = await Promise.all(times(10, (n) => codeOf(change(n))));
          expect(codes.sort()).toEqual([...Array(9).fill("conflict"), "ok"]);
        }
      }
    });
  });

  it("twenty creations with one client token at once make one session, and one of them says it did (P4)", async () => {
    await onTwoStores(async (stores) => {
      for (let round = 0; round < 10; round++) {
        const clientToken = { operation: "create", token: createId(), fingerprint: "f" };
        const label = clientToken.token;
        const results = await Promise.all(
          times(20, (n) =>
            stores[n % 2]!.createSession({
              tenantId: world.tenantId,
              ownerId: world.userId,
              itemId: undefined,
              clientToken,
              build: ({ now }) => ({
                session: buildSession({ tenantId: world.tenantId, ownerId: world.userId, label, createdAt: now }),
                events: [],
              }),
            }),
          ),
        );
        expect(new Set(results.map(({ session }) => session.id)).size).toBe(1);
        expect(results.filter(({ applied }) => applied)).toHaveLength(1);
        const field = { field: "label", is: "eq", value: label } as const;
        expect((await world.store.listSessions(world.tenantId, field, { limit: 10 })).things).toHaveLength(1);
      }
    });
  });

  it("a client token raced with two fingerprints makes one session, and the other fingerprint is a conflict (P4)", async () => {
    for (let round = 0; round < 10; round++) {
      const token = createId();
      const codes = await Promise.all(
        times(8, (n) => codeOf(startSession(world, {}, { operation: "o", token, fingerprint: `f${n % 2}` }))),
      );
      const tally = [0, 1].map((odd) => new Set(codes.filter((_, n) => n % 2 === odd)));
      expect(tally).toEqual(expect.arrayContaining([new Set(["ok"]), new Set(["conflict"])]));
    }
  });

  it("of writers that race for one file each has an epoch of its own, and only the last can commit (P7)", async () => {
    await onTwoStores(async (stores) => {
      const session = await startSession(world);
      for (let round = 0; round < 10; round++) {
        const file = await addFile(world, session);
        const seats = await Promise.all(times(8, (n) => takeSeat(world, file, "resume", stores[n % 2])));
        const epochs = seats.map((seat) => seat.attempt.epoch).sort((a, b) => a - b);
        expect(epochs).toEqual(times(8, (n) => n + 1));
        expect(new Set(seats.map((seat) => seat.attempt.id)).size).toBe(1);
        const commits = await Promise.all(
          seats.map(async (seat, n) => {
            const extent = extentOf(seat, seat.attempt.epoch);
            return [seat.attempt.epoch, await codeOf(stores[n % 2]!.commitExtent({ attempt: seat.ref, extent }))];
          }),
        );
        for (const [epoch, code] of commits) expect([epoch, code]).toEqual([epoch, epoch === 8 ? "ok" : "superseded"]);
        expect((await world.store.getFile(fileRefOf(file))).file.running).toMatchObject({ epoch: 8, offset: 8 });
      }
    });
  });

  it("while writers take over and commit at once, content stays without gap and no offset goes back (P2, P7)", async () => {
    await onTwoStores(async (stores) => {
      const file = await addFile(world, await startSession(world));
      const committed = new Map<BlobKey, number>();
      const actor = async (n: number) => {
        let highest = 0;
        for (let turn = 0; turn < 8; turn++) {
          const store = stores[n % 2]!;
          const seat = await takeSeat(world, file, "resume", store);
          expect(seat.attempt.offset).toBeGreaterThanOrEqual(highest);
          const extent = extentOf(seat, n + 1);
          const code = await codeOf(store.commitExtent({ attempt: seat.ref, extent }));
          expect(["ok", "superseded"]).toContain(code);
          highest = seat.attempt.offset;
          if (code !== "ok") continue;
          committed.set(extent.blobKey, extent.length);
          highest += extent.length;
        }
      };
      await Promise.all(times(6, actor));
      const { running } = (await world.store.getFile(fileRefOf(file))).file;
      const extents = await world.store.listExtents(running!.id);
      let end = 0;
      for (const { offset, length } of extents) {
        expect(offset).toBe(end);
        end += length;
      }
      expect(end).toBe(running!.offset);
      // What was acknowledged is there, and nothing else (P1).
      expect(new Map(extents.map(({ blobKey, length }) => [blobKey, length]))).toEqual(committed);
    });
  });

  it("of finishers with one seat exactly one ends the attempt", async () => {
    const session = await startSession(world);
    for (let round = 0; round < 10; round++) {
      const seat = await takeSeat(world, await addFile(world, session));
      const codes = await Promise.all(
        times(6, (n) => codeOf(finishSeat(world, seat, n % 2 ? "accept" : "reject", { extent: extentOf(seat, 3) }))),
      );
      expect(codes.sort()).toEqual(["ok", ...Array(5).fill("superseded")]);
    }
  });

  it("fifty files of one session end at once: all their events are there and nobody waits for ever", async () => {
    await onTwoStores(async (stores) => {
      const session = await startSession(world);
      const seats = await Promise.all(times(50, async () => takeSeat(world, await addFile(world, session))));
      const finish = (seat: Seat, n: number) =>
        finishSeat(world, seat, n % 3 ? "accept" : "reject", { extent: extentOf(seat, 3), store: stores[n % 2]! });
      await Promise.all(seats.map(finish));
      const events = await world.store.listEvents(refOf(session), 0, 1000);
      expect(events.map(({ number }) => number)).toEqual(times(101, (n) => n + 1));
      expect(events.filter(({ type }) => type === "file.ready")).toHaveLength(33);
      expect(events.filter(({ type }) => type === "file.failed")).toHaveLength(17);
    });
  });

  it("commits, seats, ends, declarations and session changes on many files at once never meet in a deadlock", async () => {
    await onTwoStores(async (stores) => {
      const session = await startSession(world, { itemId: (await startItem(world)).id });
      const files = await Promise.all(times(8, () => addFile(world, session)));
      const actor = async (n: number) => {
        for (let turn = 0; turn < 12; turn++) {
          const [store, file] = [stores[n % 2]!, files[(n * 5 + turn * 3) % files.length]!];
          const seat = await takeSeat(world, file, turn % 4 ? "resume" : "restart", store);
          const extent = extentOf(seat, 2);
          await allowing(["superseded"], store.commitExtent({ attempt: seat.ref, extent }));
          if (turn % 3 === 0) await allowing(["superseded"], finishSeat(world, seat, "accept", { extent, store }));
          if (turn % 5 === 0) await addFile(world, session, {}, store);
          if (turn % 4 === 0) {
            await store.updateSession(refOf(session), (found) => ({
              session: { ...found, label: `${n}` },
              events: [],
            }));
          }
        }
      };
      await Promise.all(times(8, actor));
      const events = await world.store.listEvents(refOf(session), 0, 1000);
      expect(events.map(({ number }) => number)).toEqual(times(events.length, (n) => n + 1));
      const { fileCount, lastEvent } = await world.store.getSession(refOf(session));
      expect([fileCount, lastEvent]).toEqual([8 + 8 * 3, events.length]);
    });
  });

  it("files declared at once in one session are all there, counted, and one name is taken once", async () => {
    await onTwoStores(async (stores) => {
      const session = await startSession(world);
      await Promise.all(times(20, (n) => addFile(world, session, {}, stores[n % 2])));
      const codes = await Promise.all(
        times(10, (n) => codeOf(addFile(world, session, { name: "same" }, stores[n % 2]))),
      );
      expect(codes.sort()).toEqual([...Array(9).fill("already_exists"), "ok"]);
      expect((await world.store.listFiles(refOf(session), { limit: 100 })).things).toHaveLength(21);
      expect((await world.store.getSession(refOf(session))).fileCount).toBe(21);
    });
  });

  it("of changes that expect the same version of a record exactly one happens", async () => {
    await onTwoStores(async (stores) => {
      for (let version = 0; version < 10; version++) {
        const change = { namespace: "n", key: "k", value: version, expect: version };
        const codes = await Promise.all(
          times(8, (n) => codeOf(stores[n % 2]!.changeRecords(world.tenantId, [change]))),
        );
        expect(codes.sort()).toEqual([...Array(7).fill("conflict"), "ok"]);
      }
      expect(await world.store.findRecord(world.tenantId, "n", "k")).toMatchObject({ version: 10, value: 9 });
    });
  });

  it("records changed together in different orders at once all change", async () => {
    await onTwoStores(async (stores) => {
      const keys = times(12, (n) => `key ${n}`);
      const changes = (order: readonly string[]) => order.map((key) => ({ namespace: "n", key, value: 1 }));
      await Promise.all(
        times(20, (n) => stores[n % 2]!.changeRecords(world.tenantId, changes(n % 2 ? keys : [...keys].reverse()))),
      );
      const records = await world.store.listRecords(world.tenantId, "n", { prefix: "", limit: 100 });
      expect(records.map(({ version }) => version)).toEqual(keys.map(() => 20));
    });
  });

  it("users, store ids, names and aliases that are made at once are made once", async () => {
    await onTwoStores(async (stores) => {
      const users = await Promise.all(times(12, (n) => stores[n % 2]!.ensureUser("new tenant", `user ${n % 3}`)));
      expect(new Set(users.map(({ tenantId }) => tenantId)).size).toBe(1);
      expect(new Set(users.map(({ userId }) => userId)).size).toBe(3);
      const ids = await Promise.all(times(8, (n) => stores[n % 2]!.bindStore(createId())));
      expect(new Set(ids).size).toBe(1);

      const library = () => buildLibrary({ tenantId: world.tenantId, name: "one" });
      const libraries = await Promise.all(times(8, (n) => codeOf(stores[n % 2]!.createLibrary(library()))));
      expect(libraries.sort()).toEqual([...Array(7).fill("already_exists"), "ok"]);
      const aliases = [{ kind: "k", value: "v" }];
      const items = await Promise.all(times(8, () => codeOf(startItem(world, { aliases }))));
      expect(items.sort()).toEqual([...Array(7).fill("already_exists"), "ok"]);
    });
  });

  it("closing waits for what is under way, and a closed store is unavailable while others go on", async () => {
    const other = await world.openAnother!();
    const session = await startSession(world);
    const underWay = times(10, () => addFile(world, session, {}, other));
    await Promise.race(underWay);
    const closed = other.close();
    const settled = await Promise.allSettled(underWay);
    await closed;
    const done = settled.filter(({ status }) => status === "fulfilled").length;
    for (const result of settled) {
      if (result.status === "rejected") expect(isUploadError(result.reason, "unavailable")).toBe(true);
    }
    expect((await world.store.getSession(refOf(session))).fileCount).toBe(done);
    expect(await codeOf(other.checkHealth())).toBe("unavailable");
    expect(await codeOf(other.getSession(refOf(session)))).toBe("unavailable");
    await world.store.checkHealth();
  });
}

function times<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}

async function allowing(codes: readonly string[], deed: Promise<unknown>): Promise<void> {
  const code = await codeOf(deed);
  if (code !== "ok") expect(codes).toContain(code);
}
