import { expect, it } from "vitest";
import { type BlobKey, endSession, type Session } from "../../../src/core/index.js";
import { buildKey } from "../../support/builders.js";
import {
  addFile,
  complete,
  endBy,
  extentOf,
  fileRefOf,
  finishSeat,
  type OpenStore,
  publish,
  refOf,
  refusal,
  sendFile,
  startItem,
  startOverdueSession,
  startSession,
  sweepContent,
  takeSeat,
  useWorld,
  wait,
} from "./world.js";

export function describeSweep(open: OpenStore): void {
  const world = useWorld(open);

  const forgetful = { idleTtlMs: 60_000, absoluteTtlMs: undefined, keepTerminalMs: 1 };
  const named = async (...keys: BlobKey[]) => [...(await world.store.findReferencedKeys(keys))].sort();

  it("overdue are the active and completing sessions of every tenant whose deadline has passed, and no others", async () => {
    const { tenantId, userId: ownerId } = world.stranger;
    const overdue = [
      await startOverdueSession(world),
      await startOverdueSession(world, { state: "completing" }),
      await startOverdueSession(world, { tenantId, ownerId }),
    ];
    await startSession(world);
    const expired = await startOverdueSession(world);
    await endBy(world, expired, "expire");
    const forgotten = await startSession(world, { deadlines: forgetful });
    await endBy(world, forgotten, "cancel");
    await wait(5);
    const listed = await world.store.listOverdueSessions(10);
    expect(new Set(listed.map((ref) => ref.sessionId))).toEqual(new Set(overdue.map((session) => session.id)));
    expect(listed).toEqual(expect.arrayContaining(overdue.map(refOf)));
    expect(await world.store.listOverdueSessions(2)).toHaveLength(2);
  });

  it("open are the active and completing sessions of every tenant, overdue ones included, and no others", async () => {
    const { tenantId, userId: ownerId } = world.stranger;
    expect(await world.store.countOpenSessions()).toBe(0);
    await startSession(world);
    await startSession(world, { tenantId, ownerId });
    await startOverdueSession(world, { state: "completing" });
    for (const event of ["cancel", "fail"] as const) await endBy(world, await startSession(world), event);
    expect(await world.store.countOpenSessions()).toBe(3);
  });

  it("a session that something happened to in time is not overdue", async () => {
    const session = await startSession(world, { deadlines: { ...forgetful, idleTtlMs: 1 } });
    await wait(5);
    await world.store.updateSession(refOf(session), (found, now) => ({
      session: { ...found, expiresAt: new Date(now.getTime() + 60_000) },
      events: [],
    }));
    expect(await world.store.listOverdueSessions(10)).toEqual([]);
  });

  it("forgotten are the ended sessions whose time is over: they go with files and history, at most as many as asked for", async () => {
    const ended: Session[] = [];
    for (const event of ["cancel", "fail", "cancel"] as const) {
      const session = await startSession(world, { deadlines: forgetful });
      await addFile(world, session);
      await endBy(world, session, event);
      ended.push(session);
    }
    const kept = [await startSession(world), await startOverdueSession(world), await startSession(world)];
    await endBy(world, kept[2]!, "cancel");
    await wait(5);
    expect(await world.store.deleteForgottenSessions(2)).toBe(2);
    expect(await world.store.deleteForgottenSessions(2)).toBe(1);
    expect(await world.store.deleteForgottenSessions(2)).toBe(0);
    for (const session of ended) {
      await expect(world.store.getSession(refOf(session))).rejects.toEqual(refusal("not_found"));
      await expect(world.store.listEvents(refOf(session), 0, 1)).rejects.toEqual(refusal("not_found"));
    }
    for (const session of kept) expect(await world.store.getSession(refOf(session))).toMatchObject({ id: session.id });
  });

  it("a completed session that holds content of its own is never forgotten", async () => {
    const session = await startSession(world, { deadlines: forgetful });
    const { file, key } = await sendFile(world, session, "a");
    await complete(world, session);
    await wait(5);
    expect(await world.store.deleteForgottenSessions(10)).toBe(0);
    await sweepContent(world.store);
    expect(await named(key)).toEqual([key]);
    expect(await world.store.listExtents(file.current!.id)).toHaveLength(1);
  });

  it("forgetting a completed session leaves what it gave to the item, and nothing else of it (P8)", async () => {
    const item = await startItem(world);
    const session = await startSession(world, { itemId: item.id, deadlines: forgetful });
    const { file, key } = await sendFile(world, session, "a");
    const again = await takeSeat(world, file);
    const replacing = extentOf(again, 5);
    await finishSeat(world, again, "accept", { extent: replacing });
    await complete(world, session);
    await wait(5);
    expect(await world.store.deleteForgottenSessions(10)).toBe(1);
    await sweepContent(world.store);
    expect(await named(key, replacing.blobKey)).toEqual([replacing.blobKey]);
    const { content } = await world.store.getItemFile(world.tenantId, item.id, "a");
    expect(await world.store.listExtents(content.id)).toEqual([replacing]);
  });

  it.each(["cancel", "fail", "expire"] as const)(
    "after the event %s nothing that the session stored stays (P5)",
    async (event) => {
      const session = await startSession(world);
      const whole = await sendFile(world, session, "whole");
      const seat = await takeSeat(world, whole.file);
      const half = extentOf(seat, 4);
      await world.store.commitExtent({ attempt: seat.ref, extent: half });
      expect(await named(whole.key, half.blobKey)).toHaveLength(2);
      if (event === "expire") {
        await world.store.updateSession(refOf(session), (found, now) => ({
          session: { ...found, expiresAt: new Date(now.getTime() - 1) },
          events: [],
        }));
      }
      await endBy(world, session, event);
      expect((await world.store.getFile(fileRefOf(whole.file))).file).toMatchObject({
        current: undefined,
        running: undefined,
      });
      await sweepContent(world.store);
      expect(await named(whole.key, half.blobKey)).toEqual([]);
      expect(await world.store.listExtents(seat.attempt.id)).toEqual([]);
    },
  );

  it("content is not let go by an end that does not say so", async () => {
    const session = await startSession(world);
    const { key } = await sendFile(world, session, "a");
    await world.store.updateSession(refOf(session), (found, now) => ({
      session: endSession(found, "cancel", now)!,
      events: [],
    }));
    await sweepContent(world.store);
    expect(await named(key)).toEqual([key]);
  });

  it("deleting a session, removing a file and deleting an item all let their content go", async () => {
    const item = await startItem(world);
    const published = await publish(world, item, { a: 1 });
    const session = await startSession(world);
    const whole = await sendFile(world, session, "whole");
    const seat = await takeSeat(world, await addFile(world, session));
    const half = extentOf(seat, 4);
    await world.store.commitExtent({ attempt: seat.ref, extent: half });
    const keys = [...published.keys, whole.key, half.blobKey];
    await world.store.deleteSession(refOf(session), () => {});
    await world.store.deleteItem(world.tenantId, item.id);
    await sweepContent(world.store);
    expect(await named(...keys)).toEqual([...published.keys]);
    await world.store.deleteSession(refOf(published.session), () => {});
    await sweepContent(world.store);
    expect(await named(...keys)).toEqual([]);
  });

  it("sweeping looks at no more content at once than asked for, and comes to an end", async () => {
    const session = await startSession(world);
    const keys: BlobKey[] = [];
    for (let n = 0; n < 7; n++) keys.push((await sendFile(world, session, String(n))).key);
    await world.store.deleteSession(refOf(session), () => {});
    const looked: number[] = [];
    do looked.push(await world.store.deleteReleasedContent(3));
    while (looked.at(-1)! > 0 && looked.length < 20);
    expect(looked.every((count) => count <= 3)).toBe(true);
    expect(looked.at(-1)).toBe(0);
    expect(await named(...keys)).toEqual([]);
  });

  it("referenced are the keys of current content, running attempts and item files, of every tenant (P8)", async () => {
    const { tenantId, userId: ownerId } = world.stranger;
    const session = await startSession(world);
    const foreign = await startSession(world, { tenantId, ownerId });
    const item = await startItem(world);
    const published = await publish(world, item, { a: 1 });
    await world.store.deleteSession(refOf(published.session), () => {});
    const first = await sendFile(world, session, "a");
    const second = await sendFile(world, foreign, "a");
    const seat = await takeSeat(world, first.file);
    const half = extentOf(seat, 4);
    await world.store.commitExtent({ attempt: seat.ref, extent: half });
    const next = await takeSeat(world, first.file);
    const more = extentOf(next, 4);
    await world.store.commitExtent({ attempt: next.ref, extent: more });
    const keys = [...published.keys, first.key, second.key, half.blobKey, more.blobKey];
    expect(await named(...keys, buildKey())).toEqual([...keys].sort());
  });

  it("no keys are referenced among none, among thousands of strangers and among hostile ones", async () => {
    const session = await startSession(world);
    const { key } = await sendFile(world, session, "a");
    expect(await named()).toEqual([]);
    const strangers = Array.from({ length: 20_000 }, () => buildKey());
    const hostile = ["'", '"', "{", "}", ",", "\\", "?", "NULL", "' or true --", "%", key.toUpperCase()] as BlobKey[];
    expect(await named(...strangers, ...hostile)).toEqual([]);
    expect(await named(...strangers, key, ...hostile, key)).toEqual([key]);
  });

  it("keys of any printable ASCII are stored and found as they are", async () => {
    const session = await startSession(world);
    const printable = Array.from({ length: 94 }, (_, n) => String.fromCharCode(33 + n)).join("") as BlobKey;
    const long = "k".repeat(128) as BlobKey;
    const seat = await takeSeat(world, await addFile(world, session));
    await world.store.commitExtent({ attempt: seat.ref, extent: extentOf(seat, 1, printable) });
    const next = await takeSeat(world, seat.file);
    await world.store.commitExtent({ attempt: next.ref, extent: extentOf(next, 1, long) });
    expect((await world.store.listExtents(seat.attempt.id)).map(({ blobKey }) => blobKey)).toEqual([printable, long]);
    expect(await named(printable, long)).toEqual([printable, long].sort());
  });

  it("sweeping an untouched store finds nothing to do, and a fresh client token outlives it", async () => {
    const clientToken = { operation: "create", token: "t", fingerprint: "f" };
    const session = await startSession(world, {}, clientToken);
    const sweeps = [
      await world.store.listOverdueSessions(10),
      await world.store.deleteForgottenSessions(10),
      await world.store.deleteReleasedContent(10),
      await world.store.deleteExpiredRecords(10),
    ];
    expect(sweeps).toEqual([[], 0, 0, 0]);
    expect((await startSession(world, {}, clientToken)).id).toBe(session.id);
  });
}
