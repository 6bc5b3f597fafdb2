// Uploads of this user that have not come to their end, a file each in the user's state folder: what it takes to go on
// with them, and never a token.
import { chmod, readdir, readFile, rm } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { isId } from "../catalog/find.js";
import { makeFolder } from "../files/make-folder.js";
import { replacePrivate } from "../files/replace-private.js";
import { CliError, systemCodeOf } from "../shell/cli-error.js";
import type { Environment } from "../shell/command.js";

export interface UnfinishedUpload {
  readonly serverUrl: string;
  readonly sessionId: string;
  /** The working folder of the command. */
  readonly folder: string;
  /** As they were given: what files are called in the session follows from that. `-` is standard input. */
  readonly paths: readonly string[];
  readonly begunAt: string;
  readonly stdinName: string | undefined;
  readonly parallel: number;
  readonly chunkBytes: number;
  readonly complete: boolean;
}

export interface UploadJournal {
  /** Those at this server, the oldest first. */
  list(): Promise<readonly UnfinishedUpload[]>;
  /** Remembers one durably, in place of what was known of its session. */
  remember(upload: Omit<UnfinishedUpload, "serverUrl" | "begunAt">): Promise<void>;
  forget(sessionId: string): Promise<void>;
}

/** The uploads at one server; undefined where there is no place for them: neither XDG_STATE_HOME nor HOME is set. */
export function findJournal(env: Environment, serverUrl: string): UploadJournal | undefined {
  const folder = journalFolderOf(env);
  if (folder === undefined) return undefined;
  return {
    async list() {
      const found: UnfinishedUpload[] = [];
      for (const name of await namesIn(folder)) {
        const sessionId = name.slice(0, -".json".length);
        if (!name.endsWith(".json") || !isId(sessionId)) continue;
        const upload = await readUpload(join(folder, name));
        if (upload !== undefined && upload.serverUrl === serverUrl && upload.sessionId === sessionId)
          found.push(upload);
      }
      return found.sort((a, b) => (a.begunAt < b.begunAt ? -1 : 1));
    },
    async remember(upload) {
      const record: UnfinishedUpload = { ...upload, serverUrl, begunAt: new Date().toISOString() };
      const path = pathOf(folder, upload.sessionId);
      try {
        await makeFolder(folder, 0o700);
        await chmod(folder, 0o700);
        await replacePrivate(path, `${JSON.stringify(record, undefined, 2)}\n`);
      } catch (error) {
        throw new CliError(`${path} cannot be written (${systemCodeOf(error) ?? error})`, 1, error);
      }
    },
    async forget(sessionId) {
      const path = pathOf(folder, sessionId);
      await rm(path, { force: true }).catch((error: unknown) => {
        throw new CliError(`${path} cannot be removed (${systemCodeOf(error) ?? error})`, 1, error);
      });
    },
  };
}

/** Where they are: below XDG_STATE_HOME, which counts only when it is absolute, else below HOME. */
export function journalFolderOf(env: Environment): string | undefined {
  const state = env.XDG_STATE_HOME ?? "";
  if (isAbsolute(state)) return join(state, "slipway", "uploads");
  return env.HOME ? join(env.HOME, ".local", "state", "slipway", "uploads") : undefined;
}

/** True for the same files and folders, in whatever order and from wherever they are named. */
export function isOfPaths(upload: UnfinishedUpload, folder: string, paths: readonly string[]): boolean {
  const [known, given] = [placesOf(upload.folder, upload.paths), placesOf(folder, paths)];
  return known.length === given.length && known.every((place, at) => place === given[at]);
}

function placesOf(folder: string, paths: readonly string[]): string[] {
  return [...new Set(paths.map((path) => (path === "-" ? path : resolve(folder, path))))].sort();
}

/** The id comes from a server: it must not name another file. */
function pathOf(folder: string, sessionId: string): string {
  if (!isId(sessionId)) throw new CliError(`${JSON.stringify(sessionId)} is no id of a session`);
  return join(folder, `${sessionId}.json`);
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw new CliError(`${folder} cannot be read (${code ?? error})`, 1, error);
  }
}

async function readUpload(path: string): Promise<UnfinishedUpload | undefined> {
  try {
    return parseUpload(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    // Another command has just finished it, or it is none of ours.
    if (systemCodeOf(error) === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw new CliError(`${path} cannot be read (${systemCodeOf(error) ?? error})`, 1, error);
  }
}

function parseUpload(found: unknown): UnfinishedUpload | undefined {
  if (typeof found !== "object" || found === null) return undefined;
  const { serverUrl, sessionId, folder, paths, begunAt, stdinName, parallel, chunkBytes, complete } =
    found as Partial<UnfinishedUpload>;
  if (typeof serverUrl !== "string" || typeof sessionId !== "string" || typeof begunAt !== "string") return undefined;
  if (typeof folder !== "string" || !Array.isArray(paths) || paths.some((path) => typeof path !== "string"))
    return undefined;
  if (typeof parallel !== "number" || typeof chunkBytes !== "number" || typeof complete !== "boolean") return undefined;
  if (stdinName !== undefined && typeof stdinName !== "string") return undefined;
  return { serverUrl, sessionId, folder, paths, begunAt, stdinName, parallel, chunkBytes, complete };
}
