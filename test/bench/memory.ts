// What many uploads at the same time cost in memory: over idle, in every protocol in turn, each over a connection of
// its own.
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
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
  readonly freshBytes: number;
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

/**
 * Each work on a server of its own that has worked: Node takes memory for its heap with the first work that it is given,
 * and keeps it.
 */
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
      const freshBytes = (await readMemory(server.pid)).nowBytes;
      await uploadMany(to, { count: 16, sizeBytes: 16 * mib, chunkBytes: mib });
      await wait(settleMs);
      const { nowBytes: idleBytes } = await readMemory(server.pid);
      await resetPeakMemory(server.pid);
      const startedAt = performance.now();
      await uploadMany(to, load);
      const seconds = (performance.now() - startedAt) / 1000;
      return { work, freshBytes, idleBytes, peakBytes: (await readMemory(server.pid)).peakBytes, seconds };
    } finally {
      await processes.stopAll();
    }
  });
}

function formatRows(rows: readonly Measured[]): string {
  const lines = rows.map(({ work, freshBytes, idleBytes, peakBytes, seconds }) => {
    const sizes = [freshBytes, idleBytes, peakBytes, peakBytes - idleBytes].map(
      (bytes) => `${Math.round(bytes / mib)} MiB`,
    );
    return `| ${[work, ...sizes, `${seconds.toFixed(1)} s`].join(" | ")} |`;
  });
  const head = ["work, over Connect, gRPC and gRPC-Web", "just started", "has worked", "peak", "grown by", "took"];
  return [`| ${head.join(" | ")} |`, `|${" --- |".repeat(head.length)}`, ...lines].join("\n");
}
