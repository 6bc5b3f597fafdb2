// Which files a command line means, and what each is called in the session.
import type { Stats } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { CliError, systemCodeOf, wrongUse } from "../shell/cli-error.js";
import { fileNameFromPath } from "./names.js";

export interface PlannedFile {
  /** Relative, with `/`: what people see, and what a download recreates. */
  readonly path: string;
  /** The name in the session. */
  readonly name: string;
  /** Where it lies; undefined is standard input. */
  readonly location: string | undefined;
  /** As found now; undefined is not known. */
  readonly sizeBytes: number | undefined;
}

/**
 * What the paths of a command line mean in its working folder, in their order, folders sorted by path. Fails when two of
 * them would have one name, before anything is sent.
 */
export async function planUpload(
  paths: readonly string[],
  stdinName: string | undefined,
  notify: (text: string) => void,
  folder = process.cwd(),
): Promise<PlannedFile[]> {
  const planned: PlannedFile[] = [];
  for (const path of paths) {
    if (path === "-") planned.push(planStdin(stdinName));
    // What is meant in another working folder than this one is called what it would be called there.
    else planned.push(...(await planPath(folder === process.cwd() ? path : resolve(folder, path), path, notify)));
  }
  if (stdinName !== undefined && !paths.includes("-"))
    throw wrongUse("--name is for standard input: give the path `-`, too");
  assertDistinct(planned);
  return planned;
}

function planStdin(name: string | undefined): PlannedFile {
  if (name === undefined || name === "") throw wrongUse("standard input (`-`) needs a --name");
  return { path: name, name: fileNameFromPath(name), location: undefined, sizeBytes: undefined };
}

/** What is named on the command line is followed when it is a link; what lies inside a folder is not. */
async function planPath(path: string, word: string, notify: (text: string) => void): Promise<PlannedFile[]> {
  const found = await look(path, stat);
  const base = basename(word);
  if (found.isFile()) return [planFile(base, path, found)];
  if (!found.isDirectory()) throw new CliError(`${path} is neither a file nor a folder; to send a stream use \`-\``);
  // `.` and `..` are no names that a download could recreate: their files stand for themselves.
  const prefix = base === "" || base === "." || base === ".." ? "" : `${base}/`;
  const planned: PlannedFile[] = [];
  await walk(path, prefix, notify, planned);
  if (planned.length === 0) notify(`${path} holds no files`);
  return planned.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function walk(
  folder: string,
  prefix: string,
  notify: (text: string) => void,
  into: PlannedFile[],
): Promise<void> {
  for (const name of await namesIn(folder)) {
    const location = join(folder, name);
    const found = await look(location, lstat);
    if (found.isDirectory()) await walk(location, `${prefix}${name}/`, notify, into);
    else if (found.isFile()) into.push(planFile(`${prefix}${name}`, location, found));
    else notify(`${location} is skipped: it is ${found.isSymbolicLink() ? "a symbolic link" : "not a regular file"}`);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw new CliError(`${folder} cannot be listed (${systemCodeOf(error) ?? error})`, 1, error);
  }
}

async function look(path: string, by: (path: string) => Promise<Stats>): Promise<Stats> {
  try {
    return await by(path);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "ENOENT" && path.includes("\ufffd"))
      throw new CliError(`${path} has a name that is not UTF-8`, 1, error);
    throw new CliError(
      code === "ENOENT" ? `${path} is not there` : `${path} cannot be read (${code ?? error})`,
      1,
      error,
    );
  }
}

function planFile(path: string, location: string, found: Stats): PlannedFile {
  return { path, name: fileNameFromPath(path), location, sizeBytes: found.size };
}

function assertDistinct(planned: readonly PlannedFile[]): void {
  const byName = new Map<string, PlannedFile>();
  for (const file of planned) {
    const other = byName.get(file.name);
    if (other !== undefined) {
      const places = [other, file].map(({ location }) => location ?? "standard input").join(" and ");
      throw wrongUse(`${places} would both be called ${JSON.stringify(file.path)} in the session`);
    }
    byName.set(file.name, file);
  }
}
