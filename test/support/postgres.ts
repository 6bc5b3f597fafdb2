import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { createPostgres, findServerPrograms, type OwnPostgres } from "./postgres-server.js";

/**
 * True when there is a PostgreSQL to test with; else its tests are skipped (with CI=true the run has failed already).
 */
export function postgresAvailable(): boolean {
  return inject("postgresUrl") !== "";
}

/** True when servers can be started, and so stopped and killed. */
export function ownPostgresAvailable(): boolean {
  return findServerPrograms() !== undefined;
}

/** An empty database for one test file: its tables and advisory locks are nobody else's. */
export async function openTestSchema(): Promise<{ url: string; drop(): Promise<void> }> {
  const server = inject("postgresUrl");
  const name = `slipway_test_${randomBytes(8).toString("hex")}`;
  await runAlone(server, `create database ${name} template template0`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => runAlone(server, `drop database ${name} with (force)`) };
}

/** A server of the test's own, to be stopped and killed at will; the test removes it. */
export function startOwnPostgres(): Promise<OwnPostgres> {
  const programs = findServerPrograms();
  if (programs === undefined) throw new Error("the PostgreSQL server programs are not installed");
  return createPostgres(programs);
}

async function runAlone(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
