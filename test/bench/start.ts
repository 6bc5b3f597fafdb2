// How long a start takes and what the server holds then: with an empty folder, and with one that has a database. Beside
// them what Node itself takes to do nothing.
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { get } from "node:http";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { readMemory } from "../support/process-stats.js";
import { findMedia, withFolder } from "./media.js";
import { type BenchServer, type Processes, repositoryRoot } from "./processes.js";
import { describeMachine, median } from "./table.js";

export interface StartBenchOptions {
  readonly rounds: number;
  readonly nodeFlags: readonly string[];
  readonly command: string;
}

interface Start {
  readonly listeningMs: number;
  readonly readyMs: number;
  readonly residentBytes: number;
}

const mib = 2 ** 20;
const readyMs = 60_000;

export async function runStartBench(options: StartBenchOptions, processes: Processes): Promise<void> {
  const { media, notes } = await findMedia(["disk"], 256 * mib);
  const [disk] = media;
  if (disk === undefined) throw new Error(notes.join("; "));
  process.stdout.write(`${describeMachine(media)}\n${options.command}\n\n`);
  const cold: Start[] = [];
  const warm: Start[] = [];
  const floor: number[] = [];
  await withFolder(disk, async (place) => {
    for (let round = 0; round < options.rounds; round += 1) {
      const folder = join(place, `round-${round}`);
      await mkdir(folder);
      floor.push(await measureFloor(processes));
      cold.push(await measureStart(processes, options.nodeFlags, folder));
      warm.push(await measureStart(processes, options.nodeFlags, folder));
      await rm(folder, { recursive: true });
    }
  });
  const lines = [
    formatStarts("cold: an empty folder", cold),
    formatStarts("warm: a folder with a database", warm),
    `| floor: node -e 0 | ${spread(floor, 1)} ms | | |`,
  ];
  const head = "| start | `listening on` | /readyz 200 | resident memory |\n| --- | --- | --- | --- |";
  process.stdout.write(`${[head, ...lines].join("\n")}\n`);
}

/** From the start of the process, which is stopped again. */
async function measureStart(processes: Processes, nodeFlags: readonly string[], folder: string): Promise<Start> {
  const program = join(repositoryRoot, "src/cli/slipway.cjs");
  const words = [...nodeFlags, program, "serve", "--listen", "127.0.0.1:0", "--data-dir", folder];
  const startedAt = performance.now();
  const server = await processes.startServer({ name: "slipway", words, env: { SLIPWAY_LOG_LEVEL: "warn" } });
  const listeningMs = performance.now() - startedAt;
  await untilReady(server);
  const ready = performance.now() - startedAt;
  const { nowBytes } = await readMemory(server.pid);
  await server.stop();
  return { listeningMs, readyMs: ready, residentBytes: nowBytes };
}

async function measureFloor(processes: Processes): Promise<number> {
  const startedAt = performance.now();
  await once(processes.start({ name: "node", words: ["-e", "0"] }).child, "exit");
  return performance.now() - startedAt;
}

async function untilReady({ url, ended }: BenchServer): Promise<void> {
  for (const giveUpAt = Date.now() + readyMs; ; ) {
    if ((await Promise.race([askStatus(`${url}/readyz`), ended])) === 200) return;
    if (Date.now() > giveUpAt) throw new Error("slipway is not ready");
    await wait(5);
  }
}

/** On a connection of its own, which ends with the answer: a kept one would be in the way of a stop. */
function askStatus(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode));
    }).on("error", reject);
  });
}

function formatStarts(name: string, starts: readonly Start[]): string {
  const column = (of: (start: Start) => number, scale: number) => spread(starts.map(of), scale);
  const listening = column(({ listeningMs }) => listeningMs, 1);
  const ready = column((start) => start.readyMs, 1);
  return `| ${name} | ${listening} ms | ${ready} ms | ${column(({ residentBytes }) => residentBytes, mib)} MiB |`;
}

/** The median, and the least and the most. */
function spread(values: readonly number[], scale: number): string {
  const show = (value: number) => Math.round(value / scale).toString();
  return `${show(median(values))} (${show(Math.min(...values))}-${show(Math.max(...values))})`;
}
