import { createHash } from "node:crypto";

const maxNameBytes = 255;
// What a file name of the service may not hold, and the escape itself.
const escaped = /[%/\\\p{Cc}]/gu;

/**
 * The file name that stands for a relative path with `/`: two different paths never share one. Where it would be longer
 * than a name may be, it is a digest of the path with the end of the base name, so that people still see the extension.
 */
export function fileNameFromPath(path: string): string {
  const name = escapeName(path);
  if (Buffer.byteLength(name) <= maxNameBytes) return name;
  const digest = createHash("sha256").update(path).digest("hex").slice(0, 32);
  const base = escapeName(path.slice(path.lastIndexOf("/") + 1));
  return `${digest}-${tailOf(base, maxNameBytes - digest.length - 1)}`;
}

function escapeName(text: string): string {
  return text.replace(escaped, (found) => encodeURIComponent(found));
}

/** The longest end of at most `maxBytes` of UTF-8 that begins with a whole character and no half of an escape. */
function tailOf(text: string, maxBytes: number): string {
  const characters = [...text];
  let bytes = 0;
  let at = characters.length;
  while (at > 0) {
    bytes += Buffer.byteLength(characters[at - 1] ?? "");
    if (bytes > maxBytes) break;
    at -= 1;
  }
  for (const back of [1, 2]) if (at > 0 && characters[at - back] === "%") at += 3 - back;
  return characters.slice(at).join("");
}
