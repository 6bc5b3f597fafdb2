// Completion, cancelling, deletion and sweeping against everything that may go on at the same time (P5, P8).
import { expect, it } from "vitest";
import type { BlobKey, Item, MetadataStore, Session, SessionFile } from "../../../src/core/index.js";
import {
  addFile,
  codeOf,
  complete,
  endBy,
  extentOf,
  fileRefOf,
  finishSeat,
  type OpenStore,
  refOf,
  removeFile,
  sendFile,
  startItem,
  startSession,
  sweepContent,
  takeSeat,
  useWorld,
} from "./world.js";

const rounds = 12;

export function describeRaces(open: OpenStore): void {
  const world = useWorld(open);

  it("a completion that is asked for ten times at once is applied once (P4)", async () => {
    for (let round = 0; round < rounds; round++) {
      const { item, session } = await begin();
      const applied = await Promise.all(times(10, () => complete(world, session)));
      expect(applied.filter(Boolean)).toHaveLength(1);
      expect((await world.store.getItem(world.tenantId, item.id)).contentVersion).toBe(2);
      const events = await world.store.listEvents(refOf(session), 0, 100);
      expect(events.filter(({ type }) => type === "session.done")).toHaveLength(1);
      expect((await filesOf(item)).map(({ version }) => version)).toEqual([1, 1, 1]);
    }
  });

  it("of a completion and a cancel at once exactly one wins, whole (P4, P5)", async () => {
    for (let round = 0; round < rounds; round++) {
      const { item, session, keys } = await begin();
      const [first, second] = round % 2 ? [cancel, complete] : [complete, cancel];
      const codes = await Promise.all([codeOf(first(world, session)), codeOf(second(world, session))]);
      expect([...codes].sort()).toEqual(["ok", "wrong_state"]);
      const { state } = await world.store.getSession(refOf(session));
      expect(["done", "canceled"]).toContain(state);
      await sweepContent(world.store);
      const whole = state === "done";
      expect((await filesOf(item)).length).toBe(whole ? 3 : 0);
      expect((await world.store.getItem(world.tenantId, item.id)).contentVersion).toBe(whole ? 2 : 1);
      expect((await world.store.findReferencedKeys(keys)).size).toBe(whole ? 3 : 0);
    }
  });

  const rivals: [string, (files: readonly SessionFile[], session: Session) => Promise<unknown>][] = [
    ["a seat being taken", ([file]) => takeSeat(world, file!)],
    [
      "bytes arriving",
      async ([file]) => {
        const seat = await takeSeat(world, file!);
        await world.store.commitExtent({ attempt: seat.ref, extent: extentOf(seat, 4) });
      },
    ],
    [
      "newer content becoming whole",
      async ([file]) => {
        const seat = await takeSeat(world, file!);
        await finishSeat(world, seat, "accept", { extent: extentOf(seat, 4) });
      },
    ],
    [
      "newer content being rejected",
      async ([file]) => {
        const seat = await takeSeat(world, file!);
        await finishSeat(world, seat, "reject", { extent: extentOf(seat, 4) });
      },
    ],
    ["a file being declared", (_, session) => addFile(world, session, { name: "late" })],
    ["a file being sent whole", (_, session) => sendFile(world, session, "late")],
    ["a file being removed", ([file]) => removeFile(world, file!)],
  ];
  it.each(rivals)("a completion racing with %s applies a whole set or nothing (P5)", async (_, rival) => {
    for (let round = 0; round < rounds; round++) {
      const { item, session, files } = await begin();
      const lead = round % 4;
      const rivalsDeed = codeOf(rival(files, session));
      for (let step = 0; step < lead; step++) await world.store.checkHealth();
      const [completed, other] = await Promise.all([codeOf(complete(world, session)), rivalsDeed]);
      expect(["ok", "incomplete"]).toContain(completed);
      expect(["ok", "wrong_state", "superseded"]).toContain(other);
      await assertWholeOrNothing(item, session, completed === "ok");
    }
  });

  it("an end whose file is completing at the same time is in the set or refused (P5)", async () => {
    for (let round = 0; round < rounds; round++) {
      const { item, session } = await begin();
      const seats = await Promise.all(
        times(4, async (n) => takeSeat(world, await addFile(world, session, { name: `late ${n}` }))),
      );
      const ends = seats.map((seat) => codeOf(finishSeat(world, seat, "accept", { extent: extentOf(seat, 4) })));
      const [completed, ...codes] = await Promise.all([codeOf(complete(world, session)), ...ends]);
      // While one of them is not whole the completion is refused, so all of them end.
      expect(codes).toEqual(Array(4).fill("ok"));
      await assertWholeOrNothing(item, session, completed === "ok");
      expect(await codeOf(complete(world, session))).toBe("ok");
      expect(await filesOf(item)).toHaveLength(7);
    }
  });

  it("sessions that complete on one item at once all take effect, one after the other (P5)", async () => {
    const item = await startItem(world);
    const sessions = await Promise.all(
      times(10, async (n) => {
        const session = await startSession(world, { itemId: item.id });
        await sendFile(world, session, "shared", n + 1);
        await sendFile(world, session, `own ${n}`, n + 1);
        return session;
      }),
    );
    expect(await Promise.all(sessions.map((session) => complete(world, session)))).toEqual(Array(10).fill(true));
    const files = await filesOf(item);
    expect(files).toHaveLength(11);
    expect(files.find(({ name }) => name === "shared")?.version).toBe(10);
    expect((await world.store.getItem(world.tenantId, item.id)).contentVersion).toBe(11);
  });

  it("sweeping while sessions replace an item's content deletes nothing that is named (P8)", async () => {
    const sweeper = await world.openAnother!();
    const item = await startItem(world);
    let running = true;
    const sweeping = (async () => {
      while (running) {
        await sweeper.deleteReleasedContent(100);
        await sweeper.deleteForgottenSessions(100);
      }
    })();
    const actor = async (n: number) => {
      for (let turn = 0; turn < 8; turn++) {
        const deadlines = { idleTtlMs: 60_000, absoluteTtlMs: undefined, keepTerminalMs: turn % 2 ? 1 : 60_000 };
        const session = await startSession(world, { itemId: item.id, deadlines });
        const { file } = await sendFile(world, session, "shared");
        await sendFile(world, session, `own ${n}`);
        const seat = await takeSeat(world, file);
        await finishSeat(world, seat, "accept", { extent: extentOf(seat, turn + 1) });
        await complete(world, session);
        for (const { content } of await filesOf(item)) {
          const stored = (await world.store.listExtents(content.id)).reduce((sum, { length }) => sum + length, 0);
          // Another session may have replaced it since it was listed; then nothing of it need be there.
          const current = (await filesOf(item)).some((now) => now.content.id === content.id);
          if (current) expect([content.id, stored]).toEqual([content.id, content.sizeBytes]);
        }
      }
    };
    try {
      await Promise.all(times(4, actor));
    } finally {
      running = false;
      await sweeping;
      await sweeper.close();
    }
    for (const { content } of await filesOf(item)) {
      const extents = await world.store.listExtents(content.id);
      expect(extents.reduce((sum, { length }) => sum + length, 0)).toBe(content.sizeBytes);
      expect((await world.store.findReferencedKeys(extents.map(({ blobKey }) => blobKey))).size).toBe(extents.length);
    }
  });

  it.each(["cancel", "delete"] as const)("a %s racing with writers leaves nothing of theirs (P5, P8)", async (deed) => {
    for (let round = 0; round < rounds; round++) {
      const { session, keys: wholeKeys } = await begin();
      const files = await Promise.all(times(4, () => addFile(world, session)));
      const keys: BlobKey[] = [...wholeKeys];
      const write = async (file: SessionFile) => {
        for (let turn = 0; turn < 4; turn++) {
          const seat = await takeSeat(world, file);
          const extent = extentOf(seat, 4);
          keys.push(extent.blobKey);
          await world.store.commitExtent({ attempt: seat.ref, extent });
          if (turn % 2) await finishSeat(world, seat, "accept", { extent });
        }
      };
      const writers = files.map((file) => codeOf(write(file)));
      for (let step = 0; step < round; step++) await world.store.checkHealth();
      if (deed === "cancel") await cancel(world, session);
      else await world.store.deleteSession(refOf(session), () => {});
      const codes = await Promise.all(writers);
      for (const code of codes) expect(["ok", "wrong_state", "superseded", "not_found"]).toContain(code);
      await sweepContent(world.store);
      expect([...(await world.store.findReferencedKeys(keys))]).toEqual([]);
    }
  });

  it("of a session begun on an item and the item's deletion at once one is refused", async () => {
    for (let round = 0; round < rounds; round++) {
      const item = await startItem(world);
      const starts = times(3, () => codeOf(startSession(world, { itemId: item.id })));
      const [deleted, ...started] = await Promise.all([
        codeOf(world.store.deleteItem(world.tenantId, item.id)),
        ...starts,
      ]);
      if (deleted === "ok") expect(started).toEqual(Array(3).fill("not_found"));
      else expect([deleted, started.includes("ok")]).toEqual(["busy", true]);
    }
  });

  it("beginning, completing, cancelling and forgetting sessions of one item at once never ends in a deadlock", async () => {
    const other = await world.openAnother!();
    const item = await startItem(world);
    try {
      const actor = async (n: number) => {
        const store = n % 2 ? other : world.store;
        for (let turn = 0; turn < 6; turn++) {
          const session = await startSession(world, { itemId: item.id });
          await sendFile(world, session, "shared");
          if ((n + turn) % 3) await complete(world, session, store);
          else await endBy(world, session, "cancel", store);
          if (turn % 2) await store.deleteSession(refOf(session), () => {});
          await store.updateItem(world.tenantId, item.id, (found) => ({ ...found, version: found.version + 1 }));
        }
      };
      await Promise.all(times(8, actor));
    } finally {
      await other.close();
    }
    const { version, contentVersion } = await world.store.getItem(world.tenantId, item.id);
    expect([version, contentVersion]).toEqual([1 + 48, 1 + 32]);
  });

  /** An item and an active session on it with three whole files. */
  async function begin() {
    const item = await startItem(world);
    const session = await startSession(world, { itemId: item.id });
    const sent = await Promise.all(times(3, (n) => sendFile(world, session, `file ${n}`, n + 1)));
    return { item, session, files: sent.map(({ file }) => file), keys: sent.map(({ key }) => key) };
  }

  function filesOf(item: Item) {
    return world.store.listItemFiles(world.tenantId, item.id, { limit: 100 });
  }

  async function assertWholeOrNothing(item: Item, session: Session, done: boolean): Promise<void> {
    await sweepContent(world.store);
    const applied = await filesOf(item);
    const { contentVersion } = await world.store.getItem(world.tenantId, item.id);
    const { things } = await world.store.listFiles(refOf(session), { limit: 100 });
    const now = await world.store.getSession(refOf(session));
    expect(now.fileCount).toBe(things.length);
    expect([now.state, contentVersion]).toEqual(done ? ["done", 2] : ["active", 1]);
    const ofSession = things.map(({ name, current }) => [name, current]).sort();
    expect(applied.map(({ name, content }) => [name, content])).toEqual(done ? ofSession : []);
    if (!done) return;
    for (const file of things) {
      expect([file.state, file.running]).toEqual(["ready", undefined]);
      expect(await codeOf(takeSeat(world, file))).toBe("wrong_state");
      expect((await world.store.getFile(fileRefOf(file))).file).toEqual(file);
    }
    for (const { content } of applied) expect(await world.store.listExtents(content.id)).toHaveLength(1);
  }
}

function cancel(world: Parameters<typeof endBy>[0], session: Session, store?: MetadataStore): Promise<boolean> {
  return endBy(world, session, "cancel", store);
}

function times<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}
