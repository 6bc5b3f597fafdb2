// Content that is taken over from a file outside of the store, at the moments that no client can choose.
import { appendFile, link, lstat, mkdir, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  type Call,
  type ContentSource,
  type FileMover,
  type MetadataStore,
  type Puller,
  type SessionFile,
  SourceError,
  type SourceAddress,
  type Uploads,
} from "../../src/core/index.js";
import { contentOf, createFakeSource, createGate } from "../support/content-source.js";
import { makeTempDir, removeTempDir } from "../support/temp-dir.js";
import { hookMetadata, type OpenedUploads, openUploads, startSession } from "../support/uploads.js";

const soon = { timeout: 20_000, interval: 20 };

let opened: OpenedUploads;
let service: Uploads;
let folder: string;
let path: string;
let admin: Call;
let puller: Puller | undefined;
let errors: unknown[];

beforeEach(async () => {
  opened = await openUploads();
  service = opened.uploads;
  folder = join(await makeTempDir(), "backing");
  await mkdir(folder);
  path = join(folder, "a.bin");
  await writeFile(path, "content");
  const { caller } = opened.admin;
  admin = { caller: { ...caller, permissions: new Set([...caller.permissions, "read_storage"]) } };
  errors = [];
});
afterEach(async () => {
  await puller?.stop();
  puller = undefined;
  await opened.close();
  await removeTempDir(join(folder, ".."));
});

const pathOf = (address: SourceAddress) => ("path" in address ? address.path : "");

async function identify(at: string) {
  const { ino, size, mtimeNs } = await lstat(at, { bigint: true });
  return { validator: `${ino}-${size}-${mtimeNs}`, sizeBytes: Number(size) };
}

/** A mover without roots. */
const plainMover: FileMover = {
  liesBelow: async (address, below) => pathOf(address).startsWith(`${below}/`),
  async linkTo(address, target) {
    await link(pathOf(address), target);
    return identify(target);
  },
  async removeIfSame(address, validator) {
    const found = await identify(pathOf(address)).catch(() => undefined);
    if (found?.validator !== validator) return false;
    await unlink(pathOf(address));
    return true;
  },
};

const noSource: ContentSource = {
  open: async () => {
    throw new SourceError("unreadable", "nothing is copied here");
  },
};

function pull(mover = plainMover, source = noSource): void {
  puller = service.createPuller({
    source,
    mover,
    onEnd: (_pull, end) => void (typeof end === "object" && errors.push(end.error)),
    onError: (error) => errors.push(error),
  });
  puller.start();
}

async function declare(
  onFailure: "file" | "session" = "file",
): Promise<{ readonly sessionId: string; readonly fileId: string }> {
  const library = await service.createLibrary({ name: "library", backingFolder: folder }, admin);
  const item = await service.createItem({ libraryId: library.id, name: "item" }, admin);
  const session = await startSession(service, admin, { itemId: item.id });
  const source = { uri: pathToFileURL(path).href };
  const { file } = await service.addFile({ sessionId: session.id, name: "a.bin", source, onFailure }, admin);
  return { sessionId: session.id, fileId: file.id };
}

async function untilReady(ref: { sessionId: string; fileId: string }): Promise<SessionFile> {
  const ask = async () => (await service.getFile(ref, admin)).file;
  await expect.poll(async () => (await ask()).state, soon).toBe("ready");
  return ask();
}

const isThere = () =>
  lstat(path).then(
    () => true,
    () => false,
  );

it("a file that is written to while it is hashed is delayed, and taken over anew as it is then", async () => {
  let writes = 1;
  service = opened.restart({
    wrapBlobs: (blobs) => ({
      ...blobs,
      async *read(...words) {
        yield* blobs.read(...words);
        if (writes-- > 0) await appendFile(path, " and more");
      },
    }),
  });
  pull();
  const ref = await declare();
  const { current } = await untilReady(ref);
  expect(current?.sizeBytes).toBe("content and more".length);
  const events = (await service.listSessionEvents({ sessionId: ref.sessionId, after: 0 }, admin)).map(
    ({ type, details }) => [type, details.source],
  );
  expect(events).toContainEqual(["file.delayed", "changed"]);
});

it("an original that cannot be removed is told of and kept in mind, and is removed by the next start", async () => {
  const full = new Error("the folder is read-only");
  pull({ ...plainMover, removeIfSame: () => Promise.reject(full) });
  const ref = await declare();
  await untilReady(ref);
  await service.completeSession(ref, admin);
  await expect.poll(() => errors, soon).toEqual([full]);
  await puller?.stop();
  expect(await isThere()).toBe(true);
  await opened.metadata.returnAllPulls();
  pull();
  await expect.poll(isThere, soon).toBe(false);
  expect(await opened.metadata.takeRemovals(10)).toEqual([]);
});

it("an original whose folder hangs does not keep a stop from ending what is being fetched", async () => {
  let isAsked = false;
  let answer: (isRemoved: boolean) => void = () => undefined;
  const hanging: FileMover = {
    ...plainMover,
    removeIfSame() {
      isAsked = true;
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
  };
  const fake = createFakeSource();
  const gate = createGate();
  const uri = fake.serve(async (request, signal) =>
    contentOf(Buffer.alloc(1000), request, signal, { at: { offset: 500, run: gate.wait } }),
  );
  pull(hanging, fake.source);
  const ref = await declare();
  await untilReady(ref);
  await service.completeSession(ref, admin);
  await expect.poll(() => isAsked, soon).toBe(true);
  const { id: sessionId } = await startSession(service, admin);
  await service.addFile({ sessionId, name: "b.bin", source: { uri } }, admin);
  await expect.poll(() => gate.waiting, soon).toBe(1);
  const stopped = puller!.stop();
  try {
    await expect.poll(() => fake.open.now, soon).toBe(0);
  } finally {
    answer(false);
  }
  await stopped;
});

it("after a death between the removal and its note, what came to lie there meanwhile is left alone", async () => {
  const died = new Error("died");
  const wrapMetadata = (metadata: MetadataStore) => ({ ...metadata, dropRemoval: () => Promise.reject(died) });
  service = opened.restart({ wrapMetadata });
  pull();
  const ref = await declare();
  await untilReady(ref);
  await service.completeSession(ref, admin);
  await expect.poll(isThere, soon).toBe(false);
  await puller?.stop();
  expect(errors).toEqual([died]);
  await writeFile(`${path}.new`, "content");
  await rename(`${path}.new`, path);
  await opened.metadata.returnAllPulls();
  let forgotten = 0;
  service = opened.restart({
    wrapMetadata: hookMetadata({
      after(deed) {
        if (deed === "dropRemoval") forgotten += 1;
      },
    }),
  });
  pull();
  await expect.poll(() => forgotten, soon).toBe(1);
  await opened.metadata.returnAllPulls();
  expect(await opened.metadata.takeRemovals(10)).toEqual([]);
  expect(await readFile(path, "utf8")).toBe("content");
});

it("P9: nobody but who may complete the session has its content looked at", async () => {
  pull();
  const ref = await declare();
  await untilReady(ref);
  await appendFile(path, " and more");
  for (const stranger of [opened.otherTenant, opened.bob]) {
    await expect(service.completeSession(ref, stranger)).rejects.toMatchObject({ code: "not_found" });
  }
  expect((await untilReady(ref)).failure).toBeUndefined();
  await expect(service.completeSession(ref, admin)).rejects.toMatchObject({ code: "incomplete" });
});

it("P6: what was written to after it was hashed fails its session, too, where it was declared so", async () => {
  pull();
  const ref = await declare("session");
  await untilReady(ref);
  await appendFile(path, " and more");
  await expect(service.completeSession(ref, admin)).rejects.toMatchObject({ code: "wrong_state" });
  const { state, failure } = await service.getSession(ref, admin);
  expect([state, failure?.reason]).toEqual(["failed", "file_failed"]);
  expect(failure?.message).toContain("was written to after it was taken over");
  const { file } = await service.getFile(ref, admin);
  expect(file).toMatchObject({ state: "failed", failure: { source: "changed" }, current: undefined });
  const events = await service.listSessionEvents({ sessionId: ref.sessionId, after: 0 }, admin);
  expect(events.slice(-2).map(({ type }) => type)).toEqual(["file.failed", "session.failed"]);
  expect(await readFile(path, "utf8")).toBe("content and more");
});

it("a completion that is asked for again leaves one note, and looks at nothing any more", async () => {
  pull({ ...plainMover, removeIfSame: () => Promise.reject(new Error("later")) });
  const ref = await declare();
  await untilReady(ref);
  expect((await service.completeSession(ref, admin)).applied).toBe(true);
  await appendFile(path, " and more");
  expect(await service.completeSession(ref, admin)).toMatchObject({
    applied: false,
    session: { state: "done" },
  });
  await puller?.stop();
  await opened.metadata.returnAllPulls();
  expect(await opened.metadata.takeRemovals(10)).toHaveLength(1);
});
