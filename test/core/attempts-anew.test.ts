import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Call, type SessionFile, type SettleAttempt, UploadError } from "../../src/core/index.js";
import { bodyOf, brokenBody, pseudoRandom, sendWhole } from "../support/bodies.js";
import {
  type FilePlace,
  hookBlobs,
  hookMetadata,
  type OpenedUploads,
  openUploads,
  readBack,
  startFile,
  startSession,
} from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads({ settlers });
});
afterAll(() => opened.close());

/** A face that counts in its session's attributes what it was told, and marks the file. */
const settle: SettleAttempt = ({ session, file, others }) => ({
  session: { ...session.attributes, ends: Number(session.attributes.ends ?? 0) + 1, ready: others.ready },
  file: { ...file.attributes, end: file.state },
});

const settlers = { test: settle, anew: settle };

/** Sends content as a face does that always begins anew. */
function sendAnew(place: FilePlace, body: AsyncIterable<Uint8Array>, uploads = opened.uploads, call = opened.alice) {
  const ending = () => ({ finish: true });
  const { sessionId, fileId } = place;
  return uploads.writePart({ sessionId, fileId, offset: 0, restart: true, body, ending, onInterrupt: "fail" }, call);
}

async function stateOf(place: FilePlace) {
  const { session, file } = await opened.uploads.getFile(place, opened.alice);
  return { attributes: session.attributes, file: file as SessionFile };
}

/** An upload that broke while the database takes no ends of attempts. */
async function breakWhileAway() {
  let away = true;
  const uploads = opened.restart({
    settlers,
    wrapMetadata: hookMetadata({
      before(deed) {
        if (deed === "finishAttempt" && away)
          throw new UploadError("unavailable", "away", { reason: "DATABASE_UNAVAILABLE" });
      },
    }),
  });
  const place = await startFile(uploads, opened.alice);
  await expect(sendAnew(place, brokenBody([pseudoRandom(10)], new Error("cut")), uploads)).rejects.toThrow("cut");
  const comeBack = () => {
    away = false;
  };
  return { uploads, place, comeBack };
}

describe("an attempt that is whole", () => {
  it("settles the attributes of file and session in the same transaction, with the states of the other files", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice, { attributes: { kind: "x" } });
    const first = await startFile(uploads, alice, { sessionId, name: "a", attributes: { n: 1 } });
    const second = await startFile(uploads, alice, { sessionId, name: "b" });
    await sendAnew(first, sendWhole(pseudoRandom(10)));
    expect(await stateOf(first)).toMatchObject({
      attributes: { kind: "x", ends: 1, ready: 0 },
      file: { state: "ready", attributes: { n: 1, end: "ready" } },
    });
    await sendAnew(second, sendWhole(pseudoRandom(300_000)));
    expect((await stateOf(second)).attributes).toEqual({ kind: "x", ends: 2, ready: 1 });
  });

  it("beside twenty others at the same time misses none of them", async () => {
    const { uploads, alice } = opened;
    const names = Array.from({ length: 20 }, (_, at) => ({ name: `f${at}` }));
    const { id: sessionId } = await startSession(uploads, alice, { files: names });
    const { things } = await uploads.listFiles({ sessionId, page: {} }, alice);
    await Promise.all(things.map(({ id }) => sendAnew({ sessionId, fileId: id }, sendWhole(pseudoRandom(1000)))));
    expect((await uploads.getSession({ sessionId }, alice)).attributes).toEqual({ ends: 20, ready: 19 });
  });

  it("puts off the session's deadline", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    const before = await uploads.getSession(place, alice);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await sendAnew(place, bodyOf([]));
    const after = await uploads.getSession(place, alice);
    expect(after.expiresAt!.getTime()).toBeGreaterThan(before.expiresAt!.getTime());
  });
});

describe("a file that another face sends", () => {
  it("settles the attributes that the session's own face keeps", async () => {
    const { uploads, alice } = opened;
    const { id: sessionId } = await startSession(uploads, alice, { origin: "anew" });
    const place = await startFile(uploads, alice, { sessionId });
    const ending = () => ({ finish: true });
    await uploads.writePart({ sessionId, fileId: place.fileId, offset: 0, body: bodyOf([]), ending }, alice);
    expect(await stateOf(place)).toMatchObject({ attributes: { ends: 1 }, file: { attributes: { end: "ready" } } });
  });
});

describe("an attempt that cannot be continued and breaks off", () => {
  it("fails its file and settles, keeps what was whole before, and may be sent anew", async () => {
    const { uploads, alice } = opened;
    const content = pseudoRandom(200_000);
    const place = await startFile(uploads, alice);
    await sendAnew(place, sendWhole(content));
    await expect(sendAnew(place, brokenBody([pseudoRandom(500_000)], new Error("gone")))).rejects.toThrow("gone");
    expect(await stateOf(place)).toMatchObject({
      attributes: { ends: 2 },
      file: { state: "failed", failure: { reason: "interrupted" }, running: undefined, attributes: { end: "failed" } },
    });
    expect(await readBack(uploads, alice, place)).toEqual(content);
    const { file } = await sendAnew(place, sendWhole(pseudoRandom(5)));
    expect(file).toMatchObject({ state: "ready", current: { sizeBytes: 5 } });
  });

  it("for want of storage fails its file with what was wrong", async () => {
    const { alice } = opened;
    const disk = hookBlobs({
      before(step) {
        if (step === "sync") throw new Error("the device failed");
      },
    });
    const uploads = opened.restart({ settlers, wrapBlobs: disk });
    const place = await startFile(uploads, alice);
    await expect(sendAnew(place, sendWhole(pseudoRandom(300_000)), uploads)).rejects.toThrow("the device failed");
    expect((await stateOf(place)).file.state).toBe("failed");
  });

  it("because a newcomer took over leaves the newcomer alone", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    let begun: () => void = () => undefined;
    const hasBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    async function* endless() {
      yield pseudoRandom(100);
      begun();
      await new Promise(() => undefined);
    }
    const old = sendAnew(place, endless());
    old.catch(() => undefined);
    await hasBegun;
    await sendAnew(place, sendWhole(pseudoRandom(7)));
    await expect(old).rejects.toMatchObject({ code: "superseded" });
    expect(await stateOf(place)).toMatchObject({
      attributes: { ends: 1 },
      file: { state: "ready", current: { sizeBytes: 7 } },
    });
  });

  it("because its file was removed says so and leaves nothing", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    async function* removed() {
      yield pseudoRandom(100);
      await uploads.removeFile(place, alice);
      yield pseudoRandom(100);
    }
    await expect(sendAnew(place, removed())).rejects.toMatchObject({ code: "superseded" });
    await expect(uploads.getFile(place, alice)).rejects.toMatchObject({ details: { reason: "FILE_NOT_FOUND" } });
  });

  it("while the database is away fails at the first sweep after it has come back, once", async () => {
    const { uploads, place, comeBack } = await breakWhileAway();
    await expect(uploads.sweepRows()).rejects.toMatchObject({ code: "unavailable" });
    expect((await stateOf(place)).file.state).toBe("transferring");
    comeBack();
    await uploads.sweepRows();
    const told = { attributes: { ends: 1 }, file: { state: "failed", failure: { reason: "interrupted" } } };
    expect(await stateOf(place)).toMatchObject(told);
    await uploads.sweepRows();
    expect(await stateOf(place)).toMatchObject(told);
  });

  it("while the database is away, and sent again since, is left alone", async () => {
    const { uploads, place, comeBack } = await breakWhileAway();
    comeBack();
    await sendAnew(place, sendWhole(pseudoRandom(7)), uploads);
    await uploads.sweepRows();
    expect(await stateOf(place)).toMatchObject({ attributes: { ends: 1 }, file: { state: "ready" } });
  });

  it("with the service fails at the next start, and none that can be continued does, not even in the same session (P3)", async () => {
    const { alice } = opened;
    const dying = opened.restart({
      settlers,
      limits: { checkpointBytes: 1000 },
      wrapMetadata: hookMetadata({
        before(deed) {
          if (deed === "finishAttempt") throw new Error("killed");
        },
      }),
    });
    const session = { origin: "anew", files: [{ name: "a" }, { name: "b" }, { name: "c" }] };
    const { id: sessionId } = await startSession(dying, alice, session);
    const { things } = await dying.listFiles({ sessionId, page: {} }, alice);
    const places = things.map(({ id }) => ({ sessionId, fileId: id })) as [FilePlace, FilePlace, FilePlace];
    const [first, second, other] = places;
    const cut = () => brokenBody([pseudoRandom(5000)], new Error("cut"));
    await expect(sendAnew(first, cut(), dying)).rejects.toThrow("cut");
    await expect(dying.writePart({ ...other, offset: 0, body: cut() }, alice)).rejects.toThrow("cut");
    expect((await stateOf(first)).file.state).toBe("transferring");
    expect(await opened.uploads.failBrokenAttempts()).toBe(1);
    expect(await stateOf(first)).toMatchObject({ attributes: { ends: 1 }, file: { state: "failed" } });
    expect((await stateOf(second)).file.state).toBe("waiting");
    expect((await stateOf(other)).file.state).toBe("transferring");
    expect(await opened.uploads.failBrokenAttempts()).toBe(0);
  });
});

describe("a caller that comes through a face", () => {
  it("knows of no session that another face created (P9)", async () => {
    const { uploads, alice } = opened;
    const through: Call = { caller: { ...alice.caller, origin: "folio" } };
    const { sessionId, fileId } = await startFile(uploads, alice);
    for (const ask of [
      uploads.getSession({ sessionId }, through),
      uploads.getFile({ sessionId, fileId }, through),
      uploads.cancelSession({ sessionId }, through),
      uploads.removeFile({ sessionId, fileId }, through),
      sendAnew({ sessionId, fileId }, bodyOf([]), uploads, through),
    ]) {
      await expect(ask).rejects.toMatchObject({ details: { reason: "SESSION_NOT_FOUND" } });
    }
    const own = await startSession(uploads, through, { origin: "folio" });
    expect(await uploads.getSession({ sessionId: own.id }, through)).toMatchObject({ id: own.id });
  });
});
