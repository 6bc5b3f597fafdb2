// What holds for every deed alike: another tenant's things are not there (P9), and a decision that throws changes
// nothing.
import { describe, expect, it } from "vitest";
import { createId, isUploadError, type MetadataStore, UploadError } from "../../../src/core/index.js";
import { buildItem } from "../../support/builders.js";
import {
  addFile,
  extentOf,
  fileRefOf,
  finishSeat,
  type OpenStore,
  publish,
  refOf,
  sendFile,
  startItem,
  startSession,
  takeSeat,
  useWorld,
} from "./world.js";

/** Ids that a deed is asked with. */
interface Named {
  readonly tenantId: string;
  readonly sessionId: string;
  readonly fileId: string;
  readonly attemptId: string;
  readonly libraryId: string;
  readonly itemId: string;
}

type Deed = (store: MetadataStore, named: Named) => Promise<unknown>;

const never = () => {
  throw new Error("a decision about a stranger's thing was asked for");
};
const extent = { epoch: 1, offset: 0, length: 1, blobKey: "k" } as never;
const window = { order: "newest", offset: 0, limit: 10, fileLimit: 10 } as const;
const attemptOf = (named: Named) => ({ ...named, epoch: 1 });
const creation = (named: Named) => ({
  tenantId: named.tenantId,
  ownerId: createId(),
  itemId: named.itemId,
  build: never,
});

const deeds: Record<string, Deed> = {
  createSession: (store, named) => store.createSession(creation(named)),
  getSession: (store, named) => store.getSession(named),
  viewSession: (store, named) => store.viewSession(named),
  updateSession: (store, named) => store.updateSession(named, never),
  completeSession: (store, named) => store.completeSession(named, never),
  deleteSession: (store, named) => store.deleteSession(named, never),
  listEvents: (store, named) => store.listEvents(named, 0, 10),
  getFile: (store, named) => store.getFile(named),
  listFiles: (store, named) => store.listFiles(named, { limit: 10 }),
  changeFile: (store, named) => store.changeFile(named, { fileId: named.fileId }, never),
  claimWriter: (store, named) => store.claimWriter(named, never),
  commitExtent: (store, named) => store.commitExtent({ attempt: attemptOf(named), extent }),
  finishAttempt: (store, named) => store.finishAttempt(attemptOf(named), { extent, lockSession: false }, never),
  "finishAttempt with the session locked": (store, named) =>
    store.finishAttempt(attemptOf(named), { extent: undefined, lockSession: true }, never),
  getLibrary: (store, named) => store.getLibrary(named.tenantId, named.libraryId),
  updateLibrary: (store, named) => store.updateLibrary(named.tenantId, named.libraryId, never),
  deleteLibrary: (store, named) => store.deleteLibrary(named.tenantId, named.libraryId),
  "deleteLibrary with items": (store, named) =>
    store.deleteLibrary(named.tenantId, named.libraryId, { withItems: true }),
  copyItem: (store, named) => {
    const words = buildItem({ tenantId: named.tenantId, libraryId: named.libraryId });
    return store.copyItem({ ...words, sourceItemId: named.itemId });
  },
  measureItem: (store, named) => store.measureItem(named.tenantId, named.itemId),
  createItem: (store, named) => store.createItem(buildItem({ tenantId: named.tenantId, libraryId: named.libraryId })),
  getItem: (store, named) => store.getItem(named.tenantId, named.itemId),
  updateItem: (store, named) => store.updateItem(named.tenantId, named.itemId, never),
  deleteItem: (store, named) => store.deleteItem(named.tenantId, named.itemId),
  listItemFiles: (store, named) => store.listItemFiles(named.tenantId, named.itemId, { limit: 10 }),
  getItemFile: (store, named) => store.getItemFile(named.tenantId, named.itemId, "a"),
};

/** These say `superseded` of a file that is gone, and a stranger's file is gone for them. */
const writersDeeds = ["commitExtent", "finishAttempt", "finishAttempt with the session locked"];

export function describeIsolation(open: OpenStore): void {
  const world = useWorld(open);

  it.each(Object.keys(deeds))(
    "%s finds nothing of another tenant and answers as for what never was (P9)",
    async (name) => {
      const deed = deeds[name]!;
      const mine = await everything();
      const { tenantId } = world.stranger;
      const before = await snapshot(mine);
      const foreign = await refusedBy(deed(world.store, { ...mine, tenantId }));
      const made = Object.fromEntries(Object.keys(mine).map((id) => [id, createId()])) as unknown as Named;
      const unknown = await refusedBy(deed(world.store, { ...made, tenantId }));

      const codes = writersDeeds.includes(name) ? ["not_found", "superseded"] : ["not_found"];
      expect(codes).toContain(foreign.code);
      expect([foreign.code, foreign.details.reason]).toEqual([unknown.code, unknown.details.reason]);
      expect(wordsOf(foreign, mine)).toBe(wordsOf(unknown, made));
      expect(await snapshot(mine)).toEqual(before);
    },
  );

  it("lists, lookups and records of another tenant are empty (P9)", async () => {
    const { itemId } = await everything();
    const alias = { kind: "k", value: "v" };
    await world.store.updateItem(world.tenantId, itemId, (item) => ({ ...item, aliases: [alias] }));
    await world.store.changeRecords(world.tenantId, [{ namespace: "n", key: "k", value: 1 }]);
    const { tenantId } = world.stranger;
    const [all, page] = [{ all: [] as const }, { limit: 10 }];
    expect((await world.store.listSessions(tenantId, all, page)).things).toEqual([]);
    expect(await world.store.listSessionViews(tenantId, all, window)).toEqual([]);
    expect(await world.store.countSessions(tenantId, all)).toBe(0);
    expect((await world.store.listLibraries(tenantId, all, page)).things).toEqual([]);
    expect((await world.store.listItems(tenantId, all, page)).things).toEqual([]);
    expect(await world.store.findItemByAlias(tenantId, "k", "v")).toBeUndefined();
    expect(await world.store.findRecord(tenantId, "n", "k")).toBeUndefined();
    expect(await world.store.listRecords(tenantId, "n", { prefix: "", limit: 10 })).toEqual([]);
  });

  it("a filter cannot reach over the border of the tenant (P9)", async () => {
    const session = await startSession(world, { label: "secret" });
    const any = { any: [{ all: [] as const }, { field: "id", is: "eq", value: session.id } as const] };
    const { tenantId } = world.stranger;
    expect((await world.store.listSessions(tenantId, any, { limit: 10 })).things).toEqual([]);
    expect(await world.store.listSessionViews(tenantId, any, window)).toEqual([]);
    expect(await world.store.countSessions(tenantId, any)).toBe(0);
  });

  describe("a decision that throws changes nothing, and its error comes out unchanged", () => {
    const deciding: Record<string, (named: Named, decide: () => never) => Promise<unknown>> = {
      createSession: (named, decide) => world.store.createSession({ ...creation(named), build: decide }),
      updateSession: (named, decide) => world.store.updateSession(named, decide),
      completeSession: (named, decide) => world.store.completeSession(named, decide),
      deleteSession: (named, decide) => world.store.deleteSession(named, decide),
      changeFile: (named, decide) => world.store.changeFile(named, { fileId: named.fileId }, decide),
      claimWriter: (named, decide) => world.store.claimWriter(named, decide),
      finishAttempt: (named, decide) =>
        world.store.finishAttempt(attemptOf(named), { extent, lockSession: false }, decide),
      "finishAttempt with the session locked": (named, decide) =>
        world.store.finishAttempt(attemptOf(named), { extent, lockSession: true }, decide),
      updateLibrary: (named, decide) => world.store.updateLibrary(named.tenantId, named.libraryId, decide),
      updateItem: (named, decide) => world.store.updateItem(named.tenantId, named.itemId, decide),
    };
    const errors: unknown[] = [
      new UploadError("busy", "not now", { reason: "ITEM_BUSY" }),
      new TypeError("a bug"),
      // These look like a database's own errors: a taken name, a deadlock, a lost connection.
      Object.assign(new Error("looks like a taken name"), { code: "23505", constraint: "libraries_name" }),
      Object.assign(new Error("looks like a deadlock"), { code: "40P01" }),
      Object.assign(new Error("looks like a lost connection"), { code: "ECONNRESET" }),
      "not even an error",
    ];
    it.each(Object.keys(deciding))("in %s", async (name) => {
      const named = await everything();
      const before = await snapshot(named);
      for (const error of errors) {
        const deed = deciding[name]!(named, () => {
          throw error;
        });
        const thrown = await deed.then(
          () => "nothing was thrown",
          (reason: unknown) => reason,
        );
        expect(thrown).toBe(error);
      }
      expect(await snapshot(named)).toEqual(before);
    });
  });

  /** An item with a file, and an active session on it with a whole file and one that is being written. */
  async function everything(): Promise<Named> {
    const item = await startItem(world);
    await publish(world, item, { a: 1 });
    const session = await startSession(world, { itemId: item.id });
    await sendFile(world, session, "whole");
    const seat = await takeSeat(world, await addFile(world, session, { name: "half" }));
    await world.store.commitExtent({ attempt: seat.ref, extent: extentOf(seat, 4) });
    const of = { attemptId: seat.attempt.id, libraryId: item.libraryId, itemId: item.id };
    return { ...fileRefOf(seat.file), ...of };
  }

  async function snapshot(named: Named): Promise<unknown> {
    const page = { limit: 100 };
    const lists = [
      await world.store.listSessions(named.tenantId, { all: [] }, page),
      await world.store.listLibraries(named.tenantId, { all: [] }, page),
      await world.store.listItems(named.tenantId, { all: [] }, page),
    ];
    // Asking for a seat keeps the session alive; everything else about it stays.
    return [
      ...lists,
      await world.store.listFiles(named, page),
      await world.store.listEvents(named, 0, 100),
      await world.store.listItemFiles(named.tenantId, named.itemId, { limit: 100 }),
      await world.store.listExtents(named.attemptId),
    ];
  }

  it("the deeds of the last writer still succeed after all that was refused to strangers (P9)", async () => {
    const session = await startSession(world);
    const seat = await takeSeat(world, await addFile(world, session));
    const named = { ...fileRefOf(seat.file), attemptId: seat.attempt.id, libraryId: createId(), itemId: createId() };
    for (const deed of Object.values(deeds)) {
      await refusedBy(deed(world.store, { ...named, tenantId: world.stranger.tenantId }));
    }
    const file = await finishSeat(world, seat, "accept", { extent: extentOf(seat, 9) });
    expect([file.state, (await world.store.getSession(refOf(session))).state]).toEqual(["ready", "active"]);
  });
}

async function refusedBy(deed: Promise<unknown>): Promise<UploadError> {
  const error = await deed.then(
    () => "it was not refused",
    (reason: unknown) => reason,
  );
  if (!isUploadError(error)) throw error;
  return error;
}

/** The message and the details with the ids that were asked with taken out. */
function wordsOf(error: UploadError, named: Named): string {
  const told = JSON.stringify([error.message, error.details]);
  return Object.values(named).reduce<string>((words, id: string) => words.replaceAll(id, "ID"), told);
}
