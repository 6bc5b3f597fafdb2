// Who may write: claimWriter and the fencing of former writers (P7).
import { expect, it } from "vitest";
import { createId, moveFile } from "../../../src/core/index.js";
import {
  addFile,
  complete,
  endBy,
  extentOf,
  fileRefOf,
  finishSeat,
  type OpenStore,
  refOf,
  refusal,
  removeFile,
  type Seat,
  sendFile,
  startSession,
  sweepContent,
  takeSeat,
  useWorld,
} from "./world.js";

export function describeSeats(open: OpenStore): void {
  const world = useWorld(open);

  it("the first writer of a file begins attempt 1 with epoch 1 and nothing stored", async () => {
    const file = await addFile(world, await startSession(world));
    const seat = await takeSeat(world, file);
    expect(seat.attempt).toEqual({ id: expect.any(String), number: 1, epoch: 1, offset: 0 });
    expect(await world.store.listExtents(seat.attempt.id)).toEqual([]);
    expect(seat.file).toMatchObject({ state: "transferring", running: seat.attempt, attempts: 1, current: undefined });
    expect((await world.store.getFile(fileRefOf(file))).file).toEqual(seat.file);
  });

  it("resuming keeps the attempt, grows its epoch by one and shows what is stored (P7)", async () => {
    const file = await addFile(world, await startSession(world));
    const first = await takeSeat(world, file);
    const extent = extentOf(first, 12);
    await world.store.commitExtent({ attempt: first.ref, extent });
    const second = await takeSeat(world, file);
    expect(second.attempt).toEqual({ ...first.attempt, epoch: 2, offset: 12 });
    expect(await world.store.listExtents(second.attempt.id)).toEqual([extent]);
    expect(second.file.attempts).toBe(1);
    expect((await takeSeat(world, file)).attempt.epoch).toBe(3);
  });

  it("restarting begins the next attempt with epoch 1 and nothing stored, and lets the running one go", async () => {
    const file = await addFile(world, await startSession(world));
    const first = await takeSeat(world, file);
    const extent = extentOf(first, 12);
    await world.store.commitExtent({ attempt: first.ref, extent });
    const second = await takeSeat(world, file, "restart");
    expect(second.attempt).toMatchObject({ number: 2, epoch: 1, offset: 0 });
    expect(second.attempt.id).not.toBe(first.attempt.id);
    expect([await world.store.listExtents(second.attempt.id), second.file.attempts]).toEqual([[], 2]);
    await sweepContent(world.store);
    expect(await world.store.findReferencedKeys([extent.blobKey])).toEqual(new Set());
  });

  it("a writer of a whole file begins the next attempt while the former content stays", async () => {
    const { file, key } = await sendFile(world, await startSession(world), "a.bin");
    const seat = await takeSeat(world, file, "resume");
    expect(seat.attempt).toMatchObject({ number: 2, epoch: 1, offset: 0 });
    expect(seat.file.current).toEqual(file.current);
    expect(await world.store.listExtents(seat.attempt.id)).toEqual([]);
    await sweepContent(world.store);
    expect(await world.store.listExtents(file.current!.id)).toMatchObject([{ blobKey: key, length: 10 }]);
  });

  it("taking no seat changes nothing and shows the content that is there", async () => {
    const session = await startSession(world);
    const { file, key } = await sendFile(world, session, "a.bin");
    const before = await world.store.getFile(fileRefOf(file));
    const claimed = await world.store.claimWriter(fileRefOf(file), () => ({ seat: "none" }));
    expect(claimed.attempt).toBeUndefined();
    expect(claimed.file).toEqual(file);
    const extents = await world.store.listExtents(file.current!.id);
    expect(extents).toEqual([{ epoch: 1, offset: 0, length: 10, blobKey: key }]);
    expect((await world.store.getFile(fileRefOf(file))).file).toEqual(before.file);
  });

  it("taking no seat leaves the present writer in his (P7)", async () => {
    const file = await addFile(world, await startSession(world));
    const seat = await takeSeat(world, file);
    expect((await world.store.claimWriter(fileRefOf(file), () => ({ seat: "none" }))).attempt).toBeUndefined();
    await world.store.getFile(fileRefOf(file));
    await world.store.commitExtent({ attempt: seat.ref, extent: extentOf(seat, 3) });
  });

  it("a validation whose process died is given up, and what was stored goes on from there", async () => {
    const file = await addFile(world, await startSession(world));
    const seat = await takeSeat(world, file);
    await world.store.commitExtent({ attempt: seat.ref, extent: extentOf(seat, 7) });
    await world.store.changeFile(seat.ref, { fileId: file.id }, (view) => ({
      session: view.session,
      file: { ...view.file!, state: "validating" },
      events: [],
    }));
    expect(await world.store.interruptValidations()).toBe(1);
    const after = (await world.store.getFile(fileRefOf(file))).file;
    expect([after.state, after.running?.offset]).toEqual(["transferring", 7]);
    expect(await world.store.interruptValidations()).toBe(0);
  });

  it("broken attempts are those under way that cannot be continued, in active sessions, page by page", async () => {
    const origin = `face ${createId()}`;
    const session = await startSession(world, { origin });
    const claim = async (name: string, once: boolean, of = session) => {
      const file = await addFile(world, of, { name });
      const claimed = await world.store.claimWriter(fileRefOf(file), (view, now) => ({
        seat: "restart",
        once,
        file: { ...view.file, state: moveFile(view.file, "begin"), modifiedAt: now },
      }));
      return { file, attempt: claimed.attempt! };
    };
    const first = [await claim("a", true), await claim("b", true), await claim("c", true)];
    await claim("can be continued", false);
    const resumed = await claim("taken over by one who can", true);
    await takeSeat(world, resumed.file);
    const ended = await startSession(world, { origin });
    await claim("in a session that has ended", true, ended);
    await endBy(world, ended, "cancel");
    await sendFile(world, session, "ready", 5);

    const ids = first.map(({ file }) => file.id).sort();
    const page = await world.store.listBrokenAttempts({ limit: 2 });
    const rest = await world.store.listBrokenAttempts({ limit: 2, afterFileId: page[1]!.fileId });
    expect([...page, ...rest].map(({ fileId }) => fileId)).toEqual(ids);
    const { file, attempt } = first.find(({ file: { id } }) => id === ids[0])!;
    expect(page[0]).toEqual({ ...fileRefOf(file), attemptId: attempt.id, epoch: 1, origin });
  });

  it("the end of an attempt may see the states of the session's other files", async () => {
    const session = await startSession(world);
    const other = await startSession(world);
    await sendFile(world, session, "ready", 5);
    await sendFile(world, other, "elsewhere", 5);
    await addFile(world, session, { name: "waiting" });
    await takeSeat(world, await addFile(world, session, { name: "under way" }));
    const seat = await takeSeat(world, await addFile(world, session, { name: "this one" }));
    const seen: unknown[] = [];
    for (const countOthers of [false, true]) {
      const options = { extent: undefined, lockSession: true, countOthers };
      const deed = world.store.finishAttempt(seat.ref, options, ({ others }) => {
        seen.push(others);
        throw new Error("only looking");
      });
      await expect(deed).rejects.toThrow("only looking");
    }
    const none = { waiting: 0, transferring: 0, validating: 0, ready: 0, failed: 0 };
    expect(seen).toEqual([none, { ...none, waiting: 1, transferring: 1, ready: 1 }]);
  });

  it("the file that a claim returns is stored with the seat", async () => {
    const file = await addFile(world, await startSession(world));
    const { file: claimed } = await world.store.claimWriter(fileRefOf(file), (view, now) => ({
      seat: "resume",
      file: { ...view.file, state: moveFile(view.file, "begin"), sizeBytes: 77, modifiedAt: now },
    }));
    expect(claimed).toMatchObject({ sizeBytes: 77, state: "transferring" });
    expect((await world.store.getFile(fileRefOf(file))).file).toEqual(claimed);
  });

  it("claiming a file that is not there fails with not_found", async () => {
    const session = await startSession(world);
    const file = await addFile(world, session);
    const never = () => {
      throw new Error("never asked");
    };
    const unknown = world.store.claimWriter({ ...refOf(session), fileId: createId() }, never);
    await expect(unknown).rejects.toEqual(refusal("not_found", "FILE_NOT_FOUND"));
    const nowhere = world.store.claimWriter({ ...fileRefOf(file), sessionId: createId() }, never);
    await expect(nowhere).rejects.toEqual(refusal("not_found", "SESSION_NOT_FOUND"));
  });

  it("a claim that throws takes no seat: the present writer goes on (P7)", async () => {
    const file = await addFile(world, await startSession(world));
    const seat = await takeSeat(world, file);
    const stop = new Error("no");
    const deed = world.store.claimWriter(fileRefOf(file), () => {
      throw stop;
    });
    await expect(deed).rejects.toBe(stop);
    expect((await world.store.getFile(fileRefOf(file))).file).toEqual(seat.file);
    await world.store.commitExtent({ attempt: seat.ref, extent: extentOf(seat, 3) });
  });

  const fences: [string, (seat: Seat) => Promise<unknown>][] = [
    ["another writer resumed", (seat) => takeSeat(world, seat.file, "resume")],
    ["another writer restarted", (seat) => takeSeat(world, seat.file, "restart")],
    [
      "two other writers resumed and restarted",
      async (seat) => {
        await takeSeat(world, seat.file, "resume");
        await takeSeat(world, seat.file, "restart");
      },
    ],
    ["its attempt was accepted", (seat) => finishSeat(world, seat, "accept")],
    ["its attempt was rejected", (seat) => finishSeat(world, seat, "reject")],
    ["its file was removed", (seat) => removeFile(world, seat.file)],
    [
      "another writer resumed and the session was canceled",
      async (seat) => {
        await takeSeat(world, seat.file);
        await endBy(world, seat.session, "cancel");
      },
    ],
    [
      "another writer's attempt was accepted and the session completed",
      async (seat) => {
        await finishSeat(world, await takeSeat(world, seat.file, "restart"), "accept");
        await complete(world, seat.session);
      },
    ],
  ];
  it.each(fences)("once %s, a writer can commit and finish nothing (P7)", async (_, fence) => {
    const seat = await takeSeat(world, await addFile(world, await startSession(world)));
    await world.store.commitExtent({ attempt: seat.ref, extent: extentOf(seat, 5) });
    await fence(seat);
    await assertFenced(seat, ["superseded", "wrong_state"]);
  });

  it("a writer whose seat was taken over learns that it is superseded (P7)", async () => {
    const seat = await takeSeat(world, await addFile(world, await startSession(world)));
    await takeSeat(world, seat.file, "resume");
    await assertFenced(seat, ["superseded"]);
    await takeSeat(world, seat.file, "restart");
    await assertFenced(seat, ["superseded"]);
    await removeFile(world, seat.file);
    await assertFenced(seat, ["superseded"]);
  });

  it("a writer that guesses a later epoch is refused as superseded and changes nothing (P7)", async () => {
    const seat = await takeSeat(world, await addFile(world, await startSession(world)));
    const guess = { ...seat, ref: { ...seat.ref, epoch: 2 }, attempt: { ...seat.attempt, epoch: 2 } };
    await assertFenced(guess, ["superseded"]);
  });

  it("a writer of one file cannot commit into another with its own attempt (P7)", async () => {
    const session = await startSession(world);
    const seat = await takeSeat(world, await addFile(world, session));
    const other = await takeSeat(world, await addFile(world, session));
    const crossed = { ...seat, ref: { ...seat.ref, fileId: other.file.id } };
    await assertFenced(crossed, ["superseded"]);
    expect((await world.store.getFile(fileRefOf(other.file))).file).toEqual(other.file);
  });

  it.each(["cancel", "fail"] as const)("after a %s the last writer is refused (P5)", async (event) => {
    const seat = await takeSeat(world, await addFile(world, await startSession(world)));
    await endBy(world, seat.session, event);
    await assertFenced(seat, ["superseded", "wrong_state"]);
  });

  it("the last writer of a session that ended with its content kept is refused with wrong_state", async () => {
    const seat = await takeSeat(world, await addFile(world, await startSession(world)));
    await world.store.updateSession(refOf(seat.session), (session, now) => ({
      session: { ...session, state: "done", endedAt: now, expiresAt: undefined },
      events: [],
    }));
    await assertFenced(seat, ["wrong_state"]);
  });

  it("the last writer of a session whose deadline has passed is refused with expired", async () => {
    const session = await startSession(world);
    const seat = await takeSeat(world, await addFile(world, session));
    await world.store.updateSession(refOf(session), (found, now) => ({
      session: { ...found, expiresAt: new Date(now.getTime() - 1) },
      events: [],
    }));
    await assertFenced(seat, ["expired"]);
    await endBy(world, session, "expire");
    await assertFenced(seat, ["expired", "superseded"]);
  });

  /** Every way to store something fails with one of the codes, and nothing is different afterwards. */
  async function assertFenced(seat: Seat, codes: readonly string[]): Promise<void> {
    const before = await stored(seat);
    const extent = extentOf(seat, 20);
    const oneOf = expect.objectContaining({ name: "UploadError", code: expect.stringMatching(codes.join("|")) });
    await expect(world.store.commitExtent({ attempt: seat.ref, extent })).rejects.toEqual(oneOf);
    for (const outcome of ["accept", "reject"] as const) {
      await expect(finishSeat(world, seat, outcome, { extent })).rejects.toEqual(oneOf);
      await expect(finishSeat(world, seat, outcome)).rejects.toEqual(oneOf);
    }
    const locked = world.store.finishAttempt(seat.ref, { extent, lockSession: true }, () => {
      throw new Error("never asked");
    });
    await expect(locked).rejects.toEqual(oneOf);
    expect(await stored(seat)).toEqual(before);
    expect(await world.store.findReferencedKeys([extent.blobKey])).toEqual(new Set());
  }

  async function stored(seat: Seat): Promise<unknown> {
    const ref = refOf(seat.session);
    return [
      await world.store.getSession(ref),
      await world.store.listFiles(ref, { limit: 10 }),
      await world.store.listEvents(ref, 0, 100),
      await world.store.listExtents(seat.attempt.id),
    ];
  }
}
