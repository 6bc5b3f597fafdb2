import type { Content } from "./attempt.js";
import { UploadError } from "./error.js";
import type { Attributes } from "./values.js";

/** A named collection of items. */
export interface Library {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly description: string;
  /** Grows by one with every change of its own fields. */
  readonly version: number;
  /**
   * A folder of the server that is this library's own: what is fetched from below it into an item of the library is
   * moved and not copied. An absolute path, set when the library is created.
   */
  readonly backingFolder?: string | undefined;
  readonly attributes: Attributes;
  readonly createdAt: Date;
  readonly modifiedAt: Date;
}

/** Another name that an item is found by, unique in its tenant and kind. */
export interface Alias {
  readonly kind: string;
  readonly value: string;
}

/** What content is applied to: a set of files that changes as a whole. */
export interface Item {
  readonly id: string;
  readonly tenantId: string;
  readonly libraryId: string;
  readonly name: string;
  readonly description: string;
  readonly type: string;
  /** 1 for a new item; one more whenever a completed session changed its files. */
  readonly contentVersion: number;
  /** Grows by one with every change of its own fields. */
  readonly version: number;
  readonly aliases: readonly Alias[];
  readonly attributes: Attributes;
  readonly createdAt: Date;
  readonly modifiedAt: Date;
}

/** One file of an item, as everyone who may read the item sees it. */
export interface ItemFile {
  readonly tenantId: string;
  readonly itemId: string;
  readonly name: string;
  /** 1 for a new name; one more with each new content. */
  readonly version: number;
  readonly mediaType: string;
  readonly content: Content;
  readonly attributes: Attributes;
  readonly createdAt: Date;
  readonly modifiedAt: Date;
}

/** How much content an item has. */
export interface ItemMeasure {
  readonly fileCount: number;
  readonly sizeBytes: number;
}

export type LibraryField = "id" | "name" | "createdAt" | "modifiedAt";
export type ItemField = "id" | "libraryId" | "name" | "type" | "createdAt" | "modifiedAt";

export function libraryNotFound(id: string): UploadError {
  return new UploadError("not_found", `no library ${id}`, { reason: "LIBRARY_NOT_FOUND", subject: id });
}

export function itemNotFound(id: string): UploadError {
  return new UploadError("not_found", `no item ${id}`, { reason: "ITEM_NOT_FOUND", subject: id });
}

export function aliasNotFound({ kind, value }: Alias): UploadError {
  const alias = `${kind} ${JSON.stringify(value.slice(0, 80))}`;
  return new UploadError("not_found", `no item has the alias ${alias}`, { reason: "ITEM_NOT_FOUND" });
}

export function fileNotFound(name: string): UploadError {
  const shown = name.slice(0, 80);
  return new UploadError("not_found", `no file ${JSON.stringify(shown)}`, { reason: "FILE_NOT_FOUND", subject: shown });
}
