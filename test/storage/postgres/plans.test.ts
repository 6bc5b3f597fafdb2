// What is asked often is found by an index that leads straight to it, however many rows there are beside.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BlobKey, type BlobRef, createId, type MetadataStore } from "../../../src/core/index.js";
import { connectDatabase, type Database } from "../../../src/storage/postgres/connect.js";
import { createMetadataStore } from "../../../src/storage/postgres/metadata-store.js";
import { migrate } from "../../../src/storage/postgres/migrate.js";
import { buildSession } from "../../support/builders.js";
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
  ["listSettleable", "pulls_of_session", "session_id", () => store.listSettleable({ limit: 10 })],
  [
    "listLibraries",
    "libraries_any_case",
    "lower",
    () => store.listLibraries(id, { field: "name", is: "same", value: "N" }, page),
  ],
  ["listItems", "items_any_case", "lower", () => store.listItems(id, { field: "name", is: "same", value: "N" }, page)],
  ["listBusySessions", "sessions_open_on_item", "item_id", () => store.listBusySessions(id, id, 10)],
  ["measureItem", "item_files_pkey", "item_id", () => store.measureItem(id, id).catch(() => {})],
  ["findBlobs", "blobs_pkey", "ref", () => store.findBlobs([name])],
  ["listBlobs", "blobs_pkey", "ref", () => store.listBlobs(id, { after: "sha1-", limit: 10 })],
  ["findToken", "tokens_digest", "digest", () => store.findToken(new Uint8Array(32))],
  ["findTokenById", "tokens_pkey", "id", () => store.findTokenById(id)],
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

describe("of very many pulls that are due", () => {
  const busy = crypto.randomUUID();
  beforeAll(async () => {
    const { knex } = database;
    for (const way of ["seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin"]) await knex.raw(`reset enable_${way}`);
    const { userId } = await store.ensureUser("default", "ada");
    await knex("tenants").insert({ id: busy, name: "busy" });
    for (let n = 0; n < 50; n++) {
      const session = { tenantId: busy, ownerId: userId, id: crypto.randomUUID() };
      await store.createSession({
        ...session,
        itemId: undefined,
        build: ({ now }) => ({ session: buildSession({ ...session, createdAt: now }), events: [] }),
      });
    }
    await knex.raw(
      `insert into files (id, tenant_id, session_id, name, checksums, media_type, on_failure, attributes, state,
         attempts, created_at, modified_at)
       select gen_random_uuid(), s.tenant_id, s.id, n, '[]', '', 'file', '{}', 'waiting', 0, now(), now()
       from sessions s cross join generate_series(1, 400) n`,
    );
    await knex.raw("insert into pulls select id, tenant_id, session_id, now(), 0 from files");
    await knex.raw("analyze");
  });

  it.each([
    ["the first is leased", () => store.leasePull({ leaseMs: 60_000, exceptTenants: [] })],
    ["that no other tenant has one is found", () => store.leasePull({ leaseMs: 60_000, exceptTenants: [busy] })],
    ["the first of one tenant is leased", () => store.leasePull({ leaseMs: 60_000, exceptTenants: [createId()] })],
    ["what a completion waits for is found", () => store.listSettleable({ limit: 10 })],
  ])("%s without looking at them all", async (_title, ask) => {
    const scans = (await plansOf(database, ask)).flatMap(scansOf).filter((scan) => scan["Relation Name"] === "pulls");
    const ways = scans.map((scan) => scan["Node Type"]);
    expect(ways).toContainEqual(expect.stringMatching(/^(Index|Bitmap)/));
    expect(ways).not.toContain("Seq Scan");
    // Nor are those of a tenant whose turn it is not looked at one by one.
    expect(scans.map((scan) => scan.Filter ?? "").join(" ")).not.toContain("tenant_id");
  });
});
