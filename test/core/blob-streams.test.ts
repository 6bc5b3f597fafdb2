import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BlobInput, type BlobStore, smallContentBytes } from "../../src/core/index.js";
import { inputOf, isStored, putAll, readBack, refOf } from "../support/blobs.js";
import { bodyOf, brokenBody, pseudoRandom, sendWhole, slices } from "../support/bodies.js";
import { hookBlobs, hookMetadata, type OpenedUploads, openUploads } from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

let seed = 0;
const fresh = (length: number) => pseudoRandom(length, 9000 + seed++);
const times = <T>(count: number, make: (n: number) => T) => Array.from({ length: count }, (_, n) => make(n));

describe("a stream of blobs", () => {
  it("is answered blob for blob in its order, repeats and large and empty ones among them", async () => {
    const { uploads, alice } = opened;
    const [small, large, other] = [fresh(10), fresh(2 ** 20), fresh(smallContentBytes + 1)];
    const empty = new Uint8Array(0);
    const contents = [large, small, empty, small, other, large, fresh(5000)];
    const { stored, error } = await putAll(
      uploads,
      alice,
      contents.map((content) => inputOf(content)),
    );
    expect(error).toBeUndefined();
    expect(stored.map(({ blob }) => [blob.ref, blob.sizeBytes])).toEqual(
      contents.map((content) => [refOf(content), content.length]),
    );
    for (const content of [small, large, other]) {
      const told = stored.filter(({ blob }) => blob.ref.digest === refOf(content).digest);
      expect(told.filter(({ applied }) => applied)).toHaveLength(1);
      expect(Buffer.compare(await readBack(uploads, alice, refOf(content)), content)).toBe(0);
    }
    expect((await putAll(uploads, alice, [])).stored).toEqual([]);
  });

  const content = fresh(1000);
  const wrongs: [string, () => BlobInput, object][] = [
    ["is not what its ref names", () => inputOf(content, refOf(fresh(1000))), { code: "checksum_mismatch" }],
    [
      "has a ref that makes no sense",
      () => ({ ...inputOf(content), ref: { algorithm: "md5", digest: "" } }),
      { code: "unsupported" },
    ],
    ["breaks off", () => ({ body: brokenBody([content]) }), { message: "connection reset" }],
    ["is shorter than it was said to be", () => ({ body: bodyOf([content]), lengthBytes: 1001 }), { code: "invalid" }],
    ["is too large", () => inputOf(pseudoRandom(70_000)), { code: "too_large" }],
  ];
  it.each(wrongs)("of which one %s keeps and answers those before it", async (_, wrong, error) => {
    const { alice } = opened;
    const uploads = opened.restart({ limits: { maxBlobBytes: 65_536 } });
    const before = times(30, () => fresh(1000));
    const after = fresh(1000);
    const answer = await putAll(uploads, alice, [...before.map((each) => inputOf(each)), wrong(), inputOf(after)]);
    expect(answer.error).toMatchObject(error);
    expect(answer.stored.map(({ blob }) => blob.ref)).toEqual(before.map((each) => refOf(each)));
    for (const each of before) expect(await isStored(uploads, alice, refOf(each))).toBe(true);
    for (const each of [content, after]) expect(await isStored(uploads, alice, refOf(each))).toBe(false);
  });

  it("of more blobs than it may have is refused at the first that is too many (P10)", async () => {
    const { alice } = opened;
    const uploads = opened.restart({ limits: { maxStreamBlobs: 3 } });
    const answer = await putAll(
      uploads,
      alice,
      times(5, () => inputOf(fresh(10))),
    );
    expect(answer.stored).toHaveLength(3);
    expect(answer.error).toMatchObject({
      code: "too_many",
      details: { reason: "TOO_MANY_BLOBS", limit: { setting: "SLIPWAY_MAX_STREAM_BLOBS", value: 3 } },
    });
  });

  it("that a dead connection leaves silent ends with the call's signal, and those before are kept", async () => {
    const { uploads, alice } = opened;
    const first = fresh(10);
    const controller = new AbortController();
    async function* silent() {
      yield inputOf(first);
      setTimeout(() => controller.abort(new Error("gone")), 10);
      await new Promise(() => undefined);
    }
    const answers = uploads.putBlobs({ blobs: silent() }, { ...alice, signal: controller.signal });
    const all = (async () => {
      for await (const _ of answers);
    })();
    await expect(all).rejects.toThrow("gone");
    expect(await isStored(uploads, alice, refOf(first))).toBe(true);
  });

  it("takes in no more than it may hold while the medium stands still (P10)", async () => {
    const { alice } = opened;
    const cases = [
      { size: 100, limits: {}, most: 64 },
      { size: 100_000, limits: {}, most: 42 },
      { size: 10_000, limits: { maxBufferedBytes: 2 ** 17 }, most: 8 },
    ];
    for (const { size, limits, most } of cases) {
      let open = () => {};
      const standing = new Promise<void>((resolve) => {
        open = resolve;
      });
      const uploads = opened.restart({ limits, wrapBlobs: hookBlobs({ before: () => standing }) });
      let taken = 0;
      async function* source() {
        for (; taken < 200; taken++) yield inputOf(fresh(size));
      }
      const putting = putAll(uploads, alice, source());
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(taken).toBeLessThanOrEqual(most);
      open();
      expect((await putting).stored).toHaveLength(200);
    }
  });

  it("holds little more memory for a small blob than its bytes, however it is cut (P10)", async () => {
    const held: number[] = [];
    const wrapBlobs = (blobs: BlobStore): BlobStore => ({
      ...blobs,
      putSmall(chunks) {
        const buffers = new Set(chunks.map(({ buffer }) => buffer));
        held.push([...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0));
        return blobs.putSmall(chunks);
      },
    });
    const uploads = opened.restart({ wrapBlobs });
    const one = (size: number, cut: number) => ({ body: bodyOf(slices(fresh(size), cut)) });
    for (const blob of [one(100, 100), one(100, 10), one(10_000, 10_000), one(10_000, 100)]) {
      expect((await putAll(uploads, opened.alice, [blob])).error).toBeUndefined();
    }
    expect(held).toEqual([1024, 1024, 10_000, 21 * 1024]);
  });

  it("whose reader stops lets go of its source once what is under way is stored", async () => {
    const { alice } = opened;
    let commits = 0;
    const uploads = opened.restart({
      wrapMetadata: hookMetadata({ after: (deed) => void (deed === "insertBlobs" && commits++) }),
    });
    let closed = false;
    async function* source() {
      try {
        for (;;) yield inputOf(fresh(10));
      } finally {
        closed = true;
      }
    }
    for await (const _ of uploads.putBlobs({ blobs: source() }, alice)) break;
    expect(closed).toBe(true);
    const then = commits;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(commits).toBe(then);
  });

  it("needs the permission to upload before anything is read", async () => {
    const { uploads, alice } = opened;
    const reader = { caller: { ...alice.caller, permissions: new Set(["read"] as const) } };
    let touched = false;
    async function* source() {
      touched = true;
      yield { body: sendWhole(fresh(10)) };
    }
    const { error } = await putAll(uploads, reader, source());
    expect(error).toMatchObject({ code: "denied" });
    expect(touched).toBe(false);
  });
});
