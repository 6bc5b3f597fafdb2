// One file through UploadFile, FOLIO's face or VMware's, beside the floor of its face: both servers run at the same time, one works; rounds
// alternate.
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { readCpuSeconds, readMachineCpuSeconds, readMemory, resetPeakMemory } from "../support/process-stats.js";
import type { Place } from "./client-process.js";
import { withDatabase } from "./database.js";
import { type LoadClient, startLoadClient } from "./load-client.js";
import { findMedia, type Medium, type MediumName, removeFilesBelow, withFolder } from "./media.js";
import { type BenchServer, type Processes, repositoryRoot } from "./processes.js";
import { startSlipway } from "./slipway-server.js";
import { describeMachine, formatTable, type Measured, type Round, type Row } from "./table.js";

export const faces = ["connect", "grpc", "folio", "vsphere"] as const;
export type Face = (typeof faces)[number];
export const databases = ["embedded", "postgres"] as const;
export type Database = (typeof databases)[number];

export interface UploadBenchOptions {
  readonly sizeBytes: number;
  readonly rounds: number;
  readonly faces: readonly Face[];
  readonly media: readonly MediumName[];
  /** Undefined for the embedded database. */
  readonly databaseUrl: string | undefined;
  readonly jsonFile: string | undefined;
  /** Node's own, for both servers. */
  readonly nodeFlags: readonly string[];
  /** As it was called, to be printed. */
  readonly command: string;
}

/** One side of the comparison. */
interface Side {
  readonly server: BenchServer;
  /** Memory before the first upload (bytes). */
  readonly idleBytes: number;
  prepare(): Promise<Place>;
  /** Compares every stored byte with what was sent. */
  verify(place: Place): Promise<void>;
  remove(place: Place): Promise<void>;
}

const settleMs = 300;

/** Measures and prints; a side that answers wrongly, or stores other bytes, ends it. */
export async function runUploadBench(options: UploadBenchOptions, processes: Processes): Promise<void> {
  const { media, notes } = await findMedia(options.media, options.sizeBytes);
  const machine = describeMachine(media);
  process.stdout.write(`${machine}\n${options.command}\n`);
  const rows: Row[] = [];
  for (const medium of media) {
    for (const face of options.faces) {
      process.stderr.write(`${face} on ${medium.name}: `);
      rows.push(await withFolder(medium, (folder) => measure(options, processes, face, medium, folder)));
      process.stderr.write("\n");
    }
  }
  const report = { machine, command: options.command, date: new Date().toISOString(), notes, rows };
  process.stdout.write(`\n${formatTable(rows, options)}\n${notes.map((note) => `- ${note}\n`).join("")}`);
  if (options.jsonFile !== undefined) await writeFile(options.jsonFile, `${JSON.stringify(report, null, 2)}\n`);
}

async function measure(
  options: UploadBenchOptions,
  processes: Processes,
  face: Face,
  medium: Medium,
  folder: string,
): Promise<Row> {
  if (options.databaseUrl === undefined) return measureWith(undefined);
  return withDatabase(options.databaseUrl, measureWith);

  async function measureWith(databaseUrl: string | undefined): Promise<Row> {
    try {
      return await runRounds(databaseUrl);
    } finally {
      // Before the folder and the database go.
      await processes.stopAll();
    }
  }
  async function runRounds(databaseUrl: string | undefined): Promise<Row> {
    const client = await startLoadClient(processes, face, options.sizeBytes);
    const floor = await openFloor(processes, client, join(folder, "floor"), options.nodeFlags);
    const slipway = await openSlipway(processes, client, join(folder, "slipway"), databaseUrl, options.nodeFlags);
    await warmUp(client, floor);
    await warmUp(client, slipway);
    const rounds: Round[] = [];
    while (rounds.length < options.rounds) {
      rounds.push({ floor: await upload(client, floor), slipway: await upload(client, slipway) });
      process.stderr.write(".");
    }
    return {
      face,
      medium: medium.name,
      sizeBytes: options.sizeBytes,
      rounds,
      memory: { floor: await memoryOf(floor), slipway: await memoryOf(slipway) },
    };
  }
}

async function warmUp(client: LoadClient, side: Side): Promise<void> {
  const place = await side.prepare();
  await client.upload(side.server.url, place);
  await side.verify(place);
  await side.remove(place);
  await resetPeakMemory(side.server.pid);
}

async function upload(client: LoadClient, side: Side): Promise<Measured> {
  const { pid, url } = side.server;
  const place = await side.prepare();
  await wait(settleMs);
  const before = { machine: await readMachineCpuSeconds(), server: await readCpuSeconds(pid) };
  const timing = await client.upload(url, place);
  const cpuSeconds = (await readCpuSeconds(pid)) - before.server;
  const machineCpuSeconds = (await readMachineCpuSeconds()) - before.machine;
  await side.remove(place);
  const strangerCpuSeconds = Math.max(0, machineCpuSeconds - cpuSeconds - timing.cpuSeconds);
  return { seconds: timing.seconds, cpuSeconds, clientCpuSeconds: timing.cpuSeconds, strangerCpuSeconds };
}

async function memoryOf(side: Side): Promise<Row["memory"]["floor"]> {
  const { peakBytes } = await readMemory(side.server.pid);
  return { idleBytes: side.idleBytes, peakBytes };
}

async function openFloor(
  processes: Processes,
  client: LoadClient,
  folder: string,
  nodeFlags: readonly string[],
): Promise<Side> {
  await mkdir(folder);
  const program = join(repositoryRoot, "test/bench/floor-server.ts");
  const words = [...nodeFlags, "--import", "tsx", program, folder];
  const server = await processes.startServer({ name: "the floor", words, channel: true });
  await client.connect(server.url, "");
  return {
    server,
    idleBytes: (await readMemory(server.pid)).nowBytes,
    prepare: async () => ({ sessionId: randomUUID(), fileId: randomUUID() }),
    async verify() {
      const [name] = await readdir(folder);
      const hash = createHash("sha256");
      for await (const chunk of createReadStream(join(folder, name!))) hash.update(chunk as Buffer);
      if (hash.digest("hex") !== client.sha256) throw new Error("the floor stored other bytes");
    },
    remove: () => removeFilesBelow(folder),
  };
}

async function openSlipway(
  processes: Processes,
  client: LoadClient,
  folder: string,
  databaseUrl: string | undefined,
  nodeFlags: readonly string[],
): Promise<Side> {
  const { server, token } = await startSlipway(processes, { folder, databaseUrl, nodeFlags });
  await client.connect(server.url, token);
  return {
    server,
    idleBytes: (await readMemory(server.pid)).nowBytes,
    prepare: () => client.prepare(),
    verify: (place) => client.readBack(place),
    async remove(place) {
      await client.remove(place);
      // Nothing names these bytes any more, but the sweeper would keep them for days.
      await removeFilesBelow(join(folder, "extents"));
    },
  };
}
