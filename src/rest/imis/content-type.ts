import { isMediaType } from "../kit/index.js";
import { ImisError } from "./errors.js";

/** What content has that nobody has said a type of. */
export const unknownContentType = "application/octet-stream";

const mostCharacters = 255;

/**
 * What content is said to be, in the syntax of RFC 9110, 8.3.1, with its parameters; it is a claim that nothing is
 * measured by. Nothing and an empty text are the default. Throws `content_type_invalid`.
 */
export function parseContentType(text: string | undefined): string {
  const type = (text ?? "").trim();
  if (type === "") return unknownContentType;
  if (type.length > mostCharacters) {
    const told = `content_type has ${type.length} characters, at most ${mostCharacters} are allowed`;
    throw new ImisError("content_type_invalid", told);
  }
  // An empty parameter at the end is allowed, and says nothing.
  const said = type.replace(/[\s;]+$/, "");
  if (isMediaType(said)) return said;
  const shown = JSON.stringify(type.slice(0, 80).toWellFormed());
  throw new ImisError("content_type_invalid", `content_type must be like audio/wav, not ${shown}`);
}
