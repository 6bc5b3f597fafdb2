// What many uploads at the same time cost in memory: over idle, in every protocol in turn and through FOLIO's face, each
// over a connection of its own.
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { pseudoRandom } from "../support/bodies.js";
import { openFolio } from "../support/folio.js";
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
  const many: UploadLoad = { count, sizeBytes, chunkBytes: mib };
  const one: UploadLoad = { count: 1, sizeBytes: count * sizeBytes, chunkBytes: mib };
  const loads: readonly [string, UploadLoad][] = [
    ["200 uploads of 16 KiB a second", slow],
    [`${count} uploads of ${sizeBytes / mib} MiB`, many],
    [`one upload of ${(count * sizeBytes) / mib} MiB`, one],
  ];
  const works: readonly [string, Work][] = [
    ...loads.map(([name, load]) => [name, (to) => uploadMany(to, load)] as [string, Work]),
    ...loads.map(([name, load]) => [`${name}, FOLIO`, (to) => uploadToFolio(to, load)] as [string, Work]),
  ];
  const rows: Measured[] = [];
  for (const [name, work] of works) {
    rows.push(
      await (databaseUrl === undefined
        ? measure(options, processes, disk, name, work)
        : withDatabase(databaseUrl, (url) => measure({ ...options, databaseUrl: url }, processes, disk, name, work))),
    );
  }
  process.stdout.write(`${formatRows(rows)}\n`);
}

type Work = (to: Parameters<typeof uploadMany>[0]) => Promise<void>;

/** All into one definition, in chunks of HTTP/1.1. */
async function uploadToFolio(
  { url }: { readonly url: string },
  { count, sizeBytes, chunkBytes, pauseMs }: UploadLoad,
): Promise<void> {
  const chunk = pseudoRandom(chunkBytes);
  async function* bytes() {
    for (let sent = 0; sent < sizeBytes; sent += chunkBytes) {
      yield chunk;
      if (pauseMs !== undefined) await wait(pauseMs);
    }
  }
  const folio = openFolio(url);
  try {
    const { id, fileDefinitions } = await folio.create(Array.from({ length: count }, (_, n) => `${n}.mrc`));
    const sent = fileDefinitions.map((file) => folio.upload(id, file.id, { bytes: bytes() }));
    for (const { status, text } of await Promise.all(sent)) {
      if (status !== 200) throw new Error(`an upload was answered with ${status}: ${text}`);
    }
    const { status } = await folio.read(id);
    if (status !== "LOADED") throw new Error(`the definition is ${status}`);
    await folio.remove(id);
  } finally {
    folio.close();
  }
}

/**
 * Each work on a server of its own that has worked: Node takes memory for its heap with the first work that it is given,
 * and keeps it.
 */
function measure(
  options: MemoryBenchOptions,
  processes: Processes,
  disk: Medium,
  name: string,
  work: Work,
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
      await work(to);
      const seconds = (performance.now() - startedAt) / 1000;
      return { work: name, freshBytes, idleBytes, peakBytes: (await readMemory(server.pid)).peakBytes, seconds };
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
  const head = [
    "work, over Connect, gRPC and gRPC-Web unless it says another face",
    "just started",
    "has worked",
    "peak",
    "grown by",
    "took",
  ];
  return [`| ${head.join(" | ")} |`, `|${" --- |".repeat(head.length)}`, ...lines].join("\n");
}
