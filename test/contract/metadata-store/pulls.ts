import { expect, it } from "vitest";
import {
  beginPull,
  endSession,
  type FileRef,
  type LeasedPull,
  moveFile,
  moveSession,
  type Pull,
  parseSource,
  type Session,
  type SessionFile,
  touchSession,
} from "../../../src/core/index.js";
import { buildContent, buildFile } from "../../support/builders.js";
import {
  addFile,
  endBy,
  extentOf,
  fileRefOf,
  finishSeat,
  type OpenStore,
  refOf,
  refusal,
  removeFile,
  startOverdueSession,
  startSession,
  takeSeat,
  useWorld,
  type World,
  wait,
} from "./world.js";

const source = parseSource("https://example.com/a.bin", "ab".repeat(32));
const longMs = 60_000;

/** A file to be fetched, due at `dueMs` from now. */
function addPulled(world: World, session: Session, dueMs = -1_000, of: Partial<SessionFile> = {}) {
  return addFile(world, session, { source, pull: beginPull(new Date(Date.now() + dueMs)), ...of });
}

const leaseOne = async (world: World, exceptTenants: readonly string[] = [], leaseMs = longMs) =>
  (await world.store.leasePull({ leaseMs, exceptTenants })).pull;

async function leaseAll(world: World, leaseMs = longMs): Promise<readonly LeasedPull[]> {
  const leased: LeasedPull[] = [];
  for (let pull = await leaseOne(world, [], leaseMs); pull; pull = await leaseOne(world, [], leaseMs))
    leased.push(pull);
  return leased;
}

const idsOf = (pulls: readonly Pick<FileRef, "fileId">[]) => pulls.map(({ fileId }) => fileId);

/** Says of a file that is being fetched how it goes on. */
async function changeFile(world: World, file: SessionFile, change: (file: SessionFile, now: Date) => SessionFile) {
  const changed = await world.store.changeFile(
    sessionOf(file),
    { fileId: file.id },
    ({ session, file: found }, now) => ({
      file: change(found!, now),
      session: touchSession(session, "change", now),
      events: [],
    }),
  );
  return changed.file!;
}
const sessionOf = ({ tenantId, sessionId }: SessionFile) => ({ tenantId, sessionId });

export function describePulls(open: OpenStore): void {
  const world = useWorld(open);

  const settleable = async (options: { sessionId?: string; limit?: number } = {}) =>
    (await world.store.listSettleable({ limit: 10, ...options })).map(({ sessionId }) => sessionId);

  /** A file to be fetched of a session that stays as it is. */
  const insertPull = async (session: Session, dueMs: number) => {
    const pulled = { source, pull: beginPull(new Date(Date.now() + dueMs)) };
    const file = buildFile({ tenantId: session.tenantId, sessionId: session.id, ...pulled });
    await world.store.changeFile(refOf(session), { name: file.name }, (view) => ({
      file,
      session: view.session,
      events: [],
    }));
  };

  /** The session with its completion asked for. */
  const startCompleting = async (of: Partial<Session> = {}) => startSession(world, { state: "completing", ...of });

  it("of a file come back as they were declared, with the source", async () => {
    const session = await startSession(world);
    const dueAt = new Date("2026-02-03T04:05:06.789Z");
    const found = { attemptId: crypto.randomUUID(), validator: '"one"', sizeBytes: 12 };
    const problem = { reason: "source_failed", message: "away", source: "unreachable" } as const;
    const full: Pull = { dueAt, tries: 3, furthestBytes: 7, problem, found };
    const bare: Pull = { ...beginPull(dueAt), found: { ...found, validator: undefined, sizeBytes: undefined } };
    for (const pull of [full, bare, beginPull(dueAt)]) {
      const file = await addFile(world, session, { source, pull });
      expect((await world.store.getFile(fileRefOf(file))).file).toMatchObject({ source, pull });
    }
    const sent = await addFile(world, session);
    expect((await world.store.getFile(fileRefOf(sent))).file).toMatchObject({ source: undefined, pull: undefined });
  });

  it("are leased one by one, the one that has been due the longest first, whoever it belongs to", async () => {
    const { tenantId, userId: ownerId } = world.stranger;
    const [own, other] = [await startSession(world), await startSession(world, { tenantId, ownerId })];
    const late = await addPulled(world, own, -1_000);
    const first = await addPulled(world, other, -3_000);
    const second = await addPulled(world, own, -2_000);
    await addPulled(world, own, longMs);
    const leased = await leaseAll(world);
    expect(idsOf(leased)).toEqual([first.id, second.id, late.id]);
    expect(leased[0]).toEqual({ tenantId, sessionId: other.id, fileId: first.id, lease: 1 });
  });

  it("tell when the next one is due when none is", async () => {
    expect(await world.store.leasePull({ leaseMs: longMs, exceptTenants: [] })).toEqual({
      pull: undefined,
      nextMs: undefined,
    });
    const session = await startSession(world);
    await addPulled(world, session, 50_000);
    await addPulled(world, session, 20_000);
    const told = await world.store.leasePull({ leaseMs: longMs, exceptTenants: [] });
    expect(told.pull).toBeUndefined();
    const { nextMs } = told as { nextMs: number };
    expect(Number.isInteger(nextMs)).toBe(true);
    expect(nextMs).toBeGreaterThan(5_000);
    expect(nextMs).toBeLessThanOrEqual(20_000);
  });

  it("are due again when a lease has run out, and the next lease has a higher number", async () => {
    await addPulled(world, await startSession(world));
    const first = (await leaseOne(world, [], 1))!;
    await wait(20);
    const second = (await leaseOne(world))!;
    expect(second).toEqual({ ...first, lease: first.lease + 1 });
    expect(await leaseOne(world)).toBeUndefined();
    expect(await world.store.renewPulls([first], longMs)).toEqual([]);
    expect(await world.store.renewPulls([second], longMs)).toEqual([second.fileId]);
  });

  it("last as long as their lease is made to last", async () => {
    const session = await startSession(world);
    await addPulled(world, session);
    await addPulled(world, session);
    const [kept, left] = [(await leaseOne(world, [], 300))!, (await leaseOne(world, [], 300))!];
    expect(await world.store.renewPulls([kept], longMs)).toEqual([kept.fileId]);
    await wait(400);
    expect(idsOf(await leaseAll(world))).toEqual([left.fileId]);
    expect(await world.store.renewPulls([], longMs)).toEqual([]);
  });

  it("are due when their file says once they are returned, and a lease that was lost returns nothing", async () => {
    const session = await startSession(world);
    const file = await addPulled(world, session);
    const first = (await leaseOne(world))!;
    await world.store.returnPulls([first]);
    const second = (await leaseOne(world))!;
    expect(second.fileId).toBe(file.id);
    await world.store.returnPulls([first]);
    expect(await leaseOne(world)).toBeUndefined();
    await world.store.returnPulls([second, second]);
    await world.store.returnPulls([]);
    expect((await leaseOne(world))?.fileId).toBe(file.id);
  });

  it("of the tenants that are named are left to the others", async () => {
    const { tenantId, userId: ownerId } = world.stranger;
    await addPulled(world, await startSession(world), -5_000);
    const theirs = await addPulled(world, await startSession(world, { tenantId, ownerId }));
    const alsoTheirs = await addPulled(world, await startSession(world, { tenantId, ownerId }), -2_000);
    const except = [world.tenantId];
    expect((await leaseOne(world, except))?.fileId).toBe(alsoTheirs.id);
    expect((await leaseOne(world, except))?.fileId).toBe(theirs.id);
    expect(await leaseOne(world, except)).toBeUndefined();
    expect(await leaseOne(world, [world.tenantId, tenantId])).toBeUndefined();
    expect((await leaseOne(world))?.tenantId).toBe(world.tenantId);
  });

  it("of sessions that are completing are leased too", async () => {
    const file = await addPulled(world, await startSession(world));
    await world.store.updateSession(sessionOf(file), (session) => ({
      session: { ...session, state: "completing" },
      events: [],
    }));
    expect((await leaseOne(world))?.fileId).toBe(file.id);
  });

  it.each(["cancel", "fail"] as const)("of a session that has ended by %s are nobody's any more", async (event) => {
    const session = await startSession(world);
    for (let i = 0; i < 3; i++) await addPulled(world, session, -5_000);
    const kept = await addPulled(world, await startSession(world));
    const leased = (await leaseOne(world))!;
    await endBy(world, session, event);
    expect(await world.store.renewPulls([leased], longMs)).toEqual([]);
    expect((await world.store.getFile(leased)).file).toMatchObject({ source, pull: undefined });
    expect((await leaseOne(world))?.fileId).toBe(kept.id);
    expect(await leaseOne(world)).toBeUndefined();
    await world.store.returnPulls([leased]);
    expect(await leaseOne(world)).toBeUndefined();
  });

  it("of an ended session's many files do not keep the others from their turn", async () => {
    const session = await startSession(world);
    for (let i = 0; i < 30; i++) await addPulled(world, session, -5_000 - i);
    const kept = await addPulled(world, await startSession(world));
    await endBy(world, session, "cancel");
    expect((await leaseOne(world))?.fileId).toBe(kept.id);
    expect(await leaseOne(world)).toBeUndefined();
  });

  it("of an overdue session wait for its end, which nobody has noticed yet", async () => {
    const session = await startSession(world, {
      deadlines: { idleTtlMs: 300, absoluteTtlMs: undefined, keepTerminalMs: longMs },
    });
    await addPulled(world, session, -5_000);
    await wait(350);
    expect(await leaseOne(world)).toBeUndefined();
    expect(await leaseOne(world, [world.stranger.tenantId])).toBeUndefined();
    await endBy(world, session, "expire");
    expect(await leaseOne(world)).toBeUndefined();
  });

  it("keep their session alive while they wait, up to its absolute end, and no other session", async () => {
    const idle = { idleTtlMs: 60_000, absoluteTtlMs: undefined, keepTerminalMs: longMs };
    const endsIn = (ms: number) => ({ expiresAt: new Date(Date.now() + ms) });
    const waiting = await startSession(world, { deadlines: idle, ...endsIn(20_000) });
    const leased = await startSession(world, { deadlines: idle, ...endsIn(20_000) });
    const bounded = await startSession(world, { deadlines: { ...idle, absoluteTtlMs: 40_000 }, ...endsIn(20_000) });
    const fresh = await startSession(world, { deadlines: idle, ...endsIn(50_000) });
    const without = await startSession(world, { deadlines: idle, ...endsIn(20_000) });
    const over = await startSession(world, { deadlines: idle, ...endsIn(-20_000) });
    const plans = { waiting, bounded, fresh, over };
    await insertPull(leased, -5_000);
    expect(await leaseOne(world)).toMatchObject({ sessionId: leased.id });
    for (const session of Object.values(plans)) await insertPull(session, 3_600_000);

    const ends = async (session: Session) => {
      const { expiresAt } = await world.store.getSession(refOf(session));
      return Math.round((expiresAt!.getTime() - Date.now()) / 10_000);
    };
    expect(await world.store.keepPullingAlive(1)).toBe(1);
    expect(await world.store.keepPullingAlive(10)).toBe(2);
    expect(await world.store.keepPullingAlive(10)).toBe(0);
    const told = await Promise.all([waiting, leased, bounded, fresh, without, over].map(ends));
    expect(told).toEqual([6, 6, 4, 5, 2, -2]);
  });

  it("go with their file, and with their session", async () => {
    const session = await startSession(world);
    const removed = await addPulled(world, session);
    const leased = (await leaseOne(world))!;
    await removeFile(world, removed);
    expect(await world.store.renewPulls([leased], longMs)).toEqual([]);
    await world.store.returnPulls([leased]);
    expect(await leaseOne(world)).toBeUndefined();
    await addPulled(world, session);
    await endBy(world, session, "cancel");
    await world.store.deleteSession(refOf(session), () => undefined);
    expect(await leaseOne(world)).toBeUndefined();
  });

  it("end, with their lease, when the file is declared anew without a source, and begin anew with another one", async () => {
    const file = await addPulled(world, await startSession(world));
    const first = (await leaseOne(world))!;
    await changeFile(world, file, (found) => ({ ...found, source: undefined, pull: undefined }));
    expect(await world.store.renewPulls([first], longMs)).toEqual([]);
    await changeFile(world, file, (found, now) => ({ ...found, source, pull: beginPull(now) }));
    await wait(2);
    const second = (await leaseOne(world))!;
    expect(second.fileId).toBe(file.id);
    await wait(2);
    await changeFile(world, file, (found, now) => ({ ...found, pull: beginPull(now) }));
    expect(await world.store.renewPulls([second], longMs)).toEqual([]);
    await wait(2);
    expect((await leaseOne(world))?.lease).toBeGreaterThan(second.lease);
  });

  it("keep their lease while only what is known of them changes, and lose it when they are put off", async () => {
    const file = await addPulled(world, await startSession(world));
    const leased = (await leaseOne(world))!;
    const seat = await takeSeat(world, file);
    const found = { attemptId: seat.attempt.id, validator: '"v"', sizeBytes: 5 };
    const noted = await world.store.changePull(seat.ref, ({ pull, file: seen, session }) => {
      expect([seen.running?.id, session.id]).toEqual([seat.attempt.id, file.sessionId]);
      return { pull: { ...pull, found }, events: [] };
    });
    expect(noted.file.pull).toMatchObject({ found });
    expect(await world.store.renewPulls([leased], longMs)).toEqual([file.id]);

    const problem = { reason: "source_failed", message: "busy", source: "not_ready" } as const;
    const later = new Date(Date.now() + 30_000);
    const { session } = await world.store.changePull(seat.ref, ({ pull }) => ({
      pull: { ...pull, dueAt: later, tries: 1, problem },
      events: [{ type: "file.delayed", details: { fileId: file.id } }],
    }));
    expect(await world.store.renewPulls([leased], longMs)).toEqual([]);
    await world.store.returnPulls([leased]);
    expect(await leaseOne(world)).toBeUndefined();
    expect((await world.store.getFile(fileRefOf(file))).file.pull).toEqual({
      dueAt: later,
      tries: 1,
      furthestBytes: 0,
      problem,
      found,
    });
    const events = await world.store.listEvents(sessionOf(file), 0, 10);
    expect(events.at(-1)).toMatchObject({ type: "file.delayed", number: session.lastEvent });
    expect((await world.store.getSession(sessionOf(file))).lastEvent).toBe(session.lastEvent);
  });

  it("are changed by nobody but the writer with the newest seat of a session that runs (P7)", async () => {
    const session = await startSession(world);
    const file = await addPulled(world, session);
    const older = await takeSeat(world, file);
    const newer = await takeSeat(world, file);
    const same = ({ pull }: { pull: Pull }) => ({ pull, events: [] });
    await expect(world.store.changePull(older.ref, same)).rejects.toEqual(refusal("superseded", "WRITER_SUPERSEDED"));
    await world.store.changePull(newer.ref, same);
    await endBy(world, session, "cancel");
    await expect(world.store.changePull(newer.ref, same)).rejects.toEqual(refusal("wrong_state", "SESSION_STATE"));

    const overdue = await startSession(world, {
      deadlines: { idleTtlMs: 200, absoluteTtlMs: undefined, keepTerminalMs: longMs },
    });
    const late = await takeSeat(world, await addPulled(world, overdue));
    await wait(450);
    await expect(world.store.changePull(late.ref, same)).rejects.toEqual(refusal("expired", "SESSION_EXPIRED"));

    const elsewhere = { ...newer.ref, sessionId: crypto.randomUUID() };
    await expect(world.store.changePull(elsewhere, same)).rejects.toEqual(refusal("not_found"));
    const foreign = { ...newer.ref, tenantId: world.stranger.tenantId };
    await expect(world.store.changePull(foreign, same)).rejects.toEqual(refusal("not_found"));
  });

  it("cannot be changed of a file that has none, and what a decision throws changes nothing", async () => {
    const session = await startSession(world);
    const sent = await takeSeat(world, await addFile(world, session));
    const never = () => {
      throw new TypeError("asked");
    };
    await expect(world.store.changePull(sent.ref, never)).rejects.toEqual(refusal("superseded", "WRITER_SUPERSEDED"));
    const file = await addPulled(world, session);
    const seat = await takeSeat(world, file);
    await expect(world.store.changePull(seat.ref, never)).rejects.toThrow("asked");
    expect((await world.store.getFile(fileRefOf(file))).file.pull).toEqual(file.pull);
  });

  it("keep going through the claims of their writers, and end with content that is whole or rejected", async () => {
    const session = await startSession(world);
    const [whole, wrong] = [await addPulled(world, session, -9_000), await addPulled(world, session, -8_000)];
    const leases = await leaseAll(world);
    for (const file of [whole, wrong]) {
      const seat = await takeSeat(world, file, "restart");
      expect(seat.file.pull).toEqual(file.pull);
      expect(await world.store.renewPulls(leases, longMs)).toContain(file.id);
      const extent = extentOf(seat, 10);
      const isWhole = file === whole;
      await world.store.finishAttempt(seat.ref, { extent, lockSession: false }, ({ file: found }, now) => ({
        file: {
          ...found,
          state: moveFile(found, isWhole ? "accept" : "reject"),
          failure: isWhole ? undefined : { reason: "source_failed", message: "gone", source: "not_found" },
          pull: undefined,
          modifiedAt: now,
        },
        events: [],
        accepted: isWhole ? buildContent({ id: seat.attempt.id, sizeBytes: 10 }) : undefined,
      }));
      expect(await world.store.renewPulls(leases, longMs)).not.toContain(file.id);
    }
    const failed = (await world.store.getFile(fileRefOf(wrong))).file;
    expect(failed).toMatchObject({ state: "failed", pull: undefined, failure: { source: "not_found" } });
    expect((await world.store.getFile(fileRefOf(whole))).file).toMatchObject({ state: "ready", pull: undefined });
    expect(await world.store.returnAllPulls()).toBe(0);
  });

  it("are all due at once for a start, but those that were put off", async () => {
    const session = await startSession(world);
    for (const dueMs of [-3_000, -2_000, -1_000]) await addPulled(world, session, dueMs);
    const leased = await leaseAll(world);
    const seat = await takeSeat(world, (await world.store.getFile(leased[0]!)).file);
    const later = new Date(Date.now() + 30_000);
    await world.store.changePull(seat.ref, ({ pull }) => ({ pull: { ...pull, dueAt: later }, events: [] }));
    expect(await world.store.returnAllPulls()).toBe(2);
    expect(await world.store.returnAllPulls()).toBe(0);
    expect(await world.store.renewPulls(leased, longMs)).toEqual([]);
    expect(idsOf(await leaseAll(world))).toEqual(idsOf(leased.slice(1)));
  });

  it("are waited for by completions, and a completion with nothing to wait for can be settled", async () => {
    const { tenantId, userId: ownerId } = world.stranger;
    const pulling = await startSession(world);
    const file = await addPulled(world, pulling);
    await world.store.updateSession(refOf(pulling), (session, now) => {
      moveSession(session, "defer", now);
      return { session: { ...session, state: "completing" }, events: [] };
    });
    const free = [await startCompleting(), await startCompleting({ tenantId, ownerId })];
    await startSession(world);
    await startOverdueSession(world, { state: "completing" });
    expect(new Set(await settleable())).toEqual(new Set(free.map(({ id }) => id)));
    expect(await settleable({ limit: 1 })).toHaveLength(1);
    expect(await settleable({ sessionId: free[1]!.id })).toEqual([free[1]!.id]);
    expect(await settleable({ sessionId: pulling.id })).toEqual([]);
    const listed = await world.store.listSettleable({ limit: 10 });
    expect(listed).toContainEqual({ tenantId, sessionId: free[1]!.id });

    await finishPulled(await takeSeat(world, file));
    expect(await settleable({ sessionId: pulling.id })).toEqual([pulling.id]);
    await world.store.completeSession(refOf(pulling), ({ session }, now) => ({
      session: endSession(session, "settle", now)!,
      events: [],
    }));
    expect(await settleable({ sessionId: pulling.id })).toEqual([]);
  });

  async function finishPulled(seat: Awaited<ReturnType<typeof takeSeat>>) {
    const extent = extentOf(seat, 10);
    await world.store.finishAttempt(seat.ref, { extent, lockSession: false }, ({ file }) => ({
      file: { ...file, state: "ready", pull: undefined },
      events: [],
      accepted: buildContent({ id: seat.attempt.id, sizeBytes: 10 }),
    }));
  }

  it("of content that was sent meanwhile stay until their own writer has seen it", async () => {
    const file = await addPulled(world, await startSession(world));
    const seat = await takeSeat(world, file);
    const finished = await finishSeat(world, seat, "accept", { extent: extentOf(seat, 10) });
    expect(finished.pull).toEqual(file.pull);
    expect((await leaseOne(world))?.fileId).toBe(file.id);
  });
}

/** Where deeds run beside each other. */
export function describePullRaces(open: OpenStore): void {
  const world = useWorld(open);

  it("of many who lease at the same time no two get the same pull, and all get one", async () => {
    const session = await startSession(world);
    const files: SessionFile[] = [];
    for (let i = 0; i < 24; i++) files.push(await addPulled(world, session, -1_000 - i));
    const others = [world.store, await world.openAnother!(), await world.openAnother!()];
    const leased: LeasedPull[] = [];
    await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const store = others[i % others.length]!;
        for (;;) {
          const { pull } = await store.leasePull({
            leaseMs: longMs,
            exceptTenants: i % 2 === 0 ? [] : [crypto.randomUUID()],
          });
          if (pull === undefined) return;
          leased.push(pull);
        }
      }),
    );
    // One that found the rest locked went away; what it left is there for whoever comes next.
    leased.push(...(await leaseAll(world)));
    expect(idsOf(leased).sort()).toEqual(files.map(({ id }) => id).sort());
    expect(leased.every(({ lease }) => lease === 1)).toBe(true);
  });

  it("leases, renewals, returns and changes of the same pulls beside each other neither fail nor lose one", async () => {
    const session = await startSession(world);
    const files: SessionFile[] = [];
    for (let i = 0; i < 8; i++) files.push(await addPulled(world, session));
    const { store } = world;
    await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        for (let round = 0; round < 15; round++) {
          const { pull } = await store.leasePull({ leaseMs: longMs, exceptTenants: [] });
          if (pull === undefined) continue;
          const seat = await takeSeat(world, (await store.getFile(pull)).file);
          const [held] = await Promise.all([
            store.renewPulls([pull], longMs),
            store.changePull(seat.ref, (view) => ({ pull: { ...view.pull, tries: i }, events: [] })),
          ]);
          expect(held).toEqual([pull.fileId]);
          await store.returnPulls(round % 2 === 0 ? [pull] : [pull, pull]);
        }
      }),
    );
    await store.returnAllPulls();
    expect(idsOf(await leaseAll(world)).sort()).toEqual(files.map(({ id }) => id).sort());
  });
}
