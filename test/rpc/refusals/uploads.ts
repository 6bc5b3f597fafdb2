// UploadFile and UploadPart: what both refuse is one list, what only one can is another.
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { ChecksumAlgorithm } from "../../../gen/slipway/upload/v1/checksum_pb.js";
import type { TestClient } from "../../support/client.js";
import { addFile, type Place, send, sendPart, startSession, statusOf, storeFile } from "../scene.js";
import { fileOfEnded } from "./file-service.js";
import { bytes, type RefusalRow, rowsOf } from "./row.js";

type Spec = Parameters<typeof addFile>[1];

/** One part of an upload, whichever RPC carries it. */
export interface Deed {
  readonly offset?: bigint;
  readonly data?: Uint8Array;
  readonly restart?: boolean;
  readonly sizeBytes?: bigint;
  readonly finish?: boolean;
  readonly checksum?: readonly [ChecksumAlgorithm, string];
}

export type Carrier = (client: TestClient, place: Place, deed: Deed) => Promise<unknown>;

export const carriers: Record<"UploadFile" | "UploadPart", Carrier> = {
  UploadFile(client, place, { offset = 0n, data = bytes(0), finish = true, checksum, ...more }) {
    const checksums = checksum === undefined ? [] : [{ algorithm: checksum[0], checksum: checksum[1] }];
    return send(client, place, data, { ...more, offset, finish: finish && { checksums } });
  },
  UploadPart({ files }, place, { offset = 0n, data = bytes(0), finish = true, checksum, ...more }) {
    const fileChecksums = checksum === undefined ? [] : [{ algorithm: checksum[0], checksum: checksum[1] }];
    return files.uploadPart({
      ...place,
      ...more,
      offset,
      data: data as Uint8Array<ArrayBuffer>,
      finish,
      fileChecksums,
    });
  },
};

/** On a fresh file with `stored` bytes the deed is refused, and `left` bytes are stored then. */
function on(carry: Carrier, spec: Spec, stored: number, deed: Deed, left: number): RefusalRow["provoke"] {
  return async (client) => {
    const place = await addFile(client, spec);
    if (stored > 0) await sendPart(client, place, 0, bytes(stored));
    return {
      call: () => carry(client, place, deed),
      after: async () => expect(await statusOf(client, place)).toBe(left),
    };
  };
}

const inEnded = (carry: Carrier, end: Parameters<typeof fileOfEnded>[1]): RefusalRow["provoke"] => {
  return async (client) => {
    const place = await fileOfEnded(client, end);
    return () => carry(client, place, { data: bytes(10) });
  };
};

/** A whole file of ten bytes and of no declared size stays as it is. */
const onWhole = (carry: Carrier, deed: Deed): RefusalRow["provoke"] => {
  return async (client) => {
    const place = await storeFile(client, bytes(10));
    const before = await client.files.getFile({ ...place });
    return {
      call: () => carry(client, place, deed),
      after: async () => expect(await client.files.getFile({ ...place })).toEqual(before),
    };
  };
};

const sha256 = ChecksumAlgorithm.SHA256;
const digestOf = { none: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", other: "0".repeat(64) };

const common = (rpc: keyof typeof carriers): RefusalRow[] => {
  const carry = carriers[rpc];
  const fresh = (deed: Deed, left = 0) => on(carry, {}, 0, deed, left);
  const ten = (deed: Deed, left = 10) => on(carry, {}, 10, deed, left);
  return rowsOf(
    rpc,
    ["INVALID_ARGUMENT / NUMBER_INVALID", "a negative offset", fresh({ offset: -1n })],
    ["INVALID_ARGUMENT / NUMBER_INVALID", "an offset of 2^53", fresh({ offset: 2n ** 53n })],
    ["INVALID_ARGUMENT / NUMBER_INVALID", "a negative size", fresh({ sizeBytes: -1n })],
    ["INVALID_ARGUMENT / NUMBER_INVALID", "a size of 2^53", fresh({ sizeBytes: 2n ** 53n })],
    ["INVALID_ARGUMENT / NUMBER_INVALID", "a restart that is not at 0", ten({ restart: true, offset: 1n })],
    [
      "INVALID_ARGUMENT / SIZE_DIFFERS",
      "another size than was declared",
      on(carry, { sizeBytes: 20n }, 10, { sizeBytes: 21n, offset: 10n, data: bytes(10) }, 10),
      { declared: "20", actual: "21" },
    ],
    [
      "INVALID_ARGUMENT / ALGORITHM_UNKNOWN",
      "a checksum without an algorithm",
      fresh({ data: bytes(3), checksum: [0, digestOf.none] }, rpc === "UploadFile" ? 3 : 0),
    ],
    [
      "INVALID_ARGUMENT / CHECKSUM_MALFORMED",
      "a checksum of the wrong length",
      fresh({ data: bytes(3), checksum: [sha256, "00"] }, rpc === "UploadFile" ? 3 : 0),
    ],
    [
      "OUT_OF_RANGE / OFFSET_UNEXPECTED",
      "a gap in a new file",
      fresh({ offset: 1n, data: bytes(3) }),
      { expectedOffset: 0 },
    ],
    ["OUT_OF_RANGE / OFFSET_UNEXPECTED", "a gap", ten({ offset: 11n, data: bytes(3) }), { expectedOffset: 10 }],
    ["ALREADY_EXISTS / BYTES_DIFFER", "other bytes than are stored", ten({ offset: 5n, data: bytes(3, 8) })],
    [
      "ALREADY_EXISTS / BYTES_DIFFER",
      "stored bytes, other ones, and new ones",
      ten({ data: Uint8Array.of(...bytes(9), 8, 9, 9) }),
    ],
    [
      "RESOURCE_EXHAUSTED / SIZE_EXCEEDED",
      "a size below what is stored",
      ten({ offset: 10n, sizeBytes: 9n }),
      { declared: "9" },
    ],
    [
      "RESOURCE_EXHAUSTED / SIZE_EXCEEDED",
      "bytes past the declared size",
      on(carry, { sizeBytes: 12n }, 10, { offset: 10n, data: bytes(3) }, rpc === "UploadFile" ? 12 : 10),
      { declared: "12" },
    ],
    [
      "RESOURCE_EXHAUSTED / SIZE_EXCEEDED",
      "bytes past the largest file",
      on(carry, {}, 0, { data: bytes(2 ** 20 + 1) }, rpc === "UploadFile" ? 2 ** 20 : 0),
      { limit: { setting: "SLIPWAY_MAX_FILE_BYTES", value: 2 ** 20 } },
    ],
    [
      "DATA_LOSS / CHECKSUM_DIFFERS",
      "content without the checksum of its finish",
      fresh({ checksum: [sha256, digestOf.other] }),
      { declared: digestOf.other, actual: digestOf.none },
    ],
    [
      "DATA_LOSS / CHECKSUM_DIFFERS",
      "content without the checksum of its spec",
      on(
        carry,
        { sizeBytes: 1n, checksums: [{ algorithm: ChecksumAlgorithm.CRC32C, checksum: "00000001" }] },
        0,
        { data: bytes(1, 0) },
        0,
      ),
      { declared: "00000001", actual: "527d5351" },
    ],
    [
      "FAILED_PRECONDITION / PART_SHORT",
      "a finish before the declared size",
      on(carry, { sizeBytes: 20n }, 10, { offset: 10n, data: bytes(3) }, 13),
      { expectedOffset: 13 },
    ],
    [
      "FAILED_PRECONDITION / SESSION_EXPIRED",
      "a session whose deadline has passed",
      async (client) => {
        const { id } = await startSession(client, { absoluteTtl: { nanos: 700_000_000 } });
        const place = await addFile(client, {}, id);
        await sleep(720);
        return () => carry(client, place, { data: bytes(3) });
      },
    ],
    [
      "FAILED_PRECONDITION / FILE_STATE",
      "a whole file and more",
      onWhole(carry, { data: bytes(11) }),
      { expectedOffset: 10 },
    ],
    [
      "FAILED_PRECONDITION / FILE_STATE",
      "a file that the server fetches",
      on(carry, { source: { uri: "http://127.0.0.1:9/a" } }, 0, { data: bytes(3) }, 0),
    ],
    ["ALREADY_EXISTS / BYTES_DIFFER", "a whole file in other bytes", onWhole(carry, { data: bytes(10, 8) })],
    ["INVALID_ARGUMENT / SIZE_DIFFERS", "a whole file with an end before its own", onWhole(carry, { data: bytes(9) })],
    [
      "DATA_LOSS / CHECKSUM_DIFFERS",
      "a whole file with another checksum",
      onWhole(carry, { data: bytes(10), checksum: [sha256, digestOf.other] }),
      { declared: digestOf.other },
    ],
    ["FAILED_PRECONDITION / SESSION_STATE", "a session in DONE", inEnded(carry, "complete")],
    ["FAILED_PRECONDITION / SESSION_STATE", "a session in CANCELED", inEnded(carry, "cancel")],
    ["FAILED_PRECONDITION / SESSION_STATE", "a session in FAILED", inEnded(carry, "fail")],
  );
};

/**
 * Of parts that begin the file anew at once some are pushed out, unless each happens to be done before the next one comes:
 * then they are sent again.
 */
const crowded: RefusalRow["provoke"] = async (client) => {
  const place = await addFile(client);
  const restart = () => sendPart(client, place, 0, bytes(2 ** 20), { restart: true });
  return async () => {
    for (;;) {
      const ends = await Promise.allSettled(Array.from({ length: 8 }, restart));
      const refused = ends.find((end) => end.status === "rejected");
      if (refused !== undefined) throw refused.reason;
    }
  };
};

const part = (checksum: readonly [ChecksumAlgorithm, string], data = bytes(3)): RefusalRow["provoke"] => {
  return async (client) => {
    const place = await addFile(client);
    const own = { algorithm: checksum[0], checksum: checksum[1] };
    return {
      call: () => client.files.uploadPart({ ...place, data, checksum: own, finish: true }),
      after: async () => expect(await statusOf(client, place)).toBe(0),
    };
  };
};

export const uploadRefusals: readonly RefusalRow[] = [
  ...common("UploadFile"),
  ...common("UploadPart"),
  ...rowsOf(
    "UploadPart",
    ["INVALID_ARGUMENT / ALGORITHM_UNKNOWN", "its own checksum without an algorithm", part([0, digestOf.other])],
    ["INVALID_ARGUMENT / CHECKSUM_MALFORMED", "its own checksum not in hexadecimal", part([sha256, "z".repeat(64)])],
    [
      "DATA_LOSS / CHECKSUM_DIFFERS",
      "bytes without its own checksum",
      part([sha256, digestOf.other], bytes(0)),
      { declared: digestOf.other, actual: digestOf.none },
    ],
    [
      "RESOURCE_EXHAUSTED / SIZE_EXCEEDED",
      "a checksum over more than a part may have",
      part([sha256, digestOf.other], bytes(65_537)),
      { limit: { setting: "SLIPWAY_MAX_PART_BYTES", value: 65_536 } },
    ],
    [
      "RESOURCE_EXHAUSTED / UNSPECIFIED",
      "a message of more than 4 MiB",
      on(carriers.UploadPart, {}, 10, { offset: 10n, data: bytes(4 * 2 ** 20) }, 10),
    ],
    ["ABORTED / WRITER_SUPERSEDED", "a file that others begin anew at the same time", crowded],
  ),
];
