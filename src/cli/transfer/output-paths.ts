// Where the files of a session go in a folder here. What a session says of its files was written by somebody else.
import { realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import type { File } from "../../../gen/slipway/upload/v1/file_pb.js";
import { makeFolder } from "../files/make-folder.js";
import { CliError, FileError } from "../shell/cli-error.js";

const maxFileNameBytes = 255;

/** What people call the file: the path that it was uploaded from where that is known, else its name. */
export function pathOf(file: File): string {
  const path = file.spec?.attributes?.path;
  return typeof path === "string" && path !== "" ? path : (file.spec?.name ?? "");
}

/**
 * A path that stays inside whatever folder it is joined to; undefined for an absolute one and one with `..`. What file
 * systems cannot keep, or what would mean something else to them, is escaped.
 */
export function findSafePath(path: string, onWindows = process.platform === "win32"): string | undefined {
  const segments = path.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (segments.length === 0 || path.startsWith("/") || segments.includes("..") || !path.isWellFormed())
    return undefined;
  const odd = onWindows ? /[\\\p{Cc}<>:"|?*]|[. ]$/gu : /[\\\p{Cc}]|(?<=^[a-z]):/giu;
  return segments.map((segment) => segment.replace(odd, escapeCharacter)).join("/");
}

function escapeCharacter(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

/** What a name in an output folder is made of. */
export interface Named {
  readonly name: string;
  /** What people call it. */
  readonly path: string;
}

/** Where each file goes, relative to the output folder. Fails when two would go to one place. */
export function planOutput<F extends Named>(files: readonly F[]): Map<F, string> {
  const places = new Map<F, string>();
  const taken = new Map<string, string>();
  for (const file of files) {
    const place = findSafePath(file.path) ?? findSafePath(file.name);
    const called = JSON.stringify(file.name);
    if (place === undefined) throw new CliError(`file ${called} has no name that could be written here`);
    const other = taken.get(place);
    if (other !== undefined) throw new CliError(`files ${other} and ${called} would both be written to ${place}`);
    taken.set(place, called);
    places.set(file, place);
  }
  return places;
}

/** Makes the folders on the way and answers the whole path; fails when a link would lead out of the output folder. */
export async function openPlace(output: string, place: string): Promise<string> {
  const folder = join(output, dirname(place));
  await makeFolder(folder);
  const inside = relative(await realpath(output), await realpath(folder));
  if (inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    throw new FileError(`${place} would be written outside of ${output}: a symbolic link leads out`);
  }
  return join(folder, basename(place));
}

/** Where bytes wait until the file is whole. It names the content, so that only the same content goes on there. */
export function partPathOf(target: string, sha256: string): string {
  const ending = `.${sha256.slice(0, 12)}.part`;
  const name = `${basename(target)}${ending}`;
  if (Buffer.byteLength(name) <= maxFileNameBytes) return join(dirname(target), name);
  return join(dirname(target), `${sha256.slice(0, 40)}${ending}`);
}
