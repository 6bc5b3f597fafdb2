import { createHash } from "node:crypto";
import { open, readdir, readlink, truncate } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { pseudoRandom } from "../support/bodies.js";
import { refusalOf, type TestClient } from "../support/client.js";
import { damage } from "./damage.js";
import { type Place, readBack, send, storeFile, useServer } from "./scene.js";

const server = useServer();
const content = pseudoRandom(5_000_000);
const patience = { timeout: 20_000, interval: 50 };

/** How many files of content a process has open. */
async function openExtents(pid: number): Promise<number> {
  const folder = `/proc/${pid}/fd`;
  const paths = await Promise.all((await readdir(folder)).map((fd) => readlink(`${folder}/${fd}`).catch(() => "")));
  return paths.filter((path) => path.includes("/extents/")).length;
}

describe.each(["connect/1.1", "grpc/2", "grpc-web/1.1"] as const)("over %s", (wire) => {
  const client = new Proxy({} as TestClient, { get: (_, name: keyof TestClient) => server.client(wire)[name] });
  const one: { place?: Promise<Place> } = {};
  const stored = () => (one.place ??= storeFile(client, content));

  it("the first message says the file, and no message has more than 1 MiB", async () => {
    const place = await stored();
    const messages = [];
    for await (const message of client.files.readFile({ ...place })) messages.push(message);
    const [first, ...rest] = messages;
    expect(first?.file).toMatchObject({ id: place.fileId, content: { sizeBytes: 5_000_000n } });
    expect(first?.file?.content?.checksums[0]?.checksum).toBe(createHash("sha256").update(content).digest("hex"));
    expect(rest.every(({ file }) => file === undefined)).toBe(true);
    expect(Math.max(...messages.map(({ data }) => data.length))).toBeLessThanOrEqual(2 ** 20);
  });

  const ranges: [number, number | undefined][] = [
    [0, undefined],
    [0, 0],
    [0, 1],
    [1, 1],
    [131_071, 2],
    [1_048_575, 1_048_578],
    [4_999_999, undefined],
    [4_999_999, 100],
    [5_000_000, undefined],
    [5_000_000, 1],
    [0, Number.MAX_SAFE_INTEGER],
  ];
  it.each(ranges)("from %s with a limit of %s gives exactly these bytes", async (offset, limit) => {
    const range = { offset: BigInt(offset), ...(limit === undefined ? {} : { limit: BigInt(limit) }) };
    const read = await readBack(client, await stored(), range);
    expect(read.equals(content.subarray(offset, limit === undefined ? undefined : offset + limit))).toBe(true);
  });

  it("an empty file has a first message", async () => {
    const place = await storeFile(client, new Uint8Array());
    const messages = [];
    for await (const message of client.files.readFile({ ...place })) messages.push(message);
    expect(messages.map(({ file, data }) => [file?.id, data.length])).toEqual([[place.fileId, 0]]);
  });

  it("a read that has begun goes on with its content when a newer attempt becomes whole", async () => {
    const place = await storeFile(client, content);
    const answers = client.files.readFile({ ...place })[Symbol.asyncIterator]();
    const chunks = [(await answers.next()).value?.data ?? new Uint8Array()];
    await send(client, place, pseudoRandom(1_000, 3), { restart: true });
    for (let next = await answers.next(); next.done !== true; next = await answers.next()) chunks.push(next.value.data);
    expect(Buffer.concat(chunks).equals(content)).toBe(true);
    expect((await readBack(client, place)).length).toBe(1_000);
  });

  it("a reader that goes away leaves the file readable", async () => {
    const place = await stored();
    const abort = new AbortController();
    const reading = (async () => {
      for await (const { data } of client.files.readFile({ ...place }, { signal: abort.signal })) {
        if (data.length > 0) abort.abort();
      }
    })();
    expect((await refusalOf(reading)).code).toBe("CANCELED");
    expect((await readBack(client, place)).equals(content)).toBe(true);
  });

  it("a reader that stops reading and then goes away leaves nothing open (P10)", async () => {
    const { pid } = server.get();
    // More than all the buffers on the way hold.
    const place = await storeFile(client, pseudoRandom(32 * 2 ** 20));
    const stop = new AbortController();
    const reading = client.files.readFile({ ...place }, { signal: stop.signal })[Symbol.asyncIterator]();
    await reading.next();
    await reading.next();
    await expect.poll(() => openExtents(pid), patience).toBe(1);
    stop.abort();
    await expect.poll(() => openExtents(pid), patience).toBe(0);
  });

  it("twenty readers at once read the same", async () => {
    const place = await stored();
    const read = await Promise.all(Array.from({ length: 20 }, () => readBack(client, place, { limit: 500_000n })));
    expect(read.every((each) => each.equals(content.subarray(0, 500_000)))).toBe(true);
  });

  it("a file of a session without an item stays readable after it is DONE", async () => {
    const place = await storeFile(client, content);
    await client.sessions.completeSession({ sessionId: place.sessionId });
    expect((await readBack(client, place)).equals(content)).toBe(true);
  });
});

describe("content that was damaged on the disk", () => {
  it("is CONTENT_DAMAGED where bytes are missing, and what was sent before is right", async () => {
    const client = server.client("grpc/2");
    const own = pseudoRandom(3_000_000, 77);
    const place = await storeFile(client, own);
    await damage(server.get().dataDir, own.subarray(0, 64), (path) => truncate(path, 1_500_000));
    const read: Uint8Array[] = [];
    const refusal = await refusalOf(
      (async () => {
        for await (const { data } of client.files.readFile({ ...place })) read.push(data);
      })(),
    );
    expect([refusal.code, refusal.reason]).toEqual(["DATA_LOSS", "CONTENT_DAMAGED"]);
    const got = Buffer.concat(read);
    expect(got.length).toBeLessThan(own.length);
    expect(got.equals(own.subarray(0, got.length))).toBe(true);
  });

  it("is CONTENT_DAMAGED where a bit of small content is wrong", async () => {
    const client = server.client("connect/1.1");
    const own = pseudoRandom(20_000, 78);
    const place = await storeFile(client, own);
    await damage(server.get().dataDir, own.subarray(0, 64), async (path, at) => {
      const file = await open(path, "r+");
      await file.write(Uint8Array.of(own[100]! ^ 1), 0, 1, at + 100);
      await file.close();
    });
    const refusal = await refusalOf(readBack(client, place));
    expect([refusal.code, refusal.reason]).toEqual(["DATA_LOSS", "CONTENT_DAMAGED"]);
  });
});
