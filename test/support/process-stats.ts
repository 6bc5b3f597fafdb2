// What a process used, read from /proc.
import { readFile, writeFile } from "node:fs/promises";

/** User and system time of all the process's threads so far (seconds; a tick is 10 ms). */
export async function readCpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // The second field is a name in parentheses that may hold anything; the ones wanted are the 14th and the 15th.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** What all processes of the machine used so far (seconds); waiting for a medium is not use. */
export async function readMachineCpuSeconds(): Promise<number> {
  const [, user, nice, system, , , interrupts, softInterrupts] = (await readFile("/proc/stat", "utf8")).split(/\s+/);
  return [user, nice, system, interrupts, softInterrupts].reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}

/** Resident memory: now, and its peak since the start or the last `resetPeakMemory` (bytes). */
export async function readMemory(pid: number): Promise<{ readonly nowBytes: number; readonly peakBytes: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) * 1024;
  return { nowBytes: read("VmRSS"), peakBytes: read("VmHWM") };
}

/** Begins the peak anew, where the kernel lets us. */
export async function resetPeakMemory(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, "5").catch(() => undefined);
}
