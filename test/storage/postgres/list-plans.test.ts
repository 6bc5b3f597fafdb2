// Lists of a face that shows its sessions as one tenant's definitions: of a hundred thousand of them a page reads no
// more than it shows. What is measured are the deeds' own statements, with their bindings, as the planner chooses freely.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MetadataStore, Predicate, SessionField, SessionOrder } from "../../../src/core/index.js";
import { connectDatabase, type Database } from "../../../src/storage/postgres/connect.js";
import { createMetadataStore } from "../../../src/storage/postgres/metadata-store.js";
import { migrate } from "../../../src/storage/postgres/migrate.js";
import { copyEmbeddedTemplate } from "../../support/embedded-template.js";
import { openTestSchema, postgresAvailable } from "../../support/postgres.js";
import { plansOf, rowsReadOf, scansOf } from "./explain.js";

type Tree = Predicate<SessionField>;

const total = 100_000;
const drafts = 100;
const few = 1_000;
const rows = total + 4 * few;
const tenantId = "11111111-1111-4111-8111-111111111111";
const smallTenantId = "44444444-4444-4444-8444-444444444444";
const ada = "22222222-2222-4222-8222-222222222222";
/** Has nothing at all: a page has to see that without looking at what others have. */
const bob = "33333333-3333-4333-8333-333333333333";

/** The tenant's definitions, and beside them what was thrown away, and what other faces and tenants have. */
async function fill({ knex }: Database): Promise<void> {
  const insert = (count: number, of: { tenant?: string; state?: string; origin?: string; status: string }) => {
    const { tenant = `'${tenantId}'::uuid`, state = "active", origin = "folio", status } = of;
    return knex.raw(
      `insert into sessions (id, tenant_id, owner_id, state, access, visibility, origin, label, removals, attributes,
         client_progress, idle_ttl_ms, keep_terminal_ms, file_count, last_event, created_at, modified_at)
       select gen_random_uuid(), ${tenant}, '${ada}', '${state}', 'additive', 'tenant', '${origin}', '', '[]',
         jsonb_build_object('status', ${status}), 0, 1, 1, 0, 1,
         timestamptz '2026-01-01' + n * interval '1 second', now()
       from generate_series(1, ${count}) n`,
    );
  };
  // The drafts are the oldest: whoever looks for them from the newest on comes by everything.
  await insert(total, {
    status: `case when n > ${drafts} then 'COMPLETED' when n % 2 = 0 then 'NEW' else 'LOADED' end`,
  });
  await insert(few, { status: "'NEW'", state: "canceled" });
  await insert(few, { status: "'NEW'", origin: "rpc" });
  await insert(few, { status: "'NEW'", tenant: "gen_random_uuid()" });
  await insert(few, { status: "'COMPLETED'", tenant: `'${smallTenantId}'` });
}

const ofFace: readonly Tree[] = [
  { field: "origin", is: "eq", value: "folio" },
  { field: "state", is: "in", value: ["active", "completing", "done"] },
];
const visibleTo = (userId: string): Tree => ({
  any: [
    { field: "ownerId", is: "eq", value: userId },
    { field: "visibility", is: "eq", value: "tenant" },
  ],
});
const everything: Tree = { all: [visibleTo(bob), ...ofFace] };
const draftsOf = (userId: string): Tree => ({
  all: [
    visibleTo(userId),
    ...ofFace,
    { field: "ownerId", is: "eq", value: userId },
    { attribute: ["status"], is: "in", value: ["NEW", "IN_PROGRESS", "LOADED"] },
  ],
});
/** The same, said as conditions of one value each. */
const draftsByEach = (userId: string): Tree => ({
  all: [
    ...ofFace,
    { field: "ownerId", is: "eq", value: userId },
    { any: ["NEW", "IN_PROGRESS", "LOADED"].map((value) => ({ attribute: ["status"], is: "eq", value })) },
  ],
});
const withStatus = (status: string): Tree => ({
  all: [...ofFace, { field: "ownerId", is: "eq", value: ada }, { attribute: ["status"], is: "in", value: [status] }],
});

function describePlans(open: () => Promise<{ readonly database: Database; stop(): Promise<void> }>): void {
  let opened: Awaited<ReturnType<typeof open>>;
  let store: MetadataStore;
  beforeAll(async () => {
    opened = await open();
    await migrate(opened.database.knex);
    store = createMetadataStore(opened.database.knex);
    await fill(opened.database);
  });
  afterAll(() => opened.stop());

  const page = (predicate: Tree, limit: number, offset = 0, order: SessionOrder = "newest") =>
    store.listSessionViews(tenantId, predicate, { order, offset, limit, fileLimit: 1000 });

  /** What the deed asks, how many rows of sessions that reads, and along which indexes. */
  async function measure(deed: () => Promise<unknown>) {
    const plans = await plansOf(opened.database, deed, { analyze: true });
    const scans = plans.flatMap(scansOf).filter((scan) => scan["Relation Name"] === "sessions");
    const read = plans.reduce((sum, plan) => sum + rowsReadOf(plan, "sessions"), 0);
    return { read, indexes: scans.map((scan) => scan["Index Name"]) };
  }

  describe.each(["before", "after"])("%s the tables are analyzed", (when) => {
    beforeAll(async () => {
      if (when === "after") await opened.database.knex.raw("vacuum analyze sessions");
    });

    it.each([
      ["a user's newest draft", () => page(draftsOf(ada), 1), 1],
      ["a user's newest draft, whichever way it is asked for", () => page(draftsByEach(ada), 1), 1],
      ["a user's oldest draft", () => page(draftsOf(ada), 1, 0, "oldest"), 1],
      ["a user's drafts", () => page(draftsOf(ada), 1000), drafts],
      ["the newest draft of a user who has none", () => page(draftsOf(bob), 1), 0],
      ["how many drafts a user has", () => store.countSessions(tenantId, draftsOf(ada)), drafts],
      ["how many drafts a user has who has none", () => store.countSessions(tenantId, draftsOf(bob)), 0],
    ])("%s is found among the drafts, and only they are read", async (_title, ask, most) => {
      const { read, indexes } = await measure(ask);
      expect(indexes).toEqual(["sessions_folio_drafts"]);
      expect(read).toBeLessThanOrEqual(most);
    });

    it.each([
      ["the newest of a status that most have", () => page(withStatus("COMPLETED"), 10), 10],
      ["the newest of a status that few have", () => page(withStatus("NEW"), 10), drafts],
      ["the newest of a status that none has", () => page(withStatus("ERROR"), 10), 0],
      ["the number of those of a status", () => store.countSessions(tenantId, withStatus("LOADED")), drafts],
    ])("of a user's, %s is found by the status, at most among the drafts", async (_title, ask, most) => {
      const { read, indexes } = await measure(ask);
      expect(indexes).toEqual([expect.stringMatching(/^sessions_folio_(status|drafts)$/)]);
      expect(read).toBeLessThanOrEqual(most);
    });

    it.each([
      ["the newest of all", () => page(everything, 10), 10],
      ["the oldest of all", () => page(everything, 10, 0, "oldest"), 10],
      ["what comes after a hundred", () => page(everything, 10, 100), 110],
    ])("%s are read along the index of the list, and no more than these", async (_title, ask, most) => {
      const { read, indexes } = await measure(ask);
      expect(indexes).toEqual(["sessions_folio"]);
      expect(read).toBeLessThanOrEqual(most);
    });

    it("how many there are is counted in one go along what is there, and without what others have", async () => {
      expect((await measure(() => store.countSessions(tenantId, everything))).read).toBeLessThanOrEqual(rows);
      const { read, indexes } = await measure(() => store.countSessions(smallTenantId, everything));
      expect([read, indexes]).toEqual([few, [expect.stringMatching(/^sessions_folio/)]]);
    });
  });

  it("what is found is what was looked for", async () => {
    const statuses = (await page(draftsOf(ada), 1000)).map(({ session }) => session.attributes.status);
    expect([statuses.length, new Set(statuses)]).toEqual([drafts, new Set(["NEW", "LOADED"])]);
    expect(await store.countSessions(tenantId, everything)).toBe(total);
    expect(await store.countSessions(tenantId, withStatus("NEW"))).toBe(drafts / 2);
  });
}

describe("embedded", () => {
  describePlans(async () => {
    const settings = { dataDir: await copyEmbeddedTemplate(), poolSize: 1, durability: "os" } as const;
    const database = await connectDatabase(settings);
    return { database, stop: () => database.close() };
  });
});

describe.skipIf(!postgresAvailable())("server", () => {
  describePlans(async () => {
    const { url, drop } = await openTestSchema();
    const database = await connectDatabase({ url, dataDir: "", poolSize: 2, durability: "fsync" });
    return {
      database,
      async stop() {
        await database.close();
        await drop();
      },
    };
  });
});
