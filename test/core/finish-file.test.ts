import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PartInput } from "../../src/core/index.js";
import { bodyOf, countedBody, fedBody, pseudoRandom } from "../support/bodies.js";
import {
  type FilePlace,
  makeItem,
  type OpenedUploads,
  openUploads,
  readBack,
  startFile,
  startSession,
  statusOf,
  storeFile,
} from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

const content = pseudoRandom(1000);
const sha256 = (bytes: Uint8Array) => ({
  algorithm: "sha256",
  value: createHash("sha256").update(bytes).digest("hex"),
});
const wrong = sha256(pseudoRandom(1, 9));
const waiting = { whenWhole: "wait" } as const;

function send(place: FilePlace, offset: number, bytes: Uint8Array, more: Partial<PartInput> = {}) {
  return opened.uploads.writePart({ ...place, offset, body: bodyOf([bytes]), ...waiting, ...more }, opened.alice);
}

describe("a part that waits", () => {
  it("does not finish the content with its last byte, and repeats are compared as before", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice, { sizeBytes: 1000, checksums: [wrong] });
    expect((await send(place, 0, content)).file.state).toBe("transferring");
    expect(await send(place, 500, content.subarray(500))).toMatchObject({ applied: false, offset: 1000 });
    expect(await statusOf(uploads, alice, place)).toBe(1000);
    await expect(send(place, 1000, content)).rejects.toMatchObject({ code: "too_large" });
  });

  it("settles the size that it tells, once", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    await send(place, 0, content.subarray(0, 10), { sizeBytes: 10 });
    await expect(send(place, 0, content.subarray(0, 10), { sizeBytes: 11 })).rejects.toMatchObject({
      details: { reason: "SIZE_DIFFERS" },
    });
    expect((await uploads.finishFile(place, alice)).file).toMatchObject({ state: "ready", current: { sizeBytes: 10 } });
  });
});

describe("finishing a file", () => {
  it("makes what is stored its content, whatever the offset, and a repeat changes nothing", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    await send(place, 0, content.subarray(0, 400));
    await send(place, 400, content.subarray(400));
    const finished = await uploads.finishFile({ ...place, checksums: [sha256(content)] }, alice);
    expect(finished).toMatchObject({ applied: true, offset: 1000, file: { state: "ready" } });
    expect(finished.file.current?.checksums).toContainEqual(sha256(content));
    expect(await uploads.finishFile(place, alice)).toMatchObject({ applied: false, offset: 1000 });
    expect(await readBack(uploads, alice, place)).toEqual(content);
  });

  it("of which nothing was sent gives content of no bytes", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    expect((await uploads.finishFile(place, alice)).file.current?.sizeBytes).toBe(0);
  });

  it("of which less is stored than was declared is incomplete, and disturbs nobody who sends it", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice, { sizeBytes: 1000 });
    const fed = fedBody();
    const sending = uploads.writePart({ ...place, offset: 0, body: fed.body, ...waiting }, alice);
    fed.send(content.subarray(0, 500));
    await expect(uploads.finishFile(place, alice)).rejects.toMatchObject({
      code: "incomplete",
      details: { reason: "PART_SHORT", expectedOffset: 0 },
    });
    fed.send(content.subarray(500));
    fed.end();
    expect((await sending).offset).toBe(1000);
  });

  it("by who is mistaken about its digest changes nothing: the next who is right finishes it (P6)", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    await send(place, 0, content);
    for (let i = 0; i < 2; i++) {
      await expect(uploads.finishFile({ ...place, checksums: [wrong] }, alice)).rejects.toMatchObject({
        code: "checksum_mismatch",
        details: { declared: wrong.value, actual: sha256(content).value },
      });
      expect(await statusOf(uploads, alice, place)).toBe(1000);
    }
    await send(place, 1000, pseudoRandom(5, 2));
    const whole = Buffer.concat([content, pseudoRandom(5, 2)]);
    const finished = await uploads.finishFile({ ...place, checksums: [sha256(whole)] }, alice);
    expect(finished.file.state).toBe("ready");
    await expect(uploads.finishFile({ ...place, checksums: [wrong] }, alice)).rejects.toMatchObject({
      code: "checksum_mismatch",
    });
    expect(await readBack(uploads, alice, place)).toEqual(new Uint8Array(whole));
  });

  it("that was declared with another digest keeps what was sent (P6)", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice, { checksums: [wrong] });
    await send(place, 0, content);
    await expect(uploads.finishFile(place, alice)).rejects.toMatchObject({ code: "checksum_mismatch" });
    expect(await statusOf(uploads, alice, place)).toBe(1000);
    expect((await uploads.getFile(place, alice)).file.state).toBe("transferring");
  });

  it("takes over from who is sending it, who is told (P7)", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    await send(place, 0, content);
    const fed = fedBody();
    const sending = uploads.writePart({ ...place, offset: 1000, body: fed.body, ...waiting }, alice);
    const told = expect(sending).rejects.toMatchObject({ code: "superseded" });
    // Until the writer has its seat.
    while ((await uploads.getFile(place, alice)).file.running?.epoch !== 2) await new Promise(setImmediate);
    expect((await uploads.finishFile(place, alice)).offset).toBe(1000);
    await told;
  });

  it("is refused by `check` under the lock, and by a session that is over", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    await send(place, 0, content);
    const check = () => {
      throw new RangeError("not yet");
    };
    await expect(uploads.finishFile({ ...place, check }, alice)).rejects.toThrow("not yet");
    await uploads.cancelSession(place, alice);
    await expect(uploads.finishFile(place, alice)).rejects.toMatchObject({ code: "wrong_state" });
  });
});

describe("a body that is longer than announced", () => {
  it("brings nothing where that is what was asked for", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    await send(place, 0, content.subarray(0, 100));
    const excess = { lengthBytes: 50, onExcess: "drop" } as const;
    await expect(send(place, 100, content.subarray(100, 200), excess)).rejects.toMatchObject({ code: "too_large" });
    expect(await statusOf(uploads, alice, place)).toBe(100);
    expect(await send(place, 100, content.subarray(100, 150), excess)).toMatchObject({ offset: 150 });
  });
});

describe("a part of a session that is done", () => {
  const repeat = { afterDone: "compare" } as const;
  async function complete() {
    const item = await makeItem(opened);
    const session = await startSession(opened.uploads, opened.alice, { itemId: item.id });
    const place = await storeFile(opened.uploads, opened.alice, content, { sessionId: session.id });
    await opened.uploads.completeSession(place, opened.alice);
    return place;
  }

  it("is compared with the content where that is what was asked for, and is refused otherwise", async () => {
    const place = await complete();
    expect(await send(place, 900, content.subarray(900), repeat)).toMatchObject({ applied: false, offset: 1000 });
    const differing = send(place, 900, pseudoRandom(100, 3), { ...repeat, lengthBytes: 100 });
    await expect(differing).rejects.toMatchObject({ code: "conflict", details: { reason: "BYTES_DIFFER" } });
    await expect(send(place, 900, content.subarray(900))).rejects.toMatchObject({ code: "wrong_state" });
  });

  it("that goes on behind the content, or begins it anew, is refused before a byte is read", async () => {
    const place = await complete();
    for (const part of [{ offset: 1000, lengthBytes: 1 }, { offset: 1001 }, { offset: 0, restart: true }]) {
      const counted = countedBody(bodyOf([content]));
      const sending = opened.uploads.writePart({ ...place, ...part, ...repeat, body: counted.body }, opened.alice);
      await expect(sending).rejects.toMatchObject({ name: "UploadError" });
      expect(counted.touched).toBe(false);
    }
  });
});
