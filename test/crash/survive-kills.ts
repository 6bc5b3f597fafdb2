// Load, a kill, a start, and a look at everything, again and again on one folder.
import { rm } from "node:fs/promises";
import { onTestFinished } from "vitest";
import { copyEmbeddedTemplate } from "../support/embedded-template.js";
import { openTestSchema } from "../support/postgres.js";
import { makeDataDir, type ServerOptions, startServer, type TestServer } from "../support/server.js";
import type { Dice } from "./model.js";

export type Database = "the embedded database" | "PostgreSQL";

export interface Ordeal<Model> {
  readonly env: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly latestKillMs: number;
  /** Works until the server is killed, after so long; answers what has been made. */
  loadUntilKilled(server: TestServer, dice: Dice, round: number, afterMs: number): Promise<readonly Model[]>;
  /** Of what earlier rounds left and this one made; the last round looks at everything. */
  verify(server: TestServer, found: Found<Model>, dice: Dice): Promise<void>;
}

export interface Found<Model> {
  readonly kept: readonly Model[];
  readonly made: readonly Model[];
  readonly isLast: boolean;
}

/** Answers after how long the kills came, and all that was made. */
export async function surviveKills<Model>(
  options: ServerOptions,
  { env, rounds, latestKillMs, loadUntilKilled, verify }: Ordeal<Model>,
  dice: Dice,
): Promise<{ readonly killedAfterMs: readonly number[]; readonly models: readonly Model[] }> {
  const models: Model[] = [];
  const killedAfterMs: number[] = [];
  let server = await startServer({ ...options, env });
  try {
    for (let round = 1; round <= rounds; round++) {
      const killAfterMs = 20 + dice.below(latestKillMs);
      const made = await loadUntilKilled(server, dice.split(), round, killAfterMs);
      killedAfterMs.push(killAfterMs);
      server = await startServer({ ...options, env });
      await verify(server, { kept: models, made, isLast: round === rounds }, dice.split());
      models.push(...made);
    }
  } finally {
    await server.kill();
  }
  return { killedAfterMs, models };
}

/** A folder, and a schema where there has to be one; both are gone after the test. */
export async function makePlace(database: Database): Promise<ServerOptions> {
  const isEmbedded = database === "the embedded database";
  const schema = isEmbedded ? undefined : await openTestSchema();
  if (schema !== undefined) onTestFinished(schema.drop);
  const dataDir = await (isEmbedded ? copyEmbeddedTemplate() : makeDataDir());
  onTestFinished(() => rm(dataDir, { recursive: true }));
  return { dataDir, ...(schema && { databaseUrl: schema.url }) };
}
