import { isId, itemNotFound, libraryNotFound } from "../../../core/index.js";

/**
 * Clients ask for a library by its name where they would by its id, and expect that there is none: what is no id at all
 * is an id of nothing. Throws `not_found`.
 */
export function libraryIdFrom(text: string): string {
  if (isId(text.toLowerCase())) return text;
  throw libraryNotFound(shown(text));
}

/** The same for an item. */
export function itemIdFrom(text: string): string {
  if (isId(text.toLowerCase())) return text;
  throw itemNotFound(shown(text));
}

function shown(text: string): string {
  return text.slice(0, 80).toWellFormed();
}
