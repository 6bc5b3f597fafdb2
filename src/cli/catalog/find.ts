// Libraries and items as people name them: by name or by id.
import type { CallOptions } from "@connectrpc/connect";
import type { Item, Library } from "../../../gen/slipway/upload/v1/catalog_pb.js";
import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import type { UploadClient } from "../connection/client.js";
import { isReason } from "../connection/rpc-error.js";
import { CliError, wrongUse } from "../shell/cli-error.js";

/** What looking something up needs of a command's connection. */
export interface Lookup {
  readonly client: UploadClient;
  ask<T>(call: (options: CallOptions) => Promise<T>): Promise<T>;
}

/** `LIBRARY/ITEM` taken apart at its first slash; a library whose name holds one is named by its id. */
export interface ItemPath {
  readonly library: string;
  readonly item: string;
}

export function isId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

export function parseItemPath(text: string, what: string): ItemPath {
  const slash = text.indexOf("/");
  const path = { library: text.slice(0, Math.max(0, slash)), item: text.slice(slash + 1) };
  if (path.library !== "" && path.item !== "") return path;
  throw wrongUse(`${what} is LIBRARY/ITEM, not ${JSON.stringify(text)}`);
}

export async function findLibrary({ client, ask }: Lookup, word: string): Promise<Library | undefined> {
  if (isId(word)) {
    const library = await unlessMissing(ErrorReason.LIBRARY_NOT_FOUND, async () => {
      return (await ask((options) => client.catalog.getLibrary({ libraryId: word }, options))).library;
    });
    // A name may look like an id.
    if (library !== undefined) return library;
  }
  return (await ask((options) => client.catalog.listLibraries({ pageSize: 1, name: word }, options))).libraries[0];
}

export async function getLibrary(lookup: Lookup, word: string): Promise<Library> {
  const library = await findLibrary(lookup, word);
  if (library === undefined) throw new CliError(`there is no library ${JSON.stringify(word)}`);
  return library;
}

/** An item of a library, by its name or its id. */
export async function findItem({ client, ask }: Lookup, library: Library, word: string): Promise<Item | undefined> {
  if (isId(word)) {
    const item = await findItemById({ client, ask }, word);
    if (item?.libraryId === library.id) return item;
  }
  const request = { pageSize: 1, libraryId: library.id, name: word };
  return (await ask((options) => client.catalog.listItems(request, options))).items[0];
}

export function findItemById({ client, ask }: Lookup, itemId: string): Promise<Item | undefined> {
  return unlessMissing(ErrorReason.ITEM_NOT_FOUND, async () => {
    return (await ask((options) => client.catalog.getItem({ itemId }, options))).item;
  });
}

/** An item by `LIBRARY/ITEM`, or by its id alone. */
export async function getItem(lookup: Lookup, word: string, what: string): Promise<Item> {
  if (isId(word)) {
    const { item } = await lookup.ask((options) => lookup.client.catalog.getItem({ itemId: word }, options));
    if (item !== undefined) return item;
  }
  const path = parseItemPath(word, what);
  const item = await findItem(lookup, await getLibrary(lookup, path.library), path.item);
  if (item === undefined) {
    throw new CliError(`the library ${JSON.stringify(path.library)} has no item ${JSON.stringify(path.item)}`);
  }
  return item;
}

async function unlessMissing<T>(reason: ErrorReason, find: () => Promise<T>): Promise<T | undefined> {
  try {
    return await find();
  } catch (error) {
    if (isReason(error, reason)) return undefined;
    throw error;
  }
}
