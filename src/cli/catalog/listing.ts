import type { Item, ItemFile } from "../../../gen/slipway/upload/v1/catalog_pb.js";
import { listAll, listSome } from "../connection/all-pages.js";
import type { Lookup } from "./find.js";

export interface ItemFilters {
  readonly libraryId: string;
  readonly type?: string;
}

/** Items, newest first. */
export function listItems(lookup: Lookup, filters: ItemFilters, limit = Number.POSITIVE_INFINITY): Promise<Item[]> {
  return listSome(
    limit,
    (page) => lookup.ask((options) => lookup.client.catalog.listItems({ ...filters, ...page }, options)),
    ({ items }) => items,
  );
}

/** Every file of an item, by name. */
export function listItemFiles({ client, ask }: Lookup, itemId: string): Promise<ItemFile[]> {
  return listAll(
    (page) => ask((options) => client.catalog.listItemFiles({ itemId, ...page }, options)),
    ({ files }) => files,
  );
}
