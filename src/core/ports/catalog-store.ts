import type { Item, ItemField, ItemFile, Library, LibraryField } from "../catalog.js";
import type { Page, PageQuery } from "../paging.js";
import type { Predicate } from "../predicate.js";

/**
 * The part of the metadata port that holds what content is applied to. Names are unique: a library's in its tenant, an
 * item's in its library.
 */
export interface CatalogStore {
  /** Throws `already_exists` (NAME_TAKEN). */
  createLibrary(library: Omit<Library, "createdAt" | "modifiedAt">): Promise<Library>;
  /** Throws `not_found`. */
  getLibrary(tenantId: string, id: string): Promise<Library>;
  /** Newest first. */
  listLibraries(tenantId: string, predicate: Predicate<LibraryField>, page: PageQuery): Promise<Page<Library>>;
  /** Throws `not_found`, `already_exists` (NAME_TAKEN). */
  updateLibrary(tenantId: string, id: string, change: (library: Library, now: Date) => Library): Promise<Library>;
  /** Throws `not_found`; `busy` (ITEM_BUSY) while it has items. */
  deleteLibrary(tenantId: string, id: string): Promise<void>;

  /** Throws `not_found` for the library, `already_exists` (NAME_TAKEN) for the name or an alias. */
  createItem(item: Omit<Item, "createdAt" | "modifiedAt">): Promise<Item>;
  /** Throws `not_found`. */
  getItem(tenantId: string, id: string): Promise<Item>;
  findItemByAlias(tenantId: string, kind: string, value: string): Promise<Item | undefined>;
  /** Newest first. */
  listItems(tenantId: string, predicate: Predicate<ItemField>, page: PageQuery): Promise<Page<Item>>;
  /** Its fields and aliases, not its content. Throws `not_found`, `already_exists` (NAME_TAKEN). */
  updateItem(tenantId: string, id: string, change: (item: Item, now: Date) => Item): Promise<Item>;
  /** Its files go with it. Throws `not_found`; `busy` (ITEM_BUSY) while a session is open on it that is not overdue. */
  deleteItem(tenantId: string, id: string): Promise<void>;

  /** By name. Throws `not_found` for the item. */
  listItemFiles(
    tenantId: string,
    itemId: string,
    options: { readonly afterName?: string; readonly limit: number },
  ): Promise<readonly ItemFile[]>;
  /** Throws `not_found` for the item or the file. */
  getItemFile(tenantId: string, itemId: string, name: string): Promise<ItemFile>;
}
