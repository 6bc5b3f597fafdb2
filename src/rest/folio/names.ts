// The core's name of a file: one path segment that its session has once. What the API calls it may be any text, and the
// same text twice, so that is kept beside it, and this is only what other faces show.

const mostBytes = 240;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it replaces
const unfit = /[\u0000-\u001f\u007f-\u009f/\\]/g;

/** A name as close to this text as a name may be. */
function fitName(text: string): string {
  const fitted = shorten(text.toWellFormed().replace(unfit, "_"), mostBytes);
  return ["", ".", ".."].includes(fitted) ? "file" : fitted;
}

/** Names for files with these texts, in their order, each different from the others and from those that are `taken`. */
export function chooseNames(texts: readonly string[], taken: Iterable<string> = []): readonly string[] {
  const used = new Set(taken);
  const next = new Map<string, number>();
  return texts.map((text) => {
    const fitted = fitName(text);
    let name = fitted;
    for (let number = next.get(fitted) ?? 2; used.has(name); number++) {
      name = numberName(fitted, number);
      next.set(fitted, number + 1);
    }
    used.add(name);
    return name;
  });
}

/** `marc.mrc` as `marc (2).mrc`. */
function numberName(name: string, number: number): string {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? `${name.slice(0, dot)} (${number})${name.slice(dot)}` : `${name} (${number})`;
}

/** At most so many bytes of UTF-8, with the extension if it is short. */
function shorten(text: string, most: number): string {
  const encoder = new TextEncoder();
  if (encoder.encode(text).length <= most) return text;
  const extension = /\.[^.]{1,20}$/u.exec(text)?.[0] ?? "";
  let room = most - encoder.encode(extension).length;
  let kept = "";
  for (const char of text.slice(0, text.length - extension.length)) {
    room -= encoder.encode(char).length;
    if (room < 0) break;
    kept += char;
  }
  return kept + extension;
}
