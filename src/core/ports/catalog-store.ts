import type { Item, ItemField, ItemFile, ItemMeasure, Library, LibraryField } from "../catalog.js";
import type { Page, PageQuery } from "../paging.js";
import type { Predicate } from "../predicate.js";
import type { SessionCreation, SessionRef } from "./metadata-store.js";

/**
 * Makes a creation repeatable: a token that its user gave before for the same words answers what it made, as it is now;
 * `conflict` (CLIENT_TOKEN_REUSED) when the words are others, `not_found` when what it made is gone. It is forgotten a day
 * after that.
 */
export interface CreationToken {
  readonly ownerId: string;
  readonly clientToken: NonNullable<SessionCreation["clientToken"]>;
}

export type NewLibrary = Omit<Library, "createdAt" | "modifiedAt">;
export type NewItem = Omit<Item, "createdAt" | "modifiedAt">;

/** An item to come, whose content, and whatever of it is undefined, is the source's. */
export interface ItemCopy extends Omit<NewItem, "description" | "type"> {
  readonly sourceItemId: string;
  readonly description: string | undefined;
  readonly type: string | undefined;
}

/**
 * The part of the metadata port that holds what content is applied to. Names are unique: a library's in its tenant, an
 * item's in its library.
 */
export interface CatalogStore {
  /** Throws `already_exists` (NAME_TAKEN), and what a token throws. */
  createLibrary(library: NewLibrary, once?: CreationToken): Promise<Library>;
  /** Throws `not_found`. */
  getLibrary(tenantId: string, id: string): Promise<Library>;
  /** Newest first. */
  listLibraries(tenantId: string, predicate: Predicate<LibraryField>, page: PageQuery): Promise<Page<Library>>;
  /** Throws `not_found`, `already_exists` (NAME_TAKEN). */
  updateLibrary(tenantId: string, id: string, change: (library: Library, now: Date) => Library): Promise<Library>;
  /**
   * Throws `not_found`; `busy` (ITEM_BUSY) while it has items. With `withItems` they go with it and with all that they
   * have, and it is `busy` while a session is open on one of them that is not overdue.
   */
  deleteLibrary(tenantId: string, id: string, options?: { readonly withItems: boolean }): Promise<void>;
  /** Sessions that are open on items of the library and not overdue, at most `limit` of them. */
  listBusySessions(tenantId: string, libraryId: string, limit: number): Promise<readonly SessionRef[]>;

  /** Throws `not_found` for the library, `already_exists` (NAME_TAKEN) for the name or an alias, and what a token throws. */
  createItem(item: NewItem, once?: CreationToken): Promise<Item>;
  /**
   * The same, with files that name the contents of the source's, as of one moment: nothing changes the source's files
   * meanwhile. Each is at version 1. Throws `not_found` for the source too.
   */
  copyItem(copy: ItemCopy, once?: CreationToken): Promise<Item>;
  /** Throws `not_found`. */
  getItem(tenantId: string, id: string): Promise<Item>;
  findItemByAlias(tenantId: string, kind: string, value: string): Promise<Item | undefined>;
  /** Newest first. */
  listItems(tenantId: string, predicate: Predicate<ItemField>, page: PageQuery): Promise<Page<Item>>;
  /** Its fields and aliases, not its content. Throws `not_found`, `already_exists` (NAME_TAKEN). */
  updateItem(tenantId: string, id: string, change: (item: Item, now: Date) => Item): Promise<Item>;
  /** Its files go with it. Throws `not_found`; `busy` (ITEM_BUSY) while a session is open on it that is not overdue. */
  deleteItem(tenantId: string, id: string): Promise<void>;

  /** Throws `not_found`. */
  measureItem(tenantId: string, itemId: string): Promise<ItemMeasure>;
  /** By name. Throws `not_found` for the item. */
  listItemFiles(
    tenantId: string,
    itemId: string,
    options: { readonly afterName?: string; readonly limit: number },
  ): Promise<readonly ItemFile[]>;
  /** Throws `not_found` for the item or the file. */
  getItemFile(tenantId: string, itemId: string, name: string): Promise<ItemFile>;
}
