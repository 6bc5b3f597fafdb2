// The item that a session's files become the files of.
import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import type { Session } from "../../../gen/slipway/upload/v1/session_pb.js";
import { findItem, findLibrary, type ItemPath, isId, type Lookup } from "../catalog/find.js";
import { isReason } from "../connection/rpc-error.js";
import { CliError } from "../shell/cli-error.js";
import { formatShellWord } from "../shell/format.js";

/** The item's id; the item is made where there is none. */
export async function prepareItem(lookup: Lookup, path: ItemPath): Promise<string> {
  const library = await findLibrary(lookup, path.library);
  if (library === undefined) {
    const make = `slipway library create ${formatShellWord(path.library)}`;
    throw new CliError(`there is no library ${JSON.stringify(path.library)}; \`${make}\` makes it`);
  }
  const found = await findItem(lookup, library, path.item);
  if (found !== undefined) return found.id;
  if (isId(path.item)) throw new CliError(`the library ${JSON.stringify(library.name)} has no item ${path.item}`);
  try {
    const request = { libraryId: library.id, name: path.item };
    const { item } = await lookup.ask((options) => lookup.client.catalog.createItem(request, options));
    if (item !== undefined) return item.id;
  } catch (error) {
    if (!isReason(error, ErrorReason.NAME_TAKEN)) throw error;
    // Somebody was quicker, or this is the second try of a call whose answer was lost.
    const made = await findItem(lookup, library, path.item);
    if (made !== undefined) return made.id;
    throw error;
  }
  throw new CliError("the server's answer holds no item");
}

/** An item as people name it, and what its files are now. */
export interface Target {
  readonly id: string;
  readonly path: string;
  readonly contentVersion: number;
}

/** What a session that is done has made of its item; undefined for one without. */
export async function findTarget({ client, ask }: Lookup, session: Session): Promise<Target | undefined> {
  const { itemId } = session;
  if (itemId === undefined) return undefined;
  const { item } = await ask((options) => client.catalog.getItem({ itemId }, options));
  if (item === undefined) throw new CliError("the server's answer holds no item");
  const { libraryId } = item;
  const { library } = await ask((options) => client.catalog.getLibrary({ libraryId }, options));
  return {
    id: item.id,
    path: `${library?.name ?? libraryId}/${item.name}`,
    contentVersion: Number(item.contentVersion),
  };
}
