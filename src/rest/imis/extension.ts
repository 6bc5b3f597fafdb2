import { extension } from "mime-types";

/** Types that the table does not have, and that are other names of some that it has. */
const others: Readonly<Record<string, string>> = { "audio/vnd.wave": "audio/wav" };

/**
 * What names of files of this type end with, by the type without its parameters; empty for a type that nobody knows.
 * `dot`: with the dot in front, which an empty one never has.
 */
export function extensionOf(contentType: string, { dot }: { readonly dot: boolean }): string {
  const type = contentType.split(";")[0]!.trim().toLowerCase();
  const found = extension(Object.hasOwn(others, type) ? others[type]! : type);
  if (found === false) return "";
  return dot ? `.${found}` : found;
}
