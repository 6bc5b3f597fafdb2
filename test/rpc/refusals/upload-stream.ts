// What only a stream can do wrong.
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { TestClient } from "../../support/client.js";
import { addFile, hangingStream, messagesOf, type Place, send, sendPart, statusOf, streamOf } from "../scene.js";
import { bytes, type RefusalRow, rowsOf } from "./row.js";

type Message = ReturnType<typeof messagesOf> extends Generator<infer M> ? M : never;

const chunk = (data: Uint8Array, crc32c?: number): Message => ({
  message: {
    case: "chunk",
    value: { data: data as Uint8Array<ArrayBuffer>, ...(crc32c === undefined ? {} : { crc32c }) },
  },
});
const finish: Message = { message: { case: "finish", value: {} } };

/** The stream `make` gives for a fresh file is refused, and `left` bytes are stored then. */
const stream = (make: (place: Place) => Iterable<Message>, left: number, spec = {}): RefusalRow["provoke"] => {
  return async (client) => {
    const place = await addFile(client, spec);
    return {
      call: () => client.files.uploadFile(streamOf(make(place))),
      after: async () => expect(await statusOf(client, place)).toBe(left),
    };
  };
};

const open = (place: Place, data = bytes(5)) => messagesOf(place, data, { finish: false });

/** A stream that hangs after five bytes is pushed out by what somebody else does to the file. */
const superseded = (push: (client: TestClient, place: Place) => Promise<unknown>): RefusalRow["provoke"] => {
  return async (client) => {
    const place = await addFile(client);
    let release = () => {};
    const hung = new Promise<void>((resolve) => {
      release = resolve;
    });
    return {
      async call() {
        const writer = client.files.uploadFile(hangingStream(open(place), hung));
        writer.catch(() => undefined);
        // The seat is taken by then; if it were not, the writer would push the newcomer out and the row fail.
        while ((await client.files.getFile({ ...place })).file?.attempt === 0) await sleep(5);
        await push(client, place);
        return await writer.finally(release);
      },
    };
  };
};

export const streamRefusals: readonly RefusalRow[] = rowsOf(
  "UploadFile",
  ["INVALID_ARGUMENT / STREAM_ORDER", "an empty stream", stream(() => [], 0)],
  ["INVALID_ARGUMENT / STREAM_ORDER", "a chunk before the start", stream(() => [chunk(bytes(3))], 0)],
  ["INVALID_ARGUMENT / STREAM_ORDER", "a finish before the start", stream(() => [finish], 0)],
  ["INVALID_ARGUMENT / STREAM_ORDER", "an empty message at the start", stream(() => [{}], 0)],
  ["INVALID_ARGUMENT / STREAM_ORDER", "a second start", stream((place) => [...open(place), ...open(place)], 5)],
  ["INVALID_ARGUMENT / STREAM_ORDER", "an empty message after a chunk", stream((place) => [...open(place), {}], 5)],
  [
    "INVALID_ARGUMENT / STREAM_ORDER",
    "a chunk after the finish",
    stream((place) => [...open(place), finish, chunk(bytes(3))], 5),
  ],
  ["INVALID_ARGUMENT / STREAM_ORDER", "a second finish", stream((place) => [...open(place), finish, finish], 5)],
  [
    "RESOURCE_EXHAUSTED / UNSPECIFIED",
    "a message of more than 4 MiB",
    async (client) => {
      const place = await addFile(client);
      async function* messages() {
        yield* open(place);
        // Bytes that come in one read with the head of a message that is too large are lost with it.
        await sleep(200);
        yield chunk(bytes(4 * 2 ** 20));
      }
      return {
        call: () => client.files.uploadFile(messages()),
        after: async () => expect(await statusOf(client, place)).toBe(5),
      };
    },
  ],
  [
    "DATA_LOSS / CHECKSUM_DIFFERS",
    "a chunk without its CRC",
    stream((place) => [...open(place), chunk(bytes(1, 0), 0x1234), finish], 5),
    { declared: "00001234", actual: "527d5351" },
  ],
  [
    "FAILED_PRECONDITION / FINISH_MISSING",
    "a stream without a finish, of no declared size",
    stream((place) => open(place), 5),
    { expectedOffset: 5 },
  ],
  [
    "FAILED_PRECONDITION / FINISH_MISSING",
    "a stream without a finish, short of the declared size",
    stream((place) => open(place), 5, { sizeBytes: 6n }),
    { expectedOffset: 5 },
  ],
  [
    "ABORTED / WRITER_SUPERSEDED",
    "a writer after whom another stream came",
    superseded((client, place) => send(client, place, bytes(0), { restart: true })),
  ],
  [
    "ABORTED / WRITER_SUPERSEDED",
    "a writer after whom a part came",
    superseded((client, place) => sendPart(client, place, 0, bytes(0))),
  ],
  [
    "ABORTED / WRITER_SUPERSEDED",
    "a writer whose file was removed",
    superseded((client, place) => client.files.removeFile({ ...place })),
  ],
  [
    "ABORTED / WRITER_SUPERSEDED",
    "a writer whose session was cancelled",
    superseded((client, { sessionId }) => client.sessions.cancelSession({ sessionId })),
  ],
  [
    "ABORTED / WRITER_SUPERSEDED",
    "a writer whose session was failed",
    superseded((client, { sessionId }) => client.sessions.failSession({ sessionId, message: "gave up" })),
  ],
);
