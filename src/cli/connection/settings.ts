// What the command line, the environment and earlier logins say together. The only file of the commands that reads the
// environment.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CliError, systemCodeOf, wrongUse } from "../shell/cli-error.js";
import type { Environment } from "../shell/command.js";
import { parseDuration } from "../shell/format.js";
import { noServer, readServers, type StoredServer } from "./servers.js";

/** Where the server is, and as whom to talk to it. */
export interface Connection {
  readonly url: string;
  /** The header that says who asks. */
  readonly authorization: string;
  /** Where that came from. */
  readonly credentials: Credentials;
  readonly protocol: "connect" | "grpc";
  readonly retryForMs: number;
  /** The name under which the server is stored, where that is how it was found. */
  readonly server: string | undefined;
}

export type Credentials = "option" | "environment" | "login" | "first password";

/** The connection's own options as parseArgs gives them. */
export interface ConnectionWords {
  readonly url?: string | undefined;
  readonly server?: string | undefined;
  readonly token?: string | undefined;
  readonly protocol?: string | undefined;
  readonly "retry-for"?: string | undefined;
}

const defaultUrl = "http://127.0.0.1:8080";

export function readEnvironment(): Environment {
  return process.env;
}

/** Throws wrong use for words that make no sense, and a failure when there are no credentials to be had. */
export async function readConnection(words: ConnectionWords, env: Environment): Promise<Connection> {
  const wire = parseWire(words);
  const { url, stored } = await findServer(words, env);
  const { authorization, credentials } = await findCredentials(words, url, stored, env);
  return { url: formatServerUrl(url), authorization, credentials, ...wire, server: stored?.name };
}

/** How to talk to a server, whichever it is. */
export function parseWire(
  words: Pick<ConnectionWords, "protocol" | "retry-for">,
): Pick<Connection, "protocol" | "retryForMs"> {
  const protocol = words.protocol ?? "connect";
  if (protocol !== "connect" && protocol !== "grpc") {
    throw wrongUse(`--protocol is connect or grpc, not ${JSON.stringify(protocol)}`);
  }
  return { protocol, retryForMs: parseDuration(words["retry-for"] ?? "10m", "--retry-for") };
}

async function findCredentials(
  words: Pick<ConnectionWords, "token">,
  url: URL,
  stored: StoredServer | undefined,
  env: Environment,
): Promise<Pick<Connection, "authorization" | "credentials">> {
  if (words.token !== undefined) return { authorization: bearer(words.token), credentials: "option" };
  if (env.SLIPWAY_TOKEN) return { authorization: bearer(env.SLIPWAY_TOKEN), credentials: "environment" };
  if (stored !== undefined) return { authorization: bearer(stored.token), credentials: "login" };
  return { authorization: basic("admin", await readLocalPassword(url, env)), credentials: "first password" };
}

/**
 * The server that is meant, and what is stored of it. A stored token goes to its own server only: one that is named by a
 * URL is looked up by that.
 */
export async function findServer(
  words: Pick<ConnectionWords, "url" | "server">,
  env: Environment,
): Promise<{ readonly url: URL; readonly stored: StoredServer | undefined }> {
  if (words.url !== undefined && words.server !== undefined) throw wrongUse("give --url or --server, not both");
  const given = words.server === undefined ? (words.url ?? (env.SLIPWAY_URL || undefined)) : undefined;
  const url = given === undefined ? undefined : parseServerUrl(given);
  const { current, servers } = await readServers(env);
  if (words.server !== undefined) {
    const stored = servers.find(({ name }) => name === words.server);
    if (stored === undefined) throw noServer(words.server, servers);
    return { url: parseServerUrl(stored.url), stored };
  }
  const stored =
    url === undefined
      ? servers.find(({ name }) => name === current)
      : // Of several logins at one server the one in use is meant.
        [...servers].sort((a) => (a.name === current ? -1 : 0)).find((server) => server.url === formatServerUrl(url));
  return { url: url ?? parseServerUrl(stored?.url ?? defaultUrl), stored };
}

/** Without a slash at the end, so that equal ones are equal texts. */
export function formatServerUrl(url: URL): string {
  return url.href.replace(/\/+$/, "");
}

/** A whole number within bounds. */
export function parseWhole(text: string, what: string, least: number, most: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw wrongUse(`${what} is a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`);
}

export function isLoopback(url: URL): boolean {
  const host = url.hostname;
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}

export function parseServerUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw wrongUse(`the server's URL is like ${defaultUrl}, not ${JSON.stringify(text)}`);
  }
  if (url.username !== "" || url.search !== "" || url.hash !== "") {
    throw wrongUse("the server's URL has no user, query or fragment");
  }
  return url;
}

export function bearer(token: string): string {
  if (token === "" || /[^\x21-\x7e]/.test(token)) {
    throw wrongUse("the token is empty or holds blanks or odd characters");
  }
  return `Bearer ${token}`;
}

function basic(login: string, password: string): string {
  return `Basic ${Buffer.from(`${login}:${password}`).toString("base64")}`;
}

/** The administrator's first password is for the server's own machine: it is never sent anywhere else. */
async function readLocalPassword(url: URL, env: Environment): Promise<string> {
  const ways = "run `slipway login`, give --token, or set SLIPWAY_TOKEN";
  if (!isLoopback(url)) throw new CliError(`no credentials for ${url.origin}: ${ways}`);
  const found = await findLocalPassword(env);
  if (found.password !== undefined) return found.password;
  throw new CliError(
    `no credentials: ${ways}, or, on the server's own machine, set SLIPWAY_DATA_DIR to its data folder (${found.path} is not there)`,
  );
}

/** The administrator's first password, where the data folder of a server is at hand. */
export async function findLocalPassword(
  env: Environment,
): Promise<{ readonly path: string; readonly password: string | undefined }> {
  const path = join(env.SLIPWAY_DATA_DIR || "slipway-data", "initial-admin-password");
  try {
    return { path, password: (await readFile(path, "utf8")).trim() };
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return { path, password: undefined };
    throw new CliError(`no credentials: ${path} cannot be read (${code ?? error})`, 1, error);
  }
}
