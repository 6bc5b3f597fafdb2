import { randomBytes } from "node:crypto";
import pg from "pg";

/**
 * Runs `work` with an empty database of its own on the server of `url`, which is dropped afterwards: a data folder and
 * its database belong together.
 */
export async function withDatabase<T>(url: string, work: (url: string) => Promise<T>): Promise<T> {
  const name = `slipway_bench_${randomBytes(8).toString("hex")}`;
  await runAlone(url, `create database ${name} template template0`);
  try {
    const own = new URL(url);
    own.pathname = `/${name}`;
    return await work(own.href);
  } finally {
    await runAlone(url, `drop database ${name} with (force)`);
  }
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
