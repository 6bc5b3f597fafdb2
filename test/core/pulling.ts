// What tests of fetching work with: a service that fetches from a source that does what it is told.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import type {
  AddFileInput,
  Call,
  LeasedPull,
  Puller,
  PullOutcome,
  SessionFile,
  Uploads,
} from "../../src/core/index.js";
import { pseudoRandom } from "../support/bodies.js";
import { contentOf, createFakeSource, createGate } from "../support/content-source.js";
import {
  type FilePlace,
  type OpenedUploads,
  openUploads,
  startSession,
  type UploadsOptions,
} from "../support/uploads.js";

export const content = pseudoRandom(700_000);
export const half = 300_000;

export let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

export interface Pulling {
  readonly uploads: Uploads;
  readonly puller: Puller;
  readonly fake: ReturnType<typeof createFakeSource>;
  /** How tries ended, in order. */
  readonly ends: (PullOutcome | { readonly error: unknown })[];
  readonly errors: unknown[];
}

const pullers: Puller[] = [];

/** A service that fetches, over the stores of all of them. */
export function startPulling(options: UploadsOptions = {}, fake = createFakeSource()): Pulling {
  const uploads = opened.restart({ ...options, limits: { checkpointMs: 50, ...options.limits } });
  const ends: Pulling["ends"] = [];
  const errors: unknown[] = [];
  const puller = uploads.createPuller({
    source: fake.source,
    onEnd: (_pull: LeasedPull, end) => void ends.push(end),
    onError: (error) => void errors.push(error),
  });
  puller.start();
  pullers.push(puller);
  return { uploads, puller, fake, ends, errors };
}

afterEach(async () => {
  for (const puller of pullers.splice(0)) await puller.stop();
  for (const call of [opened.admin, opened.otherTenant]) {
    const { things } = await opened.uploads.listSessions({ page: { size: 1000 } }, call);
    for (const { id, state } of things) {
      if (state === "active" || state === "completing") await opened.uploads.cancelSession({ sessionId: id }, call);
    }
  }
});

export async function declare(
  uploads: Uploads,
  uri: string,
  spec: Partial<AddFileInput> = {},
  call: Call = opened.alice,
): Promise<FilePlace> {
  const sessionId = spec.sessionId ?? (await startSession(uploads, call)).id;
  const { file } = await uploads.addFile({ name: "a.bin", source: { uri }, ...spec, sessionId }, call);
  return { sessionId, fileId: file.id };
}

/** Content whose first try waits at the gate in the middle. */
export function serveHalf(fake: Pulling["fake"]) {
  const gate = createGate();
  const uri = fake.serve(async (request, signal, count) =>
    contentOf(content, request, signal, count === 1 ? { at: { offset: half, run: gate.wait } } : {}),
  );
  const atGate = () =>
    until(
      () => gate.waiting,
      (waiting) => waiting === 1,
    );
  return { gate, uri, atGate };
}

export async function until<T>(ask: () => Promise<T> | T, holds: (value: T) => boolean): Promise<T> {
  const giveUpAt = performance.now() + 30_000;
  for (;;) {
    const value = await ask();
    if (holds(value)) return value;
    if (performance.now() > giveUpAt) throw new Error(`it never came about: ${JSON.stringify(value)}`);
    await sleep(10);
  }
}

export const fileOf = async (place: FilePlace, call = opened.alice): Promise<SessionFile> =>
  (await opened.uploads.getFile(place, call)).file;
export const settled = (place: FilePlace, call = opened.alice) =>
  until(
    () => fileOf(place, call),
    ({ pull }) => pull === undefined,
  );
export const sessionIn = (place: { sessionId: string }, ...states: string[]) =>
  until(
    () => opened.uploads.getSession(place, opened.alice),
    ({ state }) => states.includes(state),
  );
/** A try is told of a moment after what comes of it can be seen. */
export async function told(ends: Pulling["ends"], expected: Pulling["ends"]): Promise<void> {
  await until(
    () => ends.length,
    (count) => count >= expected.length,
  );
  expect(ends).toEqual(expected);
}
export const eventsOf = async (place: FilePlace) =>
  (await opened.uploads.listSessionEvents({ ...place, after: 0 }, opened.alice)).map(({ type }) => type);
