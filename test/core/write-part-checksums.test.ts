import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Checksum, checksumAlgorithms, createHasher } from "../../src/core/index.js";
import { bodyOf, brokenBody, pseudoRandom, sendWhole } from "../support/bodies.js";
import {
  type OpenedUploads,
  openUploads,
  readBack,
  sendFile,
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

const content = pseudoRandom(300_000);
const finish = () => ({ finish: true });

function digestOf(bytes: Uint8Array, algorithm: Checksum["algorithm"] = "sha256"): Checksum {
  const hasher = createHasher([algorithm]);
  hasher.update(bytes);
  return hasher.digests().find((checksum) => checksum.algorithm === algorithm)!;
}

function flipped({ algorithm, value }: Checksum): Checksum {
  return { algorithm, value: (value[0] === "0" ? "1" : "0") + value.slice(1) };
}

describe("a declared checksum (P6)", () => {
  it.each(checksumAlgorithms)("by %s is computed and stored beside SHA-256 when it is right", async (algorithm) => {
    const { uploads, alice } = opened;
    const right = digestOf(content, algorithm);
    const place = await storeFile(uploads, alice, content, { checksums: [right] });
    const { current } = (await uploads.getFile(place, alice)).file;
    expect(current?.checksums).toContainEqual(right);
    expect(current?.checksums).toContainEqual(digestOf(content));
  });

  it.each(checksumAlgorithms)(
    "by %s that is wrong is told with both values and fails the file alone",
    async (algorithm) => {
      const { uploads, alice } = opened;
      const right = digestOf(content, algorithm);
      const wrong = flipped(right);
      const place = await startFile(uploads, alice, { checksums: [wrong] });
      await expect(sendFile(uploads, alice, place, content)).rejects.toMatchObject({
        code: "checksum_mismatch",
        details: { reason: "CHECKSUM_DIFFERS", declared: wrong.value, actual: right.value },
      });
      const { file } = await uploads.getFile(place, alice);
      expect(file).toMatchObject({ state: "failed", current: undefined, running: undefined });
      expect(file.failure?.message).toContain(right.value);
      expect(file.failure?.message).toContain(wrong.value);
      await expect(uploads.readFile(place, alice)).rejects.toMatchObject({ code: "incomplete" });
      await expect(uploads.completeSession(place, alice)).rejects.toMatchObject({ code: "incomplete" });
      expect((await uploads.getSession(place, alice)).state).toBe("active");
    },
  );

  it("that was wrong can be met by sending again, and by declaring anew", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice, { checksums: [digestOf(content)] });
    const damaged = content.slice();
    damaged[7]! ^= 1;
    await expect(sendFile(uploads, alice, place, damaged)).rejects.toMatchObject({ code: "checksum_mismatch" });
    expect(await statusOf(uploads, alice, place)).toBe(0);
    const again = await sendFile(uploads, alice, place, content);
    expect(again.file).toMatchObject({ state: "ready", failure: undefined, attempts: 2 });

    const anew = { ...place, checksums: [digestOf(damaged)], onExisting: "replace" as const };
    await uploads.addFile(anew, alice);
    expect((await sendFile(uploads, alice, place, damaged)).file.state).toBe("ready");
    expect((await uploads.completeSession(place, alice)).session.state).toBe("done");
  });

  it("that a new attempt misses leaves the former content as it is", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, content, { checksums: [digestOf(content)] });
    const body = bodyOf([pseudoRandom(10)]);
    const attempt = uploads.writePart({ ...place, offset: 0, restart: true, body, ending: finish }, alice);
    await expect(attempt).rejects.toMatchObject({ code: "checksum_mismatch" });
    expect(Buffer.compare(await readBack(uploads, alice, place), content)).toBe(0);
    expect((await uploads.getFile(place, alice)).file.state).toBe("failed");
  });
});

describe("a file that was declared to fail its session", () => {
  it("fails it with all its files, once the checksum is wrong (P5, P6)", async () => {
    const { uploads, alice } = opened;
    const session = await startSession(uploads, alice);
    const good = await storeFile(uploads, alice, content, { sessionId: session.id, name: "good" });
    const checksums = [flipped(digestOf(content))];
    const spec = { sessionId: session.id, name: "bad", checksums, onFailure: "session" as const };
    const bad = await startFile(uploads, alice, spec);
    await expect(sendFile(uploads, alice, bad, content)).rejects.toMatchObject({ code: "checksum_mismatch" });
    const failed = await uploads.getSession(good, alice);
    expect(failed).toMatchObject({ state: "failed", failure: { reason: "file_failed" } });
    await expect(uploads.readFile(good, alice)).rejects.toMatchObject({ code: "wrong_state" });
    await expect(uploads.completeSession(good, alice)).rejects.toMatchObject({ code: "wrong_state" });
    await expect(sendFile(uploads, alice, bad, content)).rejects.toMatchObject({ code: "wrong_state" });
    const events = await uploads.listSessionEvents({ sessionId: session.id, after: 0 }, alice);
    expect(events.slice(-2).map(({ type }) => type)).toEqual(["file.failed", "session.failed"]);
  });
});

describe("a checksum that only the finish tells (P6)", () => {
  it.each(checksumAlgorithms)("by %s is checked against what was stored", async (algorithm) => {
    const { uploads, alice } = opened;
    const right = digestOf(content, algorithm);
    for (const checksum of [right, flipped(right)]) {
      const place = await startFile(uploads, alice);
      await uploads.writePart({ ...place, offset: 0, body: sendWhole(content.subarray(0, 200_000)) }, alice);
      const body = sendWhole(content.subarray(200_000));
      const ending = () => ({ finish: true, checksums: [checksum] });
      const sent = uploads.writePart({ ...place, offset: 200_000, body, ending }, alice);
      if (checksum === right) expect((await sent).file.current?.checksums).toContainEqual(right);
      else await expect(sent).rejects.toMatchObject({ code: "checksum_mismatch", details: { actual: right.value } });
    }
  });

  it("in words that make no sense leaves the file open", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    const ending = () => ({ finish: true, checksums: [{ algorithm: "md5", value: "no" }] });
    const sent = uploads.writePart({ ...place, offset: 0, body: sendWhole(content), ending }, alice);
    await expect(sent).rejects.toMatchObject({ code: "invalid", details: { reason: "CHECKSUM_MALFORMED" } });
    expect(await statusOf(uploads, alice, place)).toBe(content.length);
  });
});

describe("a hash after a restart", () => {
  it.each([
    ["nothing more", 300_000],
    ["a small rest", 299_000],
    ["most of the content", 1000],
  ])("re-reads what is stored when there comes %s (P6)", async (_what, stored) => {
    const { uploads, alice } = opened;
    const checksums = [digestOf(content, "md5"), digestOf(content, "crc32c")];
    const place = await startFile(uploads, alice, { checksums });
    await uploads.writePart({ ...place, offset: 0, body: sendWhole(content.subarray(0, stored)) }, alice);
    const restarted = opened.restart();
    const part = { ...place, offset: stored, body: sendWhole(content.subarray(stored)), ending: finish };
    const { file } = await restarted.writePart(part, alice);
    expect(file.current?.checksums).toEqual(expect.arrayContaining([digestOf(content), ...checksums]));
  });

  it("catches up beside a long append (P6)", async () => {
    const long = pseudoRandom(14 * 2 ** 20);
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    const body = brokenBody([long.subarray(0, 6 * 2 ** 20)]);
    await expect(uploads.writePart({ ...place, offset: 0, body }, alice)).rejects.toThrow("connection reset");
    const rest = { ...place, offset: 6 * 2 ** 20, body: sendWhole(long.subarray(6 * 2 ** 20)), ending: finish };
    const { file } = await opened.restart({ limits: { checkpointBytes: 2 ** 20 } }).writePart(rest, alice);
    expect(file.current?.checksums).toEqual([digestOf(long)]);
  });

  it("finds bytes that were damaged meanwhile by a checksum that was declared", async () => {
    const { uploads, alice } = opened;
    const wrong = flipped(digestOf(content));
    const place = await startFile(uploads, alice, { checksums: [wrong] });
    await uploads.writePart({ ...place, offset: 0, body: sendWhole(content) }, alice);
    const ended = opened.restart().writePart({ ...place, offset: 300_000, body: bodyOf([]), ending: finish }, alice);
    await expect(ended).rejects.toMatchObject({ code: "checksum_mismatch" });
  });
});

describe("a part with a digest of its own", () => {
  const part = content.subarray(0, 200_000);

  it("is stored when the digest is right, and answers a repeat the same way (P4)", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    for (const applied of [true, false]) {
      const checksum = digestOf(part, "crc32c");
      const sent = uploads.writePart({ ...place, offset: 0, checksum, body: sendWhole(part) }, alice);
      expect(await sent).toMatchObject({ offset: 200_000, applied });
    }
  });

  it("is not stored at all when the digest is wrong, also when that part finishes the content (P6)", async () => {
    const { uploads, alice } = opened;
    for (const spec of [{}, { sizeBytes: 200_000 }]) {
      const place = await startFile(uploads, alice, spec);
      const right = digestOf(part, "sha1");
      const body = sendWhole(part);
      const sent = uploads.writePart({ ...place, offset: 0, checksum: flipped(right), body, ending: finish }, alice);
      await expect(sent).rejects.toMatchObject({
        code: "checksum_mismatch",
        details: { declared: flipped(right).value, actual: right.value },
      });
      expect(await statusOf(uploads, alice, place)).toBe(0);
      expect((await uploads.getFile(place, alice)).file.state).toBe("transferring");
    }
  });

  it("is not stored at all when it breaks, however long it took", async () => {
    const { alice } = opened;
    const uploads = opened.restart({ limits: { checkpointMs: 10, checkpointBytes: 1000 } });
    const place = await startFile(uploads, alice);
    async function* slowly() {
      yield part.subarray(0, 100_000);
      await new Promise((resolve) => setTimeout(resolve, 100));
      throw new Error("connection reset");
    }
    const sent = uploads.writePart({ ...place, offset: 0, checksum: digestOf(part), body: slowly() }, alice);
    await expect(sent).rejects.toThrow("connection reset");
    expect(await statusOf(uploads, alice, place)).toBe(0);
  });

  it("covers all of the part, also what of it was stored before", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    await uploads.writePart({ ...place, offset: 0, body: sendWhole(part.subarray(0, 50_000)) }, alice);
    const checksum = digestOf(part);
    const tail = { ...place, offset: 0, checksum: digestOf(part.subarray(50_000)), body: sendWhole(part) };
    await expect(uploads.writePart(tail, alice)).rejects.toMatchObject({ code: "checksum_mismatch" });
    expect(await statusOf(uploads, alice, place)).toBe(50_000);
    const whole = await uploads.writePart({ ...place, offset: 0, checksum, body: sendWhole(part) }, alice);
    expect(whole.offset).toBe(200_000);
  });

  it("by an unknown algorithm is refused before anything happens", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    const checksum = { algorithm: "crc64", value: "00" };
    const sent = uploads.writePart({ ...place, offset: 0, checksum, body: sendWhole(part) }, alice);
    await expect(sent).rejects.toMatchObject({ code: "unsupported" });
    expect((await uploads.getFile(place, alice)).file.state).toBe("waiting");
  });
});
