import { extension } from "mime-types";

/** What the table does not have, or has under a name that hardly any file ends with. */
const own: Readonly<Record<string, string>> = {
  "audio/vnd.wave": "wav",
  "audio/mpeg": "mp3",
  "video/quicktime": "mov",
};

/**
 * What names of files of this type end with, by the type without its parameters; empty for a type that nobody knows.
 * `dot`: with the dot in front, which an empty one never has.
 */
export function extensionOf(contentType: string, { dot }: { readonly dot: boolean }): string {
  const type = contentType.split(";")[0]!.trim().toLowerCase();
  const found = Object.hasOwn(own, type) ? own[type]! : extension(type);
  if (found === false) return "";
  return dot ? `.${found}` : found;
}
