// What many uploads at the same time cost in memory: over idle, in every protocol in turn, each over a connection of
// its own.
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { wires } from "../support/client.js";
import { readMemory, resetPeakMemory } from "../support/process-stats.js";
import { type UploadLoad, uploadMany } from "../support/upload-load.js";
import { withDatabase } from "./database.js";
import { findMedia, type Medium, withFolder } from "./media.js";
import type { Processes } from "./processes.js";
import { startSlipway } from "./slipway-server.js";
import { describeMachine } from "./table.js";

export interface MemoryBenchOptions {
  readonly uploads: number;
  readonly sizeBytes: number;
  /** Undefined for the embedded database. */
  readonly databaseUrl: string | undefined;
  readonly nodeFlags: readonly string[];
  readonly command: string;
}

interface Measured {
  readonly work: string;
  readonly idleBytes: number;
  readonly peakBytes: number;
  readonly seconds: number;
}

const mib = 2 ** 20;
const settleMs = 2_000;

export async function runMemoryBench(options: MemoryBenchOptions, processes: Processes): Promise<void> {
  const { uploads: count, sizeBytes, databaseUrl } = options;
  const { media, notes } = await findMedia(["disk"], count * sizeBytes);
  const [disk] = media;
  if (disk === undefined) throw new Error(notes.join("; "));
  process.stdout.write(`${describeMachine(media)}\n${options.command}\n\n`);
  const slow: UploadLoad = { count: 200, sizeBytes: 320 * 1024, chunkBytes: 16 * 1024, pauseMs: 1_000 };
  const works: readonly [string, UploadLoad][] = [
    [`200 uploads of 16 KiB a second`, slow],
    [`${count} uploads of ${sizeBytes / mib} MiB`, { count, sizeBytes, chunkBytes: mib }],
    [`one upload of ${(count * sizeBytes) / mib} MiB`, { count: 1, sizeBytes: count * sizeBytes, chunkBytes: mib }],
  ];
  const rows: Measured[] = [];
  for (const [work, load] of works) {
    rows.push(
      await (databaseUrl === undefined
        ? measure(options, processes, disk, work, load)
        : withDatabase(databaseUrl, (url) => measure({ ...options, databaseUrl: url }, processes, disk, work, load))),
    );
  }
  process.stdout.write(`${formatRows(rows)}\n`);
}

/** Each work on a server of its own that has served one small upload per protocol. */
function measure(
  options: MemoryBenchOptions,
  processes: Processes,
  disk: Medium,
  work: string,
  load: UploadLoad,
): Promise<Measured> {
  return withFolder(disk, async (folder) => {
    try {
      const { server, token } = await startSlipway(processes, { ...options, folder: join(folder, "slipway") });
      const to = { url: server.url, token };
      await uploadMany(to, { count: wires.length, sizeBytes: mib, chunkBytes: mib });
      await wait(settleMs);
      const { nowBytes: idleBytes } = await readMemory(server.pid);
      await resetPeakMemory(server.pid);
      const startedAt = performance.now();
      await uploadMany(to, load);
      const seconds = (performance.now() - startedAt) / 1000;
      return { work, idleBytes, peakBytes: (await readMemory(server.pid)).peakBytes, seconds };
    } finally {
      await processes.stopAll();
    }
  });
}

function formatRows(rows: readonly Measured[]): string {
  const lines = rows.map(({ work, idleBytes, peakBytes, seconds }) => {
    const [idle, grown] = [idleBytes, peakBytes - idleBytes].map((bytes) => Math.round(bytes / mib));
    return `| ${work} | ${idle} MiB | ${grown} MiB | ${seconds.toFixed(1)} s |`;
  });
  return [
    "| work, over Connect, gRPC and gRPC-Web | idle | grown by | took |",
    "| --- | --- | --- | --- |",
    ...lines,
  ].join("\n");
}
