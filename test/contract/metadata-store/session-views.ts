import { expect, it } from "vitest";
import type { Predicate, Session, SessionField, SessionView, SessionWindow } from "../../../src/core/index.js";
import {
  addFile,
  complete,
  endBy,
  extentOf,
  type OpenStore,
  refOf,
  refusal,
  removeFile,
  sendFile,
  startSession,
  takeSeat,
  useWorld,
} from "./world.js";

const all: Predicate<SessionField> = { all: [] };

export function describeSessionViews(open: OpenStore): void {
  const world = useWorld(open);

  function list(of: Partial<SessionWindow> = {}, predicate = all): Promise<readonly SessionView[]> {
    const window = { order: "newest", offset: 0, limit: 1000, fileLimit: 1000, ...of } as const;
    return world.store.listSessionViews(world.tenantId, predicate, window);
  }
  const labelsOf = (views: readonly SessionView[]) => views.map(({ session }) => session.label).join("");

  /** Sessions of which each is a second younger than the one before, labelled by these letters. */
  async function startInTurn(labels: string, of: Partial<Session> = {}): Promise<readonly Session[]> {
    const sessions: Session[] = [];
    const begin = Date.now() - 60_000;
    for (const [n, label] of [...labels].entries()) {
      const createdAt = new Date(begin + n * 1000);
      sessions.push(await startSession(world, { ...of, label, createdAt }));
    }
    return sessions;
  }

  it("a view is the session and all its files in the order in which they were added, whole, half or empty", async () => {
    const session = await startSession(world, { attributes: { a: { b: ["ä", 1.5, null] } }, clientProgress: 12.5 });
    await sendFile(world, session, "whole");
    const seat = await takeSeat(world, await addFile(world, session, { name: "half", attributes: { n: 1 } }));
    await world.store.commitExtent({ attempt: seat.ref, extent: extentOf(seat, 4) });
    await addFile(world, session, { name: "empty", sizeBytes: 0 });
    const view = await world.store.viewSession(refOf(session));
    expect(view.session).toEqual(await world.store.getSession(refOf(session)));
    expect(view.files).toEqual((await world.store.listFiles(refOf(session), { limit: 10 })).things);
    expect(view.files.map(({ name }) => name)).toEqual(["whole", "half", "empty"]);
    expect(await list()).toEqual([view]);
  });

  it("a session without files is viewed with none, also once it has ended", async () => {
    const session = await startSession(world);
    expect(await world.store.viewSession(refOf(session))).toEqual({ session, files: [] });
    await endBy(world, session, "cancel");
    const ended = await world.store.getSession(refOf(session));
    expect(await world.store.viewSession(refOf(session))).toEqual({ session: ended, files: [] });
    expect(await list()).toEqual([{ session: ended, files: [] }]);
  });

  it("a session that is gone is not viewed", async () => {
    const session = await startSession(world);
    await sendFile(world, session, "a");
    await complete(world, session);
    await world.store.deleteSession(refOf(session), () => {});
    const gone = refusal("not_found", "SESSION_NOT_FOUND");
    await expect(world.store.viewSession(refOf(session))).rejects.toEqual(gone);
    expect(await list()).toEqual([]);
  });

  it("views are listed from the newest or from the oldest, each with its own files", async () => {
    const [a, b] = await startInTurn("abc");
    await addFile(world, b!, { name: "b1" });
    await addFile(world, a!, { name: "a1" });
    await addFile(world, b!, { name: "b2" });
    const shown = (views: readonly SessionView[]) =>
      views.map(({ session, files }) => [session.label, ...files.map(({ name }) => name)].join(" "));
    expect(shown(await list())).toEqual(["c", "b b1 b2", "a a1"]);
    expect(shown(await list({ order: "oldest" }))).toEqual(["a a1", "b b1 b2", "c"]);
  });

  const windows: [Partial<SessionWindow>, string][] = [
    [{ limit: 2 }, "ed"],
    [{ limit: 2, offset: 1 }, "dc"],
    [{ limit: 2, offset: 4 }, "a"],
    [{ limit: 2, offset: 5 }, ""],
    [{ offset: Number.MAX_SAFE_INTEGER }, ""],
    [{ limit: Number.MAX_SAFE_INTEGER }, "edcba"],
    [{ order: "oldest", limit: 2, offset: 1 }, "bc"],
    [{ order: "oldest", offset: 3 }, "de"],
  ];
  it.each(windows)("of five, the window %j holds %j", async (window, labels) => {
    await startInTurn("abcde");
    expect(labelsOf(await list(window))).toBe(labels);
  });

  it("a window goes on after a position, from which its offset counts", async () => {
    const [, b, , d] = await startInTurn("abcde");
    expect(labelsOf(await list({ after: d! }))).toBe("cba");
    expect(labelsOf(await list({ after: d!, offset: 1, limit: 1 }))).toBe("b");
    expect(labelsOf(await list({ after: b!, order: "oldest" }))).toBe("cde");
    expect(labelsOf(await list({ after: b!, order: "oldest", offset: 2 }))).toBe("e");
  });

  it("sessions of the same moment have an order too, and none is lost between windows", async () => {
    const createdAt = new Date("2026-01-01T00:00:00Z");
    for (let n = 0; n < 7; n++) await startSession(world, { createdAt });
    const newest = (await list()).map(({ session }) => session.id);
    const oldest = (await list({ order: "oldest" })).map(({ session }) => session.id);
    expect(oldest).toEqual([...newest].reverse());
    for (const order of ["newest", "oldest"] as const) {
      const seen: Session[] = [];
      for (let more = true; more; ) {
        const views = await list({ order, limit: 2, after: seen.at(-1) });
        seen.push(...views.map(({ session }) => session));
        more = views.length > 0;
      }
      expect(seen.map(({ id }) => id)).toEqual(order === "newest" ? newest : oldest);
    }
  });

  const limits: [number, string][] = [
    [1, "a"],
    [3, "a"],
    [4, "abc"],
    [5, "abc"],
    [6, "abcd"],
  ];
  it.each(limits)("with a file limit of %d no session is begun once there are so many: %j", async (fileLimit, seen) => {
    const sessions = await startInTurn("abcd");
    for (const [n, count] of [3, 0, 2, 1].entries()) {
      for (let file = 0; file < count; file++) await addFile(world, sessions[n]!);
    }
    const views = await list({ order: "oldest", fileLimit });
    expect(labelsOf(views)).toBe(seen);
    // Those that are begun are whole.
    expect(views.map(({ files }) => files.length)).toEqual([3, 0, 2, 1].slice(0, views.length));
  });

  it("a filter holds for windows and for counts, offsets included", async () => {
    await startInTurn("abc", { attributes: { status: "NEW" } });
    await startInTurn("xyz", { attributes: { status: "LOADED" }, ownerId: world.colleagueId });
    const loaded: Predicate<SessionField> = { attribute: ["status"], is: "in", value: ["LOADED", "ERROR"] };
    const hers: Predicate<SessionField> = { field: "ownerId", is: "eq", value: world.userId };
    expect(labelsOf(await list({}, loaded))).toBe("zyx");
    expect(labelsOf(await list({ offset: 1, limit: 1 }, loaded))).toBe("y");
    expect(labelsOf(await list({ order: "oldest" }, hers))).toBe("abc");
    const counts = [all, loaded, hers, { not: hers }, { all: [loaded, hers] }, { any: [loaded, hers] }];
    const counted = await Promise.all(counts.map((where) => world.store.countSessions(world.tenantId, where)));
    expect(counted).toEqual([6, 3, 3, 3, 0, 6]);
  });

  it("a count is that of sessions, whatever files they have", async () => {
    expect(await world.store.countSessions(world.tenantId, all)).toBe(0);
    const session = await startSession(world);
    for (let n = 0; n < 3; n++) await addFile(world, session);
    expect(await world.store.countSessions(world.tenantId, all)).toBe(1);
  });
}

export function describeSessionViewRaces(open: OpenStore): void {
  const world = useWorld(open);

  it("a view is of one moment while files come and go: the session says how many files it has", async () => {
    const session = await startSession(world);
    let changing = true;
    async function change(): Promise<void> {
      for (let round = 0; round < 40; round++) {
        const files = [await addFile(world, session), await addFile(world, session)];
        for (const file of files) await removeFile(world, file);
      }
      changing = false;
    }
    const window = { order: "newest", offset: 0, limit: 10, fileLimit: 10 } as const;
    const seen = new Set<number>();
    async function look(): Promise<void> {
      while (changing) {
        const listed = await world.store.listSessionViews(world.tenantId, all, window);
        for (const view of [...listed, await world.store.viewSession(refOf(session))]) {
          expect(view.files.length).toBe(view.session.fileCount);
          seen.add(view.files.length);
        }
      }
    }
    await Promise.all([change(), look()]);
    expect([...seen].sort()).toEqual([0, 1, 2]);
  });
}
