import { createId } from "../blob.js";
import { assertPermission, type Call } from "../call.js";
import {
  type Alias,
  aliasNotFound,
  type Item,
  type ItemField,
  type ItemFile,
  type ItemMeasure,
  type Library,
  type LibraryField,
} from "../catalog.js";
import type { CoreDeps } from "../deps.js";
import { UploadError } from "../error.js";
import { parseClientToken } from "../new-session.js";
import { type Page, type PageInput, pageByName, parsePage, parsePageByName } from "../paging.js";
import type { CreationToken } from "../ports/catalog-store.js";
import { assertPredicate, type Predicate } from "../predicate.js";
import { type Attributes, invalid, parseAttributes, parseCount, parseId, parseName, parseText } from "../values.js";
import { type DeleteLibraryInput, deleteLibrary } from "./delete-library.js";

export interface LibraryInput {
  readonly name: string;
  readonly description?: string | undefined;
  readonly attributes?: Attributes | undefined;
}

/** What makes a creation repeatable: the same token and the same words give the same thing (P4). */
interface Repeatable {
  readonly clientToken?: string | undefined;
}

export interface NewLibraryInput extends LibraryInput, Repeatable {
  /** For callers who may read storage. */
  readonly backingFolder?: string | undefined;
}

export interface ItemInput extends LibraryInput {
  readonly libraryId: string;
  readonly type?: string | undefined;
  readonly aliases?: readonly Alias[] | undefined;
}

export interface NewItemInput extends ItemInput, Repeatable {}

/** A new item with the files of another one; what is undefined is as there. It has no aliases and no attributes. */
export interface CopyItemInput extends Repeatable {
  readonly sourceItemId: string;
  readonly libraryId: string;
  readonly name: string;
  readonly description?: string | undefined;
  readonly type?: string | undefined;
}

/** What is undefined stays as it is. */
export type ChangeOf<Input> = { readonly [Name in keyof Input]?: Input[Name] | undefined } & {
  /** The version that the thing must have, or nothing is changed. */
  readonly expectedVersion?: number | undefined;
};

export interface ListInput<Field extends string> {
  readonly where?: Predicate<Field>;
  readonly page: PageInput;
}

const maxDescription = 2000;
const maxType = 255;
const maxFolder = 4096;
const maxAliases = 32;

/**
 * What content is applied to, and reading it. Errors beside `denied` and `invalid` are those of the metadata port's
 * catalog, and for updates `conflict` (VERSION_CHANGED), which is decided under the lock of the row.
 */
export function createCatalogOperations(deps: CoreDeps) {
  const { metadata, limits } = deps;
  const attributesOf = (value: Attributes | undefined) => parseAttributes(value ?? {}, limits);
  const tenant = (call: Call, permission: "read" | "upload" | "administer") => {
    assertPermission(call.caller, permission);
    return call.caller.tenantId;
  };
  /** The fields that libraries and items both have, as far as they are given. */
  const parseChange = ({ name, description, attributes }: ChangeOf<LibraryInput>, what: string) => ({
    ...(name !== undefined && { name: parseName(name, `${what} name`) }),
    ...(description !== undefined && { description: parseText(description, "description", maxDescription) }),
    ...(attributes !== undefined && { attributes: attributesOf(attributes) }),
  });
  const findByAlias = (alias: Alias, call: Call): Promise<Item | undefined> => {
    const tenantId = tenant(call, "read");
    const { kind, value } = parseAlias(alias);
    return metadata.findItemByAlias(tenantId, kind, value);
  };

  return {
    async createLibrary(input: NewLibraryInput, call: Call): Promise<Library> {
      const tenantId = tenant(call, "administer");
      const backingFolder = input.backingFolder || undefined;
      if (backingFolder !== undefined) assertPermission(call.caller, "read_storage");
      const words = {
        name: parseName(input.name, "library name"),
        description: parseText(input.description ?? "", "description", maxDescription),
        backingFolder: backingFolder && parseFolder(backingFolder, "backing folder"),
        attributes: attributesOf(input.attributes),
      };
      const once = parseOnce(input, "create-library", words, call);
      return metadata.createLibrary({ id: createId(), tenantId, version: 1, ...words }, once);
    },
    async getLibrary(input: { libraryId: string }, call: Call): Promise<Library> {
      return metadata.getLibrary(tenant(call, "read"), parseId(input.libraryId, "library id"));
    },
    async listLibraries(input: ListInput<LibraryField>, call: Call): Promise<Page<Library>> {
      const { where, page } = parseList(input);
      return metadata.listLibraries(tenant(call, "read"), where, page);
    },
    async updateLibrary(input: { libraryId: string } & ChangeOf<LibraryInput>, call: Call): Promise<Library> {
      const tenantId = tenant(call, "administer");
      const id = parseId(input.libraryId, "library id");
      const expected = parseVersion(input.expectedVersion);
      const changed = parseChange(input, "library");
      return metadata.updateLibrary(tenantId, id, (library, now) => {
        assertVersion(`library ${id}`, library.version, expected);
        return { ...library, ...changed, version: library.version + 1, modifiedAt: now };
      });
    },
    deleteLibrary: (input: DeleteLibraryInput, call: Call) => deleteLibrary(deps, input, call),

    async createItem(input: NewItemInput, call: Call): Promise<Item> {
      const tenantId = tenant(call, "upload");
      const words = {
        libraryId: parseId(input.libraryId, "library id"),
        name: parseName(input.name, "item name"),
        description: parseText(input.description ?? "", "description", maxDescription),
        type: parseText(input.type ?? "", "item type", maxType),
        aliases: parseAliases(input.aliases ?? []),
        attributes: attributesOf(input.attributes),
      };
      const once = parseOnce(input, "create-item", words, call);
      return metadata.createItem({ id: createId(), tenantId, ...newVersions, ...words }, once);
    },
    /** The files of both name the same contents, which are there for as long as one of them is. */
    async copyItem(input: CopyItemInput, call: Call): Promise<Item> {
      const tenantId = tenant(call, "upload");
      const { description, type } = input;
      const words = {
        sourceItemId: parseId(input.sourceItemId, "item id"),
        libraryId: parseId(input.libraryId, "library id"),
        name: parseName(input.name, "item name"),
        description: description && parseText(description, "description", maxDescription),
        type: type && parseText(type, "item type", maxType),
      };
      const once = parseOnce(input, "copy-item", words, call);
      const own = { id: createId(), tenantId, ...newVersions, aliases: [], attributes: {} };
      return metadata.copyItem({ ...own, ...words }, once);
    },
    async getItem(input: { itemId: string }, call: Call): Promise<Item> {
      return metadata.getItem(tenant(call, "read"), parseId(input.itemId, "item id"));
    },
    async findItemByAlias(input: Alias, call: Call): Promise<Item | undefined> {
      return findByAlias(input, call);
    },
    async getItemByAlias(input: Alias, call: Call): Promise<Item> {
      const item = await findByAlias(input, call);
      if (item === undefined) throw aliasNotFound(input);
      return item;
    },
    async listItems(input: ListInput<ItemField>, call: Call): Promise<Page<Item>> {
      const { where, page } = parseList(input);
      return metadata.listItems(tenant(call, "read"), where, page);
    },
    /** Aliases are replaced as a whole. */
    async updateItem(input: { itemId: string } & ChangeOf<Omit<ItemInput, "libraryId">>, call: Call): Promise<Item> {
      const tenantId = tenant(call, "upload");
      const id = parseId(input.itemId, "item id");
      const expected = parseVersion(input.expectedVersion);
      const changed = {
        ...parseChange(input, "item"),
        ...(input.type !== undefined && { type: parseText(input.type, "item type", maxType) }),
        ...(input.aliases !== undefined && { aliases: parseAliases(input.aliases) }),
      };
      return metadata.updateItem(tenantId, id, (item, now) => {
        assertVersion(`item ${id}`, item.version, expected);
        return { ...item, ...changed, version: item.version + 1, modifiedAt: now };
      });
    },
    async deleteItem(input: { itemId: string }, call: Call): Promise<void> {
      await metadata.deleteItem(tenant(call, "upload"), parseId(input.itemId, "item id"));
    },
    async measureItem(input: { itemId: string }, call: Call): Promise<ItemMeasure> {
      return metadata.measureItem(tenant(call, "read"), parseId(input.itemId, "item id"));
    },
    /** By name. */
    async listItemFiles(
      input: { readonly itemId: string; readonly page: PageInput },
      call: Call,
    ): Promise<Page<ItemFile>> {
      const tenantId = tenant(call, "read");
      const itemId = parseId(input.itemId, "item id");
      const { limit, afterName } = parsePageByName(input.page);
      const after = afterName === undefined ? {} : { afterName };
      return pageByName(await metadata.listItemFiles(tenantId, itemId, { ...after, limit: limit + 1 }), limit);
    },
    async getItemFile(input: { readonly itemId: string; readonly name: string }, call: Call): Promise<ItemFile> {
      const itemId = parseId(input.itemId, "item id");
      return metadata.getItemFile(tenant(call, "read"), itemId, parseName(input.name, "file name"));
    },
  };
}

const newVersions = { contentVersion: 1, version: 1 };

/** A token is its user's own, and means what it means for one operation of one face. */
function parseOnce(
  { clientToken }: Repeatable,
  operation: string,
  words: object,
  { caller }: Call,
): CreationToken | undefined {
  if (clientToken === undefined) return undefined;
  const { origin = "any", userId: ownerId } = caller;
  return { ownerId, clientToken: parseClientToken(clientToken, `${origin}.${operation}`, words) };
}

/** An absolute path of the server in its plain form. */
function parseFolder(path: string, what: string): string {
  parseText(path, what, maxFolder);
  const names = path.split("/").slice(1);
  if (/^\/./.test(path) && names.every((name) => name !== "" && name !== "." && name !== "..")) return path;
  const shown = JSON.stringify(path.slice(0, 80));
  throw invalid("TEXT_INVALID", `${what} is an absolute path such as /srv/images, without . and .., not ${shown}`);
}

function parseList<Field extends string>(input: ListInput<Field>) {
  const where: Predicate<Field> = input.where ?? { all: [] };
  assertPredicate(where);
  return { where, page: parsePage(input.page) };
}

function parseAliases(aliases: readonly Alias[]): readonly Alias[] {
  if (aliases.length > maxAliases) throw invalid("NAME_INVALID", `an item has at most ${maxAliases} aliases`);
  const parsed = aliases.map(parseAlias);
  if (new Set(parsed.map(({ kind, value }) => `${kind}/${value}`)).size < parsed.length) {
    throw invalid("NAME_INVALID", "an alias is given twice");
  }
  return parsed;
}

function parseAlias({ kind, value }: Alias): Alias {
  return { kind: parseName(kind, "alias kind"), value: parseText(value, "alias", 255) };
}

function parseVersion(expected: number | undefined): number | undefined {
  return expected === undefined ? undefined : parseCount(expected, "expected version");
}

function assertVersion(what: string, version: number, expected: number | undefined): void {
  if (expected === undefined || version === expected) return;
  throw new UploadError("conflict", `${what} has version ${version}, not ${expected}`, {
    reason: "VERSION_CHANGED",
    declared: String(expected),
    actual: String(version),
  });
}
