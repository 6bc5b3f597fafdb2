import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bodyOf, brokenBody, countedBody, pseudoRandom, sendWhole } from "../support/bodies.js";
import { type OpenedUploads, openUploads, readBack, sendFile, startFile, statusOf } from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

const finish = () => ({ finish: true });

describe("content", () => {
  it.each([
    ["no bytes", 0, 1],
    ["one byte", 1, 1],
    ["1-byte chunks", 3000, 1],
    ["as much as fits a pack", 128 * 1024, 1000],
    ["a byte more than fits a pack", 128 * 1024 + 1, 1000],
    ["one chunk of 5 MiB", 5 * 2 ** 20, 5 * 2 ** 20],
    ["chunks of mixed lengths", 3 * 2 ** 20 + 1, [1, 16_383, 16_384, 16_385, 65_536, 7, 1_048_576]],
  ])("of %s comes back as it was sent", async (_what, length, chunkBytes) => {
    const { uploads, alice } = opened;
    const content = pseudoRandom(length);
    const place = await startFile(uploads, alice);
    const body = sendWhole(content, chunkBytes);
    const result = await uploads.writePart({ ...place, offset: 0, body, ending: finish }, alice);
    expect(result).toMatchObject({ offset: length, applied: true, file: { state: "ready", running: undefined } });
    expect(result.file.current?.sizeBytes).toBe(length);
    expect(Buffer.compare(await readBack(uploads, alice, place), content)).toBe(0);
  });

  it("of no bytes is whole by its declared size, without a finish", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice, { sizeBytes: 0 });
    const { file } = await uploads.writePart({ ...place, offset: 0, body: bodyOf([]) }, alice);
    expect(file.state).toBe("ready");
    expect(await readBack(uploads, alice, place)).toHaveLength(0);
  });

  it("in several parts is whole with the last byte of its declared size (P11)", async () => {
    const { uploads, alice } = opened;
    const content = pseudoRandom(1000);
    const place = await startFile(uploads, alice, { sizeBytes: 1000 });
    const first = await uploads.writePart({ ...place, offset: 0, body: sendWhole(content.subarray(0, 999)) }, alice);
    expect(first).toMatchObject({ offset: 999, applied: true, file: { state: "transferring" } });
    const last = await uploads.writePart({ ...place, offset: 999, body: sendWhole(content.subarray(999)) }, alice);
    expect(last).toMatchObject({ offset: 1000, applied: true, file: { state: "ready" } });
    expect(await readBack(uploads, alice, place)).toEqual(content);
  });
});

describe("the end of a body", () => {
  it("is no success: without a declared size and without a finish the file stays open (P11)", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    for (const ending of [undefined, () => ({ finish: false })]) {
      const offset = (await statusOf(uploads, alice, place)) as number;
      const more = ending ? { ending } : {};
      const { file } = await uploads.writePart({ ...place, ...more, offset, body: bodyOf([pseudoRandom(10)]) }, alice);
      expect(file.state).toBe("transferring");
    }
    expect(await statusOf(uploads, alice, place)).toBe(20);
    const finished = await uploads.writePart({ ...place, offset: 20, body: bodyOf([]), ending: finish }, alice);
    expect(finished.file).toMatchObject({ state: "ready", current: { sizeBytes: 20 } });
  });

  it("before the declared size is reached keeps the file open, and with a finish is incomplete (P11)", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice, { sizeBytes: 100 });
    await uploads.writePart({ ...place, offset: 0, body: bodyOf([pseudoRandom(60)]) }, alice);
    const short = uploads.writePart({ ...place, offset: 60, body: bodyOf([pseudoRandom(10)]), ending: finish }, alice);
    await expect(short).rejects.toMatchObject({
      code: "incomplete",
      details: { reason: "PART_SHORT", expectedOffset: 70 },
    });
    expect(await statusOf(uploads, alice, place)).toBe(70);
  });

  it("before the part's own length is incomplete, and what came is kept (P3)", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    const body = bodyOf([pseudoRandom(40)]);
    await expect(uploads.writePart({ ...place, offset: 0, lengthBytes: 50, body }, alice)).rejects.toMatchObject({
      code: "incomplete",
      details: { reason: "PART_SHORT", expectedOffset: 40 },
    });
    expect(await statusOf(uploads, alice, place)).toBe(40);
  });

  it("is not asked for when the body breaks", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    let asked = false;
    const ending = () => {
      asked = true;
      return { finish: true };
    };
    const body = brokenBody([pseudoRandom(10)]);
    await expect(uploads.writePart({ ...place, offset: 0, body, ending }, alice)).rejects.toThrow("connection reset");
    expect(asked).toBe(false);
    expect(await statusOf(uploads, alice, place)).toBe(10);
  });
});

describe("a size declared late", () => {
  it("with a part settles the size for good", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    await uploads.writePart({ ...place, offset: 0, sizeBytes: 30, body: bodyOf([pseudoRandom(10)]) }, alice);
    expect((await uploads.getFile(place, alice)).file.sizeBytes).toBe(30);
    const other = uploads.writePart({ ...place, offset: 10, sizeBytes: 31, body: bodyOf([]) }, alice);
    await expect(other).rejects.toMatchObject({ code: "invalid", details: { reason: "SIZE_DIFFERS" } });
    const same = { ...place, offset: 10, sizeBytes: 30, body: bodyOf([pseudoRandom(20)]) };
    expect((await uploads.writePart(same, alice)).file.state).toBe("ready");
  });

  it("with the end of a part makes the content whole or settles the size for good", async () => {
    const { uploads, alice } = opened;
    const whole = await startFile(uploads, alice);
    const exact = () => ({ finish: false, sizeBytes: 10 });
    const done = await uploads.writePart(
      { ...whole, offset: 0, body: bodyOf([pseudoRandom(10)]), ending: exact },
      alice,
    );
    expect(done.file.state).toBe("ready");

    const open = await startFile(uploads, alice);
    const more = () => ({ finish: false, sizeBytes: 30 });
    await uploads.writePart({ ...open, offset: 0, body: bodyOf([pseudoRandom(10)]), ending: more }, alice);
    const other = uploads.writePart({ ...open, offset: 10, sizeBytes: 31, body: bodyOf([]) }, alice);
    await expect(other).rejects.toMatchObject({ code: "invalid", details: { reason: "SIZE_DIFFERS" } });
  });

  it("that is smaller than what is stored is refused before a byte is read", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    await uploads.writePart({ ...place, offset: 0, body: bodyOf([pseudoRandom(10)]) }, alice);
    const counted = countedBody(bodyOf([pseudoRandom(1)]));
    const smaller = uploads.writePart({ ...place, offset: 10, sizeBytes: 9, body: counted.body }, alice);
    await expect(smaller).rejects.toMatchObject({ code: "too_large", details: { reason: "SIZE_EXCEEDED" } });
    expect(counted.touched).toBe(false);
    expect((await uploads.getFile(place, alice)).file.sizeBytes).toBeUndefined();
  });
});

describe("more bytes than were declared", () => {
  it("are refused; those up to the size are kept, and the file can be finished with nothing more (P3)", async () => {
    const { uploads, alice } = opened;
    const content = pseudoRandom(200);
    const place = await startFile(uploads, alice, { sizeBytes: 150 });
    const body = bodyOf([content.subarray(0, 100), content.subarray(100)]);
    await expect(uploads.writePart({ ...place, offset: 0, body }, alice)).rejects.toMatchObject({
      code: "too_large",
      details: { reason: "SIZE_EXCEEDED", declared: "150" },
    });
    expect(await statusOf(uploads, alice, place)).toBe(150);
    expect((await uploads.writePart({ ...place, offset: 150, body: bodyOf([]) }, alice)).file.state).toBe("ready");
    expect(await readBack(uploads, alice, place)).toEqual(content.subarray(0, 150));
  });

  it("than the part announced are refused; those up to its end are kept", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice, { sizeBytes: 150 });
    const part = { ...place, offset: 0, lengthBytes: 50, body: bodyOf([pseudoRandom(60)]) };
    await expect(uploads.writePart(part, alice)).rejects.toMatchObject({
      code: "too_large",
      details: { reason: "SIZE_EXCEEDED", declared: "50" },
    });
    expect(await statusOf(uploads, alice, place)).toBe(50);
  });

  it("announced by the headers are refused before a byte is read", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice, { sizeBytes: 150 });
    const counted = countedBody(bodyOf([pseudoRandom(151)]));
    const part = { ...place, offset: 0, lengthBytes: 151, body: counted.body };
    await expect(uploads.writePart(part, alice)).rejects.toMatchObject({ code: "too_large" });
    expect(counted.touched).toBe(false);
    expect(await statusOf(uploads, alice, place)).toBe(0);
  });
});

describe("a new attempt", () => {
  it("at a ready file keeps the old content readable until the new one is whole", async () => {
    const { uploads, alice } = opened;
    const [old, fresh] = [pseudoRandom(500, 1), pseudoRandom(700, 2)];
    const place = await startFile(uploads, alice);
    await sendFile(uploads, alice, place, old);
    const body = bodyOf([fresh.subarray(0, 300)]);
    await uploads.writePart({ ...place, offset: 0, restart: true, body }, alice);
    expect(await readBack(uploads, alice, place)).toEqual(old);
    expect(await statusOf(uploads, alice, place)).toBe(300);
    await expect(uploads.completeSession(place, alice)).rejects.toMatchObject({ code: "incomplete" });
    const rest = { ...place, offset: 300, body: bodyOf([fresh.subarray(300)]), ending: finish };
    expect((await uploads.writePart(rest, alice)).file.attempts).toBe(2);
    expect(await readBack(uploads, alice, place)).toEqual(fresh);
  });

  it("begins at zero, whatever was stored before", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    await uploads.writePart({ ...place, offset: 0, body: bodyOf([pseudoRandom(50)]) }, alice);
    const askew = uploads.writePart({ ...place, offset: 50, restart: true, body: bodyOf([]) }, alice);
    await expect(askew).rejects.toMatchObject({ code: "invalid", details: { reason: "NUMBER_INVALID" } });
    expect(await statusOf(uploads, alice, place)).toBe(50);
    await uploads.writePart({ ...place, offset: 0, restart: true, body: bodyOf([]) }, alice);
    expect(await statusOf(uploads, alice, place)).toBe(0);
  });
});
