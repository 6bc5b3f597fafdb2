import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { expect } from "vitest";
import { ChecksumAlgorithm } from "../../../gen/slipway/upload/v1/checksum_pb.js";
import type { PutFileRequestSchema } from "../../../gen/slipway/upload/v1/file_service_pb.js";
import { SessionAccess } from "../../../gen/slipway/upload/v1/session_pb.js";
import { makeItem, startSession } from "../scene.js";
import { bytes, nested, nobody, type RefusalRow, rowsOf } from "./row.js";

type Request = MessageInitShape<typeof PutFileRequestSchema>;
type Spec = Request["spec"];

/** PutFile refuses the request, and leaves no session. */
const put = (request: Request): RefusalRow["provoke"] => {
  return async (client) => {
    const label = request.label === undefined ? randomUUID() : request.label;
    return {
      call: () => client.files.putFile({ spec: { name: "a.bin" }, data: bytes(10), label, ...request } as Request),
      async after() {
        if (request.label !== undefined) return;
        expect((await client.sessions.listSessions({ label })).sessions).toEqual([]);
      },
    };
  };
};
const spec = (words: Spec) => put({ spec: { name: "a.bin", ...words } as Spec });

const { MD5, SHA256 } = ChecksumAlgorithm;
const zeros = (length: number) => "0".repeat(length);
const checksums = (...list: [ChecksumAlgorithm, string][]) =>
  spec({ checksums: list.map(([algorithm, checksum]) => ({ algorithm, checksum })) });

export const putFileRefusals: readonly RefusalRow[] = rowsOf(
  "PutFile",
  ["INVALID_ARGUMENT / NAME_INVALID", "no spec", put({ spec: undefined as never })],
  ["INVALID_ARGUMENT / NAME_INVALID", "an empty name", spec({ name: "" })],
  ["INVALID_ARGUMENT / NAME_INVALID", "a name with a slash", spec({ name: "../a" })],
  ["INVALID_ARGUMENT / NUMBER_INVALID", "a negative size", spec({ sizeBytes: -1n })],
  ["INVALID_ARGUMENT / NUMBER_INVALID", "a size of 2^53", spec({ sizeBytes: 2n ** 53n })],
  ["INVALID_ARGUMENT / NUMBER_INVALID", "an unknown on_failure", spec({ onFailure: 9 as never })],
  ["INVALID_ARGUMENT / NUMBER_INVALID", "an unknown visibility", put({ visibility: 9 as never })],
  ["INVALID_ARGUMENT / SIZE_DIFFERS", "fewer bytes than declared", spec({ sizeBytes: 11n }), { actual: "10" }],
  ["INVALID_ARGUMENT / SIZE_DIFFERS", "more bytes than declared", spec({ sizeBytes: 9n }), { declared: "9" }],
  ["INVALID_ARGUMENT / ALGORITHM_UNKNOWN", "a checksum without an algorithm", checksums([0, zeros(32)])],
  ["INVALID_ARGUMENT / CHECKSUM_MALFORMED", "a checksum that is too short", checksums([MD5, zeros(31)])],
  [
    "INVALID_ARGUMENT / CHECKSUM_MALFORMED",
    "checksums that contradict",
    checksums([MD5, zeros(32)], [MD5, "1".repeat(32)]),
  ],
  ["INVALID_ARGUMENT / TEXT_INVALID", "a client token of 129 characters", put({ clientToken: "x".repeat(129) })],
  ["INVALID_ARGUMENT / TEXT_INVALID", "a label of 257 characters", put({ label: "x".repeat(257) })],
  ["INVALID_ARGUMENT / TEXT_INVALID", "a label with a NUL", put({ label: "a\0" })],
  ["INVALID_ARGUMENT / TEXT_INVALID", "a media type of 256 characters", spec({ mediaType: "x".repeat(256) })],
  ["INVALID_ARGUMENT / ATTRIBUTES_INVALID", "attributes of 65 KiB", put({ attributes: { a: "x".repeat(66_560) } })],
  [
    "INVALID_ARGUMENT / ATTRIBUTES_INVALID",
    "a file's attributes of 17 levels",
    spec({ attributes: nested(17) as never }),
  ],
  ["INVALID_ARGUMENT / SOURCE_INVALID", "a source", spec({ source: { uri: "https://example.com/a" } })],
  ["INVALID_ARGUMENT / ID_MALFORMED", "an item id that is no UUID", put({ itemId: "a" })],
  ["NOT_FOUND / ITEM_NOT_FOUND", "an item that is not there", put({ itemId: nobody })],
  [
    "FAILED_PRECONDITION / ITEM_BUSY",
    "an item that an EXCLUSIVE session has",
    async (client) => {
      const { id: itemId } = await makeItem(client);
      await startSession(client, { itemId, access: SessionAccess.EXCLUSIVE });
      return () => client.files.putFile({ itemId, spec: { name: "a.bin" }, data: bytes(10) });
    },
  ],
  [
    "ALREADY_EXISTS / CLIENT_TOKEN_REUSED",
    "a client token that came with other bytes",
    async (client) => {
      const clientToken = randomUUID();
      const request = { clientToken, spec: { name: "a.bin" } };
      await client.files.putFile({ ...request, data: bytes(10) });
      return () => client.files.putFile({ ...request, data: bytes(10, 8) });
    },
  ],
  [
    "RESOURCE_EXHAUSTED / SIZE_EXCEEDED",
    "one byte more than the largest file",
    put({ data: bytes(2 ** 20 + 1) }),
    { limit: { setting: "SLIPWAY_MAX_FILE_BYTES", value: 2 ** 20 } },
  ],
  ["RESOURCE_EXHAUSTED / UNSPECIFIED", "a message above 4 MiB", put({ data: bytes(4 * 2 ** 20) })],
  [
    "DATA_LOSS / CHECKSUM_DIFFERS",
    "bytes that do not have the declared checksum",
    checksums([SHA256, zeros(64)]),
    { declared: zeros(64) },
  ],
);
