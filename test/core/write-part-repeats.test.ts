import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bodyOf, brokenBody, countedBody, pseudoRandom, sendWhole } from "../support/bodies.js";
import {
  type OpenedUploads,
  openUploads,
  readBack,
  sendFile,
  startFile,
  statusOf,
  storeFile,
} from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

const finish = () => ({ finish: true });
const content = pseudoRandom(400_000);
const differing = (at: number) => {
  const other = content.slice();
  other[at]! ^= 1;
  return other;
};

/** A file of which the first `stored` bytes of `content` are there. */
async function partlyStored(stored: number, sizeBytes?: number) {
  const place = await startFile(opened.uploads, opened.alice, { sizeBytes });
  await opened.uploads.writePart({ ...place, offset: 0, body: bodyOf([content.subarray(0, stored)]) }, opened.alice);
  return place;
}

describe("a repeated part (P4)", () => {
  it.each([
    ["all of what is stored", 0, 300_000],
    ["a piece in the middle", 1000, 2000],
    ["a piece at the end", 299_999, 300_000],
    ["no bytes", 300_000, 300_000],
    ["no bytes in the middle", 5, 5],
  ])("that is %s gets the same success and applies nothing", async (_what, from, to) => {
    const { uploads, alice } = opened;
    const place = await partlyStored(300_000);
    const part = { ...place, offset: from, lengthBytes: to - from, body: sendWhole(content.subarray(from, to), 7001) };
    expect(await uploads.writePart(part, alice)).toMatchObject({ offset: 300_000, applied: false });
    expect(await statusOf(uploads, alice, place)).toBe(300_000);
  });

  it("that goes on past what is stored adds the rest only", async () => {
    const { uploads, alice } = opened;
    const place = await partlyStored(300_000);
    const part = { ...place, offset: 100_000, body: sendWhole(content.subarray(100_000), 33_333), ending: finish };
    expect(await uploads.writePart(part, alice)).toMatchObject({ offset: 400_000, applied: true });
    expect(Buffer.compare(await readBack(uploads, alice, place), content)).toBe(0);
  });

  it.each([0, 150_000, 299_999])("that differs at %d is a conflict and changes nothing", async (at) => {
    const { uploads, alice } = opened;
    const place = await partlyStored(300_000);
    for (const to of [300_000, 400_000]) {
      const part = { ...place, offset: 0, body: sendWhole(differing(at).subarray(0, to), 10_007), ending: finish };
      await expect(uploads.writePart(part, alice)).rejects.toMatchObject({
        code: "conflict",
        details: { reason: "BYTES_DIFFER" },
      });
      expect(await statusOf(uploads, alice, place)).toBe(300_000);
    }
    const rest = { ...place, offset: 300_000, body: bodyOf([content.subarray(300_000)]), ending: finish };
    await uploads.writePart(rest, alice);
    expect(Buffer.compare(await readBack(uploads, alice, place), content)).toBe(0);
  });

  it("that differs does not settle a size that it declares either", async () => {
    const { uploads, alice } = opened;
    const place = await partlyStored(1000);
    const part = { ...place, offset: 0, sizeBytes: 5000, body: bodyOf([differing(3).subarray(0, 1000)]) };
    await expect(uploads.writePart(part, alice)).rejects.toMatchObject({ code: "conflict" });
    expect((await uploads.getFile(place, alice)).file.sizeBytes).toBeUndefined();
  });

  it("that breaks among repeated bytes leaves all as it was", async () => {
    const { uploads, alice } = opened;
    const place = await partlyStored(300_000);
    const body = brokenBody([content.subarray(0, 200_000)]);
    await expect(uploads.writePart({ ...place, offset: 0, body }, alice)).rejects.toThrow("connection reset");
    expect(await statusOf(uploads, alice, place)).toBe(300_000);
  });

  it("that says it is the whole content is refused when more is stored", async () => {
    const { uploads, alice } = opened;
    const place = await partlyStored(1000);
    const part = { ...place, offset: 0, body: bodyOf([content.subarray(0, 500)]), ending: finish };
    await expect(uploads.writePart(part, alice)).rejects.toMatchObject({ details: { expectedOffset: 500 } });
    expect(await statusOf(uploads, alice, place)).toBe(1000);
  });
});

describe("a part that would leave a gap (P4)", () => {
  it("is refused with the expected offset, before a byte is read and without disturbing anyone", async () => {
    const { uploads, alice } = opened;
    const place = await partlyStored(1000);
    const { file: before } = await uploads.getFile(place, alice);
    const counted = countedBody(bodyOf([content]));
    await expect(uploads.writePart({ ...place, offset: 1001, body: counted.body }, alice)).rejects.toMatchObject({
      code: "offset_mismatch",
      details: { reason: "OFFSET_UNEXPECTED", expectedOffset: 1000 },
    });
    expect(counted.touched).toBe(false);
    expect((await uploads.getFile(place, alice)).file).toEqual(before);
  });
});

describe("a part of a file that is whole (P4)", () => {
  it("gets the same success when it repeats what is stored, finish included", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, content);
    const { file: done } = await uploads.getFile(place, alice);
    for (const offset of [0, 399_999, 400_000]) {
      const part = { ...place, offset, body: sendWhole(content.subarray(offset)), ending: finish };
      expect(await uploads.writePart(part, alice)).toEqual({ file: done, offset: 400_000, applied: false });
    }
  });

  it("may repeat a piece without a finish", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, content, { sizeBytes: 400_000 });
    const part = { ...place, offset: 10, lengthBytes: 90, body: bodyOf([content.subarray(10, 100)]) };
    expect(await uploads.writePart(part, alice)).toMatchObject({ offset: 400_000, applied: false });
  });

  it("is a conflict when it differs, and invalid when it ends elsewhere and says that this is the end", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, content);
    const other = uploads.writePart({ ...place, offset: 0, body: sendWhole(differing(399_999)) }, alice);
    await expect(other).rejects.toMatchObject({ code: "conflict", details: { reason: "BYTES_DIFFER" } });
    const shorter = sendFile(uploads, alice, place, content.subarray(0, 100));
    await expect(shorter).rejects.toMatchObject({ code: "invalid", details: { reason: "SIZE_DIFFERS" } });
    expect((await uploads.getFile(place, alice)).file.state).toBe("ready");
  });

  it("is refused when it brings more", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, content.subarray(0, 1000));
    const longer = sendFile(uploads, alice, place, content.subarray(0, 1001));
    await expect(longer).rejects.toMatchObject({ code: "wrong_state", details: { expectedOffset: 1000 } });
    const beyond = uploads.writePart({ ...place, offset: 1001, body: bodyOf([]) }, alice);
    await expect(beyond).rejects.toMatchObject({ code: "offset_mismatch", details: { expectedOffset: 1000 } });
  });

  it("tells a wrong checksum, which changes nothing", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, content);
    for (const algorithm of ["sha256", "md5"] as const) {
      const checksums = [{ algorithm, value: "0".repeat(algorithm === "md5" ? 32 : 64) }];
      const part = { ...place, offset: 400_000, body: bodyOf([]), ending: () => ({ finish: true, checksums }) };
      await expect(uploads.writePart(part, alice)).rejects.toMatchObject({ code: "checksum_mismatch" });
    }
    expect((await uploads.getFile(place, alice)).file.state).toBe("ready");
  });
});

describe("any order of parts, breaks and repeats", () => {
  it("ends with the same content, and the offset never falls on the way (P2, P3, P4)", async () => {
    const { uploads, alice } = opened;
    const whole = pseudoRandom(20_000, 9);
    const part = fc.record({
      back: fc.nat(3000),
      length: fc.nat(8000),
      breaks: fc.boolean(),
      chunkBytes: fc.integer({ min: 1, max: 5000 }),
    });
    const property = fc.asyncProperty(fc.array(part, { maxLength: 8 }), async (parts) => {
      const place = await startFile(uploads, alice);
      let stored = 0;
      for (const { back, length, breaks, chunkBytes } of parts) {
        const offset = Math.max(0, stored - back);
        const end = Math.min(whole.length, offset + length);
        const chunks = [...sliced(whole.subarray(offset, end), chunkBytes)];
        const sent = uploads.writePart({ ...place, offset, body: breaks ? brokenBody(chunks) : bodyOf(chunks) }, alice);
        if (breaks) await expect(sent).rejects.toThrow("connection reset");
        else await sent;
        const now = (await statusOf(uploads, alice, place)) as number;
        expect(now).toBe(Math.max(stored, end));
        stored = now;
      }
      const rest = { ...place, offset: stored, body: sendWhole(whole.subarray(stored)), ending: finish };
      await uploads.writePart(rest, alice);
      expect(Buffer.compare(await readBack(uploads, alice, place), whole)).toBe(0);
    });
    await fc.assert(property, { numRuns: 25 });
  });
});

function* sliced(bytes: Uint8Array, chunkBytes: number) {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}
