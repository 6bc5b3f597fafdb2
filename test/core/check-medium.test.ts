// A medium that fails while it is checked: what cannot be read is not lost, and nothing is done about it.
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { put, readBack as readBlob, refOf } from "../support/blobs.js";
import { pseudoRandom } from "../support/bodies.js";
import { check, contentOf, flipBit } from "../support/check.js";
import { type OpenedUploads, openUploads, readBack, storeFile } from "../support/uploads.js";

const calls = ["stat", "lstat", "open", "readdir", "rename", "read", "writev", "datasync"] as const;
type CallName = (typeof calls)[number];

/** Which call fails, and how; the calls of that name so far. */
const failing = vi.hoisted(() => ({ name: "", code: "", at: 0, lasts: false, seen: 0 }));

vi.mock("node:fs/promises", async (importOriginal) => {
  const real = await importOriginal<typeof import("node:fs/promises")>();
  type Deed = (this: unknown, ...values: unknown[]) => Promise<unknown>;
  const guard = (name: string, deed: Deed): Deed =>
    async function (this: unknown, ...values) {
      const isHit =
        failing.name === name && (++failing.seen === failing.at || (failing.lasts && failing.seen > failing.at));
      if (isHit) throw Object.assign(new Error(`${failing.code}: made up`), { code: failing.code });
      return deed.apply(this, values);
    };
  const handle = await real.open("/", "r");
  const prototype = Object.getPrototypeOf(handle) as Record<string, Deed>;
  await handle.close();
  for (const name of ["read", "writev", "datasync"]) prototype[name] = guard(name, prototype[name]!);
  const guarded = ["stat", "lstat", "open", "readdir", "rename"].map((name) => [
    name,
    guard(name, real[name as "stat"] as unknown as Deed),
  ]);
  return { ...real, ...Object.fromEntries(guarded) };
});

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
beforeEach(async () => {
  opened = await opened.renew();
});
afterAll(() => opened.close());

const large = pseudoRandom(200_000, 5);
const small = pseudoRandom(1_000, 6);
const sound = pseudoRandom(180_000, 7);

/** Files and blobs, large and small. One file is to be damaged: there is a copy of it. */
async function fill() {
  const { uploads, alice } = opened;
  const place = await storeFile(uploads, alice, sound);
  await storeFile(uploads, alice, small);
  await put(uploads, alice, small);
  const damaged = await storeFile(uploads, alice, large);
  await put(uploads, alice, large);
  await put(uploads, alice, sound, refOf(sound, "sha1"));
  return { place, damaged };
}

/** Repairs while the call of this name fails at its `at`-th time. Answers whether it came to that. */
async function repairFailing(name: CallName, code: string, at: number, lasts: boolean) {
  Object.assign(failing, { name, code, at, lasts, seen: 0 });
  try {
    return await check(opened.uploads, opened.operator, { repair: true }).then(
      ({ findings }) => ({ findings, error: undefined }),
      (error: unknown) => ({ findings: [], error }),
    );
  } finally {
    failing.name = "";
  }
}

describe.each(["EIO", "EACCES", "EMFILE", "ESTALE"])("a medium that answers %s to any call of a repair,", (code) => {
  it.each(["once", "from then on"])("%s, is no damage, and nothing is done about it", async (when) => {
    const { uploads, alice, metadata } = opened;
    const { place } = await fill();
    const before = await metadata.listNamedContents({ after: undefined, limit: 100 });
    let failures = 0;
    for (const name of calls) {
      for (let at = 1; ; at++) {
        const { findings, error } = await repairFailing(name, code, at, when !== "once");
        expect(findings, `${name} ${at}`).toEqual([]);
        if (failing.seen < at) break;
        failures++;
        expect(error, `${name} ${at}`).toMatchObject({
          code: "unavailable",
          details: { reason: "STORAGE_UNAVAILABLE" },
        });
      }
    }
    expect(failures).toBeGreaterThan(20);
    expect(await metadata.listNamedContents({ after: undefined, limit: 100 })).toEqual(before);
    expect(Buffer.compare(await readBack(uploads, alice, place), sound)).toBe(0);
    expect((await check(uploads, opened.operator)).findings).toEqual([]);
  });
});

it("a repair that fails in the middle of its work has lost nothing, and the next one does the rest", async () => {
  const { uploads, alice, operator } = opened;
  const { place, damaged } = await fill();
  let failures = 0;
  // Of those that only look, each was tried above.
  for (const name of ["open", "read", "rename", "writev", "datasync"] as const) {
    for (let at = 1; ; at++) {
      const { blobKey } = (await contentOf(opened.metadata, damaged.fileId)).extents[0]!;
      await flipBit(opened.dataDir, blobKey, 100);
      await repairFailing(name, "EIO", at, false);
      const isOver = failing.seen < at;
      if (!isOver) failures++;
      await check(uploads, operator, { repair: true });
      expect(Buffer.compare(await readBack(uploads, alice, damaged), large), `${name} ${at}`).toBe(0);
      expect(Buffer.compare(await readBack(uploads, alice, place), sound)).toBe(0);
      expect(Buffer.compare(await readBlob(uploads, alice, refOf(large)), large)).toBe(0);
      if (isOver) break;
    }
  }
  expect(failures).toBeGreaterThan(10);
  expect((await check(uploads, operator)).findings).toEqual([]);
});

it("a place that cannot be read is named, so that somebody can look after it", async () => {
  const { metadata } = opened;
  const { place } = await fill();
  const { blobKey } = (await contentOf(metadata, place.fileId)).extents[0]!;
  // A pack stays open once it has been read: were it opened by one of the rounds below, those after it would count anew.
  await check(opened.uploads, opened.operator);
  const told: string[] = [];
  for (let at = 1; failing.seen >= at - 1; at++) {
    const { error } = await repairFailing("open", "EIO", at, false);
    told.push(error instanceof Error ? error.message : "");
  }
  expect(told).toContainEqual(expect.stringMatching(new RegExp(`^the bytes ${blobKey} cannot be read: .*EIO`)));
});
