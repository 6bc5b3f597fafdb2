// File extensions over the real store.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createId, type Permission } from "../../../src/core/index.js";
import type { FolioCall } from "../../../src/rest/folio/call.js";
import { FolioErrors, FolioRefusal } from "../../../src/rest/folio/errors.js";
import { createExtensions, type Extensions } from "../../../src/rest/folio/extensions.js";
import { blockedNames, type FileExtension, formatExtension } from "../../../src/rest/folio/file-extension.js";
import { prettyJson } from "../../../src/rest/folio/json.js";
import { type OpenedUploads, openUploads } from "../../support/uploads.js";

let opened: OpenedUploads;
let extensions: Extensions;
let alice: FolioCall;
let bob: FolioCall;
let elsewhere: FolioCall;
let now: Date;

async function callOf(tenantName: string, name: string): Promise<FolioCall> {
  const caller = { ...(await opened.metadata.ensureUser(tenantName, name)), permissions: new Set<Permission>() };
  return { caller, tenantName, user: { id: caller.userId, name } };
}

beforeAll(async () => {
  opened = await openUploads();
});
beforeEach(async () => {
  now = new Date("2026-03-01T12:00:00.000Z");
  extensions = createExtensions(opened.uploads, () => now);
  const tenant = createId();
  alice = await callOf(tenant, "alice");
  bob = await callOf(tenant, "bob");
  elsewhere = await callOf(createId(), "alice");
});
afterAll(() => opened.close());

const words = (extension: string, more = {}) => ({ extension, importBlocked: false, dataTypes: [], ...more });
const create = (extension: string, call = alice, more = {}) =>
  extensions.create({ words: words(extension, more) }, call);
const list = (call = alice) => extensions.list({}, call);
const names = async (call = alice) => (await list(call)).map(({ extension }) => extension);
const byName = async (extension: string) => (await list()).find((one) => one.extension === extension)!;

const unprocessable = (message: string) => {
  const told = { errors: [{ message, parameters: [] }], options: { tellsTotal: true } };
  return expect.objectContaining(told) as FolioErrors;
};
const notFound = (id: string) => new FolioRefusal(404, `FileExtension with id '${id}' was not found`);

const defaults = [
  [".dat", ["MARC"], false],
  [".edi", ["EDIFACT"], false],
  [".gif", [], true],
  [".inv", ["EDIFACT"], false],
  [".jpg", [], true],
  [".marc", ["MARC"], false],
  [".mrc", ["MARC"], false],
  [".mrk", [], true],
  [".ord", ["MARC"], false],
  [".pdf", [], true],
  [".png", [], true],
  [".xml", ["MARC"], false],
  [".zip", [], true],
];

describe("a tenant's file extensions", () => {
  it("begin with the thirteen defaults, by System", async () => {
    const all = await list();
    expect(all.map(({ extension, dataTypes, importBlocked }) => [extension, dataTypes, importBlocked])).toEqual(
      defaults,
    );
    expect(new Set(all.map(({ id }) => id)).size).toBe(13);
    for (const one of all) {
      expect(one.userInfo).toEqual({ firstName: "", lastName: "", userName: "System" });
      expect(await extensions.get({ id: one.id }, bob)).toEqual(one);
    }
  });

  it("are printed as the API's schema says, in its order", async () => {
    expect(prettyJson(formatExtension(await byName(".mrc")))).toBe(
      prettyJson({
        id: (await byName(".mrc")).id,
        description: "",
        extension: ".mrc",
        dataTypes: ["MARC"],
        importBlocked: false,
        userInfo: { firstName: "", lastName: "", userName: "System" },
        metadata: {
          createdDate: "2019-01-01T00:00:00.000+0000",
          createdByUserId: "00000000-0000-0000-0000-000000000000",
          createdByUsername: "System",
          updatedDate: "2019-01-01T00:00:00.000+0000",
          updatedByUserId: "00000000-0000-0000-0000-000000000000",
          updatedByUsername: "System",
        },
      }),
    );
  });

  it("are those of the tenant alone", async () => {
    const { id } = await create(".only");
    expect(await names(bob)).toContain(".only");
    expect(await names(elsewhere)).toEqual(defaults.map(([extension]) => extension));
    await expect(extensions.get({ id }, elsewhere)).rejects.toEqual(notFound(id));
    await expect(extensions.remove({ id }, elsewhere)).rejects.toEqual(notFound(id));
    await create(".only", elsewhere);
    await extensions.restoreDefaults({}, elsewhere);
    expect(await names(bob)).toContain(".only");
  });

  it("are the defaults again when they are restored, whatever was changed, with the same ids", async () => {
    const before = await list();
    const [first, second] = before;
    await create(".new");
    await extensions.remove({ id: first!.id }, alice);
    await extensions.update({ id: second!.id, words: words(".other") }, alice);
    expect(await extensions.restoreDefaults({}, alice)).toEqual(before);
    expect(await list()).toEqual(before);
  });

  it("may all be removed, and do not come back by themselves", async () => {
    for (const { id } of await list()) await extensions.remove({ id }, alice);
    expect(await list()).toEqual([]);
    expect(await list(bob)).toEqual([]);
  });

  it("are at most 1,000", async () => {
    const [one] = await list();
    const value = Array.from({ length: 999 }, (_, n) => ({ ...one, id: createId(), extension: `.x${n}` }));
    const place = { namespace: "folio", key: "fileExtensions" };
    await opened.uploads.changeRecords({ changes: [{ ...place, value, expect: 0 } as never] }, alice);
    await create(".last");
    await expect(create(".more")).rejects.toEqual(unprocessable("A tenant has at most 1000 file extensions"));
    const { id } = await byName(".x5");
    await extensions.update({ id, words: words(".x5", { importBlocked: true }) }, alice);
    await extensions.remove({ id }, alice);
    await create(".more");
    expect(await list()).toHaveLength(1000);
  });
});

describe("creating a file extension", () => {
  it("gives it an id, sorted data types, dates and users, and lists it last", async () => {
    const said = { id: "mine", description: "d", dataTypes: ["MARC", "Delimited", "MARC"], importBlocked: true };
    const created = await create(".New_1", alice, said);
    expect(created).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      description: "d",
      extension: ".New_1",
      dataTypes: ["Delimited", "MARC"],
      importBlocked: true,
      userInfo: { userName: "alice" },
      metadata: {
        createdDate: "2026-03-01T12:00:00.000Z",
        createdByUserId: alice.user!.id,
        updatedDate: "2026-03-01T12:00:00.000Z",
        updatedByUserId: alice.user!.id,
      },
    } satisfies FileExtension);
    expect((await list()).at(-1)).toEqual(created);
    expect(await extensions.get({ id: created.id.toUpperCase() }, alice)).toEqual(created);
  });

  it("keeps what is sent about the user who sends it, and nothing about others", async () => {
    const userInfo = { firstName: "Alice", lastName: "A", userName: "alice" };
    expect(await create(".a", alice, { userInfo })).toMatchObject({ userInfo });
    expect((await create(".b", bob, { userInfo })).userInfo).toEqual({ userName: "bob" });
  });

  it("names no user where nobody knows who it is", async () => {
    const created = await create(".a", { ...alice, user: undefined }, { userInfo: { userName: "root" } });
    expect(created).not.toHaveProperty("userInfo");
    expect(created.metadata).toStrictEqual({ createdDate: now.toISOString(), updatedDate: now.toISOString() });
    expect(await list()).toContainEqual(created);
  });

  it.each(["mrc", ".", "..", ".a.b", ".a b", ".a ", ".a\n", "", ".é", ".a-b", "*.a"])(
    "needs a dot and letters, digits or underscores: not %j",
    async (extension) => {
      const message = `File extension ${extension} is not a valid format`;
      await expect(create(extension)).rejects.toEqual(unprocessable(message));
    },
  );

  it.each([".mrc", ".MRC", ".Mrc"])("is refused where there is one, whatever its case: %s", async (extension) => {
    const before = await list();
    await expect(create(extension)).rejects.toEqual(unprocessable(`File extension ${extension} already exists`));
    expect(await list()).toEqual(before);
  });

  it("twice at the same time succeeds once", async () => {
    const results = await Promise.allSettled([".same", ".SAME", ".Same", ".same"].map((name) => create(name)));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results) if (result.status === "rejected") expect(result.reason).toBeInstanceOf(FolioErrors);
    expect((await names()).filter((name) => name.toLowerCase() === ".same")).toHaveLength(1);
  });

  it("beside many others at the same time loses none, from the first change of a tenant on", async () => {
    const many = Array.from({ length: 25 }, (_, n) => `.x${n}`);
    await Promise.all(many.map((name) => create(name)));
    expect((await names()).slice(13).sort()).toEqual(many.sort());
  });

  it("tells an error of the store as it is", async () => {
    const lost = new Error("lost");
    const { findRecord } = opened.uploads;
    const broken = createExtensions({ findRecord, changeRecords: () => Promise.reject(lost) });
    await expect(broken.create({ words: words(".a") }, alice)).rejects.toBe(lost);
  });
});

describe("updating a file extension", () => {
  it("puts everything anew but its id, its creation and its place", async () => {
    const { id, metadata } = await create(".a", alice, { description: "d", dataTypes: ["MARC"] });
    await create(".b");
    now = new Date("2026-03-02T12:00:00.000Z");
    const updated = await extensions.update({ id, words: words(".A", { id: "x", importBlocked: true }) }, bob);
    expect(updated).toStrictEqual({
      id,
      extension: ".A",
      dataTypes: [],
      importBlocked: true,
      userInfo: { userName: "bob" },
      metadata: { ...metadata, updatedDate: "2026-03-02T12:00:00.000Z", updatedByUserId: bob.user!.id },
    });
    expect((await list()).at(-2)).toEqual(updated);
  });

  it("forgets who updated it before", async () => {
    const { id } = await byName(".mrc");
    const { metadata } = await extensions.update({ id, words: words(".mrc") }, alice);
    expect(metadata).toMatchObject({ createdByUsername: "System", updatedByUserId: alice.user!.id });
    expect(metadata).not.toHaveProperty("updatedByUsername");
  });

  it("is refused with a bad extension, with another's, and where there is none", async () => {
    const { id } = await create(".a");
    const update = (to: string, of = id) => extensions.update({ id: of, words: words(to) }, alice);
    await expect(update("a")).rejects.toEqual(unprocessable("File extension a is not a valid format"));
    await expect(update(".MRC")).rejects.toEqual(unprocessable("File extension .MRC already exists"));
    for (const unknown of [createId(), "x", "../x", ""]) {
      await expect(update(".c", unknown)).rejects.toEqual(notFound(unknown));
      await expect(extensions.get({ id: unknown }, alice)).rejects.toEqual(notFound(unknown));
      await expect(extensions.remove({ id: unknown }, alice)).rejects.toEqual(notFound(unknown));
    }
  });
});

describe("a file's name", () => {
  it.each([
    ["a.zip", true],
    ["a.ZIP", true],
    ["a.mrc.zip", true],
    ["..zip", true],
    ["a.zip.mrc", false],
    ["a.mrc", false],
    ["a.json", false],
    [".zip", false],
    ["zip", false],
    ["", false],
    ["a.", false],
    ["a.zip ", false],
    ["a.zip)", false],
  ])("is blocked by its last extension alone: %j is %s", async (name, isBlocked) => {
    expect(blockedNames(await list(), [name])).toEqual(isBlocked ? [name] : []);
  });

  it("is told as often as it is blocked, in order", async () => {
    await create(".TXT", alice, { importBlocked: true });
    const blocked = ["b.txt", "a.zip", "b.txt"];
    expect(blockedNames(await list(), [...blocked, "c.mrc"])).toEqual(blocked);
  });
});
