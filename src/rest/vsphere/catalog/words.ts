// What only this API knows of a library is kept in its attributes, under one name. Whoever may write attributes may write
// anything there: what is not understood counts for nothing.
import type { Attributes, JsonValue, Library, LibraryField, Predicate } from "../../../core/index.js";
import { vapiError } from "../errors.js";
import type { libraryType, publishInfo } from "../operations/library.js";
import type { ValueOf } from "../schema.js";

export type LibraryType = ValueOf<typeof libraryType>;
export type PublishInfo = ValueOf<typeof publishInfo>;

/** The name in the attributes. */
const member = "vsphere";

type Words = { readonly [member: string]: JsonValue };

export function wordsOf({ attributes }: Library): Words {
  return recordOf(attributes[member]);
}

/** The members of a JSON object; of anything else there are none. */
export function recordOf(value: JsonValue | undefined): Words {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Words) : {};
}

/** The library's attributes with these words in place of those it had, or put into none. */
export function withWords(attributes: Attributes, words: Words): Attributes {
  return { ...attributes, [member]: { ...recordOf(attributes[member]), ...words } };
}

export function typeOf(library: Library): LibraryType {
  return wordsOf(library).type === "SUBSCRIBED" ? "SUBSCRIBED" : "LOCAL";
}

/** What holds for the libraries of this type. */
export function ofType(type: LibraryType): Predicate<LibraryField> {
  const subscribed: Predicate<LibraryField> = { attribute: [member, "type"], is: "eq", value: "SUBSCRIBED" };
  return type === "SUBSCRIBED" ? subscribed : { not: subscribed };
}

/** Throws `invalid_element_type` unless the library is of this type. */
export function assertType(library: Library, type: LibraryType): void {
  const actual = typeOf(library);
  if (actual === type) return;
  const text = `library ${library.id} is ${actual.toLowerCase()}, and this is for ${type.toLowerCase()} libraries`;
  throw vapiError("invalid_element_type", "library_type", text, [library.id, actual]);
}

/**
 * What is recorded of how a library shall be published, never with a password. Throws `unsupported` for one that shall be
 * published now: nobody could subscribe to it, and to say that it is published would be a lie.
 */
export function publishWordsFrom(info: PublishInfo | undefined): Words {
  if (info === undefined) return {};
  if (info.published === true) {
    throw vapiError("unsupported", "publishing", "libraries are not published by this server; leave published out");
  }
  const { authentication_method, user_name, persist_json_enabled } = info;
  const kept = { authentication_method, user_name, persist_json_enabled };
  const said = Object.entries(kept).filter(([, value]) => value !== undefined) as [string, JsonValue][];
  return { publish_info: Object.fromEntries(said) };
}

/** As it was recorded; undefined where nothing was. */
export function publishInfoOf(library: Library): PublishInfo | undefined {
  const { publish_info: recorded } = wordsOf(library);
  if (recorded === undefined) return undefined;
  const { authentication_method: method, user_name, persist_json_enabled } = recordOf(recorded);
  return {
    published: false,
    ...((method === "BASIC" || method === "NONE") && { authentication_method: method }),
    ...(typeof user_name === "string" && { user_name }),
    ...(typeof persist_json_enabled === "boolean" && { persist_json_enabled }),
  };
}
