// What is asked often is found by an index that leads straight to it, however many rows there are beside.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BlobKey, BlobRef, MetadataStore } from "../../../src/core/index.js";
import { connectDatabase, type Database } from "../../../src/storage/postgres/connect.js";
import { createMetadataStore } from "../../../src/storage/postgres/metadata-store.js";
import { migrate } from "../../../src/storage/postgres/migrate.js";
import { copyEmbeddedTemplate } from "../../support/embedded-template.js";
import { plansOf, scansOf } from "./explain.js";

let database: Database;
let store: MetadataStore;
beforeAll(async () => {
  database = await connectDatabase({ dataDir: await copyEmbeddedTemplate(), poolSize: 1, durability: "os" });
  await migrate(database.knex);
  // Of a few rows all are read at once, whatever indexes there are.
  for (const way of ["seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin"])
    await database.knex.raw(`set enable_${way} = off`);
  store = createMetadataStore(database.knex);
});
afterAll(() => database.close());

const id = crypto.randomUUID();
const page = { limit: 10 };
const name = { tenantId: id, ref: { algorithm: "sha1", digest: "0".repeat(40) } satisfies BlobRef };

/** The deed, the index, and the column that is looked for in it. */
const asked: readonly (readonly [string, string, string, () => Promise<unknown>])[] = [
  ["listOverdueSessions", "sessions_running", "expires_at", () => store.listOverdueSessions(10)],
  ["deleteForgottenSessions", "sessions_ended", "expires_at", () => store.deleteForgottenSessions(10)],
  ["deleteExpiredRecords", "records_expired", "expires_at", () => store.deleteExpiredRecords(10)],
  ["deleteExpiredRecords", "client_tokens_expired", "expires_at", () => store.deleteExpiredRecords(10)],
  ["deleteExpiredRecords", "tokens_expired", "expires_at", () => store.deleteExpiredRecords(10)],
  ["deleteReleasedContent", "attempts_released", "released_at", () => store.deleteReleasedContent(10)],
  ["findReferencedKeys", "extents_blob_key", "blob_key", () => store.findReferencedKeys(["a" as BlobKey])],
  ["findReferencedKeys", "blobs_blob_key", "blob_key", () => store.findReferencedKeys(["a" as BlobKey])],
  ["listProgress", "files_under_way", "session_id", () => store.listProgress({ tenantId: id, sessionId: id }, 10)],
  ["findBlobs", "blobs_pkey", "ref", () => store.findBlobs([name])],
  ["listBlobs", "blobs_pkey", "ref", () => store.listBlobs(id, { after: "sha1-", limit: 10 })],
  ["findToken", "tokens_digest", "digest", () => store.findToken(new Uint8Array(32))],
  ["listTokens", "tokens_list", "user_id", () => store.listTokens(id, page)],
  ["listUsers", "users_list", "tenant_id", () => store.listUsers(id, page)],
];

describe("what is asked often", () => {
  it.each(asked)("%s finds its rows in %s by %s", async (_deed, index, column, ask) => {
    const plans = await plansOf(database, ask);
    const scans = plans.flatMap(scansOf).filter((scan) => scan["Index Name"] === index);
    expect(scans.map((scan) => scan["Index Cond"])).toContainEqual(expect.stringContaining(column));
  });
});

it("open sessions are counted along the index of those that run, however many have ended", async () => {
  const scans = (await plansOf(database, () => store.countOpenSessions())).flatMap(scansOf);
  expect(scans.map((scan) => scan["Index Name"])).toContain("sessions_running");
});
