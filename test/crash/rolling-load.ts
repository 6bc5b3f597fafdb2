// Clients that never stop uploading while one server takes over from another, each as its users would write it: it
// tries again when its connection breaks or the service says that it is away, and takes every other refusal for a loss.
import { createHash, randomUUID } from "node:crypto";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "../../gen/slipway/upload/v1/error_pb.js";
import { SessionEventType } from "../../gen/slipway/upload/v1/event_pb.js";
import { brokenRequestOf, isTransient } from "../../src/cli/connection/rpc-error.js";
import { makeItem, messagesOf, type Place, sendPart, statusOf } from "../rpc/scene.js";
import { messagesOf as blobMessagesOf, refOf, upload as uploadBlobs } from "../support/blob-messages.js";
import { pseudoRandom } from "../support/bodies.js";
import { openClient, type TestClient, type Wire } from "../support/client.js";

export interface Whereabouts {
  readonly url: string;
  readonly token: string;
}

/** What one client has done, and how long it ever had to wait for the next thing to succeed. */
export interface Diary {
  readonly name: string;
  done: number;
  longestPauseMs: number;
  lastAt: number;
  /** What it saw that is a pause, and how often. */
  readonly seen: Map<string, number>;
}

export interface StoredFile extends Place {
  readonly sha256: string;
}

/** Everything that was acknowledged, by all clients. */
export interface Acknowledged {
  readonly files: StoredFile[];
  readonly blobs: Uint8Array[];
  /** How often each item was given content. */
  readonly items: Map<string, number>;
  /** What each watcher was told, by session. */
  readonly watched: Map<string, { readonly numbers: number[]; readonly types: SessionEventType[]; files: number }>;
}

export interface Load {
  readonly at: Whereabouts;
  readonly over: AbortSignal;
  readonly acknowledged: Acknowledged;
  readonly diaries: Diary[];
}

type Client = (client: TestClient, diary: Diary, load: Load) => Promise<void>;

const pauseMs = 50;
/** Between two things that a client does: what the stop finds under way matters, not how much of it there is. */
const breathMs = 150;

export function openDiary(load: Load, name: string): Diary {
  const diary = { name, done: 0, longestPauseMs: 0, lastAt: performance.now(), seen: new Map() };
  load.diaries.push(diary);
  return diary;
}

export function note(diary: Diary): void {
  const now = performance.now();
  diary.longestPauseMs = Math.max(diary.longestPauseMs, now - diary.lastAt);
  diary.lastAt = now;
  diary.done += 1;
}

/** One client after another thing until the load is over; rejects with what no client should see. */
export async function runClient(load: Load, name: string, wire: Wire, run: Client): Promise<void> {
  const diary = openDiary(load, `${name} over ${wire}`);
  const client = openClient(load.at, wire);
  try {
    while (!load.over.aborted) {
      await run(client, diary, load);
      await sleep(breathMs);
    }
  } catch (error) {
    throw new Error(`${diary.name}: ${error}`, { cause: error });
  } finally {
    client.close();
  }
}

/** Throws what is a refusal; notes the rest. */
async function pause(diary: Diary, error: unknown): Promise<void> {
  if (!(error instanceof ConnectError)) throw error;
  // What the command line takes for a broken connection is one for others, too; what the service says is not.
  const spoken = error.findDetails(ErrorInfoSchema).length > 0;
  if (spoken ? error.code !== Code.Unavailable : !isTransient(brokenRequestOf(error))) throw error;
  const what = `${Code[error.code]}: ${error.rawMessage}`;
  diary.seen.set(what, (diary.seen.get(what) ?? 0) + 1);
  await sleep(pauseMs);
}

/** Until it is answered: for calls that are safe to repeat. */
async function persist<T>(diary: Diary, run: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      const answer = await run();
      note(diary);
      return answer;
    } catch (error) {
      await pause(diary, error);
    }
  }
}

let seeds = 1;
const bytes = (length: number) => pseudoRandom(length, ++seeds) as Uint8Array<ArrayBuffer>;
const sha256Of = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");

async function open(client: TestClient, diary: Diary, itemId?: string): Promise<string> {
  const wanted = { clientToken: randomUUID(), ...(itemId !== undefined && { itemId }) };
  return (await persist(diary, () => client.sessions.createSession(wanted))).session!.id;
}

async function add(client: TestClient, diary: Diary, sessionId: string, name: string) {
  const { file, uploadEndpoint } = await persist(diary, () => client.files.addFile({ sessionId, spec: { name } }));
  return { place: { sessionId, fileId: file!.id }, uri: uploadEndpoint?.uri ?? "" };
}

/** Sends what is missing, in as many tries as it takes. */
async function bring(
  client: TestClient,
  diary: Diary,
  place: Place,
  content: Uint8Array,
  sendFrom: (offset: number) => Promise<unknown>,
): Promise<StoredFile> {
  for (;;) {
    const status = await persist(diary, () => statusOf(client, place));
    if (status === "finished") return { ...place, sha256: sha256Of(content) };
    try {
      await sendFrom(status);
      note(diary);
    } catch (error) {
      await pause(diary, error);
    }
  }
}

async function complete(client: TestClient, diary: Diary, load: Load, files: readonly StoredFile[], itemId?: string) {
  const { sessionId } = files[0]!;
  await persist(diary, () => client.sessions.completeSession({ sessionId }));
  load.acknowledged.files.push(...files);
  const { items } = load.acknowledged;
  if (itemId !== undefined) items.set(itemId, (items.get(itemId) ?? 0) + 1);
}

async function* paced(place: Place, content: Uint8Array, offset: number, everyMs: number) {
  for (const message of messagesOf(place, content.subarray(offset), { offset })) {
    yield message;
    if (everyMs > 0) await sleep(everyMs);
  }
}

/** Tells once a few messages have been taken. */
async function* telling<T>(messages: AsyncIterable<T>, onBegun: () => void): AsyncGenerator<T> {
  let taken = 0;
  for await (const message of messages) {
    yield message;
    if (++taken === 5) onBegun();
  }
}

/** UploadFile, with a watcher beside it that follows the session from its first event to its last. */
export const streams: Client = async (client, diary, load) => {
  const sessionId = await open(client, diary);
  const watcher = watch(load, client.wire, sessionId, 2);
  const files: StoredFile[] = [];
  for (const name of ["a.bin", "b.bin"]) {
    const content = bytes(1_500_000);
    const { place } = await add(client, diary, sessionId, name);
    files.push(
      await bring(client, diary, place, content, (offset) =>
        client.files.uploadFile(paced(place, content, offset, 10)),
      ),
    );
  }
  await complete(client, diary, load, files);
  await watcher;
};

async function watch(load: Load, wire: Wire, sessionId: string, files: number): Promise<void> {
  const story = { numbers: [] as number[], types: [] as SessionEventType[], files };
  load.acknowledged.watched.set(sessionId, story);
  const diary = load.diaries.find(({ name }) => name === `watch over ${wire}`) ?? openDiary(load, `watch over ${wire}`);
  const client = openClient(load.at, wire);
  try {
    while (story.types.at(-1) !== SessionEventType.SESSION_DONE) {
      try {
        const afterEventNumber = BigInt(story.numbers.at(-1) ?? 0);
        for await (const { update } of client.sessions.watchSession({ sessionId, afterEventNumber })) {
          note(diary);
          if (update.case !== "event") continue;
          story.numbers.push(Number(update.value.number));
          story.types.push(update.value.type);
        }
      } catch (error) {
        await pause(diary, error);
      }
    }
  } finally {
    client.close();
  }
}

/** So slow that a stop has to cut it: half a minute. What is left goes at full speed once `hurry` has aborted. */
export async function sendSlowly(load: Load, wire: Wire, hurry: AbortSignal, onBegun: () => void): Promise<void> {
  const diary = openDiary(load, `slow stream over ${wire}`);
  const client = openClient(load.at, wire);
  try {
    const content = bytes(20_000_000);
    const { place } = await add(client, diary, await open(client, diary), "slow.bin");
    const stored = await bring(client, diary, place, content, (offset) => {
      const messages = paced(place, content, offset, hurry.aborted ? 0 : 100);
      return client.files.uploadFile(offset === 0 ? telling(messages, onBegun) : messages);
    });
    await complete(client, diary, load, [stored]);
  } finally {
    client.close();
  }
}

/** UploadPart into an item of the client's own, whose content moves with each session. */
export function parts(): Client {
  let itemId: string | undefined;
  return async (client, diary, load) => {
    itemId ??= (await persist(diary, () => makeItem(client))).id;
    const sessionId = await open(client, diary, itemId);
    const content = bytes(1_200_000);
    const { place } = await add(client, diary, sessionId, "parts.bin");
    const stored = await bring(client, diary, place, content, (offset) => {
      const data = content.subarray(offset, offset + 300_000);
      return sendPart(client, place, offset, data, { finish: offset + data.length === content.length });
    });
    await complete(client, diary, load, [stored], itemId);
  };
}

export const puts: Client = async (client, diary, load) => {
  const data = bytes(20_000);
  const wanted = { clientToken: randomUUID(), spec: { name: "put.bin" }, data };
  const { file } = await persist(diary, () => client.files.putFile(wanted));
  load.acknowledged.files.push({ sessionId: file!.sessionId, fileId: file!.id, sha256: sha256Of(data) });
};

export const blobs: Client = async (client, diary, load) => {
  const contents = [1, 2, 3, 4].map((n) => bytes(n * 10_000));
  await persist(diary, async () => {
    const { blobs } = await uploadBlobs(
      client,
      contents.flatMap((content) => [...blobMessagesOf(content, refOf(content))]),
    );
    if (blobs.length !== contents.length) throw new Error(`${blobs.length} blobs of ${contents.length} were answered`);
  });
  load.acknowledged.blobs.push(...contents);
};

/** A script with a capability URL: PUT, and after trouble HEAD and PATCH. */
export const capabilities: Client = async (client, diary, load) => {
  const content = bytes(1_000_000);
  const sessionId = await open(client, diary);
  const { place, uri } = await add(client, diary, sessionId, "plain.bin");
  for (let offset = 0, whole = false; !whole; ) {
    const headers = {
      "content-type": "application/partial-upload",
      "upload-offset": String(offset),
      "upload-complete": "?1",
    };
    const rest = content.subarray(offset);
    const sent = await (offset === 0 ? ask(uri, "PUT", {}, rest) : ask(uri, "PATCH", headers, rest));
    whole = !takesPause(diary, sent, [200, 201]);
    while (!whole) {
      await sleep(pauseMs);
      const told = await ask(uri, "HEAD", {});
      if (takesPause(diary, told, [204])) continue;
      offset = Number(told.headers?.["upload-offset"]);
      whole = told.headers?.["upload-complete"] === "?1";
      break;
    }
  }
  note(diary);
  await complete(client, diary, load, [{ ...place, sha256: sha256Of(content) }]);
};

interface Told {
  /** A status, or what broke the connection. */
  readonly status: number | string;
  readonly headers?: NodeJS.Dict<string | string[]>;
}

/** False for one of the answers that are wanted, true for trouble that passes; throws for everything else. */
function takesPause(diary: Diary, { status }: Told, wanted: readonly number[]): boolean {
  if (wanted.includes(status as number)) return false;
  if (status !== 503 && typeof status === "number") throw new Error(`the URL was answered with ${status}`);
  diary.seen.set(`HTTP ${status}`, (diary.seen.get(`HTTP ${status}`) ?? 0) + 1);
  return true;
}

function ask(url: string, method: string, headers: Record<string, string>, body?: Uint8Array): Promise<Told> {
  return new Promise((resolve) => {
    const asked = request(url, { method, headers: { ...headers, ...(body && { "content-length": body.length }) } });
    asked.on("error", (error: NodeJS.ErrnoException) => resolve({ status: error.code ?? error.message }));
    asked.on("response", (response) => {
      response.resume().on("error", () => resolve({ status: "the answer was cut" }));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers }));
    });
    asked.end(body);
  });
}
