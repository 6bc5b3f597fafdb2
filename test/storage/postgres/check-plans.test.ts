// A check goes through everything page by page: a page must not read whole tables, or a check of twice as much would
// take four times as long. The plans are those of tables with rows in them, as the planner chooses freely.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MetadataStore } from "../../../src/core/index.js";
import { connectDatabase, type Database } from "../../../src/storage/postgres/connect.js";
import { createMetadataStore } from "../../../src/storage/postgres/metadata-store.js";
import { migrate } from "../../../src/storage/postgres/migrate.js";
import { copyEmbeddedTemplate } from "../../support/embedded-template.js";
import { plansOf, type Scan, scansOf } from "./explain.js";

const rows = 20_000;
const middle = "80000000-0000-4000-8000-000000000000";
const tables = new Set(["attempts", "blobs", "extents", "files", "item_files"]);
const isOfMany = (scan: Scan) => tables.has(scan["Relation Name"] ?? "");

let database: Database;
let store: MetadataStore;
beforeAll(async () => {
  database = await connectDatabase({ dataDir: await copyEmbeddedTemplate(), poolSize: 1, durability: "os" });
  await migrate(database.knex);
  store = createMetadataStore(database.knex);
  await fill();
});
afterAll(() => database.close());

/** So many contents, half of them of files, whole and under way, all of items, a quarter of blobs. */
async function fill(): Promise<void> {
  const { knex } = database;
  const id = (kind: string) => `md5('${kind}' || n)::uuid`;
  const insert = (into: string, values: string, count = rows) =>
    knex.raw(`insert into ${into} select ${values} from generate_series(1, ${count}) n`);
  // Nothing of what these rows lean on is there.
  await knex.raw("set session_replication_role = replica");
  const tenant = "md5('tenant')::uuid";
  await insert("attempts (id, tenant_id, number, epoch, offset_bytes)", `${id("a")}, ${tenant}, 1, 1, 100`);
  const extent = "tenant_id, attempt_id, epoch, offset_bytes, length_bytes, blob_key";
  await insert(`extents (${extent})`, `${tenant}, ${id("a")}, 1, 0, 100, 'e:' || md5(n::text)`);
  const file = "id, tenant_id, session_id, name, checksums, media_type, on_failure, attributes, state, attempts";
  for (const column of ["current_attempt_id", "running_attempt_id"]) {
    const values = `${id(column)}, ${tenant}, ${id("s")}, '${column}', '[]', '', 'file', '{}', 'ready', 1, ${id("a")}, now(), now()`;
    await insert(`files (${file}, ${column}, created_at, modified_at)`, values, rows / 2);
  }
  const itemFile = "tenant_id, item_id, name, version, media_type, content_id, attributes, created_at, modified_at";
  await insert(`item_files (${itemFile})`, `${tenant}, ${id("i")}, 'a', 1, '', ${id("a")}, '{}', now(), now()`);
  const blob = "tenant_id, ref, size_bytes, content_id, created_at";
  const ref = "'sha256-' || md5(n::text) || md5(n::text)";
  await insert(`blobs (${blob})`, `${tenant}, ${ref}, 100, ${id("a")}, now()`, rows / 4);
  await knex.raw("set session_replication_role = origin");
}

const asked: readonly (readonly [string, () => Promise<unknown>])[] = [
  ["listNamedContents", () => store.listNamedContents({ after: middle, limit: 100 })],
  ["findNamedContent", () => store.findNamedContent(middle)],
  ["listPlacedBlobs", () => store.listPlacedBlobs({ after: { tenantId: middle, ref: "sha256-" }, limit: 100 })],
  [
    "findPlacedBlob",
    () => store.findPlacedBlob({ tenantId: middle, ref: { algorithm: "sha1", digest: "0".repeat(40) } }),
  ],
];

describe.each(["before", "after"])("%s the tables are analyzed", (when) => {
  beforeAll(async () => {
    if (when === "after") await database.knex.raw("analyze");
  });

  it.each(asked)("%s finds every row that it reads by an index", async (_deed, ask) => {
    const scans = (await plansOf(database, ask)).flatMap(scansOf).filter(isOfMany);
    expect(scans.length).toBeGreaterThan(0);
    expect(scans.filter((scan) => scan["Node Type"] === "Seq Scan")).toEqual([]);
    // A bitmap's rows are those of the index scans below it.
    const found = scans.filter((scan) => scan["Node Type"] !== "Bitmap Heap Scan");
    expect(found.filter((scan) => scan["Index Cond"] === undefined)).toEqual([]);
  });
});

it("a page of contents is whole: nothing that is named is left out between two of them", async () => {
  const seen: string[] = [];
  for (let after: string | undefined; ; after = seen.at(-1)) {
    const page = await store.listNamedContents({ after, limit: 7_000 });
    seen.push(...page.map(({ id }) => id));
    if (page.length < 7_000) break;
  }
  expect([seen.length, new Set(seen).size]).toEqual([rows, rows]);
});
