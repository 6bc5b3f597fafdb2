// Libraries, items and their files as people and programs get them printed.
import type { Item, ItemFile, Library } from "../../../gen/slipway/upload/v1/catalog_pb.js";
import type { Context } from "../shell/command.js";
import { formatBytes, formatForeign, formatMoment, formatTime } from "../shell/format.js";
import { printRows } from "../shell/output.js";
import { findSha256 } from "../transfer/content-hash.js";

export function libraryJson(library: Library) {
  return {
    id: library.id,
    name: library.name,
    description: library.description,
    version: Number(library.version),
    backingFolder: library.backingFolder || undefined,
    attributes: library.attributes ?? {},
    createdAt: formatTime(library.createTime),
    updatedAt: formatTime(library.updateTime),
  };
}

export function itemJson(item: Item) {
  return {
    id: item.id,
    libraryId: item.libraryId,
    name: item.name,
    description: item.description,
    type: item.type,
    contentVersion: Number(item.contentVersion),
    version: Number(item.version),
    aliases: item.aliases.map(({ kind, value }) => ({ kind, value })),
    attributes: item.attributes ?? {},
    createdAt: formatTime(item.createTime),
    updatedAt: formatTime(item.updateTime),
  };
}

export function itemFileJson(file: ItemFile) {
  return {
    name: file.name,
    path: itemFilePath(file),
    version: Number(file.version),
    mediaType: file.mediaType || undefined,
    sizeBytes: Number(file.content?.sizeBytes ?? 0n),
    sha256: findSha256(file.content?.checksums),
    attributes: file.attributes ?? {},
    createdAt: formatTime(file.createTime),
    updatedAt: formatTime(file.updateTime),
  };
}

/** The path that the file was uploaded from where that is known, else its name. */
export function itemFilePath(file: ItemFile): string {
  const path = file.attributes?.path;
  return typeof path === "string" && path !== "" ? path : file.name;
}

export function printLibraries(context: Context, libraries: readonly Library[]): void {
  const rows = libraries.map((library) => [
    library.id,
    formatMoment(library.createTime),
    formatForeign(library.name),
    formatForeign(library.description),
  ]);
  printRows(context, ["LIBRARY", "CREATED", "NAME", "DESCRIPTION"], rows, "there are no libraries");
}

export function printItems(context: Context, items: readonly Item[]): void {
  const rows = items.map((item) => [
    item.id,
    String(item.contentVersion),
    formatMoment(item.updateTime),
    formatForeign(item.type),
    formatForeign(item.name),
  ]);
  printRows(context, ["ITEM", "CONTENT", "CHANGED", "TYPE", "NAME"], rows, "the library has no items");
}

export function printItemFiles(context: Context, files: readonly ItemFile[]): void {
  const rows = files.map((file) => [
    formatBytes(Number(file.content?.sizeBytes ?? 0n)),
    String(file.version),
    (findSha256(file.content?.checksums) ?? "").slice(0, 12).padEnd(12),
    formatMoment(file.updateTime),
    formatForeign(itemFilePath(file)),
  ]);
  printRows(context, ["SIZE", "VERSION", "SHA256", "CHANGED", "PATH"], rows, "the item has no files");
}

/** The fields that a library and an item are shown by; those that are empty are left out. */
export function fieldsOf(fields: Readonly<Record<string, string | number | object>>): [string, string][] {
  return Object.entries(fields)
    .map(([name, value]): [string, string] => [name, typeof value === "object" ? formatObject(value) : String(value)])
    .filter(([, value]) => value !== "")
    .map(([name, value]) => [name, formatForeign(value)]);
}

function formatObject(value: object): string {
  return Object.keys(value).length === 0 ? "" : JSON.stringify(value);
}
