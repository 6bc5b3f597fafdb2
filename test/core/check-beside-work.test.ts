import { afterAll, beforeAll, expect, it } from "vitest";
import type { Call } from "../../src/core/index.js";
import { put, refOf } from "../support/blobs.js";
import { bodyOf, pseudoRandom, readWhole } from "../support/bodies.js";
import { check } from "../support/check.js";
import {
  makeItem,
  type OpenedUploads,
  openUploads,
  sendFile,
  startFile,
  startSession,
  storeFile,
} from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

const workers = 4;
const rounds = 12;
const hour = 3_600_000;

const seedOf = (worker: number, round: number) => worker * 1000 + round;
const contentOf = (worker: number, round: number) =>
  pseudoRandom(round % 2 === 0 ? 200_000 : 2_000, seedOf(worker, round));

/** What clients do all day, so that content comes, changes, is completed, and goes. */
async function work(worker: number, itemId: string, call: Call): Promise<void> {
  const { uploads } = opened;
  for (let round = 0; round < rounds; round++) {
    const seed = seedOf(worker, round);
    const content = contentOf(worker, round);
    const removed = await storeFile(uploads, call, content);
    await uploads.removeFile(removed, call);
    const canceled = await storeFile(uploads, call, content);
    await uploads.cancelSession(canceled, call);
    await uploads.deleteSession(canceled, call);
    const session = await startSession(uploads, call, { itemId });
    const place = await startFile(uploads, call, { sessionId: session.id, name: `${worker}` });
    await uploads.writePart({ ...place, offset: 0, body: bodyOf([content.subarray(0, 1_000)]) }, call);
    await sendFile(uploads, call, place, content);
    const again = { ...place, offset: 0, restart: true, body: bodyOf([content]), ending: () => ({ finish: true }) };
    await uploads.writePart(again, call);
    await uploads.completeSession(place, call);
    await uploads.deleteSession(place, call);
    const blob = pseudoRandom(1_000 + worker, seed);
    await put(uploads, call, blob);
    await uploads.removeBlobs({ refs: [refOf(blob)] }, opened.admin);
  }
}

it("a check that runs again and again beside uploads, removals, completions and sweeps raises no false alarm (P8)", async () => {
  const { uploads, alice, operator } = opened;
  const item = await makeItem(opened);
  let isWorking = true;
  const working = Promise.all(Array.from({ length: workers }, (_, worker) => work(worker, item.id, alice)));
  const ended = working.finally(() => {
    isWorking = false;
  });
  async function sweepAgain() {
    // What a crash could have left is old by then, and what is named comes back.
    while (isWorking) await uploads.sweep({ keepUnreferencedMs: 5_000, keepTrashMs: hour });
  }
  async function checkAgain() {
    let checks = 0;
    for (; isWorking || checks === 0; checks++) {
      const { findings } = await check(uploads, operator);
      expect(findings).toEqual([]);
      // What was removed is litter soon, and a repair moves it as early as the sweeper does.
      const repaired = await check(uploads, operator, { repair: true, keepUnreferencedMs: 5_000 });
      expect(repaired.findings.filter(({ kind }) => kind !== "unreferenced")).toEqual([]);
    }
    return checks;
  }
  const [, , checks] = await Promise.all([ended, sweepAgain(), checkAgain()]);
  expect(checks).toBeGreaterThan(2);
  expect((await check(uploads, operator)).summary.checkedContents).toBe(workers);
  for (let worker = 0; worker < workers; worker++) {
    const { body } = await uploads.readItemFile({ itemId: item.id, name: `${worker}` }, alice);
    expect(Buffer.compare(await readWhole(body), contentOf(worker, rounds - 1))).toBe(0);
  }
}, 240_000);
