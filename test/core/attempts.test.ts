// Parts, questions and reads that are addressed to one attempt at a file.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attemptOf, createId, fileStates } from "../../src/core/index.js";
import { bodyOf, countedBody, pseudoRandom } from "../support/bodies.js";
import { buildFile } from "../support/builders.js";
import { hookMetadata, type OpenedUploads, openUploads, startFile, storeFile } from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

const content = pseudoRandom(1000);
const finish = () => ({ finish: true });
const superseded = { code: "not_found", details: { reason: "FILE_NOT_FOUND" } };

describe("the attempt that a file is at", () => {
  it("is the one that runs or is whole, and otherwise the next one", () => {
    const file = buildFile({ tenantId: createId(), sessionId: createId(), attempts: 4 });
    const attempts = Object.fromEntries(fileStates.map((state) => [state, attemptOf({ ...file, state })]));
    expect(attempts).toEqual({ waiting: 5, transferring: 4, validating: 4, ready: 4, failed: 5 });
  });
});

describe("what is addressed to an attempt", () => {
  it("is taken while the file is at it, from the first part to the repeat of the last", async () => {
    const { uploads, alice } = opened;
    const place = { ...(await startFile(uploads, alice)), attempt: 1 };
    const part = (offset: number) => ({ ...place, offset, body: bodyOf([content.subarray(offset)]) });
    await uploads.writePart({ ...part(0), body: bodyOf([content.subarray(0, 500)]) }, alice);
    expect(await uploads.getUploadStatus(place, alice)).toMatchObject({ kind: "offset", offset: 500 });
    await uploads.writePart({ ...part(500), ending: finish }, alice);
    expect(await uploads.writePart({ ...part(0), ending: finish }, alice)).toMatchObject({ applied: false });
    expect((await uploads.readFile(place, alice)).to).toBe(1000);
  });

  it("is not found once there is another, before a byte is read and without disturbing it (P7)", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, content);
    await uploads.writePart({ ...place, offset: 0, restart: true, body: bodyOf([content.subarray(0, 5)]) }, alice);
    const { file: before } = await uploads.getFile(place, alice);
    for (const attempt of [0, 1, 3]) {
      const counted = countedBody(bodyOf([content]));
      const writing = uploads.writePart({ ...place, attempt, offset: 0, body: counted.body }, alice);
      await expect(writing).rejects.toMatchObject(superseded);
      expect(counted.touched).toBe(false);
      await expect(uploads.getUploadStatus({ ...place, attempt }, alice)).rejects.toMatchObject(superseded);
      await expect(uploads.readFile({ ...place, attempt }, alice)).rejects.toMatchObject(superseded);
    }
    expect((await uploads.getFile(place, alice)).file).toEqual(before);
  });

  it("is judged where the write is decided: an attempt that begins at the last moment supersedes it", async () => {
    const { uploads, alice } = opened;
    const place = await startFile(uploads, alice);
    await uploads.writePart({ ...place, offset: 0, body: bodyOf([content.subarray(0, 5)]) }, alice);
    let raced = false;
    const slow = opened.restart({
      wrapMetadata: hookMetadata({
        async before(deed) {
          if (deed !== "claimWriter" || raced) return;
          raced = true;
          const body = bodyOf([content.subarray(0, 7)]);
          await uploads.writePart({ ...place, offset: 0, restart: true, body }, alice);
        },
      }),
    });
    const writing = slow.writePart({ ...place, attempt: 1, offset: 5, body: bodyOf([content.subarray(5)]) }, alice);
    await expect(writing).rejects.toMatchObject(superseded);
    const { file } = await uploads.getFile(place, alice);
    expect(file.running).toMatchObject({ number: 2, offset: 7, epoch: 1 });
  });

  it("reads that attempt's content only, not what is still there of the one before", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, content);
    await uploads.writePart({ ...place, offset: 0, restart: true, body: bodyOf([content.subarray(0, 5)]) }, alice);
    expect((await uploads.readFile(place, alice)).to).toBe(1000);
    const reading = uploads.readFile({ ...place, attempt: 2 }, alice);
    await expect(reading).rejects.toMatchObject({ code: "incomplete", details: { reason: "NO_CONTENT" } });
  });
});

describe("a reader who chooses the range once the content is known", () => {
  it("gets that range, and what the choice throws", async () => {
    const { uploads, alice } = opened;
    const place = await storeFile(uploads, alice, content);
    const choose = ({ sizeBytes }: { sizeBytes: number }) => ({ offset: sizeBytes - 10, limit: 5 });
    expect(await uploads.readFile({ ...place, choose }, alice)).toMatchObject({ from: 990, to: 995 });
    const refuse = () => {
      throw new RangeError("not these");
    };
    await expect(uploads.readFile({ ...place, choose: refuse }, alice)).rejects.toThrow("not these");
  });
});
