// Once for a whole run: a PostgreSQL server if there is one to be had, and a folder for what the test files share.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { createPostgres, findServerPrograms, type OwnPostgres } from "./postgres-server.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Of a database whose user may create databases; empty if there is no PostgreSQL. */
    postgresUrl: string;
    /** Removed when the run is over. */
    runFolder: string;
  }
}

let server: OwnPostgres | undefined;
let runFolder: string | undefined;

export async function setup(project: TestProject): Promise<void> {
  runFolder = await mkdtemp(join(tmpdir(), "slipway-run-"));
  project.provide("runFolder", runFolder);
  project.provide("postgresUrl", await findPostgres());
}

export async function teardown(): Promise<void> {
  await server?.remove();
  if (runFolder !== undefined) await rm(runFolder, { recursive: true, force: true });
}

async function findPostgres(): Promise<string> {
  const given = process.env.DATABASE_URL;
  if (given) return given;
  const programs = findServerPrograms();
  if (programs !== undefined) {
    server = await createPostgres(programs);
    return server.url;
  }
  const sentence = "no PostgreSQL: DATABASE_URL is not set and the server programs are not installed";
  if (process.env.CI === "true") throw new Error(sentence);
  console.log(`${sentence}; the tests that need it are skipped`);
  return "";
}
