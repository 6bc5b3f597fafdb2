// Files in a library's own backing folder, which are moved and not copied.
import { createHash, randomUUID } from "node:crypto";
import {
  appendFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SourceFailure } from "../../gen/slipway/upload/v1/failure_pb.js";
import { type File, FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import { SessionState } from "../../gen/slipway/upload/v1/session_pb.js";
import { serve } from "../sources/web.js";
import { pseudoRandom } from "../support/bodies.js";
import { openClient, refusalOf, type TestClient } from "../support/client.js";
import { startServer, type TestServer } from "../support/server.js";
import { makeTempDir, removeTempDir } from "../support/temp-dir.js";

const memory = "/dev/shm";
const soon = { timeout: 40_000, interval: 50 };

let folder: string;
let root: string;
let backing: string;
let elsewhere: string | undefined;
let server: TestServer;
let client: TestClient;

beforeAll(async () => {
  folder = await realpath(await makeTempDir());
  root = join(folder, "root");
  backing = join(root, "backing");
  await mkdir(backing, { recursive: true });
  elsewhere = await mkdtemp(join(memory, "slipway-")).catch(() => undefined);
  const SLIPWAY_PULL_ROOTS = [root, ...(elsewhere === undefined ? [] : [elsewhere])].join(",");
  server = await startServer({ env: { SLIPWAY_PULL_ROOTS, SLIPWAY_PULL_ALLOW: "127.0.0.1" } });
  client = openClient(server);
});
afterAll(async () => {
  client?.close();
  await server?.kill();
  await removeTempDir(folder);
  if (elsewhere !== undefined) await rm(elsewhere, { recursive: true });
});

/** The same data folder again, as after a crash. */
async function restart(env: Record<string, string> = {}): Promise<void> {
  await server.kill();
  const settings = { SLIPWAY_PULL_ROOTS: root, SLIPWAY_PULL_ALLOW: "127.0.0.1", ...env };
  server = await startServer({ dataDir: server.dataDir, env: settings });
  client.close();
  client = openClient(server);
}

async function makeItem(backingFolder = backing): Promise<string> {
  const { library } = await client.catalog.createLibrary({ name: randomUUID(), backingFolder });
  const { item } = await client.catalog.createItem({ libraryId: library!.id, name: "item" });
  return item!.id;
}

async function put(content: Uint8Array, inFolder = backing): Promise<string> {
  const path = join(inFolder, `${randomUUID()}.bin`);
  await writeFile(path, content);
  // An old file, as its bytes are in the store at once.
  await utimes(path, 1e9, 1e9);
  return path;
}

interface Place {
  readonly sessionId: string;
  readonly fileId: string;
  readonly itemId: string;
}

async function declare(path: string, more: { itemId?: string; spec?: object } = {}): Promise<Place> {
  const itemId = more.itemId ?? (await makeItem());
  const { session } = await client.sessions.createSession({ itemId });
  const sessionId = session!.id;
  const spec = { name: "a.bin", source: { uri: pathToFileURL(path).href }, ...more.spec };
  const { file } = await client.files.addFile({ sessionId, spec });
  return { sessionId, fileId: file!.id, itemId };
}

async function settled({ sessionId, fileId }: Place): Promise<File> {
  const ask = async () => (await client.files.getFile({ sessionId, fileId })).file!;
  await expect.poll(async () => (await ask()).state, soon).toBeGreaterThanOrEqual(FileState.READY);
  return ask();
}

async function declareReady(path: string, more: Parameters<typeof declare>[1] = {}): Promise<Place> {
  const place = await declare(path, more);
  expect((await settled(place)).failure?.message?.defaultMessage).toBeUndefined();
  return place;
}

async function complete({ sessionId }: Place): Promise<void> {
  const { session } = await client.sessions.completeSession({ sessionId });
  expect(session?.state).toBe(SessionState.DONE);
}

async function readItem({ itemId }: Place): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const { data } of client.catalog.readItemFile({ itemId, name: "a.bin" })) chunks.push(data);
  return Buffer.concat(chunks);
}

const linksOf = async (path: string) => (await stat(path)).nlink;
const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
const isGone = (path: string) => expect.poll(() => isThere(path), soon).toBe(false);

/** Removals come in the order of their completions: after one more has been seen to, so were those before it. */
async function untilSeenTo(): Promise<void> {
  const path = await put(pseudoRandom(1000));
  await complete(await declareReady(path));
  await isGone(path);
}

describe("a file in the backing folder of its library", () => {
  it.each([1, 5000, 3_000_001])("of %d bytes is linked, and is gone from there when it is visible", async (size) => {
    const content = pseudoRandom(size);
    const path = await put(content);
    const place = await declareReady(path);
    expect(await linksOf(path)).toBe(2);
    await complete(place);
    expect(Buffer.compare(await readItem(place), content)).toBe(0);
    await isGone(path);
    expect(Buffer.compare(await readItem(place), content)).toBe(0);
  });

  it("is checked: another size and another checksum than declared are refused, and it is left alone", async () => {
    const path = await put(pseudoRandom(5000));
    const sized = await settled(await declare(path, { spec: { sizeBytes: 4999n } }));
    expect(sized.failure?.sourceFailure).toBe(SourceFailure.SIZE_DIFFERS);
    const wrong = [{ algorithm: 1, checksum: "0".repeat(32) }];
    const hashed = await settled(await declare(path, { spec: { checksums: wrong } }));
    expect(hashed.failure?.message?.defaultMessage).toMatch(/md5/);
    const right = [
      {
        algorithm: 1,
        checksum: createHash("md5")
          .update(await readFile(path))
          .digest("hex"),
      },
    ];
    const { content } = await settled(await declare(path, { spec: { checksums: right, sizeBytes: 5000n } }));
    expect(content?.checksums).toEqual(expect.arrayContaining([expect.objectContaining(right[0]!)]));
    expect(await isThere(path)).toBe(true);
  });

  it("that was replaced before the completion is left alone, and its former content is what came", async () => {
    const content = pseudoRandom(200_000);
    const path = await put(content);
    const place = await declareReady(path);
    await writeFile(`${path}.new`, "another one");
    await rename(`${path}.new`, path);
    await complete(place);
    await untilSeenTo();
    expect(await readFile(path, "utf8")).toBe("another one");
    expect(Buffer.compare(await readItem(place), content)).toBe(0);
  });

  it("P6: that was written to after it was hashed does not become visible: the file fails and says why", async () => {
    const path = await put(pseudoRandom(200_000));
    const place = await declareReady(path);
    await appendFile(path, "more");
    const refusal = await refusalOf(client.sessions.completeSession({ sessionId: place.sessionId }));
    expect(refusal).toMatchObject({ reason: "FILES_INCOMPLETE", missing: ["a.bin"] });
    const { failure, content } = await settled(place);
    expect([failure?.sourceFailure, content]).toEqual([SourceFailure.CHANGED, undefined]);
    expect(failure?.message?.defaultMessage).toMatch(/was written to after it was taken over; try again/);
    expect(await linksOf(path)).toBe(2);
    await client.files.removeFile(place);
    const again = { spec: { name: "a.bin", source: { uri: pathToFileURL(path).href } }, sessionId: place.sessionId };
    const { file } = await client.files.addFile(again);
    await settled({ ...place, fileId: file!.id });
    await complete(place);
    expect((await readItem(place)).subarray(-4).toString()).toBe("more");
    await isGone(path);
  });

  it("P6: that was written to while its session waits for another file opens the session again", async () => {
    const path = await put(pseudoRandom(5000));
    const place = await declareReady(path);
    let end = () => {};
    const web = await serve((_request, response) => {
      end = () => response.end("late");
    });
    const { sessionId } = place;
    await client.files.addFile({ sessionId, spec: { name: "late", source: { uri: `${web.url}/late` } } });
    expect((await client.sessions.completeSession({ sessionId })).session?.state).toBe(SessionState.COMPLETING);
    await appendFile(path, "more");
    await expect.poll(() => web.requests.length, soon).toBe(1);
    end();
    const state = async () => (await client.sessions.getSession({ sessionId })).session?.state;
    await expect.poll(state, soon).toBe(SessionState.ACTIVE);
    expect((await settled(place)).failure?.sourceFailure).toBe(SourceFailure.CHANGED);
    expect(await isThere(path)).toBe(true);
  });

  it("P5: is left alone when its session is cancelled or failed, and when it is taken out", async () => {
    const paths = [];
    for (let n = 0; n < 3; n++) paths.push(await put(pseudoRandom(5000)));
    const [canceled, failed, removed] = await Promise.all(paths.map((path) => declareReady(path)));
    await client.sessions.cancelSession(canceled!);
    await client.sessions.failSession({ ...failed!, message: "no" });
    await client.files.removeFile(removed!);
    await complete(removed!);
    await untilSeenTo();
    for (const path of paths) expect(await isThere(path)).toBe(true);
  });

  it("that somebody holds open and writes to after the completion is found damaged by a check", async () => {
    const path = await put(pseudoRandom(5000));
    const place = await declareReady(path);
    const findings = async () => {
      const found: string[] = [];
      for await (const { news } of client.maintenance.checkStore({})) {
        if (news.case === "finding") found.push(news.value.message);
      }
      return found;
    };
    const held = await open(path, "r+");
    await complete(place);
    await isGone(path);
    expect(await findings()).toEqual([]);
    await held.write("other");
    await held.close();
    expect(await findings()).toEqual([expect.stringMatching(/the bytes e:[0-9a-f]+ have the sha256 /)]);
  });

  it("that is empty is copied and left alone", async () => {
    const path = await put(new Uint8Array());
    const place = await declareReady(path);
    await complete(place);
    await untilSeenTo();
    expect([(await readItem(place)).length, await isThere(path)]).toEqual([0, true]);
  });
});

describe("a file elsewhere", () => {
  it("outside of the backing folder is copied and left alone", async () => {
    const content = pseudoRandom(5000);
    const path = await put(content, root);
    const place = await declareReady(path);
    expect(await linksOf(path)).toBe(1);
    await complete(place);
    await untilSeenTo();
    expect(Buffer.compare(await readItem(place), await readFile(path))).toBe(0);
  });

  it("in a session without an item, or in a library without such a folder, is copied and left alone", async () => {
    const path = await put(pseudoRandom(5000));
    const itemless = await client.sessions.createSession({});
    const sessionId = itemless.session!.id;
    const spec = { name: "a.bin", source: { uri: pathToFileURL(path).href } };
    const { file } = await client.files.addFile({ sessionId, spec });
    await settled({ sessionId, fileId: file!.id, itemId: "" });
    await declareReady(path, { itemId: await makeItem("") });
    expect(await linksOf(path)).toBe(1);
  });

  it("on another file system is copied and left alone", async ({ skip }) => {
    const isOther = elsewhere !== undefined && (await stat(elsewhere)).dev !== (await stat(server.dataDir)).dev;
    if (!isOther) skip("there is no other file system here");
    const path = await put(pseudoRandom(5000), elsewhere);
    const place = await declareReady(path, { itemId: await makeItem(elsewhere) });
    expect(await linksOf(path)).toBe(1);
    await complete(place);
    await untilSeenTo();
    expect(Buffer.compare(await readItem(place), await readFile(path))).toBe(0);
  });
});

describe("after kill -9", () => {
  it("between the completion and the removal, the original goes when the server is there again", async () => {
    const content = pseudoRandom(5000);
    const path = await put(content);
    const place = await declareReady(path);
    // As long as the root is away nothing can be removed.
    await rename(root, `${root}-away`);
    await complete(place);
    await client.sessions.deleteSession({ sessionId: place.sessionId });
    await server.kill();
    await rename(`${root}-away`, root);
    expect(await isThere(path)).toBe(true);
    await restart();
    await isGone(path);
    expect(Buffer.compare(await readItem(place), content)).toBe(0);
  });

  it("of a session that was not completed, the original is there and can be taken over again", async () => {
    const path = await put(pseudoRandom(5000));
    const place = await declareReady(path);
    await restart();
    expect(await linksOf(path)).toBe(2);
    await client.sessions.cancelSession(place);
    const again = await declareReady(path);
    await complete(again);
    await isGone(path);
  });

  it("while it is hashed, the hashing is done again, and a change meanwhile is seen", async () => {
    const [kept, changed] = await Promise.all([put(pseudoRandom(5000)), put(pseudoRandom(5000))]);
    for (const path of [kept, changed]) {
      const handle = await open(path, "r+");
      await handle.truncate(400 * 2 ** 20);
      await handle.close();
    }
    const places = [await declare(kept), await declare(changed)];
    const ask = async ({ sessionId, fileId }: Place) => (await client.files.getFile({ sessionId, fileId })).file?.state;
    for (const place of places) await expect.poll(() => ask(place), soon).toBe(FileState.VALIDATING);
    await server.kill();
    await appendFile(changed, "more");
    await restart();
    const [same, grown] = [await settled(places[0]!), await settled(places[1]!)];
    expect([same.content?.sizeBytes, same.attempt]).toEqual([400n * 2n ** 20n, 1]);
    expect([grown.content?.sizeBytes, grown.attempt]).toEqual([400n * 2n ** 20n + 4n, 2]);
    for (const place of places) await complete(place);
    for (const path of [kept, changed]) await isGone(path);
  });

  it("P8: what was taken over for nothing is collected, and the original is not", async () => {
    const path = await put(pseudoRandom(5000));
    await client.sessions.cancelSession(await declareReady(path));
    await restart({ SLIPWAY_SWEEP_INTERVAL: "200ms", SLIPWAY_SWEEP_BYTES_INTERVAL: "200ms" });
    const inode = (await stat(path)).ino;
    const findAll = async () => {
      const names = await readdir(join(server.dataDir, "extents"), { recursive: true });
      const all = await Promise.all(names.map((name) => stat(join(server.dataDir, "extents", name))));
      return all.filter(({ ino }) => ino === inode).length;
    };
    await expect.poll(findAll, soon).toBe(0);
    expect(await isThere(path)).toBe(true);
  });
});

it("P5: is left alone when its session expires", async () => {
  await restart({ SLIPWAY_SESSION_TTL: "2s", SLIPWAY_SWEEP_INTERVAL: "200ms" });
  const path = await put(pseudoRandom(5000));
  const { sessionId } = await declareReady(path);
  const state = async () => (await client.sessions.getSession({ sessionId })).session?.state;
  await expect.poll(state, soon).toBe(SessionState.FAILED);
  await untilSeenTo();
  expect(await isThere(path)).toBe(true);
});
