// What a check asks of the store. Nothing here reads content, and nothing changes anything.
import type { Dirent, Stats } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { type BlobKey, type ForeignFile, isUploadError, type StoredBytes, type StoredPiece } from "../../core/index.js";
import { errorCode } from "./errors.js";
import type { Folders } from "./folders.js";
import { headerBytes } from "./pack-format.js";
import { scanPack } from "./pack-reader.js";
import type { PackWriter } from "./packs.js";
import {
  formatExtentKey,
  formatPackedKey,
  isFanOutName,
  isFileId,
  type ParsedKey,
  type Paths,
  parseBlobKey,
} from "./paths.js";
import { isTrashName, type StoredFile, type Trash } from "./trash.js";

export interface Inspection {
  findBytes(key: BlobKey): Promise<StoredBytes | undefined>;
  listStored(): AsyncGenerator<StoredPiece, void, undefined>;
  listForeign(): AsyncGenerator<ForeignFile, void, undefined>;
}

export function createInspection(deps: {
  readonly paths: Paths;
  readonly folders: Pick<Folders, "assertPresent">;
  readonly packs: Pick<PackWriter, "isActive">;
  readonly trash: Trash;
}): Inspection {
  const { paths, folders, packs, trash } = deps;

  async function findFile(
    file: StoredFile,
  ): Promise<{ readonly place: StoredBytes["place"]; readonly stats: Stats } | undefined> {
    const home = file.kind === "extent" ? paths.extent(file.id) : paths.pack(file.id);
    const inPlace = await findStats(home);
    if (inPlace !== undefined) return { place: "stored", stats: inPlace };
    for (const entry of await trash.find([file])) {
      const inTrash = await findStats(entry.path);
      if (inTrash !== undefined) return { place: "trash", stats: inTrash };
    }
    // It may have come back in between.
    const back = await findStats(home);
    if (back !== undefined) return { place: "stored", stats: back };
    await folders.assertPresent(file.kind);
    return undefined;
  }

  async function* listExtents(): AsyncGenerator<StoredPiece, void, undefined> {
    for (const folder of (await readdir(paths.extents)).filter(isFanOutName)) {
      for (const id of (await readNames(join(paths.extents, folder))).filter(isFileId)) {
        const stats = await findStats(paths.extent(id));
        if (stats === undefined) continue;
        const key = formatExtentKey(id);
        yield { unit: key, key, unitBytes: stats.size, writtenAt: stats.mtime };
      }
    }
  }

  async function* listPacks(): AsyncGenerator<StoredPiece, void, undefined> {
    for (const id of (await readdir(paths.packs)).filter(isFileId)) {
      const stats = await findStats(paths.pack(id));
      if (stats === undefined) continue;
      // What may still grow is as young as anything can be.
      const writtenAt = packs.isActive(id) ? new Date() : stats.mtime;
      const pack = { unit: `p:${id}`, unitBytes: stats.size, writtenAt };
      let isEmpty = true;
      for await (const { offset, length } of scanPack(paths.pack(id), id)) {
        isEmpty = false;
        yield { ...pack, key: formatPackedKey(id, offset, length) };
      }
      if (isEmpty) yield { ...pack, key: undefined };
    }
  }

  /** What lies in a folder and should not, one level deep: what is right is left out, or looked into by the caller. */
  async function* listStrangers(folder: string, isRight: (entry: Entry) => boolean): AsyncGenerator<ForeignFile, void> {
    for (const entry of await readEntries(folder)) {
      const path = join(folder, entry.name);
      if (isRight(entry)) continue;
      const stats = await lstat(path).catch(orNone);
      if (stats === undefined) continue;
      yield { path: relative(paths.dataDir, path), sizeBytes: stats.isFile() ? stats.size : undefined };
    }
  }

  return {
    async findBytes(key) {
      const parsed = findParsed(key);
      if (parsed === undefined) return undefined;
      if (parsed.kind === "extent") {
        const found = await findFile({ kind: "extent", id: parsed.id });
        return found && { place: found.place, sizeBytes: found.stats.size };
      }
      const found = await findFile({ kind: "pack", id: parsed.packId });
      const room = (found?.stats.size ?? 0) - parsed.offset - headerBytes;
      return found && { place: found.place, sizeBytes: Math.min(parsed.length, Math.max(0, room)) };
    },
    async *listStored() {
      yield* listExtents();
      yield* listPacks();
    },
    async *listForeign() {
      const isFanOut = ({ kind, name }: Entry) => kind === "folder" && isFanOutName(name);
      yield* listStrangers(paths.extents, isFanOut);
      for (const { name } of (await readEntries(paths.extents)).filter(isFanOut)) {
        const isExtent = (entry: Entry) => entry.kind === "file" && isFileId(entry.name) && entry.name.startsWith(name);
        yield* listStrangers(join(paths.extents, name), isExtent);
      }
      yield* listStrangers(paths.packs, ({ kind, name }) => kind === "file" && isFileId(name));
      // The probe is there while the store's health is looked at, and after a crash.
      yield* listStrangers(paths.trash, (entry) => isFanOut(entry) || entry.name === "probe");
      for (const { name } of (await readEntries(paths.trash)).filter(isFanOut)) {
        const isTrash = (entry: Entry) => entry.kind === "file" && isTrashName(entry.name, name);
        yield* listStrangers(join(paths.trash, name), isTrash);
      }
    },
  };
}

function findParsed(key: BlobKey): ParsedKey | undefined {
  try {
    return parseBlobKey(key);
  } catch (error) {
    if (isUploadError(error, "damaged")) return undefined;
    throw error;
  }
}

/** Of a file, also behind a link, as it is read; anything else in its place is none. */
async function findStats(path: string): Promise<Stats | undefined> {
  const stats = await stat(path).catch(orNone);
  return stats?.isFile() ? stats : undefined;
}

/** What lies in a folder; a link is what it leads to. */
interface Entry {
  readonly name: string;
  readonly kind: "file" | "folder" | "other";
}

async function readEntries(folder: string): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (const entry of (await readdir(folder, { withFileTypes: true }).catch(orNone)) ?? []) {
    const { name } = entry;
    const found = entry.isSymbolicLink() ? await stat(join(folder, name)).catch(orNone) : entry;
    entries.push({ name, kind: kindOf(found) });
  }
  return entries;
}

function kindOf(found: Stats | Dirent | undefined): Entry["kind"] {
  if (found?.isFile()) return "file";
  return found?.isDirectory() ? "folder" : "other";
}

async function readNames(folder: string): Promise<readonly string[]> {
  return (await readEntries(folder)).map(({ name }) => name);
}

function orNone(error: unknown): undefined {
  const code = errorCode(error);
  if (code === "ENOENT" || code === "ENOTDIR") return undefined;
  throw error;
}
