// Whole files in the trash. An entry's name says what it was and when it came: trash/<xx>/<e|p>-<id>.<epoch ms>. A
// rename sets both at once, which a time stamp of the file would not.
import { type FileHandle, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Sync } from "./durability.js";
import { errorCode } from "./errors.js";
import type { Folders } from "./folders.js";
import { isFanOutName, type Paths } from "./paths.js";
import { openIfThere } from "./positional-io.js";

/** A file that goes to the trash or comes back: an extent or a whole pack. */
export interface StoredFile {
  readonly kind: "extent" | "pack";
  readonly id: string;
}

export interface TrashEntry extends StoredFile {
  readonly path: string;
  readonly trashedAtMs: number;
}

export interface Trash {
  /** Durable when it resolves. A file that is not there is passed over. */
  put(files: readonly StoredFile[]): Promise<void>;
  find(files: readonly StoredFile[]): Promise<readonly TrashEntry[]>;
  list(trashedBefore: Date): AsyncGenerator<TrashEntry, void, undefined>;
  /** Durable when it resolves. */
  restore(entries: readonly TrashEntry[]): Promise<void>;
  /** Opens a file for reading, in its place or in the trash. Throws ENOENT when it is in neither. */
  open(file: StoredFile): Promise<FileHandle>;
  /** Not synced: an entry that a power cut brings back is still trash, as old as before, and found again. */
  remove(entries: readonly TrashEntry[]): Promise<void>;
}

const entryPattern = /^([ep])-([0-9a-f]{32})\.([0-9]{1,15})$/;

export function createTrash(deps: { readonly paths: Paths; readonly folders: Folders; readonly sync: Sync }): Trash {
  const { paths, folders, sync } = deps;

  function homeOf(file: StoredFile): string {
    return file.kind === "extent" ? paths.extent(file.id) : paths.pack(file.id);
  }

  async function readFolder(folder: string): Promise<readonly TrashEntry[]> {
    const entries: TrashEntry[] = [];
    for (const name of await readNames(folder)) {
      const parts = entryPattern.exec(name);
      if (parts === null) continue;
      const kind = parts[1] === "e" ? "extent" : "pack";
      entries.push({ kind, id: parts[2]!, path: join(folder, name), trashedAtMs: Number(parts[3]) });
    }
    return entries;
  }

  /** New names are synced before the loss of the old ones: at no time does a durable state lack both. */
  async function moveAll(moves: readonly { readonly from: string; readonly to: string }[]): Promise<void> {
    const sources = new Set<string>();
    const targets = new Set<string>();
    for (const { from, to } of moves) {
      await folders.ensure(dirname(to));
      try {
        await rename(from, to);
      } catch (error) {
        if (errorCode(error) === "ENOENT") continue;
        throw error;
      }
      sources.add(dirname(from));
      targets.add(dirname(to));
    }
    for (const folder of [...targets, ...sources]) await sync.folder(folder);
  }

  return {
    put(files) {
      const now = Date.now();
      const moves = files.map((file) => {
        const name = `${file.kind === "extent" ? "e" : "p"}-${file.id}.${now}`;
        return { from: homeOf(file), to: join(paths.trashFolder(file.id), name) };
      });
      return moveAll(moves);
    },
    async find(files) {
      const wanted = new Set(files.map((file) => `${file.kind} ${file.id}`));
      const found: TrashEntry[] = [];
      for (const folder of new Set(files.map((file) => paths.trashFolder(file.id)))) {
        const entries = await readFolder(folder);
        found.push(...entries.filter((entry) => wanted.has(`${entry.kind} ${entry.id}`)));
      }
      return found;
    },
    async open(file) {
      const home = homeOf(file);
      const inPlace = await openIfThere(home);
      if (inPlace !== undefined) return inPlace;
      for (const entry of await readFolder(paths.trashFolder(file.id))) {
        if (entry.kind !== file.kind || entry.id !== file.id) continue;
        const inTrash = await openIfThere(entry.path);
        if (inTrash !== undefined) return inTrash;
      }
      // It may have come back in between.
      return open(home, "r");
    },
    async *list(trashedBefore) {
      for (const folder of (await readdir(paths.trash)).filter(isFanOutName)) {
        const entries = await readFolder(join(paths.trash, folder));
        yield* entries.filter((entry) => entry.trashedAtMs < trashedBefore.getTime());
      }
    },
    restore: (entries) => moveAll(entries.map((entry) => ({ from: entry.path, to: homeOf(entry) }))),
    async remove(entries) {
      for (const entry of entries) await rm(entry.path, { force: true });
    },
  };
}

/** Whether the trash makes such a name in the folder of this name. */
export function isTrashName(name: string, folder: string): boolean {
  return entryPattern.exec(name)?.[2]?.startsWith(folder) === true;
}

/** The names in a folder, none where it was not needed yet. */
async function readNames(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}
