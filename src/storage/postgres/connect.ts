import builder, { type Knex } from "knex";
import { ensureDatabaseFolder } from "./embedded/folder.js";
import { startEmbeddedServer } from "./embedded/server.js";
import { valueTypes } from "./value-types.js";

/** A database that is ready for queries. With `embedded`, transactions run strictly one after the other. */
export interface Database {
  readonly kind: "postgres" | "embedded";
  readonly knex: Knex;
  /** Resolves when the database is gone for as long as this process lives, which only an embedded one can be. */
  readonly stopped: Promise<Error>;
  /** What of the connections is in use now. */
  poolUse(): PoolUse;
  /** Waits for running queries; an embedded database is shut down cleanly. */
  close(): Promise<void>;
}

export interface PoolUse {
  readonly used: number;
  readonly free: number;
  /** How many questions wait for a connection. */
  readonly waiting: number;
  readonly most: number;
}

export interface DatabaseSettings {
  /** postgres://...; without it an embedded database in `dataDir` is used, and created if there is none. */
  readonly url?: string | undefined;
  readonly dataDir: string;
  /** Connections to a server, at most. The embedded database has one. */
  readonly poolSize: number;
  /** What the embedded database's commits wait for: the disk, or the operating system's cache only. */
  readonly durability: "fsync" | "os";
  readonly onNotice?: ((line: string) => void) | undefined;
  /** Asked before an embedded database is made where there is none; rejects with what speaks against it. */
  readonly assertNew?: (() => Promise<void>) | undefined;
}

/**
 * Opens the database. A server need not be there: connections are made when they are needed, fail while it is away,
 * and are made anew once it is back.
 */
export function connectDatabase(settings: DatabaseSettings): Promise<Database> {
  const onNotice = settings.onNotice ?? (() => undefined);
  if (settings.url === undefined) return openEmbedded(settings, onNotice);
  return Promise.resolve(connectServer(settings.url, settings.poolSize, onNotice));
}

/** Long enough for the completion of a very large session. */
const queryTimeoutMs = 60_000;

function connectServer(url: string, poolSize: number, onNotice: (line: string) => void): Database {
  const connection = {
    application_name: "slipway",
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    // A server that is frozen, or cut off, answers nothing: then this is the end of waiting.
    query_timeout: queryTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: valueTypes,
  };
  const knex = builder.knex({
    client: "pg",
    // As a function: knex copies plain settings deeply.
    connection: () => connection as Knex.PgConnectionConfig,
    pool: { min: 0, max: poolSize, afterCreate: requireDurableCommits },
    acquireConnectionTimeout: 10_000,
    // An error is for the log: it names the statement, and not what was in it.
    compileSqlOnError: false,
    log: knexLog(onNotice),
  });
  return {
    kind: "postgres",
    knex,
    poolUse: () => readPool(knex),
    stopped: new Promise(() => undefined),
    close: () => knex.destroy(),
  };
}

/** Knex gives its pool no type. */
function readPool({ client }: Knex): PoolUse {
  const { pool } = client as {
    pool: { numUsed(): number; numFree(): number; numPendingAcquires(): number; max: number };
  };
  return { used: pool.numUsed(), free: pool.numFree(), waiting: pool.numPendingAcquires(), most: pool.max };
}

/** A server may be set to answer commits before they are durable; not to us (P1). What is stricter stays. */
function requireDurableCommits(
  connection: { query(sql: string, done: (error: Error | null) => void): void },
  done: (error: Error | null, connection: unknown) => void,
): void {
  const sql = `select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'`;
  connection.query(sql, (error) => done(error, connection));
}

async function openEmbedded(settings: DatabaseSettings, onNotice: (line: string) => void): Promise<Database> {
  const folder = await ensureDatabaseFolder(settings.dataDir, onNotice, settings.assertNew);
  const server = await startEmbeddedServer({ folder, durability: settings.durability }, onNotice);
  const connection = {
    user: "postgres",
    database: "postgres",
    host: "embedded",
    ssl: false,
    application_name: "slipway",
    stream: () => server.connect(),
    types: valueTypes,
  };
  const knex = builder.knex({
    client: "pg",
    connection: () => connection as Knex.PgConnectionConfig,
    pool: { min: 0, max: 1 },
    // Long enough for a queue of transactions; a query beside the transaction it waits for must still fail.
    acquireConnectionTimeout: 30_000,
    compileSqlOnError: false,
    log: knexLog(onNotice),
  });
  return {
    kind: "embedded",
    knex,
    poolUse: () => readPool(knex),
    stopped: server.stopped,
    async close() {
      await knex.destroy();
      await server.close();
    },
  };
}

function knexLog(onNotice: (line: string) => void): Knex.Logger {
  const log = (message: unknown) => onNotice(`database: ${String(message).split("\n", 1)[0]}`);
  return { warn: log, error: log, deprecate: log, debug: log };
}
