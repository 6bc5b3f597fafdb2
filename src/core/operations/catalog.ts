import { createId } from "../blob.js";
import { assertPermission, type Call } from "../call.js";
import type { Alias, Item, ItemField, ItemFile, Library, LibraryField } from "../catalog.js";
import type { CoreDeps } from "../deps.js";
import { type Page, parsePage } from "../paging.js";
import { assertPredicate, type Predicate } from "../predicate.js";
import { type Attributes, invalid, parseAttributes, parseId, parseName, parseText } from "../values.js";

export interface LibraryInput {
  readonly name: string;
  readonly description?: string;
  readonly attributes?: Attributes;
}

export interface ItemInput {
  readonly libraryId: string;
  readonly name: string;
  readonly description?: string;
  readonly type?: string;
  readonly aliases?: readonly Alias[];
  readonly attributes?: Attributes;
}

export interface ListInput<Field extends string> {
  readonly where?: Predicate<Field>;
  readonly page: { readonly size?: number; readonly cursor?: string };
}

const maxDescription = 2000;
const maxAliases = 32;

/**
 * What content is applied to, and reading it. Errors beside `denied` and `invalid` are those of the metadata port's
 * catalog.
 */
export function createCatalogOperations(deps: CoreDeps) {
  const { metadata, limits } = deps;
  const attributesOf = (value: Attributes | undefined) => parseAttributes(value ?? {}, limits);
  const tenant = (call: Call, permission: "read" | "upload" | "administer") => {
    assertPermission(call.caller, permission);
    return call.caller.tenantId;
  };

  return {
    async createLibrary(input: LibraryInput, call: Call): Promise<Library> {
      const tenantId = tenant(call, "administer");
      return metadata.createLibrary({
        id: createId(),
        tenantId,
        name: parseName(input.name, "library name"),
        description: parseText(input.description ?? "", "description", maxDescription),
        version: 1,
        attributes: attributesOf(input.attributes),
      });
    },
    async getLibrary(input: { libraryId: string }, call: Call): Promise<Library> {
      return metadata.getLibrary(tenant(call, "read"), parseId(input.libraryId, "library id"));
    },
    async listLibraries(input: ListInput<LibraryField>, call: Call): Promise<Page<Library>> {
      const { where, page } = parseList(input);
      return metadata.listLibraries(tenant(call, "read"), where, page);
    },
    async updateLibrary(input: { libraryId: string } & Partial<LibraryInput>, call: Call): Promise<Library> {
      const id = parseId(input.libraryId, "library id");
      return metadata.updateLibrary(tenant(call, "administer"), id, (library, now) => ({
        ...library,
        name: input.name === undefined ? library.name : parseName(input.name, "library name"),
        description: parseText(input.description ?? library.description, "description", maxDescription),
        attributes: input.attributes === undefined ? library.attributes : attributesOf(input.attributes),
        version: library.version + 1,
        modifiedAt: now,
      }));
    },
    async deleteLibrary(input: { libraryId: string }, call: Call): Promise<void> {
      await metadata.deleteLibrary(tenant(call, "administer"), parseId(input.libraryId, "library id"));
    },

    async createItem(input: ItemInput, call: Call): Promise<Item> {
      const tenantId = tenant(call, "upload");
      return metadata.createItem({
        id: createId(),
        tenantId,
        libraryId: parseId(input.libraryId, "library id"),
        name: parseName(input.name, "item name"),
        description: parseText(input.description ?? "", "description", maxDescription),
        type: parseText(input.type ?? "", "item type", 255),
        contentVersion: 1,
        version: 1,
        aliases: parseAliases(input.aliases ?? []),
        attributes: attributesOf(input.attributes),
      });
    },
    async getItem(input: { itemId: string }, call: Call): Promise<Item> {
      return metadata.getItem(tenant(call, "read"), parseId(input.itemId, "item id"));
    },
    async findItemByAlias(input: Alias, call: Call): Promise<Item | undefined> {
      return metadata.findItemByAlias(tenant(call, "read"), input.kind, input.value);
    },
    async listItems(input: ListInput<ItemField>, call: Call): Promise<Page<Item>> {
      const { where, page } = parseList(input);
      return metadata.listItems(tenant(call, "read"), where, page);
    },
    async updateItem(input: { itemId: string } & Partial<Omit<ItemInput, "libraryId">>, call: Call): Promise<Item> {
      const id = parseId(input.itemId, "item id");
      return metadata.updateItem(tenant(call, "upload"), id, (item, now) => ({
        ...item,
        name: input.name === undefined ? item.name : parseName(input.name, "item name"),
        description: parseText(input.description ?? item.description, "description", maxDescription),
        type: parseText(input.type ?? item.type, "item type", 255),
        aliases: input.aliases === undefined ? item.aliases : parseAliases(input.aliases),
        attributes: input.attributes === undefined ? item.attributes : attributesOf(input.attributes),
        version: item.version + 1,
        modifiedAt: now,
      }));
    },
    async deleteItem(input: { itemId: string }, call: Call): Promise<void> {
      await metadata.deleteItem(tenant(call, "upload"), parseId(input.itemId, "item id"));
    },
    async listItemFiles(
      input: { readonly itemId: string; readonly afterName?: string },
      call: Call,
    ): Promise<readonly ItemFile[]> {
      const after = input.afterName === undefined ? {} : { afterName: input.afterName };
      const options = { ...after, limit: 1000 };
      return metadata.listItemFiles(tenant(call, "read"), parseId(input.itemId, "item id"), options);
    },
    async getItemFile(input: { readonly itemId: string; readonly name: string }, call: Call): Promise<ItemFile> {
      const itemId = parseId(input.itemId, "item id");
      return metadata.getItemFile(tenant(call, "read"), itemId, parseName(input.name, "file name"));
    },
  };
}

function parseList<Field extends string>(input: ListInput<Field>) {
  const where: Predicate<Field> = input.where ?? { all: [] };
  assertPredicate(where);
  return { where, page: parsePage(input.page) };
}

function parseAliases(aliases: readonly Alias[]): readonly Alias[] {
  if (aliases.length > maxAliases) throw invalid("NAME_INVALID", `an item has at most ${maxAliases} aliases`);
  return aliases.map(({ kind, value }) => ({
    kind: parseName(kind, "alias kind"),
    value: parseText(value, "alias", 255),
  }));
}
