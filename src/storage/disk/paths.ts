import { join } from "node:path";
import { type BlobKey, createId, smallContentBytes } from "../../core/index.js";
import { damageError } from "./errors.js";

/** What a BlobKey says: a file of its own, or a record of a pack (`offset` is where the record's header stands). */
export type ParsedKey =
  | { readonly kind: "extent"; readonly id: string }
  | { readonly kind: "packed"; readonly packId: string; readonly offset: number; readonly length: number };

const extentPattern = /^e:([0-9a-f]{32})$/;
const packedPattern = /^p:([0-9a-f]{32}):(0|[1-9][0-9]{0,14}):([1-9][0-9]{0,5})$/;

/** Nothing but the exact forms passes, so that a path made from a parsed key cannot leave its folder. */
export function parseBlobKey(key: BlobKey): ParsedKey {
  const extent = extentPattern.exec(key);
  if (extent !== null) return { kind: "extent", id: extent[1]! };
  const packed = packedPattern.exec(key);
  const length = Number(packed?.[3]);
  if (packed === null || length > smallContentBytes) throw damageError(key, "no store on disk makes such a key");
  return { kind: "packed", packId: packed[1]!, offset: Number(packed[2]), length };
}

export function formatExtentKey(id: string): BlobKey {
  return `e:${id}` as BlobKey;
}

export function formatPackedKey(packId: string, offset: number, length: number): BlobKey {
  return `p:${packId}:${offset}:${length}` as BlobKey;
}

/** The id of an extent or a pack, and the name of its file: 32 hexadecimal digits, evenly spread from the first on. */
export function createFileId(): string {
  return createId().replaceAll("-", "");
}

export function isFileId(name: string): boolean {
  return /^[0-9a-f]{32}$/.test(name);
}

/** The two digits that begin an id name its folder, so that no folder grows large. */
export function isFanOutName(name: string): boolean {
  return /^[0-9a-f]{2}$/.test(name);
}

/** Where everything lies under the data folder. */
export interface Paths {
  readonly dataDir: string;
  readonly extents: string;
  readonly packs: string;
  readonly trash: string;
  extentFolder(id: string): string;
  extent(id: string): string;
  pack(id: string): string;
  trashFolder(id: string): string;
}

export function createPaths(dataDir: string): Paths {
  const extents = join(dataDir, "extents");
  const packs = join(dataDir, "packs");
  const trash = join(dataDir, "trash");
  return {
    dataDir,
    extents,
    packs,
    trash,
    extentFolder: (id) => join(extents, id.slice(0, 2)),
    extent: (id) => join(extents, id.slice(0, 2), id),
    pack: (id) => join(packs, id),
    trashFolder: (id) => join(trash, id.slice(0, 2)),
  };
}
