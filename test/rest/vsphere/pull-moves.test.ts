// A PULL from the folder that the library itself is kept in moves the file into the item instead of copying it.
import { randomUUID } from "node:crypto";
import { appendFile, mkdir, readFile, realpath, rename, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { pseudoRandom } from "../../support/bodies.js";
import { makeTempDir, removeTempDir } from "../../support/temp-dir.js";
import { content as at } from "../../support/vsphere.js";
import { ended, openTenant, refusalOf, serveHeld, settled, until } from "./pull-scene.js";
import { digest, useVsphereServer, type VsphereServer } from "./vsphere-server.js";

const folder = await realpath(await makeTempDir());
const root = join(folder, "root");
const backing = join(root, "a library");
await mkdir(backing, { recursive: true });
const env = { SLIPWAY_PULL_ROOTS: root, SLIPWAY_PULL_ALLOW: "127.0.0.1" };
const scene = useVsphereServer({ env });
afterAll(() => removeTempDir(folder));

const content = pseudoRandom(50_000);
const name = "a.iso";

async function put(inFolder = backing): Promise<string> {
  const path = join(inFolder, `${randomUUID()}.iso`);
  await writeFile(path, content);
  // An old file, as its bytes are in the store at once.
  await utimes(path, 1e9, 1e9);
  return path;
}

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
const isGone = (path: string) =>
  until(
    () => isThere(path),
    (there) => !there,
  );
const linksOf = async (path: string) => (await stat(path)).nlink;

async function makeItem({ vsphere }: VsphereServer, storage_uri = pathToFileURL(`${backing}/`).href): Promise<string> {
  const libraryId = await vsphere.createLibrary(randomUUID(), { storage_backings: [{ type: "OTHER", storage_uri }] });
  return vsphere.createItem(libraryId, "item");
}

/** The file declared and ready in a new session on a new item of the library in the folder. */
async function declare(path: string, { of = scene, itemId, more }: Declared = {}) {
  const item = itemId ?? (await makeItem(of));
  const sessionId = await of.vsphere.createSession(item);
  const source_endpoint = { uri: pathToFileURL(path).href };
  await of.vsphere.add(sessionId, { name, source_type: "PULL", source_endpoint, ...more });
  return { sessionId, itemId: item };
}

interface Declared {
  readonly of?: VsphereServer;
  readonly itemId?: string;
  readonly more?: object;
}

async function declareReady(path: string, declared?: Declared) {
  const place = await declare(path, declared);
  expect(await settled((declared?.of ?? scene).vsphere, place.sessionId)).toMatchObject({
    status: "READY",
    size: content.length,
  });
  return place;
}

/** Removals come in the order of the completions: after one more has been seen to, so were those before it. */
async function untilSeenTo(): Promise<void> {
  const path = await put();
  await scene.vsphere.act((await declareReady(path)).sessionId, "complete");
  await isGone(path);
}

describe("a file in the folder of its library", () => {
  it("is linked as long as the session is open, and gone from there once it is DONE", async () => {
    const path = await put();
    const { sessionId, itemId } = await declareReady(path);
    expect(await linksOf(path)).toBe(2);
    await scene.vsphere.act(sessionId, "complete");
    expect((await scene.vsphere.session(sessionId)).state).toBe("DONE");
    await isGone(path);
    expect(Buffer.compare(await scene.vsphere.download(itemId, name), content)).toBe(0);
    const [stored] = await scene.vsphere.itemFiles(itemId);
    expect(stored).toMatchObject({ name, version: "1", size: content.length });
  });

  it("is there until a completion is over that waits for another file", async () => {
    const path = await put();
    const { sessionId } = await declareReady(path);
    const held = await serveHeld();
    const spec = { name: "b.iso", source_type: "PULL", source_endpoint: { uri: held.url } };
    await scene.vsphere.add(sessionId, spec);
    await scene.vsphere.act(sessionId, "complete");
    await untilSeenTo();
    expect([(await scene.vsphere.session(sessionId)).state, await isThere(path)]).toEqual(["ACTIVE", true]);
    held.release();
    expect((await ended(scene.vsphere, sessionId)).state).toBe("DONE");
    await isGone(path);
  });

  it.each([
    ["is cancelled", "cancel", "CANCELED"],
    ["fails", "fail", "ERROR"],
  ])("is left where it is when its session %s", async (_how, action, state) => {
    const path = await put();
    const { sessionId, itemId } = await declareReady(path);
    await scene.vsphere.act(sessionId, action);
    expect((await scene.vsphere.session(sessionId)).state).toBe(state);
    await untilSeenTo();
    expect(Buffer.compare(await readFile(path), content)).toBe(0);
    const again = await declareReady(path, { itemId });
    await scene.vsphere.act(again.sessionId, "complete");
    await isGone(path);
  });

  it("is left where it is when it is removed from its session", async () => {
    const path = await put();
    const { sessionId } = await declareReady(path);
    await scene.vsphere.remove(sessionId, name);
    await scene.vsphere.act(sessionId, "complete");
    await untilSeenTo();
    expect(await isThere(path)).toBe(true);
  });

  it("is left where it is when it is not what was declared", async () => {
    const path = await put();
    const checksum_info = { algorithm: "MD5", checksum: "0".repeat(32) };
    const { sessionId } = await declare(path, { more: { checksum_info } });
    const { state, error_message } = await ended(scene.vsphere, sessionId);
    expect([state, error_message?.default_message]).toEqual(["ERROR", expect.stringContaining(digest("md5", content))]);
    expect(Buffer.compare(await readFile(path), content)).toBe(0);
  });

  it("that was replaced by another one meanwhile is left alone, and its former content is what came", async () => {
    const path = await put();
    const { sessionId, itemId } = await declareReady(path);
    await writeFile(`${path}.new`, "another one");
    await rename(`${path}.new`, path);
    await scene.vsphere.act(sessionId, "complete");
    await untilSeenTo();
    expect(await readFile(path, "utf8")).toBe("another one");
    expect(Buffer.compare(await scene.vsphere.download(itemId, name), content)).toBe(0);
  });

  it("that was written to meanwhile never gets into the item: file and session are in ERROR, and it is left alone", async () => {
    const path = await put();
    const { sessionId, itemId } = await declareReady(path);
    await appendFile(path, "more");
    const refusal = await refusalOf(scene.vsphere.act(sessionId, "complete"));
    const reason = expect.stringContaining("was written to after it was taken over");
    expect(refusal).toMatchObject({
      status: 400,
      type: "not_allowed_in_current_state",
      messages: [{ args: ["complete", "ERROR", reason] }],
    });
    expect(await scene.vsphere.session(sessionId)).toMatchObject({
      state: "ERROR",
      error_message: { id: "slipway.file_failed", default_message: reason },
    });
    expect(await scene.vsphere.file(sessionId, name)).toMatchObject({
      status: "ERROR",
      error_message: { id: "slipway.changed", default_message: reason },
    });
    expect(await scene.vsphere.itemFiles(itemId)).toEqual([]);
    await untilSeenTo();
    expect((await stat(path)).size).toBe(content.length + 4);
  });
});

it("a file outside of the folder of its library is copied, and left where it is", async () => {
  const path = await put(root);
  const { sessionId, itemId } = await declareReady(path);
  expect(await linksOf(path)).toBe(1);
  await scene.vsphere.act(sessionId, "complete");
  await untilSeenTo();
  expect(await isThere(path)).toBe(true);
  expect(Buffer.compare(await scene.vsphere.download(itemId, name), content)).toBe(0);
});

it("a library in a folder of the server is only for who may read its storage to make", async () => {
  const theirs = await openTenant(scene, "elsewhere");
  const storage_backings = [{ type: "OTHER", storage_uri: pathToFileURL(backing).href }];
  const make = (more: object) => theirs.value("POST", `${at}/local-library`, { create_spec: { name: "x", ...more } });
  expect(await refusalOf(make({ storage_backings }))).toMatchObject({ status: 403, type: "unauthorized" });
  await make({});
});

describe("a session that expires", () => {
  const brief = useVsphereServer({
    env: { ...env, SLIPWAY_VSPHERE_SESSION_TTL: "2s", SLIPWAY_SWEEP_INTERVAL: "100ms" },
  });

  it("leaves the file where it is, says why it ended, and frees its item", async () => {
    const path = await put();
    const { sessionId, itemId } = await declareReady(path, { of: brief });
    expect(await linksOf(path)).toBe(2);
    const next = await until(
      () => brief.vsphere.createSession(itemId).catch(() => undefined),
      (id) => id !== undefined,
    );
    const { state, error_message } = await brief.vsphere.session(sessionId);
    expect([state, error_message?.id]).toEqual(["ERROR", "slipway.expired"]);
    expect(Buffer.compare(await readFile(path), content)).toBe(0);
    const source_endpoint = { uri: pathToFileURL(path).href };
    await brief.vsphere.add(next!, { name, source_type: "PULL", source_endpoint });
    await settled(brief.vsphere, next!);
    await brief.vsphere.act(next!, "complete");
    await isGone(path);
  });
});
