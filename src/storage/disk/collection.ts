// What the sweeper asks of the store, key by key, told in terms of whole files: a packed key is only marked until its
// whole pack can follow.
import { readdir } from "node:fs/promises";
import type { BlobKey } from "../../core/index.js";
import { isOlder, listExtents } from "./extents.js";
import type { HandleCache } from "./handle-cache.js";
import { createPackMarks } from "./pack-marks.js";
import { type PackRecord, scanPack } from "./pack-reader.js";
import type { PackWriter } from "./packs.js";
import { formatExtentKey, formatPackedKey, isFileId, type Paths, parseBlobKey } from "./paths.js";
import type { StoredFile, Trash, TrashEntry } from "./trash.js";
import { createTurns } from "./turns.js";

export interface Collection {
  /**
   * Every key, noted ones too, so that a note that was lost is made again. A pack in which a crash left no readable
   * record has no key to be collected by: it goes to the trash here, and `listTrash` deletes it when its time is up.
   */
  listKeys(writtenBefore: Date): AsyncGenerator<BlobKey, void, undefined>;
  moveToTrash(keys: readonly BlobKey[]): Promise<void>;
  listTrash(trashedBefore: Date): AsyncGenerator<BlobKey, void, undefined>;
  /** One key of a trashed pack brings all of it back; its other keys must be noted anew. */
  restoreFromTrash(keys: readonly BlobKey[]): Promise<void>;
  /** A pack is deleted once all its keys were asked for, in however many calls. */
  deleteFromTrash(keys: readonly BlobKey[]): Promise<void>;
}

export function createCollection(deps: {
  readonly paths: Paths;
  readonly packs: PackWriter;
  readonly packHandles: HandleCache;
  readonly trash: Trash;
}): Collection {
  const { paths, packs, packHandles, trash } = deps;
  const noted = createPackMarks();
  const condemned = createPackMarks();
  // One deed at a time: a restore must not come between the finding that a pack is all noted and its move.
  const inTurn = createTurns();

  async function trashFiles(files: readonly StoredFile[]): Promise<void> {
    try {
      await trash.put(files);
    } finally {
      for (const file of files) {
        if (file.kind === "extent") continue;
        noted.forget(file.id);
        await packHandles.drop(paths.pack(file.id));
      }
    }
  }

  async function findNotedPacks(packed: ReadonlyMap<string, readonly PackRecord[]>): Promise<readonly StoredFile[]> {
    const found: StoredFile[] = [];
    for (const [id, records] of packed) {
      noted.add(id, records);
      const whole = !packs.isActive(id) && (await noted.cover(id, () => scanPack(paths.pack(id), id)));
      if (whole) found.push({ kind: "pack", id });
    }
    return found;
  }

  async function isCondemned(entry: TrashEntry): Promise<boolean> {
    return await condemned.cover(entry.id, () => scanPack(entry.path, entry.id));
  }

  async function* listPack(path: string, id: string): AsyncGenerator<BlobKey, number, undefined> {
    let count = 0;
    for await (const record of scanPack(path, id)) {
      count++;
      yield formatPackedKey(id, record.offset, record.length);
    }
    return count;
  }

  async function isEmptyPack(path: string, id: string): Promise<boolean> {
    for await (const _ of scanPack(path, id)) return false;
    return true;
  }

  return {
    async *listKeys(writtenBefore) {
      yield* listExtents(paths, writtenBefore);
      await packs.sealWrittenBefore(writtenBefore);
      for (const id of await readdir(paths.packs)) {
        const path = paths.pack(id);
        if (!isFileId(id) || packs.isActive(id) || !(await isOlder(path, writtenBefore))) continue;
        if ((yield* listPack(path, id)) > 0) continue;
        await inTurn(async () => {
          if (await isEmptyPack(path, id)) await trashFiles([{ kind: "pack", id }]);
        });
      }
    },
    moveToTrash: (keys) =>
      inTurn(async () => {
        const { extents, packed } = groupKeys(keys);
        await trashFiles([...extents, ...(await findNotedPacks(packed))]);
      }),
    async *listTrash(trashedBefore) {
      for await (const entry of trash.list(trashedBefore)) {
        if (entry.kind === "extent") {
          yield formatExtentKey(entry.id);
        } else if ((yield* listPack(entry.path, entry.id)) === 0) {
          await inTurn(async () => {
            if (await isEmptyPack(entry.path, entry.id)) await trash.remove([entry]);
          });
        }
      }
    },
    restoreFromTrash: (keys) =>
      inTurn(async () => {
        const { extents, packed } = groupKeys(keys);
        for (const [id, records] of packed) {
          noted.remove(id, records);
          condemned.forget(id);
        }
        await trash.restore(await trash.find([...extents, ...packFiles(packed)]));
      }),
    deleteFromTrash: (keys) =>
      inTurn(async () => {
        const { extents, packed } = groupKeys(keys);
        await trash.remove(await trash.find(extents));
        for (const entry of await trash.find(packFiles(packed))) {
          condemned.add(entry.id, packed.get(entry.id) ?? []);
          if (!(await isCondemned(entry))) continue;
          await trash.remove([entry]);
          condemned.forget(entry.id);
        }
      }),
  };
}

function groupKeys(keys: readonly BlobKey[]) {
  const extents: StoredFile[] = [];
  const packed = new Map<string, PackRecord[]>();
  for (const key of keys) {
    const parsed = parseBlobKey(key);
    if (parsed.kind === "extent") {
      extents.push({ kind: "extent", id: parsed.id });
    } else {
      const records = packed.get(parsed.packId) ?? [];
      records.push({ offset: parsed.offset, length: parsed.length });
      packed.set(parsed.packId, records);
    }
  }
  return { extents, packed };
}

function packFiles(packed: ReadonlyMap<string, unknown>): readonly StoredFile[] {
  return [...packed.keys()].map((id) => ({ kind: "pack", id }));
}
