import { setTimeout as sleep } from "node:timers/promises";
import { readMemory, resetPeakMemory } from "./process-stats.js";

/** What uploads may cost a server that has worked, of resident memory. */
export const mostGrowthMib = 96;

/** How much more memory than before a server held at most while this went on (MiB). */
export async function growthDuring(pid: number, work: () => Promise<void>): Promise<number> {
  await sleep(1_000);
  const { nowBytes: idleBytes } = await readMemory(pid);
  await resetPeakMemory(pid);
  await work();
  return ((await readMemory(pid)).peakBytes - idleBytes) / 2 ** 20;
}
