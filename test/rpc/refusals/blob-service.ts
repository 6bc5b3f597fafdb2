import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { ChecksumAlgorithm } from "../../../gen/slipway/upload/v1/checksum_pb.js";
import {
  type BlobMessage,
  isStored,
  messagesOf,
  type RefMessage,
  readBack,
  refOf,
  upload,
} from "../../support/blob-messages.js";
import type { TestClient } from "../../support/client.js";
import { addFile, type Place, startSession, storeFile } from "../scene.js";
import { bytes, nobody, type RefusalRow, rowsOf } from "./row.js";
import { canceledSession, expiredSession, failedSession } from "./session-service.js";

const zeros = (length: number) => "0".repeat(length);
const missing: RefMessage = { algorithm: ChecksumAlgorithm.SHA256, digest: zeros(64) };

/** Refs that name no blob, each with the line that says so. */
const wrongRefs: [string, string, RefMessage][] = [
  ["ALGORITHM_UNKNOWN", "no algorithm", { digest: zeros(64) }],
  ["ALGORITHM_UNKNOWN", "MD5", { algorithm: ChecksumAlgorithm.MD5, digest: zeros(32) }],
  ["ALGORITHM_UNKNOWN", "SHA-512", { algorithm: ChecksumAlgorithm.SHA512, digest: zeros(128) }],
  ["ALGORITHM_UNKNOWN", "an algorithm of the future", { algorithm: 99 as ChecksumAlgorithm, digest: zeros(64) }],
  ["CHECKSUM_MALFORMED", "no digest", { algorithm: ChecksumAlgorithm.SHA256 }],
  ["CHECKSUM_MALFORMED", "a short digest", { algorithm: ChecksumAlgorithm.SHA1, digest: zeros(39) }],
  ["CHECKSUM_MALFORMED", "a long digest", { algorithm: ChecksumAlgorithm.SHA224, digest: zeros(64) }],
  ["CHECKSUM_MALFORMED", "letters that are no digits", { algorithm: ChecksumAlgorithm.SHA1, digest: "g".repeat(40) }],
];
const refusedRefs = (rpc: string, call: (client: TestClient, ref: RefMessage) => Promise<unknown>): RefusalRow[] =>
  rowsOf(
    rpc,
    ...wrongRefs.map(
      ([reason, when, ref]) =>
        [`INVALID_ARGUMENT / ${reason}`, when, async (client: TestClient) => () => call(client, ref)] as const,
    ),
  );

const tooMany = { limit: { setting: "SLIPWAY_MAX_BLOB_REFS", value: 3 } };
const four = [missing, missing, missing, missing];

async function drain(answers: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of answers);
}

/** Content that no other row has. */
const fresh = (length: number) => new Uint8Array(randomBytes(length));

/**
 * A stream of one good blob and then these messages is refused; the good one is kept, and nothing else of the contents
 * is there.
 */
const stream = (make: (content: Uint8Array) => Iterable<BlobMessage>): RefusalRow["provoke"] => {
  return async (client) => {
    const [good, content] = [fresh(1000), fresh(1000)];
    return {
      call: () => upload(client, [...messagesOf(good, refOf(good)), ...make(content)]),
      async after() {
        expect(await readBack(client, refOf(good))).toEqual(Buffer.from(good));
        expect(await isStored(client, refOf(content))).toBe(false);
      },
    };
  };
};

const data = (content: Uint8Array) => content as Uint8Array<ArrayBuffer>;
const halves = (content: Uint8Array) => [data(content.subarray(0, 500)), data(content.subarray(500))] as const;

const ten = async (client: TestClient) => {
  const content = fresh(10);
  await upload(client, messagesOf(content));
  return refOf(content);
};
const read = (
  make: (client: TestClient) => Promise<RefMessage>,
  range: { offset?: bigint; limit?: bigint } = {},
): RefusalRow["provoke"] => {
  return async (client) => {
    const ref = await make(client);
    return () => drain(client.blobs.readBlob({ ref, ...range }));
  };
};

const list = (page: { pageSize?: number; pageToken?: string }): RefusalRow["provoke"] => {
  return async (client) => () => client.blobs.listBlobs(page);
};

const publish = (make: (client: TestClient) => Promise<Place>): RefusalRow["provoke"] => {
  return async (client) => {
    const place = await make(client);
    return () => client.blobs.publishFile({ ...place });
  };
};
const ofSession = (make: (client: TestClient) => Promise<string>) => async (client: TestClient) => {
  const place = await addFile(client);
  return { ...place, sessionId: await make(client) };
};

/** A file of a session that then ends so. */
const ofEnded = (end: "cancel" | "fail") => async (client: TestClient) => {
  const place = await storeFile(client, bytes(10));
  const { sessionId } = place;
  if (end === "cancel") await client.sessions.cancelSession({ sessionId });
  else await client.sessions.failSession({ sessionId, message: "gave up" });
  return place;
};

const ofExpired = async (client: TestClient): Promise<Place> => {
  const { id } = await startSession(client, { absoluteTtl: { nanos: 700_000_000 } });
  const place = await storeFile(client, bytes(10), {}, id);
  await sleep(720);
  return place;
};

export const blobRefusals: readonly RefusalRow[] = [
  ...refusedRefs("StatBlobs", (client, ref) => client.blobs.statBlobs({ refs: [missing, ref] })),
  ...rowsOf("StatBlobs", [
    "RESOURCE_EXHAUSTED / TOO_MANY_BLOBS",
    "more refs than may be asked for",
    async (client) => () => client.blobs.statBlobs({ refs: four }),
    tooMany,
  ]),

  ...refusedRefs("UploadBlobs", (client, ref) => upload(client, messagesOf(bytes(10), ref))),
  ...rowsOf(
    "UploadBlobs",
    [
      "INVALID_ARGUMENT / STREAM_ORDER",
      "a ref in the middle of a blob",
      stream((content) => {
        const [head, tail] = halves(content);
        return [
          { data: head, more: true },
          { data: tail, ref: refOf(content) },
        ];
      }),
    ],
    [
      "INVALID_ARGUMENT / STREAM_ORDER",
      "an end in the middle of a blob",
      stream((content) => [{ data: data(content), more: true }]),
    ],
    [
      "INVALID_ARGUMENT / STREAM_ORDER",
      "an end in the middle of a blob whose bytes are all there",
      stream((content) => [{ data: data(content), ref: refOf(content), more: true }]),
    ],
    [
      "DATA_LOSS / CHECKSUM_DIFFERS",
      "bytes that are not what their ref names",
      stream((content) => messagesOf(content, missing)),
      { declared: zeros(64) },
    ],
    [
      "DATA_LOSS / CHECKSUM_DIFFERS",
      "bytes in two messages that are not what their ref names",
      stream((content) => messagesOf(content, { algorithm: ChecksumAlgorithm.SHA1, digest: zeros(40) }, 500)),
      { declared: zeros(40) },
    ],
    [
      "RESOURCE_EXHAUSTED / SIZE_EXCEEDED",
      "a blob that is too large in its first message",
      stream(() => messagesOf(fresh(65_537))),
      { limit: { setting: "SLIPWAY_MAX_BLOB_BYTES", value: 65_536 } },
    ],
    [
      "RESOURCE_EXHAUSTED / SIZE_EXCEEDED",
      "a blob that becomes too large",
      stream(() => messagesOf(fresh(65_537), undefined, 10_000)),
      { limit: { setting: "SLIPWAY_MAX_BLOB_BYTES", value: 65_536 } },
    ],
    [
      "RESOURCE_EXHAUSTED / TOO_MANY_BLOBS",
      "more blobs than a stream may have",
      stream((content) => [...[1, 2].flatMap(() => [...messagesOf(fresh(10))]), ...messagesOf(content)]),
      { limit: { setting: "SLIPWAY_MAX_STREAM_BLOBS", value: 3 } },
    ],
    [
      "RESOURCE_EXHAUSTED / UNSPECIFIED",
      "a message of more than 4 MiB",
      async (client) => async () => upload(client, [{ data: bytes(4 * 2 ** 20) }]),
    ],
  ),

  ...refusedRefs("ReadBlob", (client, ref) => drain(client.blobs.readBlob({ ref }))),
  ...rowsOf(
    "ReadBlob",
    ["INVALID_ARGUMENT / ALGORITHM_UNKNOWN", "no ref", async (client) => () => drain(client.blobs.readBlob({}))],
    ["INVALID_ARGUMENT / NUMBER_INVALID", "a negative offset", read(ten, { offset: -1n })],
    ["INVALID_ARGUMENT / NUMBER_INVALID", "an offset above 2^53-1", read(ten, { offset: 2n ** 53n })],
    ["INVALID_ARGUMENT / NUMBER_INVALID", "a negative limit", read(ten, { limit: -1n })],
    ["INVALID_ARGUMENT / NUMBER_INVALID", "a limit above 2^53-1", read(ten, { limit: 2n ** 53n })],
    ["NOT_FOUND / BLOB_NOT_FOUND", "a blob that is not there", read(async () => missing)],
    ["OUT_OF_RANGE / OFFSET_UNEXPECTED", "an offset past the end", read(ten, { offset: 11n }), { expectedOffset: 10 }],
  ),

  ...rowsOf(
    "ListBlobs",
    ["INVALID_ARGUMENT / PAGE_INVALID", "a negative page size", list({ pageSize: -1 })],
    ["INVALID_ARGUMENT / PAGE_INVALID", "a page token of nobody's", list({ pageToken: "x" })],
    ["INVALID_ARGUMENT / PAGE_INVALID", "a page token that names no blob", list({ pageToken: btoa("sha1-0") })],
  ),

  ...refusedRefs("RemoveBlobs", (client, ref) => client.blobs.removeBlobs({ refs: [missing, ref] })),
  ...rowsOf("RemoveBlobs", [
    "RESOURCE_EXHAUSTED / TOO_MANY_BLOBS",
    "more refs than may be named",
    async (client) => () => client.blobs.removeBlobs({ refs: four }),
    tooMany,
  ]),

  ...rowsOf(
    "PublishFile",
    ["INVALID_ARGUMENT / ID_MALFORMED", "ids that are none", publish(async () => ({ sessionId: "a", fileId: "b" }))],
    ["NOT_FOUND / SESSION_NOT_FOUND", "no session", publish(async () => ({ sessionId: nobody, fileId: nobody }))],
    [
      "NOT_FOUND / FILE_NOT_FOUND",
      "no file of the session",
      publish(async (client) => ({ sessionId: (await startSession(client)).id, fileId: nobody })),
    ],
    [
      "NOT_FOUND / FILE_NOT_FOUND",
      "a file of another session",
      publish(ofSession(async (c) => (await startSession(c)).id)),
    ],
    ["NOT_FOUND / FILE_NOT_FOUND", "no file of a cancelled session", publish(ofSession(canceledSession))],
    ["NOT_FOUND / FILE_NOT_FOUND", "no file of a failed session", publish(ofSession(failedSession))],
    ["NOT_FOUND / FILE_NOT_FOUND", "no file of an expired session", publish(ofSession(expiredSession))],
    ["FAILED_PRECONDITION / SESSION_STATE", "an active session", publish((client) => storeFile(client, bytes(10)))],
    ["FAILED_PRECONDITION / SESSION_STATE", "a cancelled session", publish(ofEnded("cancel"))],
    ["FAILED_PRECONDITION / SESSION_STATE", "a failed session", publish(ofEnded("fail"))],
    ["FAILED_PRECONDITION / SESSION_EXPIRED", "an expired session", publish(ofExpired)],
  ),
];
