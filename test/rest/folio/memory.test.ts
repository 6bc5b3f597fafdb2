// What uploads through this face cost in memory, and that they arrive whole, however large.
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pseudoRandom } from "../../support/bodies.js";
import { openClient, type TestClient } from "../../support/client.js";
import { type FolioBody, type FolioClient, fileOf, openFolio, trustOkapi } from "../../support/folio.js";
import { growthDuring, mostGrowthMib } from "../../support/memory-growth.js";
import { readMetrics } from "../../support/metrics.js";
import { makeBlocks } from "../../support/noise-blocks.js";
import { startServer, type TestServer } from "../../support/server.js";
import { uploadMany } from "../../support/upload-load.js";

const mib = 2 ** 20;
const gib = 2 ** 30;

const noise = pseudoRandom(16 * 1024);

let server: TestServer;
let folio: FolioClient;
let typed: TestClient;

beforeAll(async () => {
  server = await startServer({ env: trustOkapi });
  folio = openFolio(server.url);
  typed = openClient(server);
  // Node takes memory for its heap with the first work that it is given, and keeps it: that is no cost of an upload.
  await uploadMany(server, { count: 16, sizeBytes: 16 * mib, chunkBytes: mib });
});
afterAll(async () => {
  folio.close();
  typed.close();
  await server.kill();
  await rm(server.dataDir, { recursive: true, force: true });
});

/** All at once into one definition, each over a connection of its own; in the end all of them are there. */
async function uploadFiles(
  count: number,
  contentOf: () => { readonly bytes: FolioBody["bytes"]; digest(): string },
): Promise<void> {
  const { id, fileDefinitions } = await folio.create(Array.from({ length: count }, (_, n) => `${n}.mrc`));
  const sent = await Promise.all(
    fileDefinitions.map(async (file) => {
      const content = contentOf();
      const { status, text } = await folio.upload(id, file.id, content);
      expect(status, text).toBe(200);
      return { fileId: file.id, digest: content.digest() };
    }),
  );
  const { status, fileDefinitions: files } = await folio.read(id);
  expect([status, new Set(files.map((file) => file.status))]).toEqual(["LOADED", new Set(["UPLOADED"])]);
  for (const { fileId, digest } of sent) {
    const { file } = await typed.files.getFile({ sessionId: id, fileId });
    expect(file?.content?.checksums.map(({ checksum }) => checksum)).toContain(digest);
  }
}

/** 16 KiB a second, ten times. */
function makeSlowContent() {
  const hash = createHash("sha256");
  async function* bytes() {
    for (let sent = 0; sent < 10; sent++) {
      hash.update(noise);
      yield noise;
      await sleep(1_000);
    }
  }
  return { bytes: bytes(), digest: () => hash.digest("hex") };
}

async function hashRead(sessionId: string, fileId: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const { data } of typed.files.readFile({ sessionId, fileId })) hash.update(data);
  return hash.digest("hex");
}

// Of what is large, the server's own digest of all bytes that arrived has to do: to read it back takes longer than to send it.
describe("uploads through FOLIO's face cost a server that has worked at most 96 MiB of resident memory", () => {
  it.each([
    ["256 MiB of which the length is announced, which come back as they were sent", gib / 4, true],
    ["5 GiB in chunks of HTTP/1.1, which have the digest that was sent", 5 * gib, false],
  ])(
    "%s (P1, P10)",
    async (_, sizeBytes, announced) => {
      const { id, fileDefinitions } = await folio.create(["large.mrc"]);
      const [{ id: fileId } = { id: "" }] = fileDefinitions;
      const content = makeBlocks(sizeBytes / mib);
      const growth = await growthDuring(server.pid, async () => {
        const lengthBytes = announced ? sizeBytes : undefined;
        const { status, text } = await folio.upload(id, fileId, { bytes: content.bytes, lengthBytes });
        expect(status, text).toBe(200);
      });
      const made = await folio.read(id);
      expect([made.status, fileOf(made, fileId).status]).toEqual(["LOADED", "UPLOADED"]);
      const digest = content.digest();
      const { file } = await typed.files.getFile({ sessionId: id, fileId });
      expect(file?.content?.checksums.map(({ checksum }) => checksum)).toContain(digest);
      if (sizeBytes < gib) expect(await hashRead(id, fileId)).toBe(digest);
      expect(growth).toBeLessThanOrEqual(mostGrowthMib);
    },
    300_000,
  );

  it("200 slow files at the same time, each of a definition of its own (P5, P10)", async () => {
    const growth = await growthDuring(server.pid, async () => {
      await Promise.all(Array.from({ length: 200 }, () => uploadFiles(1, makeSlowContent)));
    });
    expect(growth).toBeLessThanOrEqual(mostGrowthMib);
  }, 120_000);
});

it("64 files of 8 MiB into one definition at the same time are all there in the end, and uploads hold no more than their budget (P5, P10)", async () => {
  let uploading = true;
  const watching = (async () => {
    const held: number[] = [];
    for (; uploading; await sleep(50)) held.push((await readMetrics(server.url)).get("slipway_buffered_bytes")!);
    return Math.max(...held);
  })();
  await uploadFiles(64, () => makeBlocks(8)).finally(() => {
    uploading = false;
  });
  const most = await watching;
  expect(most, "an upload that holds nothing shows nothing").toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual((await readMetrics(server.url)).get("slipway_buffered_limit_bytes")!);
}, 120_000);
