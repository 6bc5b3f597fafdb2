// How long whoever comes anew to an upload waits for a writer that hangs half-way, on a connection that stays open: the
// same PUT again through IMiS's face, beside @tus/server, where a client asks for the offset and sends the rest. Both
// servers run at the same time, one works; rounds alternate.
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { openClient } from "../support/client.js";
import { type Hanging, openHttp } from "../support/http.js";
import { imisClient, logIn } from "../support/imis.js";
import { withDatabase } from "./database.js";
import { findMedia, type Medium, type MediumName, withFolder } from "./media.js";
import { type Processes, repositoryRoot } from "./processes.js";
import { benchPassword, startSlipway } from "./slipway-server.js";
import { alignColumns, describeMachine, median } from "./table.js";

export interface HandOverBenchOptions {
  readonly rounds: number;
  readonly media: readonly MediumName[];
  /** Undefined for the embedded database. */
  readonly databaseUrl: string | undefined;
  readonly command: string;
}

/** An upload that has been created, and nothing more. */
interface Upload {
  /** Sends the first half of it all, and hangs; resolves when the server has that half. */
  hang(): Promise<Hanging>;
  /** What a client does that finds its connection dead: over a new one, until it is told that all bytes are there. */
  takeOver(): Promise<void>;
  /** Throws where other bytes are stored than those that were sent. */
  verify(): Promise<void>;
}

interface Side {
  readonly name: string;
  createUpload(): Promise<Upload>;
  close(): void;
}

interface HandOver {
  /** The newcomer's, when there is no other writer. */
  readonly aloneMs: number;
  /** From when the newcomer begins to connect to its good answer. */
  readonly takeOverMs: number;
  /** And to when the former writer's connection was answered or ended: the latest that it could know. */
  readonly toldMs: number;
}

interface Row {
  readonly medium: string;
  readonly name: string;
  readonly handOvers: readonly HandOver[];
}

const goalMs = 100;
const sizeBytes = 64 * 1024;
const content = randomBytes(sizeBytes);
const half = content.subarray(0, sizeBytes / 2);
const sha256 = createHash("sha256").update(content).digest("hex");
const patienceMs = 60_000;
const neededBytes = 256 * 2 ** 20;

export async function runHandOverBench(options: HandOverBenchOptions, processes: Processes): Promise<void> {
  const { media, notes } = await findMedia(options.media, neededBytes);
  process.stdout.write(`${describeMachine(media)}\n${options.command}\n`);
  const rows: Row[] = [];
  for (const medium of media) {
    process.stderr.write(`${medium.name}: `);
    rows.push(...(await withFolder(medium, (folder) => measure(options, processes, medium, folder))));
    process.stderr.write("\n");
  }
  process.stdout.write(`\n${formatRows(rows)}\n${notes.map((note) => `- ${note}\n`).join("")}`);
}

async function measure(
  options: HandOverBenchOptions,
  processes: Processes,
  medium: Medium,
  folder: string,
): Promise<readonly Row[]> {
  if (options.databaseUrl === undefined) return measureWith(undefined);
  return withDatabase(options.databaseUrl, measureWith);

  async function measureWith(databaseUrl: string | undefined): Promise<readonly Row[]> {
    const sides: Side[] = [];
    try {
      sides.push(await openSlipway(processes, join(folder, "slipway"), databaseUrl));
      sides.push(await openTus(processes, join(folder, "tus")));
      const rows = sides.map(({ name }) => ({ medium: medium.name, name, handOvers: [] as HandOver[] }));
      // The first of each warms it up.
      for (let round = 0; round <= options.rounds; round++) {
        const order = round % 2 === 0 ? [0, 1] : [1, 0];
        for (const at of order) {
          const handOver = await handOverOnce(sides[at]!);
          if (round > 0) rows[at]!.handOvers.push(handOver);
        }
        process.stderr.write(".");
      }
      return rows;
    } finally {
      for (const side of sides) side.close();
      // Before the folder and the database go.
      await processes.stopAll();
    }
  }
}

async function handOverOnce(side: Side): Promise<HandOver> {
  const quiet = await side.createUpload();
  const aloneMs = await timeOf(quiet.takeOver());
  await quiet.verify();

  const upload = await side.createUpload();
  const former = await upload.hang();
  let answered = false;
  const told = former.answer.then(
    () => undefined,
    () => undefined,
  );
  void told.then(() => {
    answered = true;
  });
  try {
    await wait(100);
    if (answered) throw new Error(`${side.name}: the writer that should hang was answered`);
    const [takeOverMs, toldMs] = await Promise.all([timeOf(upload.takeOver()), timeOf(orTooLate(told, side.name))]);
    await upload.verify();
    return { aloneMs, takeOverMs, toldMs };
  } finally {
    former.cut();
  }
}

async function timeOf(work: Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work;
  return performance.now() - startedAt;
}

async function orTooLate(told: Promise<void>, name: string): Promise<void> {
  const late = wait(patienceMs, "late" as const, { ref: false });
  if ((await Promise.race([told, late])) === "late") throw new Error(`${name}: the former writer was told nothing`);
}

/** One session of an entity each; the content is saved and read back as an object. */
async function openSlipway(processes: Processes, folder: string, databaseUrl: string | undefined): Promise<Side> {
  const { server, token } = await startSlipway(processes, { folder, databaseUrl, nodeFlags: [] });
  const { url } = server;
  const archive = "bench";
  const { catalog, close } = openClient({ url, token });
  const { library } = await catalog.createLibrary({ name: archive });
  const { item } = await catalog.createItem({ libraryId: library!.id, name: "entity" });
  close();
  const client = await logIn({ url }, { archive, password: benchPassword });
  const handle = await client.openEntity(item!.id);
  const connect = () => imisClient(url, { archive, token: client.token });

  return {
    name: "slipway, IMiS",
    close: client.close,
    async createUpload() {
      const { id } = await client.createSession(handle);
      return {
        async hang() {
          const { received } = await readMetrics(url);
          const former = connect().beginPart(handle, id, 0, sizeBytes, half);
          await until(async () => {
            const now = await readMetrics(url);
            return now.inFlight === 1 && now.received === received + half.length;
          });
          return former;
        },
        async takeOver() {
          const newcomer = connect();
          const { offset } = await newcomer.putPart(handle, id, 0, content).finally(newcomer.close);
          assertEqual("the offset", offset, sizeBytes);
        },
        async verify() {
          const object = await client.save(handle, id);
          assertEqual("the digest of the object", object.sha256, sha256);
          assertEqual("what is read back", content.equals(await client.read(handle, object.id)), true);
        },
      };
    },
  };
}

async function openTus(processes: Processes, folder: string): Promise<Side> {
  await mkdir(folder);
  const program = join(repositoryRoot, "test/bench/tus-server.ts");
  const words = ["--import", "tsx", program, folder];
  const { url } = await processes.startServer({ name: "@tus/server", words, channel: true });
  const client = openHttp(url, "1.1");
  const spoken = { "tus-resumable": "1.0.0" };
  const patch = (path: string, offset: number) => ({
    method: "PATCH",
    path,
    headers: { ...spoken, "content-type": "application/offset+octet-stream", "upload-offset": String(offset) },
  });

  return {
    name: "@tus/server",
    close: client.close,
    async createUpload() {
      const created = await client.ask({
        method: "POST",
        path: "/files",
        headers: { ...spoken, "upload-length": String(sizeBytes), "content-length": "0" },
      });
      assertEqual("the status of the creation", created.status, 201);
      const path = new URL(created.headers.location ?? "", url).pathname;
      const file = join(folder, path.slice("/files/".length));
      return {
        async hang() {
          const former = openHttp(url, "1.1").begin(patch(path, 0), half, sizeBytes);
          await until(async () => (await stat(file)).size === half.length);
          return former;
        },
        async takeOver() {
          const newcomer = openHttp(url, "1.1");
          try {
            const asked = await newcomer.ask({ method: "HEAD", path, headers: spoken });
            assertEqual("the status of HEAD", asked.status, 200);
            const offset = Number(asked.headers["upload-offset"]);
            const sent = await newcomer.ask({ ...patch(path, offset), body: content.subarray(offset) });
            assertEqual("the status of PATCH", sent.status, 204);
            assertEqual("the offset", Number(sent.headers["upload-offset"]), sizeBytes);
          } finally {
            newcomer.close();
          }
        },
        async verify() {
          assertEqual("what is stored", content.equals(await readFile(file)), true);
        },
      };
    },
  };
}

/** What writers are at work, and what has come in. */
async function readMetrics(url: string): Promise<{ readonly inFlight: number; readonly received: number }> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const readValue = (name: string) =>
    Number(
      text
        .split("\n")
        .find((line) => line.startsWith(`${name} `))
        ?.split(" ")[1],
    );
  return {
    inFlight: readValue("slipway_uploads_in_flight"),
    received: readValue('slipway_received_bytes_total{kind="file"}'),
  };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const giveUpAt = performance.now() + patienceMs; !(await holds()); await wait(10)) {
    if (performance.now() > giveUpAt) throw new Error("the half that was sent did not arrive");
  }
}

function assertEqual(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${what} is ${String(actual)}, not ${String(expected)}`);
}

function formatRows(rows: readonly Row[]): string {
  const head = [
    "medium",
    "server",
    "alone ms",
    "hand-over ms p50",
    "max",
    "former writer told ms p50",
    "max",
    `goal < ${goalMs} ms`,
    "times slipway's p50",
  ];
  const p50Of = ({ handOvers }: Row) => median(handOvers.map(({ takeOverMs }) => takeOverMs));
  const lines = rows.map((row) => {
    const own = rows.find(({ medium }) => medium === row.medium)!;
    const column = (name: keyof HandOver) => row.handOvers.map((handOver) => handOver[name]);
    const most = Math.max(...column("takeOverMs"));
    const toldMost = Math.max(...column("toldMs"));
    return [
      row.medium,
      row.name,
      show(median(column("aloneMs"))),
      show(p50Of(row)),
      show(most),
      show(median(column("toldMs"))),
      show(toldMost),
      most < goalMs ? "met" : "missed",
      (p50Of(row) / p50Of(own)).toFixed(1),
    ];
  });
  return [
    ...alignColumns([head, ...lines]),
    "",
    `- a writer has sent half of ${sizeBytes / 1024} KiB and hangs, its connection open; then a newcomer comes, timed from when it begins to connect to its good answer`,
    "- slipway's newcomer sends all of it again, as a client that lost an answer does; @tus/server's asks with HEAD and sends the rest with PATCH",
    "- alone: the same newcomer with no other writer; told: when the former writer's connection was answered or ended, at the latest",
    "- slipway syncs what it acknowledges, and compares what comes again; @tus/server does neither",
    `- ${rows[0]?.handOvers.length ?? 0} rounds after a warm-up; what was stored was compared with what was sent each time`,
  ].join("\n");
}

function show(ms: number): string {
  return ms.toFixed(1);
}
