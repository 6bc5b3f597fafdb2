// A server process that is killed while clients of FOLIO's face upload, and everything that it had answered.
import { randomInt } from "node:crypto";
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import { readBack } from "../rpc/scene.js";
import { pseudoRandom } from "../support/bodies.js";
import { openClient } from "../support/client.js";
import { copyEmbeddedTemplate } from "../support/embedded-template.js";
import { fileOf, openFolio, trustOkapi } from "../support/folio.js";
import type { OpenUpload } from "../support/open-upload.js";
import { postgresAvailable } from "../support/postgres.js";
import { startServer, type TestServer } from "../support/server.js";
import { importForEver } from "./folio-load.js";
import type { DefinitionModel } from "./folio-model.js";
import { type Clients, verifyInterrupted, verifyKept } from "./folio-verify.js";
import { killUnderLoad } from "./kill-under-load.js";
import { createDice, type Dice } from "./model.js";
import { type Database, makePlace, surviveKills } from "./survive-kills.js";

const seed = Number(process.env.CRASH_SEED ?? randomInt(2 ** 31));
const embeddedRounds = Number(process.env.CRASH_ROUNDS ?? 10);
const postgresRounds = Number(process.env.CRASH_ROUNDS ?? 3);
const env = { ...trustOkapi, SLIPWAY_CHECKPOINT_BYTES: "1MiB", SLIPWAY_CHECKPOINT_INTERVAL: "200ms" };
const latestKillMs = 1_000;
const importers = 4;

async function importUntilKilled(server: TestServer, dice: Dice, round: number, afterMs: number) {
  const definitions: DefinitionModel[] = [];
  const clients = Array.from({ length: importers }, () => openFolio(server.url));
  await killUnderLoad(server, afterMs, clients, (folio) => importForEver(folio, dice.split(), round, definitions));
  return definitions;
}

async function withClients<T>(server: TestServer, work: (clients: Clients) => Promise<T>): Promise<T> {
  const clients = { folio: openFolio(server.url), typed: openClient(server) };
  try {
    return await work(clients);
  } finally {
    clients.folio.close();
    clients.typed.close();
  }
}

async function survive(database: Database, rounds: number, dice: Dice): Promise<void> {
  let interrupted = 0;
  const { killedAfterMs, models } = await surviveKills<DefinitionModel>(
    await makePlace(database),
    {
      env,
      rounds,
      latestKillMs,
      loadUntilKilled: importUntilKilled,
      verify: (server, { kept, made, isLast }, dice) =>
        withClients(server, async (clients) => {
          interrupted += made.filter(({ files }) => files.some(({ sending }) => sending)).length;
          for (const model of kept) await verifyKept(clients, model, isLast);
          for (const model of made) await verifyInterrupted(clients, model, dice.split());
        }),
    },
    dice,
  );
  console.log(
    `CRASH_SEED=${seed} ${database}: killed after ${killedAfterMs.join(", ")} ms; files were being sent to ${interrupted} of ${models.length} definitions`,
  );
  expect(interrupted, "a kill that interrupts nothing shows nothing").toBeGreaterThan(0);
}

describe(`a server that is killed while definitions are filled (CRASH_SEED=${seed})`, { timeout: 300_000 }, () => {
  it(`keeps all that was answered through ${embeddedRounds} kills on the embedded database, and takes what was cut again (P1, P5, P8)`, () =>
    survive("the embedded database", embeddedRounds, createDice(seed)));

  it.runIf(postgresAvailable())(
    `keeps all that was answered through ${postgresRounds} kills on PostgreSQL, and takes what was cut again (P1, P5, P8)`,
    () => survive("PostgreSQL", postgresRounds, createDice(seed + 1)),
  );
});

const former = Buffer.from(pseudoRandom(700_000, 7));
const later = Buffer.from(pseudoRandom(6_000_000, 8));

/** How far an upload has come when the server is killed; `committed` tells how much of it a crash leaves. */
const moments: Readonly<Record<string, (upload: OpenUpload, committed: () => Promise<number>) => Promise<void>>> = {
  async "with its first chunk"(upload, committed) {
    await upload.send(later.subarray(0, 1));
    while (Number.isNaN(await committed())) await sleep(5);
  },
  async "behind a checkpoint"(upload, committed) {
    await upload.send(later.subarray(0, 4_000_000));
    while (!((await committed()) > 0)) await sleep(5);
  },
  async "with its last byte"(upload) {
    await upload.send(later);
    upload.end();
  },
};

it.each(Object.keys(moments))(
  "a file that is sent anew and killed %s is ERROR with its former content, or whole, and can be sent again (P1, P5)",
  async (moment) => {
    const dataDir = await copyEmbeddedTemplate();
    onTestFinished(() => rm(dataDir, { recursive: true }));
    const server = await startServer({ dataDir, env });
    const folio = openFolio(server.url);
    const { id, fileDefinitions } = await folio.create(["anew.mrc", "other.mrc"]);
    const [fileId = "", otherId = ""] = fileDefinitions.map((file) => file.id);
    for (const file of [fileId, otherId]) {
      expect((await folio.upload(id, file, { bytes: [former] })).status).toBe(200);
    }
    const upload = folio.begin(id, fileId, later.length);
    const typed = openClient(server);
    await moments[moment]!(upload, async () => {
      const { file } = await typed.files.getFile({ sessionId: id, fileId });
      return file?.state === FileState.TRANSFERRING ? Number(file.committedOffset) : Number.NaN;
    });
    typed.close();
    await server.kill();
    const answered = await upload.answer.then(
      ({ status }) => status === 200,
      () => false,
    );
    folio.close();

    const next = await startServer({ dataDir, env });
    onTestFinished(() => next.kill());
    await withClients(next, async ({ folio: again, typed }) => {
      const shown = await again.read(id);
      const { status } = fileOf(shown, fileId);
      const isWhole = moment === "with its last byte" && status === "UPLOADED";
      expect([isWhole || !answered, status]).toEqual([true, isWhole ? "UPLOADED" : "ERROR"]);
      // It was so when the last upload ended, and a failure beside a file that is there changes nothing.
      expect([shown.status, fileOf(shown, otherId).status]).toEqual(["LOADED", "UPLOADED"]);
      expect((await readBack(typed, { sessionId: id, fileId })).equals(isWhole ? later : former)).toBe(true);

      expect((await again.upload(id, fileId, { bytes: [later], lengthBytes: later.length })).status).toBe(200);
      const made = await again.read(id);
      expect([made.status, fileOf(made, fileId).status]).toEqual(["LOADED", "UPLOADED"]);
      expect((await readBack(typed, { sessionId: id, fileId })).equals(later)).toBe(true);
      expect((await readBack(typed, { sessionId: id, fileId: otherId })).equals(former)).toBe(true);
    });
  },
);
