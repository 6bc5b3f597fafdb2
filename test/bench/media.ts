import { access, constants, mkdtemp, readdir, readFile, realpath, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const mediumNames = ["disk", "memory"] as const;
export type MediumName = (typeof mediumNames)[number];

/** Where data folders are made. */
export interface Medium {
  readonly name: MediumName;
  readonly folder: string;
  /** `ext4`, `tmpfs`, ... as the kernel calls it. */
  readonly fileSystem: string;
}

const memoryFolder = "/dev/shm";
const spareBytes = 512 * 2 ** 20;

/** Those of the media that are there with room for the files of a run, and a sentence for each that is left out. */
export async function findMedia(
  names: readonly MediumName[],
  neededBytes: number,
): Promise<{ media: readonly Medium[]; notes: readonly string[] }> {
  const media: Medium[] = [];
  const notes: string[] = [];
  for (const name of names) {
    const folder = name === "memory" ? memoryFolder : process.env.BENCH_DISK || tmpdir();
    try {
      await access(folder, constants.W_OK | constants.X_OK);
      const { bavail, bsize } = await statfs(folder);
      if (bavail * bsize < neededBytes + spareBytes) throw new Error("it has too little room");
      const fileSystem = await readFileSystem(folder);
      media.push({ name, folder, fileSystem });
      if (name === "disk" && fileSystem === "tmpfs") notes.push("what stands for the disk is memory: see BENCH_DISK");
    } catch (error) {
      notes.push(`${name} is left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { media, notes };
}

/** A fresh folder on the medium for `work`, removed with all that is in it however that ends. */
export async function withFolder<T>(medium: Medium, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(medium.folder, "slipway-bench-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Removes the files below a folder and leaves its folders. */
export async function removeFilesBelow(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await removeFilesBelow(path);
    else await rm(path, { force: true });
  }
}

async function readFileSystem(folder: string): Promise<string> {
  const path = await realpath(folder);
  const mounts = (await readFile("/proc/mounts", "utf8")).split("\n").map((line) => line.split(" "));
  const around = mounts.filter(([, at = " "]) => at === "/" || path === at || path.startsWith(`${at}/`));
  // Of two on one place the later one is seen.
  const nearest = around.reduce((best, mount) => ((mount[1] ?? "").length >= (best[1] ?? "").length ? mount : best));
  return nearest[2] ?? "unknown";
}
