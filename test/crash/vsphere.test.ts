// A server process that is killed while clients of VMware's face change items, and everything that it had answered.
import { randomInt } from "node:crypto";
import { describe, expect, it } from "vitest";
import { postgresAvailable } from "../support/postgres.js";
import type { TestServer } from "../support/server.js";
import { openVsphere } from "../support/vsphere.js";
import { killUnderLoad } from "./kill-under-load.js";
import { createDice, type Dice } from "./model.js";
import { serveSlowly } from "./slow-source.js";
import { type Database, makePlace, surviveKills } from "./survive-kills.js";
import { openScripted, type Scripted } from "./vsphere-client.js";
import { changeForEver, type Place, watchForEver } from "./vsphere-load.js";
import type { ItemModel } from "./vsphere-model.js";
import { verifyInterrupted, verifyKept } from "./vsphere-verify.js";

const seed = Number(process.env.CRASH_SEED ?? randomInt(2 ** 31));
const embeddedRounds = Number(process.env.CRASH_ROUNDS ?? 10);
const postgresRounds = Number(process.env.CRASH_ROUNDS ?? 3);
const env = {
  SLIPWAY_PULL_ALLOW: "127.0.0.1",
  SLIPWAY_CHECKPOINT_BYTES: "1MiB",
  SLIPWAY_CHECKPOINT_INTERVAL: "200ms",
};
const latestKillMs = 1_500;
const writers = 4;

async function survive(database: Database, rounds: number, dice: Dice): Promise<void> {
  const source = await serveSlowly();
  const tally = { open: 0, sending: 0, fetching: 0, completing: 0 };
  // One login and one library for all rounds: they have to live through the kills as well.
  let entered: { readonly token: string; readonly place: Place } | undefined;

  async function loadUntilKilled(server: TestServer, dice: Dice, round: number, afterMs: number) {
    if (entered === undefined) {
      const vsphere = await openVsphere(server);
      entered = { token: vsphere.token, place: { libraryId: await vsphere.createLibrary("kept"), source } };
    }
    const { token, place } = entered;
    const items: ItemModel[] = [];
    const clients = Array.from({ length: writers + 1 }, () => openScripted(server.url, token));
    const [watcher] = clients;
    await killUnderLoad(server, afterMs, clients, (client) =>
      client === watcher
        ? watchForEver(client, dice.split(), items)
        : changeForEver(client, place, dice.split(), round, items),
    );
    return items;
  }
  function count({ session }: ItemModel): void {
    if (session === undefined) return;
    const files = [...session.files.values()];
    tally.open++;
    if (files.some(({ sending }) => sending)) tally.sending++;
    if (session.completion === "answered") tally.completing++;
    else if (files.some(({ fetched }) => fetched)) tally.fetching++;
  }

  const { killedAfterMs, models } = await surviveKills<ItemModel>(
    await makePlace(database),
    {
      env,
      rounds,
      latestKillMs,
      loadUntilKilled,
      async verify(server, { kept, made, isLast }, dice) {
        const { token, place } = entered!;
        made.forEach(count);
        await withClient(server, token, async (client) => {
          for (const item of kept) await verifyKept(client, item, isLast);
          for (const item of made) await verifyInterrupted(client, place, item, dice.split());
        });
      },
    },
    dice,
  );
  const { open, sending, fetching, completing } = tally;
  console.log(
    `CRASH_SEED=${seed} ${database}: killed after ${killedAfterMs.join(", ")} ms; ${models.length} items, of whose sessions ${open} were open: ` +
      `${sending} were being sent to, ${fetching} fetched, ${completing} were completing`,
  );
  expect(sending, "a kill that interrupts nothing shows nothing").toBeGreaterThan(0);
}

async function withClient<T>({ url }: TestServer, token: string, work: (client: Scripted) => Promise<T>): Promise<T> {
  const client = openScripted(url, token);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

describe(`a server that is killed while items are changed (CRASH_SEED=${seed})`, { timeout: 300_000 }, () => {
  it(`keeps all that was answered through ${embeddedRounds} kills on the embedded database, shows no half set, and goes on from there (P1 to P5)`, () =>
    survive("the embedded database", embeddedRounds, createDice(seed)));

  it.runIf(postgresAvailable())(
    `keeps all that was answered through ${postgresRounds} kills on PostgreSQL, shows no half set, and goes on from there (P1 to P5)`,
    () => survive("PostgreSQL", postgresRounds, createDice(seed + 1)),
  );
});
