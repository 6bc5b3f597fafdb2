// The servers that this user has logged in to, in one file of the user's configuration folder that nobody else may read.
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolder } from "../files/make-folder.js";
import { replacePrivate } from "../files/replace-private.js";
import { CliError, systemCodeOf, wrongUse } from "../shell/cli-error.js";
import type { Environment } from "../shell/command.js";
import { withFileLock } from "./file-lock.js";

/** A server under the name that its user gave it. */
export interface StoredServer {
  readonly name: string;
  readonly url: string;
  readonly token: string;
  /** Whose token it is, as `tenant/name`. */
  readonly login: string;
}

export interface StoredServers {
  /** The name of the one that is meant when none is named. */
  readonly current: string | undefined;
  readonly servers: readonly StoredServer[];
}

const none: StoredServers = { current: undefined, servers: [] };

/** Where a user's file is: below XDG_CONFIG_HOME, else below HOME; undefined where neither is known. */
export function serversPathOf(env: Environment): string | undefined {
  const base = env.XDG_CONFIG_HOME || (env.HOME ? join(env.HOME, ".config") : undefined);
  return base === undefined ? undefined : join(base, "slipway", "servers.json");
}

/** Fails when others may read the file, or when it is not as it was written. */
export async function readServers(env: Environment): Promise<StoredServers> {
  const path = serversPathOf(env);
  if (path === undefined) return none;
  const text = await readPrivate(path);
  if (text === undefined) return none;
  return parseServers(text) ?? fail(path, "does not hold what `slipway login` writes; remove it and log in again");
}

/** The one of that name; without a name the one in use. */
export async function getStoredServer(env: Environment, name: string | undefined): Promise<StoredServer> {
  const { current, servers } = await readServers(env);
  const found = servers.find((server) => server.name === (name ?? current));
  if (found !== undefined) return found;
  throw name === undefined ? new CliError("you are not logged in to a server") : noServer(name, servers);
}

/** What to say beside a login that is forgotten: nothing, unless it was the one in use and others are left. */
export function adviseUse({ current, servers }: StoredServers): string {
  if (current !== undefined || servers.length === 0) return "";
  return `no server is in use now; choose one with \`slipway server use NAME\`: ${servers.map(({ name }) => name).join(", ")}\n`;
}

export function noServer(name: string, servers: readonly StoredServer[]): CliError {
  const known = servers.map((server) => server.name).join(", ");
  return wrongUse(`there is no server ${JSON.stringify(name)}; ${known === "" ? "none is stored" : `known: ${known}`}`);
}

/**
 * Replaces the file at once and durably, and answers what is stored now. Commands that change it at the same time take
 * turns: none undoes another's.
 */
export async function changeServers(
  env: Environment,
  change: (stored: StoredServers) => StoredServers,
): Promise<StoredServers> {
  const path = serversPathOf(env);
  if (path === undefined) throw new CliError("there is no place for a login: HOME is not set");
  try {
    await makeFolder(dirname(path), 0o700);
    return await withFileLock(`${path}.lock`, async () => {
      const changed = change(await readServers(env));
      await replacePrivate(path, formatServers(changed));
      return changed;
    });
  } catch (error) {
    if (error instanceof CliError) throw error;
    return fail(path, `cannot be written (${systemCodeOf(error) ?? error})`, error);
  }
}

async function readPrivate(path: string): Promise<string | undefined> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const { mode } = await handle.stat();
      if ((mode & 0o077) !== 0 && process.platform !== "win32") {
        fail(path, "holds tokens, and others may read it: chmod 600 it, and log in again if others may have read it");
      }
      return await handle.readFile("utf8");
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (code === "ELOOP") fail(path, "is a symbolic link, and tokens are kept in a plain file only: remove it", error);
    if (code !== undefined) fail(path, `cannot be read (${code})`, error);
    throw error;
  }
}

function formatServers({ current, servers }: StoredServers): string {
  const byName = Object.fromEntries(servers.map(({ name, ...rest }) => [name, rest]));
  return `${JSON.stringify({ current, servers: byName }, undefined, 2)}\n`;
}

function parseServers(text: string): StoredServers | undefined {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(found) || !isObject(found.servers)) return undefined;
  const servers: StoredServer[] = [];
  for (const [name, entry] of Object.entries(found.servers)) {
    if (!isObject(entry)) return undefined;
    const { url, token, login } = entry;
    if (typeof url !== "string" || typeof token !== "string" || typeof login !== "string") return undefined;
    servers.push({ name, url, token, login });
  }
  return { current: typeof found.current === "string" ? found.current : undefined, servers };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fail(path: string, what: string, cause?: unknown): never {
  throw new CliError(`${path} ${what}`, 1, cause);
}
