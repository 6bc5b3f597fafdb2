// Uploads through FOLIO's face whose client stalls, and whose server stops.
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { readBack } from "../../rpc/scene.js";
import { pseudoRandom } from "../../support/bodies.js";
import { openClient } from "../../support/client.js";
import { type FolioClient, fileOf, openFolio, trustOkapi } from "../../support/folio.js";
import { type ServerOptions, startServer, type TestServer } from "../../support/server.js";
import { startTcpProxy } from "../../support/tcp-proxy.js";

const content = Buffer.from(pseudoRandom(700_000));
const other = Buffer.from(pseudoRandom(900_000, 2));

async function start(options: ServerOptions = {}): Promise<TestServer> {
  const server = await startServer({ ...options, env: trustOkapi });
  onTestFinished(async () => {
    await server.kill();
    await rm(server.dataDir, { recursive: true, force: true });
  });
  return server;
}

function open(url: string): FolioClient {
  const folio = openFolio(url);
  onTestFinished(folio.close);
  return folio;
}

async function create(folio: FolioClient, count: number) {
  const { id, fileDefinitions } = await folio.create(Array.from({ length: count }, (_, n) => `${n}.mrc`));
  return { id, fileIds: fileDefinitions.map((file) => file.id) };
}

async function untilStatus(folio: FolioClient, id: string, fileId: string, status: string): Promise<void> {
  while (fileOf(await folio.read(id), fileId).status !== status) await sleep(5);
}

async function readStored({ url, token }: TestServer, sessionId: string, fileId: string): Promise<Buffer> {
  const typed = openClient({ url, token });
  return readBack(typed, { sessionId, fileId }).finally(() => typed.close());
}

/** A client that has sent some of a file over a line that carries nothing more, and tells nobody. */
async function stall(server: TestServer, id: string, fileId: string) {
  const line = await startTcpProxy(server.url);
  onTestFinished(() => line.close());
  const upload = open(line.url).begin(id, fileId, content.length);
  await upload.send(content.subarray(0, 300_000));
  await untilStatus(open(server.url), id, fileId, "UPLOADING");
  line.stall(true);
  return { line, upload };
}

describe("a client that stalls in the middle of an upload", () => {
  it("is replaced by the next one within 100 ms, and hears that it was interrupted once it goes on (P7)", async () => {
    const server = await start();
    const folio = open(server.url);
    const { id, fileIds } = await create(folio, 1);
    const fileId = fileIds[0]!;
    const { line, upload } = await stall(server, id, fileId);
    const since = performance.now();
    const { status, text } = await folio.upload(id, fileId, { bytes: [other], lengthBytes: other.length });
    // With ten times the slack.
    expect([status, performance.now() - since < 1_000], text).toEqual([200, true]);
    expect((await folio.read(id)).status).toBe("LOADED");

    line.stall(false);
    await upload.send(content.subarray(300_000));
    upload.end();
    expect(await upload.answer).toEqual({
      status: 400,
      text: `Upload stream for file with id '${fileId}' has been interrupted`,
    });
    const made = await folio.read(id);
    expect([made.status, fileOf(made, fileId).status]).toEqual(["LOADED", "UPLOADED"]);
    expect((await readStored(server, id, fileId)).equals(other)).toBe(true);
  });

  it("is in nobody's way: other files come, its own is taken away, and so is the definition", async () => {
    const server = await start();
    const folio = open(server.url);
    const { id, fileIds } = await create(folio, 3);
    const [first = "", second = "", third = ""] = fileIds;
    const stalled = await stall(server, id, first);
    const doomed = await stall(server, id, second);
    expect((await folio.upload(id, third, { bytes: [other] })).status).toBe(200);
    expect((await folio.removeFile(id, first)).status).toBe(204);
    expect((await folio.read(id)).fileDefinitions.map((file) => file.id).sort()).toEqual([second, third].sort());
    expect((await folio.remove(id)).status).toBe(204);
    expect((await folio.get(id)).status).toBe(404);
    for (const { line, upload } of [stalled, doomed]) {
      line.stall(false);
      await upload.send(content.subarray(300_000));
      upload.end();
    }
    expect(await stalled.upload.answer).toEqual({
      status: 404,
      text: `FileDefinition not found. FileDefinition ID: ${first}`,
    });
    expect(await doomed.upload.answer).toEqual({ status: 404, text: `Upload Definition was not found. ID: ${id}` });
  });

  it("leaves the file in ERROR when its connection ends, and what the file held before", async () => {
    const server = await start();
    const folio = open(server.url);
    const { id, fileIds } = await create(folio, 1);
    const fileId = fileIds[0]!;
    expect((await folio.upload(id, fileId, { bytes: [other] })).status).toBe(200);
    const { line } = await stall(server, id, fileId);
    line.drop();
    await untilStatus(folio, id, fileId, "ERROR");
    // All files are.
    expect((await folio.read(id)).status).toBe("ERROR");
    expect((await readStored(server, id, fileId)).equals(other)).toBe(true);
  });
});

describe("SIGTERM during uploads", () => {
  it("lets those that go on come to their end, cuts those that hang, and every file is UPLOADED or ERROR after it", async () => {
    const server = await start();
    const folio = open(server.url);
    const slow = await create(folio, 1);
    const hung = await create(folio, 2);
    const [again = "", fresh = ""] = hung.fileIds;
    expect((await folio.upload(hung.id, again, { bytes: [other] })).status).toBe(200);
    const places = [
      [slow.id, slow.fileIds[0]!],
      [hung.id, again],
      [hung.id, fresh],
    ] as const;
    const uploads = places.map(([id, fileId]) => folio.begin(id, fileId, content.length));
    for (const [at, upload] of uploads.entries()) {
      await upload.send(content.subarray(0, 300_000));
      await untilStatus(folio, ...places[at]!, "UPLOADING");
    }
    const since = performance.now();
    const stopped = server.stop();
    await sleep(500);
    const [slowOne, ...hungOnes] = uploads;
    await slowOne!.send(content.subarray(300_000));
    slowOne!.end();
    expect((await slowOne!.answer).status).toBe(200);
    expect(await stopped).toBe(0);
    expect(performance.now() - since).toBeLessThan(25_000);
    for (const { answer } of hungOnes) expect((await answer).status).toBe(503);

    const next = await start({ dataDir: server.dataDir });
    const then = open(next.url);
    const filled = await then.read(slow.id);
    expect([filled.status, fileOf(filled, places[0][1]).status]).toEqual(["LOADED", "UPLOADED"]);
    expect((await readStored(next, ...places[0])).equals(content)).toBe(true);
    const cut = await then.read(hung.id);
    expect([fileOf(cut, again).status, fileOf(cut, fresh).status, cut.status]).toEqual(["ERROR", "ERROR", "ERROR"]);
    expect((await readStored(next, hung.id, again)).equals(other)).toBe(true);
    for (const fileId of hung.fileIds) {
      expect((await then.upload(hung.id, fileId, { bytes: [content] })).status).toBe(200);
    }
    expect((await then.read(hung.id)).status).toBe("LOADED");
  });
});
