// Everything of FileService but the uploads themselves.
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { ChecksumAlgorithm } from "../../../gen/slipway/upload/v1/checksum_pb.js";
import type { TestClient } from "../../support/client.js";
import { addFile, addSomebody, as, type Place, send, sendPart, startSession, storeFile } from "../scene.js";
import { bytes, nested, nobody, type RefusalRow, rowsOf } from "./row.js";
import { canceledSession, doneSession, expiredSession, failedSession } from "./session-service.js";

type Spec = Parameters<typeof addFile>[1];

/** AddFile refuses the spec, and the session stays empty. */
const add = (spec: Spec | "none"): RefusalRow["provoke"] => {
  return async (client) => {
    const { id: sessionId } = await startSession(client);
    const request = spec === "none" ? { sessionId } : { sessionId, spec: { name: "a.bin", ...spec } };
    return {
      call: () => client.files.addFile(request),
      async after() {
        expect((await client.files.listFiles({ sessionId })).files).toEqual([]);
      },
    };
  };
};

const addTo = (make: (client: TestClient) => Promise<string>): RefusalRow["provoke"] => {
  return async (client) => {
    const sessionId = await make(client);
    return () => client.files.addFile({ sessionId, spec: { name: "late" } });
  };
};

const md5 = ChecksumAlgorithm.MD5;
const zeros = (length: number) => "0".repeat(length);
const checksums = (...list: [ChecksumAlgorithm, string][]): RefusalRow["provoke"] =>
  add({ checksums: list.map(([algorithm, checksum]) => ({ algorithm, checksum })) });

/** A file of a session that then ends in one way or another. */
export async function fileOfEnded(client: TestClient, end: "cancel" | "fail" | "complete"): Promise<Place> {
  const place = end === "complete" ? await storeFile(client, bytes(10)) : await addFile(client);
  const { sessionId } = place;
  if (end === "cancel") await client.sessions.cancelSession({ sessionId });
  else if (end === "fail") await client.sessions.failSession({ sessionId, message: "gave up" });
  else await client.sessions.completeSession({ sessionId });
  return place;
}

const removeFromEnded = (end: Parameters<typeof fileOfEnded>[1]): RefusalRow["provoke"] => {
  return async (client) => {
    const place = await fileOfEnded(client, end);
    return () => client.files.removeFile({ ...place });
  };
};

const list = (page: { pageSize?: number; pageToken?: string }): RefusalRow["provoke"] => {
  return async (client) => {
    const { id: sessionId } = await startSession(client);
    return () => client.files.listFiles({ sessionId, ...page });
  };
};

async function drain(answers: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of answers);
}

const read = (
  make: (client: TestClient) => Promise<Place>,
  range: { offset?: bigint; limit?: bigint } = {},
): RefusalRow["provoke"] => {
  return async (client) => {
    const place = await make(client);
    return () => drain(client.files.readFile({ ...place, ...range }));
  };
};
const ten = (client: TestClient) => storeFile(client, bytes(10));

/** A file of a session whose deadline passes after `fill` had its turn. */
async function fileOfExpired(client: TestClient, fill: (place: Place) => Promise<unknown>): Promise<Place> {
  const { id } = await startSession(client, { absoluteTtl: { nanos: 700_000_000 } });
  const place = await addFile(client, {}, id);
  await fill(place);
  await sleep(720);
  return place;
}

const status = (make: (client: TestClient) => Promise<Place>): RefusalRow["provoke"] => {
  return async (client) => {
    const place = await make(client);
    return () => client.files.getUploadStatus({ ...place });
  };
};

/** Every deed on a file finds that the session has none of that id. */
const ofNobody = (call: (client: TestClient, place: Place) => Promise<unknown>): RefusalRow["provoke"] => {
  return async (client) => {
    const place = { sessionId: (await startSession(client)).id, fileId: nobody };
    return () => call(client, place);
  };
};
const absent = (rpc: string, call: Parameters<typeof ofNobody>[0]): RefusalRow[] =>
  rowsOf(
    rpc,
    ["NOT_FOUND / FILE_NOT_FOUND", "a file that is not there", ofNobody(call)],
    [
      "NOT_FOUND / FILE_NOT_FOUND",
      "a file of another session",
      async (client) => {
        const { fileId } = await addFile(client);
        const { id: sessionId } = await startSession(client);
        return () => call(client, { sessionId, fileId });
      },
    ],
  );

export const fileRefusals: readonly RefusalRow[] = [
  ...rowsOf(
    "AddFile",
    ["INVALID_ARGUMENT / NAME_INVALID", "no spec", add("none")],
    ["INVALID_ARGUMENT / NAME_INVALID", "an empty name", add({ name: "" })],
    ["INVALID_ARGUMENT / NAME_INVALID", "a name of 256 bytes", add({ name: `${"x".repeat(254)}é` })],
    ["INVALID_ARGUMENT / NAME_INVALID", "a name with a slash", add({ name: "a/b" })],
    ["INVALID_ARGUMENT / NAME_INVALID", "a name with a backslash", add({ name: "a\\b" })],
    ["INVALID_ARGUMENT / NAME_INVALID", "a name with a NUL", add({ name: "a\0" })],
    ["INVALID_ARGUMENT / NAME_INVALID", "a name with a line feed", add({ name: "a\nb" })],
    ["INVALID_ARGUMENT / NAME_INVALID", "a name with a C1 control character", add({ name: "a\u0085b" })],
    ["INVALID_ARGUMENT / NAME_INVALID", "the name `.`", add({ name: "." })],
    ["INVALID_ARGUMENT / NAME_INVALID", "the name `..`", add({ name: ".." })],
    ["INVALID_ARGUMENT / NUMBER_INVALID", "a negative size", add({ sizeBytes: -1n })],
    ["INVALID_ARGUMENT / NUMBER_INVALID", "a size of 2^53", add({ sizeBytes: 2n ** 53n })],
    ["INVALID_ARGUMENT / NUMBER_INVALID", "a size of 2^63-1", add({ sizeBytes: 2n ** 63n - 1n })],
    ["INVALID_ARGUMENT / NUMBER_INVALID", "an unknown on_failure", add({ onFailure: 9 as never })],
    ["INVALID_ARGUMENT / ALGORITHM_UNKNOWN", "a checksum without an algorithm", checksums([0, zeros(32)])],
    ["INVALID_ARGUMENT / ALGORITHM_UNKNOWN", "an unknown algorithm", checksums([99 as never, zeros(32)])],
    ["INVALID_ARGUMENT / CHECKSUM_MALFORMED", "a checksum that is too short", checksums([md5, zeros(31)])],
    ["INVALID_ARGUMENT / CHECKSUM_MALFORMED", "a checksum that is too long", checksums([md5, zeros(33)])],
    ["INVALID_ARGUMENT / CHECKSUM_MALFORMED", "an empty checksum", checksums([md5, ""])],
    ["INVALID_ARGUMENT / CHECKSUM_MALFORMED", "a checksum that is not hexadecimal", checksums([md5, `g${zeros(31)}`])],
    [
      "INVALID_ARGUMENT / CHECKSUM_MALFORMED",
      "two checksums that contradict each other",
      checksums([md5, zeros(32)], [md5, "1".repeat(32)]),
    ],
    ["INVALID_ARGUMENT / TEXT_INVALID", "a media type of 256 characters", add({ mediaType: "x".repeat(256) })],
    ["INVALID_ARGUMENT / TEXT_INVALID", "a media type with a NUL", add({ mediaType: "text/\0" })],
    ["INVALID_ARGUMENT / ATTRIBUTES_INVALID", "attributes of 65 KiB", add({ attributes: { a: "x".repeat(66_560) } })],
    ["INVALID_ARGUMENT / ATTRIBUTES_INVALID", "attributes of 17 levels", add({ attributes: nested(17) as never })],
    ...Object.entries({
      "a source without a URI": {},
      "a source of another scheme": { uri: "ftp://example.com/a" },
      "a source with a password": { uri: "https://me:secret@example.com/a" },
      "a source with no host": { uri: "https:///a" },
      "a source with a slash at its end": { uri: "file:///srv/" },
      "a source with `..` in its path": { uri: "ds:///srv/../etc/passwd" },
      "a source with a malformed thumbprint": { uri: "https://example.com/a", sslCertificateThumbprint: "12:34" },
      "a source with a thumbprint nobody can check": {
        uri: "file:///srv/a",
        sslCertificateThumbprint: zeros(64),
      },
    }).map(([when, source]) => ["INVALID_ARGUMENT / SOURCE_INVALID", when, add({ source })] as const),
    ...["file", "ds"].map(
      (scheme) =>
        [
          "PERMISSION_DENIED / PERMISSION_MISSING",
          `a ${scheme}: source by somebody who does not keep the server`,
          async (client: TestClient) => {
            const somebody = await addSomebody(client);
            const { session } = await client.sessions.createSession({}, as(somebody));
            const source = { uri: `${scheme}:///srv/a.bin` };
            const request = { sessionId: session!.id, spec: { name: "a.bin", source } };
            return () => client.files.addFile(request, as(somebody));
          },
        ] as const,
    ),
    [
      "ALREADY_EXISTS / FILE_EXISTS",
      "a name that the session has with another source",
      async (client) => {
        const spec = { name: "a.bin", source: { uri: "http://127.0.0.1:9/a" } };
        const { sessionId } = await addFile(client, spec);
        const source = { uri: "http://127.0.0.1:9/b" };
        return () => client.files.addFile({ sessionId, spec: { ...spec, source } });
      },
    ],
    [
      "ALREADY_EXISTS / FILE_EXISTS",
      "a name that the session has with another spec",
      async (client) => {
        const { sessionId } = await addFile(client, { sizeBytes: 10n });
        return () => addFile(client, { sizeBytes: 11n }, sessionId);
      },
    ],
    [
      "RESOURCE_EXHAUSTED / SIZE_EXCEEDED",
      "a size above the largest file",
      add({ sizeBytes: 2n ** 20n + 1n }),
      { limit: { setting: "SLIPWAY_MAX_FILE_BYTES", value: 2 ** 20 } },
    ],
    [
      "RESOURCE_EXHAUSTED / TOO_MANY_FILES",
      "one file more than a session may have",
      async (client) => {
        const { id } = await startSession(client);
        for (const name of ["one", "two", "three"]) await addFile(client, { name }, id);
        return () => addFile(client, { name: "four" }, id);
      },
      { limit: { setting: "SLIPWAY_MAX_SESSION_FILES", value: 3 } },
    ],
    ["FAILED_PRECONDITION / SESSION_EXPIRED", "a session whose deadline has passed", addTo(expiredSession)],
    ["FAILED_PRECONDITION / SESSION_STATE", "a session in DONE", addTo(doneSession)],
    ["FAILED_PRECONDITION / SESSION_STATE", "a session in CANCELED", addTo(canceledSession)],
    ["FAILED_PRECONDITION / SESSION_STATE", "a session in FAILED", addTo(failedSession)],
  ),
  ...absent("GetFile", (client, place) => client.files.getFile({ ...place })),
  ...absent("RemoveFile", (client, place) => client.files.removeFile({ ...place })),
  ...absent("UploadFile", (client, place) => send(client, place, bytes(3))),
  ...absent("UploadPart", (client, place) => sendPart(client, place, 0, bytes(3))),
  ...absent("GetUploadStatus", (client, place) => client.files.getUploadStatus({ ...place })),
  ...absent("ReadFile", (client, place) => drain(client.files.readFile({ ...place }))),
  ...rowsOf(
    "ListFiles",
    ["INVALID_ARGUMENT / PAGE_INVALID", "a negative page size", list({ pageSize: -1 })],
    ["INVALID_ARGUMENT / PAGE_INVALID", "a page token of somebody else's", list({ pageToken: "bm9ib2R5" })],
  ),
  ...rowsOf(
    "RemoveFile",
    [
      "FAILED_PRECONDITION / SESSION_EXPIRED",
      "a session whose deadline has passed",
      async (client) => {
        const place = await fileOfExpired(client, async () => undefined);
        return () => client.files.removeFile({ ...place });
      },
    ],
    ["FAILED_PRECONDITION / SESSION_STATE", "a session in DONE", removeFromEnded("complete")],
    ["FAILED_PRECONDITION / SESSION_STATE", "a session in CANCELED", removeFromEnded("cancel")],
    ["FAILED_PRECONDITION / SESSION_STATE", "a session in FAILED", removeFromEnded("fail")],
  ),
  ...rowsOf(
    "GetUploadStatus",
    [
      "FAILED_PRECONDITION / SESSION_EXPIRED",
      "a session whose deadline has passed",
      status((client) => fileOfExpired(client, async () => undefined)),
    ],
    ["FAILED_PRECONDITION / SESSION_STATE", "a session in CANCELED", status((client) => fileOfEnded(client, "cancel"))],
    ["FAILED_PRECONDITION / SESSION_STATE", "a session in FAILED", status((client) => fileOfEnded(client, "fail"))],
  ),
  ...rowsOf(
    "ReadFile",
    [
      "FAILED_PRECONDITION / SESSION_EXPIRED",
      "a session whose deadline has passed",
      read((client) => fileOfExpired(client, (place) => send(client, place, bytes(10)))),
    ],
    ["INVALID_ARGUMENT / NUMBER_INVALID", "a negative offset", read(ten, { offset: -1n })],
    ["INVALID_ARGUMENT / NUMBER_INVALID", "an offset of 2^53", read(ten, { offset: 2n ** 53n })],
    ["INVALID_ARGUMENT / NUMBER_INVALID", "a negative limit", read(ten, { limit: -1n })],
    ["INVALID_ARGUMENT / NUMBER_INVALID", "a limit of 2^53", read(ten, { limit: 2n ** 53n })],
    ["OUT_OF_RANGE / OFFSET_UNEXPECTED", "an offset past the end", read(ten, { offset: 11n }), { expectedOffset: 10 }],
    ["FAILED_PRECONDITION / NO_CONTENT", "a file of which nothing was sent", read(addFile)],
    [
      "FAILED_PRECONDITION / NO_CONTENT",
      "a file of which a part was sent",
      read(async (client) => {
        const place = await addFile(client);
        await sendPart(client, place, 0, bytes(3));
        return place;
      }),
    ],
    ["FAILED_PRECONDITION / SESSION_STATE", "a session in CANCELED", read((client) => fileOfEnded(client, "cancel"))],
    ["FAILED_PRECONDITION / SESSION_STATE", "a session in FAILED", read((client) => fileOfEnded(client, "fail"))],
  ),
];
