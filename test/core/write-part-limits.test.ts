import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHasher } from "../../src/core/index.js";
import { bodyOf, countedBody, pseudoRandom } from "../support/bodies.js";
import { type OpenedUploads, openUploads, startFile, startSession, statusOf } from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  const limits = { maxFileBytes: 1000, maxPartBytes: 100, maxSessionFiles: 2, maxAttributesBytes: 50 };
  opened = await openUploads({ limits });
});
afterAll(() => opened.close());

const over = (setting: string, value: number) => ({
  code: "too_large",
  details: { reason: "SIZE_EXCEEDED", limit: { setting, value } },
});
const digestOf = (bytes: Uint8Array) => {
  const hasher = createHasher([]);
  hasher.update(bytes);
  return hasher.digests()[0]!;
};
const finish = () => ({ finish: true });

describe("the limit of a file (P10)", () => {
  it("lets content of exactly its size pass", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    const part = { ...place, offset: 0, body: bodyOf([pseudoRandom(1000)]), ending: finish };
    expect((await uploads.writePart(part, alice)).file.current?.sizeBytes).toBe(1000);
  });

  it("is named when a body of unknown length runs over it, and what fits is kept", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    const body = bodyOf([pseudoRandom(600), pseudoRandom(401)]);
    const part = uploads.writePart({ ...place, offset: 0, body, ending: finish }, alice);
    await expect(part).rejects.toMatchObject(over("SLIPWAY_MAX_FILE_BYTES", 1000));
    expect(await statusOf(uploads, alice, place)).toBe(1000);
  });

  it.each([
    { offset: 0, lengthBytes: 1001 },
    { offset: 1001 },
    { offset: 0, sizeBytes: 1001 },
    { offset: Number.MAX_SAFE_INTEGER, lengthBytes: Number.MAX_SAFE_INTEGER },
  ])("is named before a byte is read when the headers say %j", async (words) => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    const counted = countedBody(bodyOf([pseudoRandom(1)]));
    const part = uploads.writePart({ ...place, ...words, body: counted.body }, alice);
    await expect(part).rejects.toMatchObject(over("SLIPWAY_MAX_FILE_BYTES", 1000));
    expect(counted.touched).toBe(false);
  });
});

describe("numbers of a part", () => {
  it.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53])("may not be %d, and nothing is read then", async (number) => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    for (const words of [{ offset: number }, { offset: 0, lengthBytes: number }, { offset: 0, sizeBytes: number }]) {
      const counted = countedBody(bodyOf([pseudoRandom(1)]));
      await expect(uploads.writePart({ ...place, ...words, body: counted.body }, alice)).rejects.toMatchObject({
        code: "invalid",
        details: { reason: "NUMBER_INVALID" },
      });
      expect(counted.touched).toBe(false);
    }
    expect((await uploads.getFile(place, alice)).file.state).toBe("waiting");
  });
});

describe("the limit of a part with a digest of its own (P10)", () => {
  it("lets a part of exactly its size pass", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    const bytes = pseudoRandom(100);
    const part = { ...place, offset: 0, lengthBytes: 100, checksum: digestOf(bytes), body: bodyOf([bytes]) };
    expect((await uploads.writePart(part, alice)).offset).toBe(100);
  });

  it("is named before a byte is read when the headers tell, else when it is passed, and nothing is kept", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    const bytes = pseudoRandom(101);
    const part = { ...place, offset: 0, checksum: digestOf(bytes), body: bodyOf([bytes]) };
    await expect(uploads.writePart(part, alice)).rejects.toMatchObject(over("SLIPWAY_MAX_PART_BYTES", 100));
    expect(await statusOf(uploads, alice, place)).toBe(0);
    const counted = countedBody(bodyOf([bytes]));
    const announced = { ...part, lengthBytes: 101, body: counted.body };
    await expect(uploads.writePart(announced, alice)).rejects.toMatchObject(over("SLIPWAY_MAX_PART_BYTES", 100));
    expect(counted.touched).toBe(false);
  });

  it("does not hold for parts without one", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    const part = { ...place, offset: 0, lengthBytes: 101, body: bodyOf([pseudoRandom(101)]) };
    expect((await uploads.writePart(part, alice)).offset).toBe(101);
  });
});

describe("the limit of files in a session (P10)", () => {
  it("is named at the first file over it, and is free again when one is removed", async () => {
    const { uploads, alice } = opened;
    const session = await startSession(uploads, alice);
    const add = (name: string) => uploads.addFile({ sessionId: session.id, name }, alice);
    const { file } = await add("a");
    await add("b");
    const tooMany = {
      code: "too_many",
      details: { reason: "TOO_MANY_FILES", limit: { setting: "SLIPWAY_MAX_SESSION_FILES", value: 2 } },
    };
    await expect(add("c")).rejects.toMatchObject(tooMany);
    expect((await add("b")).applied).toBe(false);
    await uploads.removeFile({ sessionId: session.id, fileId: file.id }, alice);
    await add("c");
    await expect(add("d")).rejects.toMatchObject(tooMany);
  });
});

describe("the limit of attributes (P10)", () => {
  it("holds for sessions, files, libraries and items alike, with its setting and value", async () => {
    const { uploads, alice, admin } = opened;
    const attributes = { a: "x".repeat(43) };
    const fits = { a: "x".repeat(42) };
    const session = await startSession(uploads, alice, { attributes: fits });
    expect(session.attributes).toEqual(fits);
    const library = await uploads.createLibrary({ name: "fits", attributes: fits }, admin);
    const refusals = [
      startSession(uploads, alice, { attributes }),
      uploads.addFile({ sessionId: session.id, name: "a", attributes }, alice),
      uploads.createLibrary({ name: "l", attributes }, admin),
      uploads.createItem({ libraryId: library.id, name: "i", attributes }, admin),
    ];
    for (const refusal of await Promise.allSettled(refusals)) {
      expect(refusal).toMatchObject({
        status: "rejected",
        reason: {
          code: "invalid",
          details: {
            reason: "ATTRIBUTES_INVALID",
            limit: { setting: "SLIPWAY_MAX_ATTRIBUTES_BYTES", value: 50 },
          },
        },
      });
    }
  });
});
