// What of an attempt is stored: commitExtent, finishAttempt, listExtents.
import { expect, it } from "vitest";
import { createId, type Extent, endSession, type Session } from "../../../src/core/index.js";
import { buildContent, buildKey } from "../../support/builders.js";
import {
  addFile,
  codeOf,
  extentOf,
  fileRefOf,
  finishSeat,
  type OpenStore,
  refOf,
  refusal,
  type Seat,
  sendFile,
  shortLived,
  startSession,
  sweepContent,
  takeSeat,
  useWorld,
  wait,
} from "./world.js";

export function describeAttempts(open: OpenStore): void {
  const world = useWorld(open);

  const newSeat = async (of: Partial<Session> = {}) =>
    takeSeat(world, await addFile(world, await startSession(world, of)));
  const offsetOf = async (seat: Seat) => (await world.store.getFile(fileRefOf(seat.file))).file.running?.offset;

  it("committing moves the attempt's offset to the extent's end and grows the extent of the same epoch (P2)", async () => {
    const seat = await newSeat();
    const extent = extentOf(seat, 7);
    await world.store.commitExtent({ attempt: seat.ref, extent });
    expect([await offsetOf(seat), await world.store.listExtents(seat.attempt.id)]).toEqual([7, [extent]]);
    const grown = { ...extent, length: 20 };
    await world.store.commitExtent({ attempt: seat.ref, extent: grown });
    expect([await offsetOf(seat), await world.store.listExtents(seat.attempt.id)]).toEqual([20, [grown]]);
  });

  it("committing the same extent again changes nothing (P4)", async () => {
    const seat = await newSeat();
    const commit = { attempt: seat.ref, extent: extentOf(seat, 7) };
    await world.store.commitExtent(commit);
    await world.store.commitExtent(commit);
    expect([await offsetOf(seat), await world.store.listExtents(seat.attempt.id)]).toEqual([7, [commit.extent]]);
  });

  it("a commit that ends before the offset never takes anything back (P2)", async () => {
    const seat = await newSeat();
    const extent = extentOf(seat, 20);
    await world.store.commitExtent({ attempt: seat.ref, extent });
    const late = world.store.commitExtent({ attempt: seat.ref, extent: { ...extent, length: 7 } });
    await late.catch(() => undefined);
    expect([await offsetOf(seat), await world.store.listExtents(seat.attempt.id)]).toEqual([20, [extent]]);
  });

  it("extents of several epochs come back by offset, and the next writer finds them (P2)", async () => {
    const { file } = await newSeat();
    const extents: Extent[] = [];
    for (const length of [5, 2 ** 40, 3, 11]) {
      const seat = await takeSeat(world, file);
      expect(await world.store.listExtents(seat.attempt.id)).toEqual(extents);
      const extent = extentOf(seat, length);
      expect(extent.offset).toBe(extents.reduce((sum, { length: stored }) => sum + stored, 0));
      await world.store.commitExtent({ attempt: seat.ref, extent });
      extents.push(extent);
      expect(await world.store.listExtents(seat.attempt.id)).toEqual(extents);
    }
  });

  it("many epochs stay in order past nine and past ninety-nine", async () => {
    const { file } = await newSeat();
    const keys = [];
    for (let n = 0; n < 101; n++) {
      const seat = await takeSeat(world, file);
      const extent = extentOf(seat, 1);
      await world.store.commitExtent({ attempt: seat.ref, extent });
      keys.push(extent.blobKey);
    }
    const { attempt } = await takeSeat(world, file);
    const extents = await world.store.listExtents(attempt.id);
    expect(extents.map((extent) => extent.blobKey)).toEqual(keys);
  });

  it("an extent that a later one overlaps is cut where the later one begins", async () => {
    const first = await newSeat();
    const under = extentOf(first, 10);
    await world.store.commitExtent({ attempt: first.ref, extent: under });
    const second = await takeSeat(world, first.file);
    const over = { epoch: 2, offset: 8, length: 6, blobKey: buildKey() };
    await world.store.commitExtent({ attempt: second.ref, extent: over });
    expect(await offsetOf(second)).toBe(14);
    expect(await world.store.listExtents(second.attempt.id)).toEqual([{ ...under, length: 8 }, over]);
  });

  it("an unknown attempt and an attempt with nothing stored have no extents", async () => {
    const seat = await newSeat();
    expect(await world.store.listExtents(seat.attempt.id)).toEqual([]);
    expect(await world.store.listExtents(createId())).toEqual([]);
  });

  it("accepting stores the last extent, makes the attempt the current content and ends the seat", async () => {
    const seat = await newSeat();
    const extent = extentOf(seat, 7);
    await world.store.commitExtent({ attempt: seat.ref, extent });
    const accepted = buildContent({
      id: seat.attempt.id,
      sizeBytes: 12,
      checksums: [
        { algorithm: "sha256", value: "12".repeat(32) },
        { algorithm: "md5", value: "34".repeat(16) },
      ],
    });
    const options = { extent: { ...extent, length: 12 }, lockSession: false };
    const result = await world.store.finishAttempt(seat.ref, options, ({ session, file }, now) => {
      expect([session.id, file.state]).toEqual([seat.session.id, "transferring"]);
      return {
        file: { ...file, state: "ready", sizeBytes: 12, modifiedAt: now },
        events: [{ type: "file.ready", details: {} }],
        accepted,
      };
    });
    expect(result.file).toMatchObject({
      state: "ready",
      sizeBytes: 12,
      current: accepted,
      running: undefined,
      attempts: 1,
    });
    expect((await world.store.getFile(fileRefOf(seat.file))).file).toEqual(result.file);
    expect(await world.store.listExtents(accepted.id)).toEqual([{ ...extent, length: 12 }]);
  });

  it("accepting an attempt without a byte makes empty content", async () => {
    const seat = await newSeat();
    const file = await finishSeat(world, seat, "accept");
    expect([file.state, file.current?.sizeBytes]).toEqual(["ready", 0]);
    expect(await world.store.listExtents(file.current!.id)).toEqual([]);
  });

  it("newer content replaces the former only when it is whole, and lets the former go then", async () => {
    const session = await startSession(world);
    const old = await sendFile(world, session, "a.bin", 10);
    const seat = await takeSeat(world, old.file);
    const extent = extentOf(seat, 4);
    await world.store.commitExtent({ attempt: seat.ref, extent });
    expect((await world.store.getFile(fileRefOf(old.file))).file.current).toEqual(old.file.current);
    expect(await world.store.listExtents(old.file.current!.id)).toMatchObject([{ blobKey: old.key }]);

    const file = await finishSeat(world, seat, "accept", { extent });
    expect(file.current?.id).toBe(seat.attempt.id);
    await sweepContent(world.store);
    expect(await world.store.findReferencedKeys([old.key, extent.blobKey])).toEqual(new Set([extent.blobKey]));
    expect(await world.store.listExtents(old.file.current!.id)).toEqual([]);
  });

  it("rejecting lets the attempt go and keeps the former content (P6)", async () => {
    const session = await startSession(world);
    const old = await sendFile(world, session, "a.bin", 10);
    const seat = await takeSeat(world, old.file);
    const extent = extentOf(seat, 4);
    const file = await finishSeat(world, seat, "reject", { extent });
    expect(file).toMatchObject({ state: "failed", current: old.file.current, running: undefined, attempts: 2 });
    expect(file.failure).toMatchObject({ reason: "checksum_differs" });
    await sweepContent(world.store);
    expect(await world.store.findReferencedKeys([old.key, extent.blobKey])).toEqual(new Set([old.key]));
    expect((await takeSeat(world, file)).attempt).toMatchObject({ number: 3, epoch: 1, offset: 0 });
  });

  it("an end that throws stores neither the last extent nor anything else, and the writer may go on (P5)", async () => {
    const seat = await newSeat();
    const extent = extentOf(seat, 7);
    await world.store.commitExtent({ attempt: seat.ref, extent });
    const before = await world.store.getFile(fileRefOf(seat.file));
    for (const lockSession of [false, true]) {
      const stop = new RangeError("no");
      const options = { extent: { ...extent, length: 30 }, lockSession };
      const deed = world.store.finishAttempt(seat.ref, options, () => {
        throw stop;
      });
      await expect(deed).rejects.toBe(stop);
    }
    expect((await world.store.getFile(fileRefOf(seat.file))).file).toEqual(before.file);
    expect(await world.store.listExtents(seat.attempt.id)).toEqual([extent]);
    await finishSeat(world, seat, "accept", { extent });
  });

  it("an end that locks the session may change it too and let go of all its content", async () => {
    const session = await startSession(world);
    const whole = await sendFile(world, session, "whole.bin");
    const other = await takeSeat(world, await addFile(world, session));
    const seat = await takeSeat(world, await addFile(world, session));
    const options = { extent: extentOf(seat, 5), lockSession: true };
    const result = await world.store.finishAttempt(seat.ref, options, (view, now) => {
      const failed = endSession(view.session, "fail", now, { reason: "checksum_differs", message: "differs" });
      return {
        file: { ...view.file, state: "failed", modifiedAt: now },
        session: failed!,
        events: [{ type: "session.failed", details: {} }],
        accepted: undefined,
        releaseContent: true,
      };
    });
    expect(result.session).toMatchObject({ state: "failed", failure: { reason: "checksum_differs" } });
    expect(await world.store.getSession(refOf(session))).toEqual(result.session);
    const late = world.store.commitExtent({ attempt: other.ref, extent: extentOf(other, 5) });
    expect(["superseded", "wrong_state"]).toContain(await codeOf(late));
    await sweepContent(world.store);
    expect(await world.store.findReferencedKeys([whole.key, options.extent.blobKey])).toEqual(new Set());
  });

  it("commits keep a session alive past its idle deadline, by the store's own time", async () => {
    const seat = await newSeat({ deadlines: shortLived(600) });
    const first = (await world.store.getSession(refOf(seat.session))).expiresAt!;
    const extent = extentOf(seat, 1);
    for (let length = 1; length <= 6; length++) {
      await wait(150);
      await world.store.commitExtent({ attempt: seat.ref, extent: { ...extent, length } });
    }
    let now = new Date(0);
    const { session } = await world.store.updateSession(refOf(seat.session), (_, at) => {
      now = at;
      return undefined;
    });
    expect(now.getTime()).toBeGreaterThan(first.getTime());
    expect(session.expiresAt!.getTime()).toBeGreaterThan(now.getTime());
    expect(await world.store.listOverdueSessions(10)).toEqual([]);
  });

  it("a session that nobody kept alive refuses the next commit and end with expired", async () => {
    const seat = await newSeat({ deadlines: shortLived(250) });
    await world.store.commitExtent({ attempt: seat.ref, extent: extentOf(seat, 1) });
    await wait(350);
    const extent = extentOf(seat, 2);
    const late = world.store.commitExtent({ attempt: seat.ref, extent });
    await expect(late).rejects.toEqual(refusal("expired", "SESSION_EXPIRED"));
    await expect(finishSeat(world, seat, "accept", { extent })).rejects.toEqual(refusal("expired", "SESSION_EXPIRED"));
    expect(await offsetOf(seat)).toBe(1);
  });

  it("commits keep no session alive past its absolute deadline", async () => {
    const seat = await newSeat({ deadlines: { idleTtlMs: 60_000, absoluteTtlMs: 400, keepTerminalMs: 60_000 } });
    const end = seat.session.createdAt.getTime() + 400;
    await world.store.commitExtent({ attempt: seat.ref, extent: extentOf(seat, 1) });
    expect((await world.store.getSession(refOf(seat.session))).expiresAt!.getTime()).toBeLessThanOrEqual(end);
    await wait(450);
    const late = world.store.commitExtent({ attempt: seat.ref, extent: extentOf(seat, 2) });
    await expect(late).rejects.toEqual(refusal("expired", "SESSION_EXPIRED"));
  });

  // Putting a deadline off by next to nothing may be left out, so these let a good part of it pass.
  it("claiming a seat keeps the session alive", async () => {
    const session = await startSession(world, { deadlines: shortLived(1_000) });
    const file = await addFile(world, session);
    const before = (await world.store.getSession(refOf(session))).expiresAt!;
    await wait(300);
    await takeSeat(world, file);
    const after = (await world.store.getSession(refOf(session))).expiresAt!;
    expect(after.getTime()).toBeGreaterThan(before.getTime());
  });

  it("progress is of the attempts that run and have bytes, by file, and of no other session or tenant", async () => {
    const session = await startSession(world);
    const seats = [];
    for (const length of [5, 7]) {
      const seat = await takeSeat(world, await addFile(world, session));
      await world.store.commitExtent({ attempt: seat.ref, extent: extentOf(seat, length) });
      seats.push(seat);
    }
    await takeSeat(world, await addFile(world, session));
    await sendFile(world, session, "ready.bin", 3);
    const other = await newSeat();
    await world.store.commitExtent({ attempt: other.ref, extent: extentOf(other, 9) });
    const progress = await world.store.listProgress(refOf(session), 10);
    const expected = seats.map(({ file }, index) => ({ fileId: file.id, offset: index === 0 ? 5 : 7 }));
    expected.sort((a, b) => (a.fileId < b.fileId ? -1 : 1));
    expect(progress).toEqual(expected);
    expect(await world.store.listProgress(refOf(session), 1)).toEqual(expected.slice(0, 1));
    const foreign = { ...refOf(session), tenantId: world.stranger.tenantId };
    expect(await world.store.listProgress(foreign, 10)).toEqual([]);
  });

  it("bytes go on flowing into a completing session", async () => {
    const seat = await newSeat();
    await world.store.updateSession(refOf(seat.session), (session) => ({
      session: { ...session, state: "completing" },
      events: [{ type: "session.completing", details: {} }],
    }));
    await world.store.commitExtent({ attempt: seat.ref, extent: extentOf(seat, 5) });
    const file = await finishSeat(world, seat, "accept");
    expect(file.state).toBe("ready");
  });
}
