import { readdir, readFile, rename, truncate } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isStored, messagesOf, readBack, refOf, upload } from "../support/blob-messages.js";
import { pseudoRandom } from "../support/bodies.js";
import { openClient, refusalOf, type TestClient } from "../support/client.js";
import { deferred, storeFile, useServer } from "./scene.js";

const server = useServer();
let seed = 0;
/** Content that no other test has. */
const fresh = (length: number) => pseudoRandom(length, 20_000 + seed++);
const names = ["sha1", "sha224", "sha256"] as const;

describe.each(["connect/1.1", "grpc/2", "grpc-web/1.1"] as const)("over %s", (wire) => {
  const client = new Proxy({} as TestClient, { get: (_, name: keyof TestClient) => server.client(wire)[name] });

  it("blobs of all sizes and algorithms in one stream are answered in order, and read as they were sent", async () => {
    const contents = [0, 1, 4096, 131_073, 5_000_000].map(fresh);
    const blobs = contents.flatMap((content) => names.map((name) => ({ content, ref: refOf(content, name) })));
    const messages = blobs.flatMap(({ content, ref }) => [...messagesOf(content, ref)]);
    const answer = await upload(client, messages);
    expect(answer.blobs.map(({ blob }) => [blob?.ref?.algorithm, blob?.ref?.digest, Number(blob?.sizeBytes)])).toEqual(
      blobs.map(({ content, ref }) => [ref.algorithm, ref.digest, content.length]),
    );
    for (const { content, ref } of blobs) expect((await readBack(client, ref)).equals(content)).toBe(true);
    const again = await upload(client, messages);
    expect(again.blobs.map(({ blob }) => blob)).toEqual(answer.blobs.map(({ blob }) => blob));
    expect(again.blobs.every(({ applied }) => !applied)).toBe(true);
  });

  it("a blob without a ref is named by its SHA-256, and an empty message is the empty blob", async () => {
    const content = fresh(100_000);
    const answer = await upload(client, [...messagesOf(content, undefined, 30_000), {}]);
    expect(answer.blobs.map(({ blob }) => blob?.ref?.digest)).toEqual(
      [content, new Uint8Array()].map((each) => refOf(each).digest),
    );
    expect(answer.blobs[0]).toMatchObject({ applied: true });
  });

  it("messages without bytes count for nothing in the middle of a blob", async () => {
    const content = fresh(10) as Uint8Array<ArrayBuffer>;
    const ref = refOf(content);
    const answer = await upload(client, [{ ref, more: true }, { data: content, more: true }, { more: true }, {}]);
    expect(answer.blobs).toHaveLength(1);
    expect(answer.blobs[0]?.blob).toMatchObject({ ref, sizeBytes: 10n });
  });

  it("an empty stream stores nothing", async () => {
    expect((await upload(client, [])).blobs).toEqual([]);
  });

  it("of some blobs those are told that are there", async () => {
    const content = fresh(10);
    const { blobs } = await upload(client, messagesOf(content));
    const missing = refOf(fresh(10));
    const refs = [missing, { ...refOf(content), digest: refOf(content).digest.toUpperCase() }, refOf(content)];
    expect((await client.blobs.statBlobs({ refs })).blobs).toEqual([blobs[0]?.blob]);
    expect((await client.blobs.statBlobs({})).blobs).toEqual([]);
  });

  it("any range is read: the first message says the blob, and none has more than 1 MiB", async () => {
    const content = fresh(3_000_000);
    const ref = refOf(content);
    await upload(client, messagesOf(content));
    const messages = [];
    for await (const message of client.blobs.readBlob({ ref })) messages.push(message);
    const [first, ...rest] = messages;
    expect(first?.blob).toMatchObject({ ref, sizeBytes: 3_000_000n });
    expect(rest.every(({ blob }) => blob === undefined)).toBe(true);
    expect(Math.max(...messages.map(({ data }) => data.length))).toBeLessThanOrEqual(2 ** 20);
    for (const [offset, limit] of [
      [0, 0],
      [5, 10],
      [2_999_999, 5],
      [3_000_000, 1],
      [1_048_575, 1_048_578],
    ] as const) {
      const read = await readBack(client, ref, { offset: BigInt(offset), limit: BigInt(limit) });
      expect(read.equals(content.subarray(offset, offset + limit))).toBe(true);
    }
  });

  it("pages of the list are in the order of the refs, and together they are all of it", async () => {
    for (const name of names) {
      const content = fresh(10);
      await upload(client, messagesOf(content, refOf(content, name)));
    }
    const whole = await client.blobs.listBlobs({ pageSize: 1000 });
    const texts = whole.blobs.map(({ ref }) => `${names[(ref?.algorithm ?? 0) - 2]}-${ref?.digest}`);
    expect(texts).toEqual([...texts].sort());
    const paged = [];
    let pageToken = "";
    do {
      const page = await client.blobs.listBlobs({ pageSize: 4, pageToken });
      paged.push(...page.blobs);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(paged).toEqual(whole.blobs);
  });

  it("removed blobs are gone, and removing again is the same", async () => {
    const contents = [fresh(10), fresh(200_000)];
    await upload(
      client,
      contents.flatMap((content) => [...messagesOf(content)]),
    );
    const refs = contents.map((content) => refOf(content));
    expect((await client.blobs.removeBlobs({ refs })).removedCount).toBe(2);
    expect((await client.blobs.removeBlobs({ refs })).removedCount).toBe(0);
    expect((await client.blobs.statBlobs({ refs })).blobs).toEqual([]);
    expect((await refusalOf(readBack(client, refs[0]!))).reason).toBe("BLOB_NOT_FOUND");
  });

  it("a published file is a blob, also when its session is gone", async () => {
    const content = fresh(200_000);
    const place = await storeFile(client, content);
    const { sessionId } = place;
    await client.sessions.completeSession({ sessionId });
    expect(await isStored(client, refOf(content))).toBe(false);
    const first = await client.blobs.publishFile({ ...place });
    expect(first).toMatchObject({ applied: true, blob: { ref: refOf(content), sizeBytes: 200_000n } });
    expect(await client.blobs.publishFile({ ...place })).toMatchObject({ applied: false, blob: first.blob });
    await client.sessions.deleteSession({ sessionId });
    expect((await readBack(client, refOf(content))).equals(content)).toBe(true);
  });

  it("a stream that its client cancels keeps the blobs that were whole, and nothing of the one under way (P11)", async () => {
    const own = openClient(server.get(), wire);
    const [whole, part] = [fresh(1000), fresh(1000) as Uint8Array<ArrayBuffer>];
    const abort = new AbortController();
    const { promise: sent, resolve } = deferred();
    async function* stream() {
      yield* messagesOf(whole);
      yield { data: part, more: true };
      resolve();
      await new Promise((_, reject) => abort.signal.addEventListener("abort", reject));
    }
    const call = own.blobs.uploadBlobs(stream(), { signal: abort.signal });
    const refusal = refusalOf(call);
    await sent;
    while (!(await isStored(client, refOf(whole)))) await new Promise((wait) => setTimeout(wait, 10));
    abort.abort();
    expect((await refusal).code).toBe("CANCELED");
    own.close();
    // The same bytes once more are stored then: nothing of the first try is in the way.
    expect(await isStored(client, refOf(part))).toBe(false);
    expect((await upload(client, messagesOf(part))).blobs[0]?.applied).toBe(true);
  });
});

describe("a medium that fails", () => {
  it("makes reading CONTENT_DAMAGED where bytes are missing", async () => {
    const client = server.client("grpc/2");
    const content = fresh(300_000);
    await upload(client, messagesOf(content));
    const { dataDir } = server.get();
    for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || path.startsWith(join(dataDir, "database"))) continue;
      if ((await readFile(path)).includes(Buffer.from(content.subarray(0, 64)))) await truncate(path, 1000);
    }
    expect(await refusalOf(readBack(client, refOf(content)))).toMatchObject({
      code: "DATA_LOSS",
      reason: "CONTENT_DAMAGED",
    });
  });

  it("makes uploading STORAGE_UNAVAILABLE, and nothing is stored; what is there already needs no medium", async () => {
    const client = server.client("grpc/2");
    const [stored, content] = [fresh(200_000), fresh(200_000)];
    await upload(client, messagesOf(stored));
    const path = join(server.get().dataDir, "extents");
    await rename(path, `${path}-away`);
    try {
      expect(await refusalOf(upload(client, messagesOf(content)))).toMatchObject({
        code: "UNAVAILABLE",
        reason: "STORAGE_UNAVAILABLE",
      });
      expect((await upload(client, messagesOf(stored, refOf(stored)))).blobs[0]?.applied).toBe(false);
    } finally {
      await rename(`${path}-away`, path);
    }
    expect(await isStored(client, refOf(content))).toBe(false);
  });
});
