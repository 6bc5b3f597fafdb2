import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { refusalOf, type Wire, wires } from "../support/client.js";
import { accessRefusals } from "./refusals/access-service.js";
import { blobRefusals } from "./refusals/blob-service.js";
import { catalogRefusals } from "./refusals/catalog-service.js";
import { fileRefusals } from "./refusals/file-service.js";
import { putFileRefusals } from "./refusals/put-file.js";
import type { RefusalRow } from "./refusals/row.js";
import { sessionRefusals } from "./refusals/session-service.js";
import { streamRefusals } from "./refusals/upload-stream.js";
import { uploadRefusals } from "./refusals/uploads.js";
import { watchRefusals } from "./refusals/watch-session.js";
import { useServer } from "./scene.js";

const rows = [
  ...sessionRefusals,
  ...fileRefusals,
  ...uploadRefusals,
  ...streamRefusals,
  ...putFileRefusals,
  ...watchRefusals,
  ...catalogRefusals,
  ...blobRefusals,
  ...accessRefusals,
];

const server = useServer(() => ({
  env: {
    SLIPWAY_MAX_FILE_BYTES: "1MiB",
    SLIPWAY_MAX_PART_BYTES: "64KiB",
    SLIPWAY_MAX_SESSION_FILES: "3",
    SLIPWAY_MAX_WATCHES: "4",
    SLIPWAY_MAX_BLOB_BYTES: "64KiB",
    SLIPWAY_MAX_STREAM_BLOBS: "3",
    SLIPWAY_MAX_BLOB_REFS: "3",
    SLIPWAY_SWEEP_INTERVAL: "1h",
  },
}));

/** A detail-less error answers to UNSPECIFIED. */
async function assertRefused(row: RefusalRow, wire: Wire): Promise<void> {
  const provoked = await row.provoke(server.client(wire));
  const { call, after } = typeof provoked === "function" ? { call: provoked, after: undefined } : provoked;
  const { code, reason = "UNSPECIFIED", ...detail } = await refusalOf(call());
  expect(`${code} / ${reason}`, detail.message).toBe(row.line);
  expect(detail).toMatchObject(row.detail ?? {});
  await after?.();
}

/** One wire for each protocol. */
for (const wire of wires.slice(0, 3)) {
  describe(`over ${wire}`, () => {
    for (const row of rows) {
      it(`${row.rpc} of ${row.when} is ${row.line}`, () => assertRefused(row, wire));
    }
  });
}

/**
 * Lines that no row meets: another test does, or it takes a storage that fails, or a race that a test cannot win for
 * certain. An item does not go while a session is open on it, unless the session is overdue and says so first.
 */
const elsewhere = [
  "GetSession: NOT_FOUND / SESSION_NOT_FOUND",
  "CompleteSession: NOT_FOUND / ITEM_NOT_FOUND",
  "UploadFile: UNAVAILABLE / STORAGE_UNAVAILABLE",
  "UploadPart: ABORTED / WRITER_SUPERSEDED",
  "UploadPart: UNAVAILABLE / STORAGE_UNAVAILABLE",
  "PutFile: UNAVAILABLE / STORAGE_UNAVAILABLE",
  "ReadFile: UNAVAILABLE / STORAGE_UNAVAILABLE",
  "ReadItemFile: UNAVAILABLE / STORAGE_UNAVAILABLE",
  "UploadBlobs: UNAVAILABLE / STORAGE_UNAVAILABLE",
  "ReadBlob: UNAVAILABLE / STORAGE_UNAVAILABLE",
  "Login: UNAVAILABLE / DATABASE_UNAVAILABLE",
];

it("every line of every `Errors:` list is met by a row, and every row meets a line", () => {
  const files = ["session_service", "file_service", "catalog_service", "blob_service", "access_service"];
  const promised = files.flatMap(readErrorLines);
  const met = new Set(rows.map(({ rpc, line }) => `${rpc}: ${line}`));
  expect(promised.filter((line) => !met.has(line) && !elsewhere.includes(line))).toEqual([]);
  const ofService = [
    ": INVALID_ARGUMENT / ID_MALFORMED",
    ": NOT_FOUND / SESSION_NOT_FOUND",
    ": NOT_FOUND / LIBRARY_NOT_FOUND",
    ": NOT_FOUND / ITEM_NOT_FOUND",
    ": NOT_FOUND / TENANT_NOT_FOUND",
    ": NOT_FOUND / USER_NOT_FOUND",
    ": PERMISSION_DENIED / PERMISSION_MISSING",
  ];
  const unpromised = [...met].filter(
    (line) => !promised.includes(line) && !ofService.some((end) => line.endsWith(end)),
  );
  expect(unpromised).toEqual([]);
});

/** `AddFile: INVALID_ARGUMENT / NAME_INVALID` for each line above each RPC. */
function readErrorLines(file: string): string[] {
  const text = readFileSync(new URL(`../../proto/slipway/upload/v1/${file}.proto`, import.meta.url), "utf8");
  let lines: string[] = [];
  const found: string[] = [];
  for (const line of text.split("\n")) {
    if (/^ *\/\/ Errors:/.test(line)) lines = [];
    const error = /^ {2}\/\/ - ([A-Z_]+ \/ [A-Z_]+):/.exec(line)?.[1];
    if (error !== undefined) lines.push(error);
    const rpc = /^ {2}rpc (\w+)\(/.exec(line)?.[1];
    if (rpc !== undefined) found.push(...new Set(lines.map((each) => `${rpc}: ${each}`)));
    if (rpc !== undefined) lines = [];
  }
  return found;
}
