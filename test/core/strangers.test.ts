import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Call, createId, isUploadError, type SessionViewsInput, type Uploads } from "../../src/core/index.js";
import { put, readBack, refOf } from "../support/blobs.js";
import { bodyOf, countedBody, pseudoRandom } from "../support/bodies.js";
import { hookBlobs, makeItem, type OpenedUploads, openUploads, startSession, storeFile } from "../support/uploads.js";

/** Ids of things of Alice's, or in their place of nothing at all. */
interface Ids {
  readonly sessionId: string;
  readonly fileId: string;
  readonly itemId: string;
  readonly libraryId: string;
}
type Ask = (ids: Ids, call: Call) => Promise<unknown>;

let opened: OpenedUploads;
let mine: Ids;
let uploads: Uploads;

beforeAll(async () => {
  opened = await openUploads();
  uploads = opened.uploads;
  const item = await makeItem(opened);
  const session = await startSession(uploads, opened.alice, { itemId: item.id });
  const sessionId = session.id;
  const { fileId } = await storeFile(uploads, opened.alice, pseudoRandom(10), { sessionId });
  mine = { sessionId, fileId, itemId: item.id, libraryId: item.libraryId };
});
afterAll(() => opened.close());

const words = {
  visibility: "owner",
  origin: "test",
  deadlines: { idleTtlMs: 60_000, absoluteTtlMs: undefined, keepTerminalMs: 60_000 },
} as const;

/** What touches a session: nobody but its owner and the tenant's administrators may know of it. */
const ofSessions = {
  getSession: (ids, call) => uploads.getSession(ids, call),
  viewSession: (ids, call) => uploads.viewSession(ids, call),
  listSessionEvents: (ids, call) => uploads.listSessionEvents({ ...ids, after: 0 }, call),
  watchSession: async (ids, call) => {
    for await (const _ of uploads.watchSession({ ...ids, after: 0 }, call)) return;
  },
  keepSessionAlive: (ids, call) => uploads.keepSessionAlive(ids, call),
  validateSession: (ids, call) => uploads.validateSession(ids, call),
  completeSession: (ids, call) => uploads.completeSession(ids, call),
  changeAttributes: (ids, call) =>
    uploads.changeAttributes({ ...ids, change: () => ({ attributes: {}, details: {} }) }, call),
  cancelSession: (ids, call) => uploads.cancelSession(ids, call),
  failSession: (ids, call) => uploads.failSession({ ...ids, message: "" }, call),
  deleteSession: (ids, call) => uploads.deleteSession(ids, call),
  addFile: (ids, call) => uploads.addFile({ ...ids, name: "b.bin" }, call),
  getFile: (ids, call) => uploads.getFile(ids, call),
  findFile: (ids, call) => uploads.findFile({ ...ids, name: "a.bin" }, call),
  listFiles: (ids, call) => uploads.listFiles({ ...ids, page: {} }, call),
  removeFile: (ids, call) => uploads.removeFile(ids, call),
  removeItemFile: (ids, call) => uploads.removeItemFile({ ...ids, name: "a.bin" }, call),
  removeName: (ids, call) => uploads.removeName({ ...ids, name: "a.bin" }, call),
  finishFile: (ids, call) => uploads.finishFile(ids, call),
  refuseFile: (ids, call) =>
    uploads.refuseFile({ ...ids, failure: { reason: "size_differs", message: "" }, when: () => true }, call),
  writePart: (ids, call) => uploads.writePart({ ...ids, offset: 0, body: bodyOf([pseudoRandom(10)]) }, call),
  getUploadStatus: (ids, call) => uploads.getUploadStatus(ids, call),
  readFile: (ids, call) => uploads.readFile(ids, call),
  publishFile: (ids, call) => uploads.publishFile(ids, call),
} satisfies Partial<Record<keyof Uploads, Ask>>;

/** What touches the catalog: everyone in the tenant may know of it, and nobody else. */
const ofTenants = {
  createSession: (ids, call) => startSession(uploads, call, { itemId: ids.itemId }),
  putFile: (ids, call) =>
    uploads.putFile({ ...words, itemId: ids.itemId, spec: { name: "a.bin" }, data: pseudoRandom(10) }, call),
  getLibrary: (ids, call) => uploads.getLibrary(ids, call),
  updateLibrary: (ids, call) => uploads.updateLibrary({ ...ids, description: "" }, call),
  deleteLibrary: (ids, call) => uploads.deleteLibrary(ids, call),
  createItem: (ids, call) => uploads.createItem({ ...ids, name: "new" }, call),
  copyItem: (ids, call) => uploads.copyItem({ ...ids, sourceItemId: ids.itemId, name: "copy" }, call),
  measureItem: (ids, call) => uploads.measureItem(ids, call),
  getItem: (ids, call) => uploads.getItem(ids, call),
  updateItem: (ids, call) => uploads.updateItem({ ...ids, description: "" }, call),
  deleteItem: (ids, call) => uploads.deleteItem(ids, call),
  listItemFiles: (ids, call) => uploads.listItemFiles({ ...ids, page: {} }, call),
  getItemFile: (ids, call) => uploads.getItemFile({ ...ids, name: "a.bin" }, call),
  readItemFile: (ids, call) => uploads.readItemFile({ ...ids, name: "a.bin" }, call),
} satisfies Partial<Record<keyof Uploads, Ask>>;

/** What names nothing that could be somebody else's; lists and finds are asked below. */
const ofNobody = [
  "limits",
  "bufferUse",
  "sweep",
  "sweepRows",
  "createPuller",
  "failBrokenAttempts",
  "checkStore",
  "createLibrary",
  "listSessions",
  "countSessions",
  "listSessionViews",
  "listLibraries",
  "listItems",
  "probeSource",
  "findItemByAlias",
  "getItemByAlias",
];
/** Named by digests, which anybody can guess: another tenant's answers are asked for below. */
const ofBlobs = ["statBlobs", "putBlob", "putBlobs", "readBlob", "listBlobs", "removeBlobs"];
const ofRecords = ["findRecord", "changeRecords", "listRecords"];

/** The ids of the sessions that a list with their files shows. */
async function viewed(input: Pick<SessionViewsInput, "where">, call: Call): Promise<readonly string[]> {
  const ids: string[] = [];
  const whole = { order: "newest", offset: 0, limit: 1000, ...input } as const;
  for await (const { session } of uploads.listSessionViews(whole, call)) ids.push(session.id);
  return ids;
}

/** The refusal, without the ids that were asked for. */
async function refusalOf(ask: Ask, ids: Ids, call: Call) {
  try {
    await ask(ids, call);
  } catch (error) {
    if (!isUploadError(error)) throw error;
    const { code, details, message } = error;
    return JSON.parse(
      JSON.stringify({ code, details, message }).replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "ID"),
    );
  }
  return "no refusal";
}
const nothing = (): Ids => ({ sessionId: createId(), fileId: createId(), itemId: createId(), libraryId: createId() });

describe("a stranger (P9)", () => {
  it("is asked about for every operation that there is", () => {
    const asked = [...Object.keys(ofSessions), ...Object.keys(ofTenants), ...ofNobody, ...ofBlobs, ...ofRecords];
    expect(asked.sort()).toEqual(Object.keys(uploads).sort());
  });

  it.each(Object.entries(ofSessions))("finds no session by %s, in their tenant or out of it", async (_name, ask) => {
    for (const stranger of [opened.bob, opened.otherTenant]) {
      const refusal = await refusalOf(ask, mine, stranger);
      expect(refusal).toMatchObject({ code: "not_found" });
      expect(refusal).toEqual(await refusalOf(ask, nothing(), stranger));
    }
  });

  it.each(Object.entries(ofSessions))(
    "cannot tell by %s whether there is a session, guessing files",
    async (_name, ask) => {
      const guess = { ...mine, fileId: createId() };
      for (const stranger of [opened.bob, opened.otherTenant]) {
        expect(await refusalOf(ask, guess, stranger)).toEqual(await refusalOf(ask, nothing(), stranger));
      }
    },
  );

  it.each(Object.entries(ofTenants))("of another tenant finds nothing by %s", async (_name, ask) => {
    const refusal = await refusalOf(ask, mine, opened.otherTenant);
    expect(refusal).toMatchObject({ code: "not_found" });
    expect(refusal).toEqual(await refusalOf(ask, nothing(), opened.otherTenant));
  });

  it("has nothing of it in lists", async () => {
    const { bob, otherTenant, alice, admin } = opened;
    const page = {};
    const ids = (list: { things: readonly { id: string }[] }) => list.things.map(({ id }) => id);
    for (const stranger of [bob, otherTenant]) {
      expect(ids(await uploads.listSessions({ page }, stranger))).not.toContain(mine.sessionId);
      const any = { any: [{ field: "id" as const, is: "eq" as const, value: mine.sessionId }] };
      const not = { not: { field: "id" as const, is: "eq" as const, value: createId() } };
      for (const where of [any, not]) {
        expect(ids(await uploads.listSessions({ page, where }, stranger))).toEqual([]);
        expect(await viewed({ where }, stranger)).toEqual([]);
        expect(await uploads.countSessions({ where }, stranger)).toBe(0);
      }
    }
    for (const friend of [alice, admin]) {
      expect(ids(await uploads.listSessions({ page }, friend))).toContain(mine.sessionId);
      expect(await viewed({}, friend)).toContain(mine.sessionId);
      expect(await uploads.countSessions({}, friend)).toBeGreaterThan(0);
    }
    expect(ids(await uploads.listItems({ page }, otherTenant))).toEqual([]);
    expect(ids(await uploads.listLibraries({ page }, otherTenant))).toEqual([]);
  });

  it("finds no item by another tenant's alias, and may have the same alias and name", async () => {
    const { admin, otherTenant } = opened;
    const alias = { kind: "handle", value: "1234/5" };
    for (const call of [admin, otherTenant]) {
      expect(await uploads.findItemByAlias(alias, call)).toBeUndefined();
      await expect(uploads.getItemByAlias(alias, call)).rejects.toMatchObject({ code: "not_found" });
      const library = await uploads.createLibrary({ name: "same name" }, call);
      const item = await uploads.createItem({ libraryId: library.id, name: "same name", aliases: [alias] }, call);
      expect((await uploads.findItemByAlias(alias, call))?.id).toBe(item.id);
    }
  });

  it("of another tenant reads and changes records of their own only", async () => {
    const { alice, otherTenant } = opened;
    const place = { namespace: "handles", key: "k" };
    await uploads.changeRecords({ changes: [{ ...place, value: "hers", expect: 0 }] }, alice);
    expect(await uploads.findRecord(place, otherTenant)).toBeUndefined();
    const list = { namespace: "handles", prefix: "", limit: 10 };
    expect(await uploads.listRecords(list, otherTenant)).toEqual([]);
    await uploads.changeRecords({ changes: [{ ...place, value: "theirs", expect: 0 }] }, otherTenant);
    expect(await uploads.findRecord(place, alice)).toMatchObject({ value: "hers", version: 1 });
  });

  it("of another tenant is told the same of blobs whether or not this tenant has them, and takes none away", async () => {
    const { alice, otherTenant } = opened;
    const content = pseudoRandom(5000, 77);
    const ref = refOf(content);
    const ask = async () => {
      const known = await uploads.statBlobs({ refs: [ref] }, otherTenant);
      const read = await refusalOf(() => uploads.readBlob({ ref }, otherTenant), mine, otherTenant);
      const removed = await uploads.removeBlobs({ refs: [ref] }, otherTenant);
      const { things } = await uploads.listBlobs({ page: {} }, otherTenant);
      const first = await put(uploads, otherTenant, content, ref);
      const again = await put(uploads, otherTenant, content);
      await uploads.removeBlobs({ refs: [ref] }, otherTenant);
      return { known, read, removed, things, applied: [first.applied, again.applied] };
    };
    const before = await ask();
    await put(uploads, alice, content);
    expect(await ask()).toEqual(before);
    expect(before).toMatchObject({ known: [], read: { code: "not_found" }, removed: { removed: 0 }, things: [] });
    expect(before.applied).toEqual([true, false]);
    expect(await readBack(uploads, alice, ref)).toEqual(content);
  });

  it("of another tenant makes the store write bytes that this tenant has (P9)", async () => {
    const { alice, otherTenant } = opened;
    const content = pseudoRandom(5000, 78);
    await put(uploads, alice, content);
    let written = 0;
    const count = (_step: string, bytes: number) => {
      written += bytes;
    };
    const watched = opened.restart({ wrapBlobs: hookBlobs({ before: count }) });
    await put(watched, otherTenant, content, refOf(content));
    expect(written).toBe(content.length);
  });

  it("is refused before a byte of a body is read, and disturbs nobody", async () => {
    const before = await uploads.getFile(mine, opened.alice);
    for (const stranger of [opened.bob, opened.otherTenant]) {
      const counted = countedBody(bodyOf([pseudoRandom(10)]));
      const writing = uploads.writePart({ ...mine, offset: 0, restart: true, body: counted.body }, stranger);
      await expect(writing).rejects.toMatchObject({ code: "not_found" });
      expect(counted.touched).toBe(false);
    }
    expect(await uploads.getFile(mine, opened.alice)).toEqual(before);
    expect((await uploads.getSession(mine, opened.alice)).state).toBe("active");
  });
});

describe("who is no stranger", () => {
  it("may see another's session: the tenant's administrator, and all of the tenant when it is visible to them", async () => {
    const { alice, bob, admin, otherTenant } = opened;
    const session = await startSession(uploads, alice, { visibility: "tenant" });
    expect(await uploads.getSession({ sessionId: session.id }, bob)).toEqual(session);
    expect((await uploads.getSession(mine, admin)).ownerId).toBe(alice.caller.userId);
    const foreign = uploads.getSession({ sessionId: session.id }, otherTenant);
    await expect(foreign).rejects.toMatchObject({ code: "not_found" });
  });

  it("needs the permission for whatever is asked, and is denied before anything is looked up", async () => {
    const { caller } = opened.alice;
    const powerless: Call = { caller: { ...caller, permissions: new Set() } };
    for (const ask of [...Object.values(ofSessions), ...Object.values(ofTenants)]) {
      expect(await refusalOf(ask, mine, powerless)).toMatchObject({ code: "denied" });
      expect(await refusalOf(ask, nothing(), powerless)).toMatchObject({ code: "denied" });
    }
    const ref = refOf(pseudoRandom(10));
    const others: Ask[] = [
      (_, call) => uploads.countSessions({}, call),
      (_, call) => viewed({}, call),
      (_, call) => uploads.statBlobs({ refs: [ref] }, call),
      (_, call) => uploads.readBlob({ ref }, call),
      (_, call) => uploads.listBlobs({ page: {} }, call),
      (_, call) => uploads.removeBlobs({ refs: [ref] }, call),
      (_, call) => put(uploads, call, pseudoRandom(10)),
    ];
    for (const ask of others) expect(await refusalOf(ask, mine, powerless)).toMatchObject({ code: "denied" });
  });
});
