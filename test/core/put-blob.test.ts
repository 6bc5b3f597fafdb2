import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBlobCommitter } from "../../src/core/blob-committer.js";
import type { CoreDeps } from "../../src/core/deps.js";
import { blobAlgorithms, defaultLimits, smallContentBytes } from "../../src/core/index.js";
import { receiveBlob } from "../../src/core/operations/receive-blob.js";
import { silentObserver } from "../../src/core/ports/observer.js";
import { isStored, put, readBack, refOf } from "../support/blobs.js";
import { bodyOf, brokenBody, countedBody, hangingBody, pseudoRandom, sendWhole } from "../support/bodies.js";
import { hookBlobs, type OpenedUploads, openUploads } from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

let seed = 0;
/** Content that no other test has. */
const fresh = (length: number) => pseudoRandom(length, 3000 + seed++);
const sizes = [1, 4096, smallContentBytes, smallContentBytes + 1, 3 * 2 ** 20 + 5];

describe("putting a blob", () => {
  it.each(sizes)("of %d bytes stores it under its SHA-256, or under the ref it was sent with", async (size) => {
    const { uploads, alice } = opened;
    const content = fresh(size);
    for (const ref of [undefined, ...blobAlgorithms.slice(0, 2).map((algorithm) => refOf(content, algorithm))]) {
      const { blob, applied } = await put(uploads, alice, content, ref);
      expect([blob.ref, blob.sizeBytes, applied]).toEqual([ref ?? refOf(content), size, true]);
      expect(await uploads.statBlobs({ refs: [blob.ref] }, alice)).toEqual([blob]);
      expect(Buffer.compare(await readBack(uploads, alice, blob.ref), content)).toBe(0);
    }
  });

  it("of no bytes stores nothing but its name", async () => {
    const { uploads, alice } = opened;
    const empty = new Uint8Array(0);
    for (const algorithm of blobAlgorithms) {
      const ref = refOf(empty, algorithm);
      const { blob } = await put(uploads, alice, empty, ref);
      expect(blob).toMatchObject({ ref, sizeBytes: 0 });
      expect(await readBack(uploads, alice, ref)).toEqual(empty);
      expect((await put(uploads, alice, empty, ref)).applied).toBe(false);
    }
  });

  it.each(sizes)("of %d bytes that is there stores nothing, and answers the first one (P4)", async (size) => {
    const { alice } = opened;
    const content = fresh(size);
    const { blob } = await put(opened.uploads, alice, content);
    let steps = 0;
    const count = () => void steps++;
    const uploads = opened.restart({ wrapBlobs: hookBlobs({ before: count }) });
    expect(await put(uploads, alice, content, refOf(content))).toEqual({ blob, applied: false });
    expect(steps).toBe(0);
    expect(await put(uploads, alice, content)).toEqual({ blob, applied: false });
  });

  it.each(sizes)("of %d bytes that are not what the ref names is refused and leaves nothing (P6)", async (size) => {
    const { uploads, alice } = opened;
    const content = fresh(size);
    for (const algorithm of blobAlgorithms) {
      const ref = refOf(fresh(size), algorithm);
      await expect(put(uploads, alice, content, ref)).rejects.toMatchObject({
        code: "checksum_mismatch",
        details: { reason: "CHECKSUM_DIFFERS", declared: ref.digest, actual: refOf(content, algorithm).digest },
      });
      expect(await isStored(uploads, alice, ref)).toBe(false);
      expect(await isStored(uploads, alice, refOf(content, algorithm))).toBe(false);
    }
  });

  it("that is there, in other bytes, is refused all the same (P6)", async () => {
    const { uploads, alice } = opened;
    for (const size of [10, smallContentBytes + 10]) {
      const content = fresh(size);
      await put(uploads, alice, content);
      const wrong = put(uploads, alice, fresh(size), refOf(content));
      await expect(wrong).rejects.toMatchObject({ code: "checksum_mismatch" });
      expect(Buffer.compare(await readBack(uploads, alice, refOf(content)), content)).toBe(0);
    }
  });

  it.each(sizes)("of %d bytes whose body breaks leaves nothing, and its error comes out", async (size) => {
    const { uploads, alice } = opened;
    const content = fresh(size);
    const body = brokenBody([content], new Error("connection reset"));
    await expect(uploads.putBlob({ body }, alice)).rejects.toThrow("connection reset");
    expect(await isStored(uploads, alice, refOf(content))).toBe(false);
  });

  it("that ends short of, or past, the length it was said to have leaves nothing (P11)", async () => {
    const { uploads, alice } = opened;
    const content = fresh(10);
    for (const lengthBytes of [0, 9, 11]) {
      await expect(uploads.putBlob({ body: bodyOf([content]), lengthBytes }, alice)).rejects.toMatchObject({
        code: "invalid",
        details: { reason: "SIZE_DIFFERS", declared: String(lengthBytes), actual: "10" },
      });
    }
    expect(await isStored(uploads, alice, refOf(content))).toBe(false);
  });

  it("that is aborted ends at once, also in a silent body, and leaves nothing", async () => {
    const { uploads, alice } = opened;
    const content = fresh(10);
    const controller = new AbortController();
    const putting = uploads.putBlob({ body: hangingBody([content]) }, { ...alice, signal: controller.signal });
    setImmediate(() => controller.abort(new Error("gone")));
    await expect(putting).rejects.toThrow("gone");
    async function* cut() {
      yield content;
      controller.abort();
    }
    const signal = controller.signal;
    await expect(uploads.putBlob({ body: cut() }, { ...alice, signal })).rejects.toThrow("gone");
    expect(await isStored(uploads, alice, refOf(content))).toBe(false);
  });

  it("of a body that the deadline ends as if it were finished leaves nothing (P11)", async () => {
    const { uploads, alice } = opened;
    const controller = new AbortController();
    const content = fresh(10);
    async function* cut() {
      yield content;
      controller.abort(new Error("deadline"));
    }
    await expect(uploads.putBlob({ body: cut() }, { ...alice, signal: controller.signal })).rejects.toThrow("deadline");
    expect(await isStored(uploads, alice, refOf(content))).toBe(false);
  });

  it("over the limit is refused with the limit's name: before a byte is read where the length is known (P10)", async () => {
    const { alice } = opened;
    const uploads = opened.restart({ limits: { maxBlobBytes: 1000 } });
    const refused = {
      code: "too_large",
      details: { reason: "SIZE_EXCEEDED", limit: { setting: "SLIPWAY_MAX_BLOB_BYTES", value: 1000 } },
    };
    expect((await put(uploads, alice, fresh(1000))).applied).toBe(true);
    const counted = countedBody(bodyOf([fresh(1001)]));
    await expect(uploads.putBlob({ body: counted.body, lengthBytes: 1001 }, alice)).rejects.toMatchObject(refused);
    expect(counted.touched).toBe(false);
    const endless = countedBody(sendWhole(fresh(100_000), 600));
    await expect(uploads.putBlob({ body: endless.body }, alice)).rejects.toMatchObject(refused);
    expect(endless.pulledBytes).toBe(1200);
  });

  it("under a ref that makes no sense is refused before a byte is read", async () => {
    const { uploads, alice } = opened;
    const counted = countedBody(bodyOf([fresh(10)]));
    const wrong = { algorithm: "md5", digest: "0".repeat(32) };
    await expect(uploads.putBlob({ ref: wrong, body: counted.body }, alice)).rejects.toMatchObject({
      code: "unsupported",
    });
    expect(counted.touched).toBe(false);
  });

  it("of one megabyte in a share of memory that is nearly nothing goes to the medium as it comes (P10)", async () => {
    const { alice } = opened;
    let largestWrite = 0;
    const wrapBlobs = hookBlobs({
      before(step, bytes) {
        if (step === "write") largestWrite = Math.max(largestWrite, bytes);
      },
    });
    const uploads = opened.restart({ limits: { maxBufferedBytes: 1 }, wrapBlobs });
    const content = fresh(2 ** 20);
    await uploads.putBlob({ body: sendWhole(content, 16 * 1024) }, alice);
    expect(largestWrite).toBeGreaterThan(0);
    expect(largestWrite).toBeLessThanOrEqual(96 * 1024);
    expect(Buffer.compare(await readBack(uploads, alice, refOf(content)), content)).toBe(0);
  });

  it("that is there is passed over to its end, whatever becomes of its share of the memory", async () => {
    const { alice, blobs, metadata } = opened;
    const content = fresh(100_000);
    await put(opened.uploads, alice, content);
    const deps = {
      blobs,
      limits: defaultLimits,
      committer: createBlobCommitter(metadata),
      observer: silentObserver,
    } as CoreDeps;
    const limits = [64, 64, 8192, 8192, 64, 64].map((kib) => kib * 1024);
    let asked = 0;
    const share = { limit: () => limits[asked++ % limits.length]!, hold() {}, leave() {} };
    const body = sendWhole(content, 10_000);
    const received = await receiveBlob(deps, { ref: refOf(content), body }, share, alice);
    expect((await received.store()).applied).toBe(false);
  });

  it("interleaved with others of few contents, each is brought once and reads as it was sent", async () => {
    const { uploads, alice, otherTenant } = opened;
    const contents = [0, 10, 4096, smallContentBytes + 1].map((size) => fresh(size));
    const step = fc.record({
      content: fc.nat(contents.length - 1),
      named: fc.boolean(),
      deed: fc.constantFrom("put", "put", "put", "wrong", "broken", "remove"),
      chunkBytes: fc.integer({ min: 1000, max: 70_000 }),
      stranger: fc.boolean(),
    });
    const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const calls = [alice, otherTenant];
      const admins = [opened.admin, otherTenant];
      const refs = contents.map((content) => refOf(content));
      for (const admin of admins) await uploads.removeBlobs({ refs }, admin);
      const brought = await Promise.all(
        steps.map(async ({ content, named, deed, chunkBytes, stranger }) => {
          const who = stranger ? 1 : 0;
          const bytes = contents[content]!;
          const ref = named ? refs[content] : undefined;
          const chunks = sendWhole(bytes, chunkBytes);
          if (deed === "remove") {
            return {
              who,
              content,
              change: -(await uploads.removeBlobs({ refs: [refs[content]!] }, admins[who]!)).removed,
            };
          }
          if (deed === "put") {
            const { applied } = await uploads.putBlob({ ref, body: chunks }, calls[who]!);
            return { who, content, change: applied ? 1 : 0 };
          }
          const body = deed === "wrong" ? bodyOf([bytes, fresh(1)]) : brokenBody([bytes]);
          await expect(uploads.putBlob({ ref: refs[content], body }, calls[who]!)).rejects.toThrow();
          return { who, content, change: 0 };
        }),
      );
      for (const [who, call] of calls.entries()) {
        for (const [content, ref] of refs.entries()) {
          const balance = brought.filter((each) => each.who === who && each.content === content);
          const count = balance.reduce((sum, { change }) => sum + change, 0);
          expect(await isStored(uploads, call, ref)).toBe(count === 1);
          expect([0, 1]).toContain(count);
          if (count === 1) expect(Buffer.compare(await readBack(uploads, call, ref), contents[content]!)).toBe(0);
        }
      }
    });
    await fc.assert(property, { numRuns: 25 });
  });
});
