// What the operations on libraries and items have in common: ids and versions.
import { fileNotFound, isId, isUploadError, itemNotFound, libraryNotFound } from "../../../core/index.js";
import { invalidArgument, vapiError } from "../errors.js";

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

/** Answers a name that no file can have with `not_found`, as any other that no file has. */
export async function unlessUnnameable<T>(name: string, ask: Promise<T>): Promise<T> {
  try {
    return await ask;
  } catch (error) {
    if (isUploadError(error) && error.details.reason === "NAME_INVALID") throw fileNotFound(name);
    throw error;
  }
}

/** The version that a thing must have; throws `invalid_argument` for what no version looks like. */
export function parseVersion(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw invalidArgument("version_malformed", `version is a whole number, not ${JSON.stringify(shown(text))}`);
}

/** What is deleted while something is under way on it is in use, where it would otherwise be busy. */
export async function unlessInUse(deletion: Promise<void>): Promise<void> {
  try {
    await deletion;
  } catch (error) {
    if (isUploadError(error, "busy")) throw vapiError("resource_in_use", "item_busy", error.message);
    throw error;
  }
}

function shown(text: string): string {
  return text.slice(0, 80).toWellFormed();
}
