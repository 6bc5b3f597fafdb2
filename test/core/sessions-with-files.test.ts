import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SessionInput } from "../../src/core/index.js";
import { pseudoRandom } from "../support/bodies.js";
import { type OpenedUploads, openUploads, startSession, storeFile } from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

describe("a session that begins with files", () => {
  it("lists them in their order, waiting, and tells of each", async () => {
    const { uploads, alice } = opened;
    const files = Array.from({ length: 50 }, (_, at) => ({ name: `file ${at}`, attributes: { at } }));
    const session = await startSession(uploads, alice, { files });
    expect(session.fileCount).toBe(50);
    const { things } = await uploads.listFiles({ sessionId: session.id, page: {} }, alice);
    expect(things.map(({ name, state, attributes }) => ({ name, state, attributes }))).toEqual(
      files.map((file) => ({ ...file, state: "waiting" })),
    );
    const events = await uploads.listSessionEvents({ sessionId: session.id, after: 0 }, alice);
    expect(events.map(({ type }) => type)).toEqual(["session.created", ...files.map(() => "file.added")]);
    const { file } = await uploads.addFile({ sessionId: session.id, name: "last" }, alice);
    const listed = await uploads.listFiles({ sessionId: session.id, page: {} }, alice);
    expect(listed.things.at(-1)?.id).toBe(file.id);
  });

  it.each([
    ["a name twice", [{ name: "a" }, { name: "a" }], { code: "already_exists", details: { reason: "FILE_EXISTS" } }],
    ["a wrong name", [{ name: "a" }, { name: "a/b" }], { code: "invalid", details: { reason: "NAME_INVALID" } }],
    ["too many", Array.from({ length: 11 }, (_, n) => ({ name: `${n}` })), { code: "too_many" }],
    ["a folder of the server", [{ name: "a", source: { uri: "file:///etc/passwd" } }], { code: "denied" }],
  ])("with %s does not begin at all", async (_what, files, error) => {
    const { alice, otherTenant } = opened;
    const uploads = opened.restart({ limits: { maxSessionFiles: 10 } });
    const call = { caller: { ...otherTenant.caller, permissions: alice.caller.permissions } };
    await expect(startSession(uploads, call, { files })).rejects.toMatchObject(error);
    expect((await uploads.listSessions({ page: {} }, call)).things).toEqual([]);
  });

  it("and the same client token is the same session, unless its files differ", async () => {
    const { uploads, alice } = opened;
    const words: Partial<SessionInput> = { clientToken: "once", files: [{ name: "a", sizeBytes: 1 }] };
    const first = await startSession(uploads, alice, words);
    expect((await startSession(uploads, alice, words)).id).toBe(first.id);
    const other = startSession(uploads, alice, { ...words, files: [{ name: "a", sizeBytes: 2 }] });
    await expect(other).rejects.toMatchObject({ details: { reason: "CLIENT_TOKEN_REUSED" } });
  });

  it("may have ten thousand", async () => {
    const { uploads, alice } = opened;
    const files = Array.from({ length: 10_000 }, (_, at) => ({ name: `${at}` }));
    const { id: sessionId, fileCount } = await startSession(uploads, alice, { files });
    expect(fileCount).toBe(10_000);
    expect((await uploads.listFiles({ sessionId, page: { size: 1 } }, alice)).things[0]?.name).toBe("0");
  });
});

describe("attributes of a session", () => {
  it("are changed by a function of what they were, and the history tells of it", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice, { attributes: { a: 1 } });
    const { session } = await uploads.changeAttributes(
      {
        sessionId,
        change: ({ attributes }) => ({ attributes: { ...attributes, b: 2 }, details: { why: "test" } }),
      },
      alice,
    );
    expect(session.attributes).toEqual({ a: 1, b: 2 });
    const events = await uploads.listSessionEvents({ sessionId, after: 1 }, alice);
    expect(events).toMatchObject([{ type: "session.changed", details: { why: "test" } }]);
    const same = await uploads.changeAttributes({ sessionId, change: () => undefined }, alice);
    expect(same).toMatchObject({ applied: false, session: { lastEvent: 2 } });
  });

  it("that are too large are refused, and what the function throws comes out", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    const attributes = { a: "x".repeat(70_000) };
    const large = uploads.changeAttributes({ sessionId, change: () => ({ attributes, details: {} }) }, alice);
    await expect(large).rejects.toMatchObject({ details: { reason: "ATTRIBUTES_INVALID" } });
    const throwing = uploads.changeAttributes(
      {
        sessionId,
        change() {
          throw new Error("no");
        },
      },
      alice,
    );
    await expect(throwing).rejects.toThrow("no");
    expect((await uploads.getSession({ sessionId }, alice)).attributes).toEqual({});
  });
});

describe("a cancellation that looks first", () => {
  it("keeps a session that does not pass, with its content", async () => {
    const { uploads, alice } = opened;
    const { sessionId } = await storeFile(uploads, alice, pseudoRandom(10));
    const check = () => {
      throw new Error("it is being worked on");
    };
    await expect(uploads.cancelSession({ sessionId, check }, alice)).rejects.toThrow("it is being worked on");
    expect((await uploads.getSession({ sessionId }, alice)).state).toBe("active");
    expect((await uploads.cancelSession({ sessionId, check: () => undefined }, alice)).session.state).toBe("canceled");
  });
});

describe("a file that is declared to be new", () => {
  it("is refused where its name is taken, even in the same words", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice);
    await uploads.addFile({ sessionId, name: "a", onExisting: "refuse" }, alice);
    const again = uploads.addFile({ sessionId, name: "a", onExisting: "refuse" }, alice);
    await expect(again).rejects.toMatchObject({ code: "already_exists", details: { reason: "FILE_EXISTS" } });
  });
});
