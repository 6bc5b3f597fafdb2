// Row <-> core value for what content is applied to.
import type {
  Alias,
  Attributes,
  Checksum,
  DialectRecord,
  Item,
  ItemFile,
  JsonValue,
  Library,
} from "../../core/index.js";
import { contentFromRow } from "./rows.js";

interface ThingRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly name: string;
  readonly description: string;
  readonly version: number;
  readonly attributes: Attributes;
  readonly created_at: Date;
  readonly modified_at: Date;
}

export interface LibraryRow extends ThingRow {
  readonly backing_folder: string | null;
}

export function libraryFromRow(row: LibraryRow): Library {
  return { ...thingFromRow(row), backingFolder: row.backing_folder ?? undefined };
}

/** What libraries and items both have. */
function thingFromRow(row: ThingRow) {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    name: row.name,
    description: row.description,
    version: row.version,
    attributes: row.attributes,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}

export function rowFromLibrary(library: Library) {
  return { ...rowFromThing(library), backing_folder: library.backingFolder ?? null };
}

function rowFromThing(thing: Library | Item) {
  return {
    id: thing.id,
    tenant_id: thing.tenantId,
    name: thing.name,
    description: thing.description,
    version: thing.version,
    attributes: JSON.stringify(thing.attributes),
    created_at: thing.createdAt,
    modified_at: thing.modifiedAt,
  };
}

/** An item with its aliases, in their order. */
export interface ItemRow extends ThingRow {
  readonly library_id: string;
  readonly type: string;
  readonly content_version: number;
  readonly aliases: readonly Alias[];
}

export function itemFromRow(row: ItemRow): Item {
  return {
    ...thingFromRow(row),
    libraryId: row.library_id,
    type: row.type,
    contentVersion: row.content_version,
    aliases: row.aliases,
  };
}

/** Without its aliases, which are rows of their own. */
export function rowFromItem(item: Item) {
  return {
    ...rowFromThing(item),
    library_id: item.libraryId,
    type: item.type,
    content_version: item.contentVersion,
  };
}

export interface ItemFileRow {
  readonly tenant_id: string;
  readonly item_id: string;
  readonly name: string;
  readonly version: number;
  readonly media_type: string;
  readonly content_id: string;
  readonly content_size: number;
  readonly content_checksums: readonly Checksum[] | null;
  readonly attributes: Attributes;
  readonly created_at: Date;
  readonly modified_at: Date;
}

export function itemFileFromRow(row: ItemFileRow): ItemFile {
  return {
    tenantId: row.tenant_id,
    itemId: row.item_id,
    name: row.name,
    version: row.version,
    mediaType: row.media_type,
    content: contentFromRow(row.content_id, row.content_size, row.content_checksums),
    attributes: row.attributes,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}

export interface RecordRow {
  readonly tenant_id: string;
  readonly namespace: string;
  readonly key: string;
  readonly value: JsonValue;
  readonly version: number;
  readonly expires_at: Date | null;
}

export function recordFromRow(row: RecordRow): DialectRecord {
  return {
    tenantId: row.tenant_id,
    namespace: row.namespace,
    key: row.key,
    value: row.value,
    version: row.version,
    expiresAt: row.expires_at ?? undefined,
  };
}
