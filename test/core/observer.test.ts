import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBufferBudget } from "../../src/core/buffer-budget.js";
import type { Observer } from "../../src/core/index.js";
import { pseudoRandom, readWhole, sendWhole } from "../support/bodies.js";
import { type OpenedUploads, openUploads, readBack, sendFile, startFile, storeFile } from "../support/uploads.js";

let opened: OpenedUploads;
let told: unknown[] = [];
const note =
  (fact: string) =>
  (...words: unknown[]) =>
    void told.push([fact, ...words]);
const observer: Observer = {
  received: note("received"),
  resent: note("resent"),
  sent: note("sent"),
  appended: (kind) => void told.push(["appended", kind]),
  handedOver: note("handed over"),
  checksumFailed: note("checksum failed"),
  blobPut: note("blob put"),
  sessionCreated: note("created"),
  sessionEnded: note("ended"),
  completed: () => void told.push(["completed"]),
};
beforeAll(async () => {
  opened = await openUploads({ observer });
});
afterAll(() => opened.close());

/** What is told while this runs. */
async function toldBy(deed: () => Promise<unknown>): Promise<unknown[]> {
  told = [];
  await deed().catch(() => undefined);
  return told;
}
const content = pseudoRandom(5000);
const wrongSum = [{ algorithm: "sha256", value: "0".repeat(64) }];
const session = {
  origin: "test",
  label: "",
  visibility: "owner" as const,
  access: "additive" as const,
  attributes: {},
  deadlines: { idleTtlMs: 60_000, absoluteTtlMs: undefined, keepTerminalMs: 60_000 },
};

describe("an observer is told", () => {
  it("of a file that is sent, read, and completed with its session, once each", async () => {
    const { uploads, alice } = opened;
    const facts = await toldBy(async () => {
      const place = await storeFile(uploads, alice, content);
      await readBack(uploads, alice, place);
      await uploads.completeSession({ sessionId: place.sessionId }, alice);
      await uploads.deleteSession({ sessionId: place.sessionId }, alice);
    });
    expect(facts).toEqual([
      ["created"],
      ["received", "file", 5000],
      ["appended", "file"],
      ["sent", 5000],
      ["ended", "done", undefined],
      ["completed"],
    ]);
  });

  it("of a completion that is repeated, and not of another end", async () => {
    const { uploads, alice } = opened;
    const { sessionId } = await storeFile(uploads, alice, content);
    await uploads.completeSession({ sessionId }, alice);
    expect(await toldBy(() => uploads.completeSession({ sessionId }, alice))).toEqual([["completed"]]);
    expect(await toldBy(() => uploads.cancelSession({ sessionId }, alice))).toEqual([]);
    expect(await toldBy(() => uploads.validateSession({ sessionId }, alice))).not.toContainEqual(["created"]);
  });

  it("of content that is sent again, to a file that is whole and to one that is not", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, content);
    expect(await toldBy(() => sendFile(uploads, alice, place, content))).toEqual([
      ["received", "file", 5000],
      ["resent", 5000],
    ]);
    const half = await startFile(uploads, alice);
    const part = { ...half, offset: 0, body: sendWhole(content) };
    await uploads.writePart(part, alice);
    const again = await toldBy(() => uploads.writePart({ ...part, body: sendWhole(content) }, alice));
    expect(again).toEqual([
      ["received", "file", 5000],
      ["resent", 5000],
      ["appended", "file"],
    ]);
  });

  it("of what came before a part was cut", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    async function* cut() {
      yield content;
      throw new Error("cut");
    }
    expect(await toldBy(() => uploads.writePart({ ...place, offset: 0, body: cut() }, alice))).toEqual([
      ["received", "file", 5000],
    ]);
  });

  it("of content that fails its checksum, and of the session that fails with it", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice, { checksums: wrongSum, onFailure: "session" });
    expect(await toldBy(() => sendFile(uploads, alice, place, content))).toEqual([
      ["received", "file", 5000],
      ["ended", "failed", "file_failed"],
      ["checksum failed", "file"],
    ]);
  });

  it("of a small file in one call, and of the same by the same token as sent again", async () => {
    const { uploads, alice } = opened;
    const input = { ...session, clientToken: crypto.randomUUID(), spec: { name: "a" }, data: content };
    expect(await toldBy(() => uploads.putFile(input, alice))).toEqual([
      ["received", "file", 5000],
      ["created"],
      ["ended", "done", undefined],
      ["appended", "file"],
    ]);
    expect(await toldBy(() => uploads.putFile(input, alice))).toEqual([
      ["received", "file", 5000],
      ["resent", 5000],
    ]);
    const wrong = { ...input, clientToken: crypto.randomUUID(), spec: { name: "a", checksums: wrongSum } };
    expect(await toldBy(() => uploads.putFile(wrong, alice))).toContainEqual(["checksum failed", "file"]);
  });

  it("of blobs, those that were there, and those that are not what their ref names", async () => {
    const { uploads, alice } = opened;
    const put = () => uploads.putBlob({ body: sendWhole(content) }, alice);
    const told = [["received", "blob", 5000]];
    expect(await toldBy(put)).toEqual([...told, ["blob put", true], ["appended", "blob"]]);
    expect(await toldBy(put)).toEqual([...told, ["blob put", false], ["appended", "blob"]]);
    const wrong = { ref: { algorithm: "sha256", digest: "0".repeat(64) }, body: sendWhole(content) };
    expect(await toldBy(() => uploads.putBlob(wrong, alice))).toEqual([...told, ["checksum failed", "blob"]]);
    async function* blobs() {
      yield { ...wrong, body: sendWhole(content) };
    }
    const stream = async () => {
      for await (const _ of uploads.putBlobs({ blobs: blobs() }, alice));
    };
    expect(await toldBy(stream)).toEqual([...told, ["checksum failed", "blob"]]);
    const { blob } = await put();
    const readBlob = async () => readWhole((await uploads.readBlob({ ref: blob.ref }, alice)).body);
    expect(await toldBy(readBlob)).toEqual([["sent", 5000]]);
  });

  it("of sessions that are canceled, given up, and expire", async () => {
    const { uploads, alice } = opened;
    const open = async (idleTtlMs: number) => {
      const input = { ...session, deadlines: { ...session.deadlines, idleTtlMs } };
      return (await uploads.createSession(input, alice)).session.id;
    };
    const canceled = await open(60_000);
    expect(await toldBy(() => uploads.cancelSession({ sessionId: canceled }, alice))).toEqual([
      ["ended", "canceled", undefined],
    ]);
    const failed = await open(60_000);
    const fail = () => uploads.failSession({ sessionId: failed, message: "no" }, alice);
    expect(await toldBy(fail)).toEqual([["ended", "failed", "client"]]);
    expect(await toldBy(fail)).toEqual([]);
    await open(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await toldBy(() => uploads.sweepRows())).toEqual([["ended", "failed", "expired"]]);
  });
});

describe("what uploads hold in memory", () => {
  it("is nothing once they have ended, whatever their end", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    let seen = 0;
    async function* slowly() {
      yield content.subarray(0, 100);
      yield content.subarray(100, 200);
      seen = uploads.bufferUse().heldBytes;
      throw new Error("cut");
    }
    await expect(uploads.writePart({ ...place, offset: 0, body: slowly() }, alice)).rejects.toThrow("cut");
    expect(seen).toBe(200);
    expect(uploads.bufferUse()).toEqual({ sharers: 0, heldBytes: 0 });
  });

  it("is what all shares hold; one that leaves holds nothing, however often it leaves", () => {
    const budget = createBufferBudget(2 ** 20);
    const [one, other] = [budget.join(), budget.join()];
    one.hold(100);
    other.hold(30);
    other.hold(-10);
    expect(budget.use).toEqual({ sharers: 2, heldBytes: 120 });
    one.leave();
    one.leave();
    one.hold(50);
    expect(budget.use).toEqual({ sharers: 1, heldBytes: 20 });
  });
});
