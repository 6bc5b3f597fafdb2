// A server process that is killed at random moments, and everything that it had acknowledged.
import { randomInt } from "node:crypto";
import { describe, expect, it } from "vitest";
import { openClient, readRefusal, type TestClient, type Wire } from "../support/client.js";
import { copyEmbeddedTemplate } from "../support/embedded-template.js";
import { openTestSchema, postgresAvailable } from "../support/postgres.js";
import { makeDataDir, type ServerOptions, startServer, type TestServer } from "../support/server.js";
import { killUnderLoad } from "./kill-under-load.js";
import { uploadForEver } from "./load.js";
import { createDice, type Dice, type SessionModel } from "./model.js";
import { verifyDone, verifyInterrupted } from "./verify.js";

const seed = Number(process.env.CRASH_SEED ?? randomInt(2 ** 31));
/** For each engine; 20 in all. */
const rounds = Number(process.env.CRASH_ROUNDS ?? (postgresAvailable() ? 10 : 20));
const env = {
  SLIPWAY_CHECKPOINT_BYTES: "1MiB",
  SLIPWAY_CHECKPOINT_INTERVAL: "200ms",
  SLIPWAY_SWEEP_INTERVAL: "300ms",
};
const latestKillMs = 1_500;
const wires: readonly Wire[] = ["grpc/2", "connect/1.1", "grpc/2", "connect/1.1"];

/** How much of what earlier rounds completed is read back in each round; the last reads all of it. */
const rereadShare = 0.2;

interface Tally {
  readonly killedAfterMs: number[];
  sessions: number;
  interrupted: number;
  bytes: number;
}

/** Load, a kill, a start, and a look at everything, again and again on one folder. */
async function surviveKills(options: ServerOptions, dice: Dice): Promise<Tally> {
  const done: SessionModel[] = [];
  const tally: Tally = { killedAfterMs: [], sessions: 0, interrupted: 0, bytes: 0 };
  let server = await startServer({ ...options, env });
  try {
    for (let round = 1; round <= rounds; round++) {
      const killAfterMs = dice.below(latestKillMs);
      const sessions = await loadUntilKilled(server, dice.split(), round, killAfterMs);
      server = await startServer({ ...options, env });
      const client = openClient(server, "grpc/2");
      try {
        for (const session of done) await verifyDone(client, session, round === rounds || dice.chance(rereadShare));
        tally.interrupted += sessions.filter(({ completed }) => !completed).length;
        await verifyRound(client, sessions, dice.split());
      } finally {
        client.close();
      }
      tally.killedAfterMs.push(killAfterMs);
      done.push(...sessions);
    }
  } finally {
    await server.kill();
  }
  tally.sessions = done.length;
  tally.bytes = done.flatMap(({ files }) => files).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return tally;
}

async function loadUntilKilled(
  server: TestServer,
  dice: Dice,
  round: number,
  afterMs: number,
): Promise<SessionModel[]> {
  const sessions: SessionModel[] = [];
  const clients = wires.map((wire) => openClient(server, wire));
  await killUnderLoad(server, afterMs, clients, (client) =>
    uploadForEver(client, dice.split(), round, sessions).catch((error: unknown) => {
      throw new Error(`a call failed before the kill: ${readRefusal(error).message}`, { cause: error });
    }),
  );
  return sessions;
}

async function verifyRound(client: TestClient, sessions: readonly SessionModel[], dice: Dice): Promise<void> {
  for (const session of sessions) {
    if (session.completed) await verifyDone(client, session, true);
    else await verifyInterrupted(client, session, dice);
  }
}

function tell(database: string, tally: Tally): void {
  const { killedAfterMs, sessions, interrupted, bytes } = tally;
  console.log(
    `CRASH_SEED=${seed} ${database}: killed after ${killedAfterMs.join(", ")} ms; ${interrupted} of ${sessions} sessions were interrupted, ${bytes} bytes`,
  );
  expect(interrupted, "a kill that interrupts nothing shows nothing").toBeGreaterThan(0);
}

describe(`a server that is killed at random moments (CRASH_SEED=${seed})`, { timeout: 300_000 }, () => {
  it(`keeps every acknowledged thing through ${rounds} kills on the embedded database (P1-P6, P8)`, async () => {
    const tally = await surviveKills({ dataDir: await copyEmbeddedTemplate() }, createDice(seed));
    tell("embedded", tally);
  });

  it.runIf(postgresAvailable())(
    `keeps every acknowledged thing through ${rounds} kills on PostgreSQL (P1-P6, P8)`,
    async () => {
      const schema = await openTestSchema();
      try {
        const options = { dataDir: await makeDataDir(), databaseUrl: schema.url };
        const tally = await surviveKills(options, createDice(seed + 1));
        tell("PostgreSQL", tally);
      } finally {
        await schema.drop();
      }
    },
  );
});
