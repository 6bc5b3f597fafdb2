import { constants } from "node:fs";
import { type FileHandle, lstat, open, readlink, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { SourceError } from "../core/index.js";
import { errorCode } from "./error-code.js";
import { type FileIdentity, readIdentity } from "./file-identity.js";

/** A regular file below a root, held open: what was checked is what is read, whatever happens to its name. */
export interface ConfinedFile {
  readonly handle: FileHandle;
  /** Without a symbolic link in it. */
  readonly path: string;
  readonly identity: FileIdentity;
}

export interface Confinement {
  /** Absolute folders; a root itself may be a symbolic link, for the operator made it. */
  readonly roots: readonly string[];
  /** Folders that stay closed although a root holds them, such as the server's own data. */
  readonly closed: readonly string[];
}

/** Absolute folders with commas between them, each but `/` itself; undefined where one of them is something else. */
export function parsePullRoots(text: string): readonly string[] | undefined {
  const roots = text.split(",").map((word) => word.trim());
  const folders = roots.map((root) => resolve(root));
  return roots.every(isAbsolute) && folders.every((folder) => folder !== resolve("/")) ? folders : undefined;
}

/**
 * Opens a file below one of the roots. No symbolic link below a root is followed, and nothing but a regular file is
 * opened. Throws `outside_roots` (the same whether there is such a file or not), `not_found`, `not_regular_file`,
 * `unreadable`, and `unreachable` where the root itself is away.
 */
export async function openConfined(path: string, { roots, closed }: Confinement): Promise<ConfinedFile> {
  const root = roots.map((root) => resolve(root)).find((root) => isBelow(path, root));
  if (root === undefined) throw outsideError(path);
  const realRoot = await realpath(root).catch((cause) => {
    throw new SourceError("unreachable", `the folder ${root} of ${path} is away; try again later`, { cause });
  });
  const expected = join(realRoot, relative(root, path));
  for (const folder of closed) {
    if (isBelow(expected, await realpath(folder).catch(() => folder))) throw outsideError(path);
  }
  try {
    return await openRegular(path, expected);
  } catch (error) {
    throw translate(path, error);
  }
}

/** Whether `path` lies below `folder`, by their names. */
export function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}

async function openRegular(path: string, expected: string): Promise<ConfinedFile> {
  // Before it is opened: to open a device or a pipe may do something.
  const named = await lstat(expected, { bigint: true });
  if (named.isSymbolicLink()) throw linkError(path);
  if (!named.isFile()) {
    const kind = named.isDirectory() ? "a folder" : "a device, a pipe or a socket";
    throw new SourceError("not_regular_file", `${path} is ${kind}; give the path of a file`);
  }
  const handle = await open(expected, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const opened = await handle.stat({ bigint: true });
    if (!opened.isFile() || opened.dev !== named.dev || opened.ino !== named.ino) {
      throw new SourceError("changed", `${path} was replaced while it was opened; try again`);
    }
    if ((await findRealPath(handle, expected)) !== expected) throw linkError(path);
    return { handle, path: expected, identity: readIdentity(opened) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Where the file that is open really lies. Linux tells that of the open file itself; elsewhere the name is asked, and
 * must still lead to the same file.
 */
async function findRealPath(handle: FileHandle, path: string): Promise<string | undefined> {
  const held = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => undefined);
  if (held !== undefined) return held;
  const real = await realpath(path);
  const [found, opened] = [await stat(real, { bigint: true }), await handle.stat({ bigint: true })];
  return found.dev === opened.dev && found.ino === opened.ino ? real : undefined;
}

function outsideError(path: string): SourceError {
  return new SourceError(
    "outside_roots",
    `${path} is in no folder that file: and ds: sources may be read from; the server's setting SLIPWAY_PULL_ROOTS names them`,
  );
}

function linkError(path: string): SourceError {
  return new SourceError("outside_roots", `${path} leads through a symbolic link; give the path of the file itself`);
}

function translate(path: string, cause: unknown): unknown {
  switch (errorCode(cause)) {
    case "ENOENT":
    case "ENOTDIR":
      return new SourceError("not_found", `${path} does not exist; check the path`, { cause });
    case "EACCES":
    case "EPERM":
      return new SourceError("unreadable", `the server may not read ${path}; let it`, { cause });
    case "ELOOP":
      return linkError(path);
    case "ENAMETOOLONG":
      return new SourceError("not_found", `${path.slice(0, 100)}... is longer than a path may be`, { cause });
    case "EBUSY":
    case "EHOSTDOWN":
    case "EIO":
    case "ENODEV":
    case "ENOTCONN":
    case "ENXIO":
    case "ESTALE":
    case "ETIMEDOUT":
      return new SourceError("unreachable", `${path} cannot be read now; try again later`, { cause });
    default:
      return cause;
  }
}
