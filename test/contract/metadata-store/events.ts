import { expect, it } from "vitest";
import { createId, eventTypes } from "../../../src/core/index.js";
import {
  addFile,
  complete,
  endBy,
  extentOf,
  finishSeat,
  type OpenStore,
  publish,
  refOf,
  refusal,
  removeFile,
  sendFile,
  startItem,
  startSession,
  takeSeat,
  useWorld,
} from "./world.js";

export function describeEvents(open: OpenStore): void {
  const world = useWorld(open);

  it("every deed tells its events in the same history, numbered from 1 without a gap", async () => {
    const session = await startSession(world);
    const file = await addFile(world, session, { name: "gone" });
    await removeFile(world, file);
    await sendFile(world, session, "a.bin");
    const seat = await takeSeat(world, await addFile(world, session, { name: "bad" }));
    await world.store.commitExtent({ attempt: seat.ref, extent: extentOf(seat, 4) });
    await finishSeat(world, seat, "reject");
    await endBy(world, session, "cancel");
    const events = await world.store.listEvents(refOf(session), 0, 100);
    expect(events.map(({ number, type }) => [number, type])).toEqual([
      [1, "session.created"],
      [2, "file.added"],
      [3, "file.removed"],
      [4, "file.added"],
      [5, "file.ready"],
      [6, "file.added"],
      [7, "file.failed"],
      [8, "session.canceled"],
    ]);
    expect(events.every((event) => event.sessionId === session.id)).toBe(true);
    const times = events.map((event) => event.at.getTime());
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect((await world.store.getSession(refOf(session))).lastEvent).toBe(8);
  });

  it("events of one deed keep their order, their kind and their details", async () => {
    const session = await startSession(world);
    const events = eventTypes.map((type, n) => ({ type, details: { n, text: "ü'\"?", list: [null, { x: 1.5 }] } }));
    const { session: updated } = await world.store.updateSession(refOf(session), (found) => ({
      session: found,
      events,
    }));
    expect(updated.lastEvent).toBe(1 + events.length);
    const listed = await world.store.listEvents(refOf(session), 1, 100);
    expect(listed).toEqual(
      events.map((event, n) => ({ ...event, sessionId: session.id, number: n + 2, at: expect.any(Date) })),
    );
  });

  it("the session that a deed answers names its newest event, whatever number the change wrote into it", async () => {
    const session = await startSession(world);
    const event = { type: "session.changed" as const, details: {} };
    const { session: updated } = await world.store.updateSession(refOf(session), (found) => ({
      session: { ...found, lastEvent: 0 },
      events: [event],
    }));
    expect(updated.lastEvent).toBe(2);
    await world.store.updateSession(refOf(session), (found) => ({ session: found, events: [event] }));
    const numbers = (await world.store.listEvents(refOf(session), 0, 10)).map(({ number }) => number);
    expect(numbers).toEqual([1, 2, 3]);
  });

  it("listing begins after the given number and stops at the limit", async () => {
    const session = await startSession(world);
    for (let n = 0; n < 9; n++) await addFile(world, session);
    const numbers = async (after: number, limit: number) =>
      (await world.store.listEvents(refOf(session), after, limit)).map(({ number }) => number);
    expect(await numbers(0, 4)).toEqual([1, 2, 3, 4]);
    expect(await numbers(4, 4)).toEqual([5, 6, 7, 8]);
    expect(await numbers(8, 4)).toEqual([9, 10]);
    expect(await numbers(10, 4)).toEqual([]);
    expect(await numbers(1_000, 4)).toEqual([]);
  });

  it("completion is told in the history of its own session only", async () => {
    const item = await startItem(world);
    const bystander = await startSession(world, { itemId: item.id });
    const { session } = await publish(world, item, { a: 1 });
    expect((await world.store.listEvents(refOf(session), 0, 100)).at(-1)?.type).toBe("session.done");
    expect(await world.store.listEvents(refOf(bystander), 0, 100)).toHaveLength(1);
  });

  it("a session without events has an empty history, an unknown one none at all", async () => {
    const session = await startSession(world);
    expect(await world.store.listEvents(refOf(session), 1, 10)).toEqual([]);
    const unknown = world.store.listEvents({ tenantId: world.tenantId, sessionId: createId() }, 0, 10);
    await expect(unknown).rejects.toEqual(refusal("not_found", "SESSION_NOT_FOUND"));
  });

  it("a replay tells nothing (P4)", async () => {
    const session = await startSession(world);
    await complete(world, session);
    const before = await world.store.listEvents(refOf(session), 0, 100);
    expect(await complete(world, session)).toBe(false);
    expect(await world.store.listEvents(refOf(session), 0, 100)).toEqual(before);
  });

  it("twenty finishers of one session at once leave no gap and no repeat in its history", async () => {
    const session = await startSession(world);
    const seats = await Promise.all(
      Array.from({ length: 20 }, async () => takeSeat(world, await addFile(world, session))),
    );
    await Promise.all(seats.map((seat) => finishSeat(world, seat, "accept", { extent: extentOf(seat, 3) })));
    const events = await world.store.listEvents(refOf(session), 0, 100);
    expect(events.map(({ number }) => number)).toEqual(Array.from({ length: 41 }, (_, n) => n + 1));
    expect(events.filter(({ type }) => type === "file.ready")).toHaveLength(20);
    expect((await world.store.getSession(refOf(session))).lastEvent).toBe(41);
  });
}
