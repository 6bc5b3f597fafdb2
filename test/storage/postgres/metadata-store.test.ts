import type { Knex } from "knex";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createId, type MetadataStore } from "../../../src/core/index.js";
import { connectDatabase, type Database } from "../../../src/storage/postgres/connect.js";
import { createMetadataStore } from "../../../src/storage/postgres/metadata-store.js";
import { migrate } from "../../../src/storage/postgres/migrate.js";
import { describeMetadataStore, type OpenedStore } from "../../contract/metadata-store/index.js";
import {
  addFile,
  complete,
  extentOf,
  finishSeat,
  type OpenStore,
  publish,
  refOf,
  refusal,
  startItem,
  startSession,
  takeSeat,
  useWorld,
} from "../../contract/metadata-store/world.js";
import { buildItem, buildLibrary } from "../../support/builders.js";
import { copyEmbeddedTemplate } from "../../support/embedded-template.js";
import { openTestSchema, postgresAvailable } from "../../support/postgres.js";

/** One database for the whole file, emptied before each test. */
function useDatabase(start: () => Promise<{ database: Database; stop(): Promise<void>; again?(): Promise<Database> }>) {
  let running: Awaited<ReturnType<typeof start>>;
  let truncate = "";
  beforeAll(async () => {
    running = await start();
    const { knex } = running.database;
    await migrate(knex);
    const { rows } = await knex.raw(
      "select string_agg(quote_ident(tablename), ', ') as tables from pg_tables where schemaname = current_schema() and tablename not like 'knex%'",
    );
    truncate = `truncate ${rows[0].tables}`;
  });
  afterAll(() => running.stop());

  async function open(): Promise<OpenedStore> {
    const { database, again } = running;
    await database.knex.raw(truncate);
    const store = createMetadataStore(database.knex);
    if (again === undefined) return { store, close: async () => {} };
    const others: MetadataStore[] = [];
    const openAnother = async () => {
      const other = createMetadataStore((await again()).knex);
      others.push(other);
      return other;
    };
    // The store itself is not closed: that would close the database of the next test.
    return { store, openAnother, close: async () => void (await Promise.all(others.map((other) => other.close()))) };
  }
  return { open, knex: () => running.database.knex };
}

/** What needs a look at the tables, or a hand on them. */
function describeClientTokens(open: OpenStore, knex: () => Knex): void {
  const world = useWorld(open);
  const clientToken = { operation: "create", token: "t", fingerprint: "f" };

  it("a client token lasts as long as its session, and outlives its deletion until it expires", async () => {
    const session = await startSession(world, {}, clientToken);
    expect(await expireTokens()).toBe(0);
    expect((await startSession(world, {}, clientToken)).id).toBe(session.id);
    await world.store.deleteSession(refOf(session), () => {});
    expect(await world.store.deleteExpiredRecords(10)).toBe(0);
    await expect(startSession(world, {}, clientToken)).rejects.toEqual(refusal("not_found", "SESSION_NOT_FOUND"));
    expect(await expireTokens()).toBe(1);
    expect(await world.store.deleteExpiredRecords(10)).toBe(1);
    const next = await startSession(world, {}, { ...clientToken, fingerprint: "g" });
    expect(next.id).not.toBe(session.id);
  });

  it("a client token that has expired counts for nothing although nobody has swept it", async () => {
    const session = await startSession(world, {}, clientToken);
    await world.store.deleteSession(refOf(session), () => {});
    await expireTokens();
    const next = await startSession(world, {}, { ...clientToken, fingerprint: "g" });
    expect(await world.store.deleteExpiredRecords(10)).toBe(0);
    expect((await startSession(world, {}, { ...clientToken, fingerprint: "g" })).id).toBe(next.id);
  });

  it("the token of a forgotten session is remembered like that of a deleted one", async () => {
    const session = await startSession(world, {}, clientToken);
    await world.store.updateSession(refOf(session), (found, now) => ({
      session: { ...found, state: "canceled", endedAt: now, expiresAt: now },
      events: [],
    }));
    expect(await world.store.deleteForgottenSessions(10)).toBe(1);
    await expect(startSession(world, {}, clientToken)).rejects.toEqual(refusal("not_found", "SESSION_NOT_FOUND"));
    expect(await expireTokens()).toBe(1);
  });

  it("the tokens of a library and its items last as long as they do, and are remembered when they are deleted", async () => {
    const { tenantId, userId: ownerId } = world;
    const once = (operation: string) => ({ ownerId, clientToken: { ...clientToken, operation } });
    const library = await world.store.createLibrary(buildLibrary({ tenantId }), once("library"));
    const item = buildItem({ tenantId, libraryId: library.id });
    await world.store.createItem(item, once("item"));
    const copy = { ...item, id: createId(), name: "copy", sourceItemId: item.id };
    await world.store.copyItem(copy, once("copy"));
    expect(await expireTokens()).toBe(0);
    await world.store.deleteItem(tenantId, item.id);
    expect(await world.store.deleteExpiredRecords(10)).toBe(0);
    expect(await expireTokens()).toBe(1);
    await world.store.deleteLibrary(tenantId, library.id, { withItems: true });
    expect(await world.store.deleteExpiredRecords(10)).toBe(1);
    expect(await expireTokens()).toBe(2);
    expect((await world.store.createLibrary({ ...library, name: "anew" }, once("library"))).name).toBe("anew");
    expect(await world.store.deleteExpiredRecords(10)).toBe(1);
  });

  /** Moves the end of every token that has one into the past; answers how many there are. */
  function expireTokens(): Promise<number> {
    const past = new Date(Date.now() - 1000);
    return knex()("client_tokens").whereNotNull("expires_at").update({ expires_at: past });
  }
}

function describeLocks(open: OpenStore, knex: () => Knex): void {
  const world = useWorld(open);

  it("bytes flow into other files of a session while a commit to one of them waits, and completion waits for that one", async () => {
    const session = await startSession(world);
    const held = await takeSeat(world, await addFile(world, session));
    const free = await takeSeat(world, await addFile(world, session));
    const order: string[] = [];
    const lock = await begin();
    await lock.raw("select 1 from files where id = ? for update", [held.file.id]);

    const extent = extentOf(held, 5);
    const waiting = world.store.commitExtent({ attempt: held.ref, extent }).then(() => order.push("held"));
    await untilWaiting(1);
    await world.store.commitExtent({ attempt: free.ref, extent: extentOf(free, 5) });
    await finishSeat(world, free, "accept");
    order.push("free");
    const completing = world.store
      .completeSession(refOf(session), (view) => {
        order.push(`completing ${view.files.map((file) => file.running?.offset ?? "whole").join(" ")}`);
        return undefined;
      })
      .then(() => order.push("completed"));
    await untilWaiting(2);
    expect(order).toEqual(["free"]);
    await lock.rollback();
    await Promise.all([waiting, completing]);
    expect(order.filter((step) => step !== "held")).toEqual(["free", "completing 5 whole", "completed"]);
    await finishSeat(world, held, "accept");
    expect(await complete(world, session)).toBe(true);
  });

  it("what is asked about a session is answered while a completion of it is under way (P7)", async () => {
    const session = await startSession(world);
    const seat = await takeSeat(world, await addFile(world, session));
    const lock = await begin();
    await lock.raw("select 1 from sessions where id = ? for update", [session.id]);
    await lock.raw("select 1 from files where id = ? for update", [seat.file.id]);
    await world.store.getSession(refOf(session));
    await world.store.getFile({ ...refOf(session), fileId: seat.file.id });
    await world.store.listFiles(refOf(session), { limit: 10 });
    await world.store.listEvents(refOf(session), 0, 10);
    await world.store.listSessions(world.tenantId, { all: [] }, { limit: 10 });
    await lock.rollback();
  });

  it("a copy waits for whoever changes its source, as a completion does, and has the files of afterwards (P5, P8)", async () => {
    const source = await startItem(world);
    await publish(world, source, { a: 1, b: 1 });
    const lock = await begin();
    await lock.raw("select 1 from items where id = ? for update", [source.id]);
    const { libraryId } = source;
    const words = { ...buildItem({ tenantId: world.tenantId, libraryId, name: "copy" }), sourceItemId: source.id };
    const copying = world.store.copyItem(words);
    await untilWaiting(1);
    await lock.raw("delete from item_files where item_id = ? and name = 'a'", [source.id]);
    await lock.commit();
    const { id } = await copying;
    const files = await world.store.listItemFiles(world.tenantId, id, { limit: 9 });
    expect(files.map(({ name }) => name)).toEqual(["b"]);
  });

  it("sweeping passes over what others have locked", async () => {
    const overdue = { idleTtlMs: 1, absoluteTtlMs: undefined, keepTerminalMs: 1 };
    const sessions = [];
    for (let n = 0; n < 2; n++) {
      const session = await startSession(world, { deadlines: overdue });
      await world.store.updateSession(refOf(session), (found, now) => ({
        session: { ...found, state: "canceled", endedAt: now, expiresAt: now },
        events: [],
      }));
      sessions.push(session);
    }
    const lock = await begin();
    await lock.raw("select 1 from sessions where id = ? for update", [sessions[0]!.id]);
    expect(await world.store.deleteForgottenSessions(10)).toBe(1);
    expect(await world.store.deleteForgottenSessions(10)).toBe(0);
    await lock.rollback();
    expect(await world.store.deleteForgottenSessions(10)).toBe(1);
  });

  /** A transaction of the test's own, rolled back after it at the latest. */
  async function begin(): Promise<Knex.Transaction> {
    const transaction = await knex().transaction();
    onTestFinished(async () => {
      if (!transaction.isCompleted()) await transaction.rollback();
    });
    return transaction;
  }

  /** Until this many statements of this database wait for a lock. */
  async function untilWaiting(count: number): Promise<void> {
    for (let tries = 0; tries < 500; tries++) {
      const { rows } = await knex().raw(
        "select count(*)::int as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      if (rows[0].waiting >= count) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`never did ${count} statements wait for a lock`);
  }
}

describe("embedded", () => {
  const { open, knex } = useDatabase(async () => {
    const dataDir = await copyEmbeddedTemplate();
    const database = await connectDatabase({ dataDir, poolSize: 1, durability: "os" });
    return { database, stop: () => database.close() };
  });
  describeMetadataStore("the metadata store over the embedded database", { open, supports: { concurrency: false } });
  describe("client tokens", () => describeClientTokens(open, knex));
});

describe.skipIf(!postgresAvailable())("server", () => {
  const { open, knex } = useDatabase(async () => {
    const { url, drop } = await openTestSchema();
    const again = () => connectDatabase({ url, dataDir: "", poolSize: 12, durability: "fsync" });
    const database = await again();
    return {
      database,
      again,
      async stop() {
        await database.close();
        await drop();
      },
    };
  });
  describeMetadataStore("the metadata store over PostgreSQL", { open, supports: { concurrency: true } });
  describe("client tokens", () => describeClientTokens(open, knex));
  describe("locks", () => describeLocks(open, knex));
});
