import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { refusalOf, type Wire, wires } from "../support/client.js";
import { accessRefusals } from "./refusals/access-service.js";
import { blobRefusals } from "./refusals/blob-service.js";
import { catalogRefusals } from "./refusals/catalog-service.js";
import { fileRefusals } from "./refusals/file-service.js";
import { maintenanceRefusals } from "./refusals/maintenance-service.js";
import { putFileRefusals } from "./refusals/put-file.js";
import type { RefusalRow } from "./refusals/row.js";
import { sessionRefusals } from "./refusals/session-service.js";
import { storageReads, storageRepeats, storageWrites } from "./refusals/storage.js";
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
  ...maintenanceRefusals,
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

/** Lines that take a server without its medium or its database: these are met where those are taken away. */
const elsewhere = [
  // test/rpc/check-store.test.ts
  "CheckStore: UNAVAILABLE / STORAGE_UNAVAILABLE",
  // test/rpc/storage-away.test.ts
  ...Object.keys({ ...storageWrites, ...storageReads }).map((rpc) => `${rpc}: UNAVAILABLE / STORAGE_UNAVAILABLE`),
  ...Object.keys({ ...storageReads, ...storageRepeats }).map((rpc) => `${rpc}: DATA_LOSS / CONTENT_DAMAGED`),
  // test/server/database-away.test.ts
  "Login: UNAVAILABLE / DATABASE_UNAVAILABLE",
];

it("every line of every `Errors:` list is met by a row, and every row meets a line", () => {
  const files = [
    "session_service",
    "file_service",
    "catalog_service",
    "blob_service",
    "access_service",
    "maintenance_service",
  ];
  const promised = files.flatMap(readErrorLines);
  const met = new Set(rows.map(({ rpc, line }) => `${rpc}: ${line}`));
  expect(promised.filter((line) => !met.has(line)).sort()).toEqual([...elsewhere].sort());
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
