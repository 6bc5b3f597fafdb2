// What the command line and the environment say together. The only file of the commands that reads the environment.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CliError, systemCodeOf, wrongUse } from "./cli-error.js";
import { parseDuration } from "./format.js";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the server is, and as whom to talk to it. */
export interface Connection {
  readonly url: string;
  /** The header that says who asks. */
  readonly authorization: string;
  readonly protocol: "connect" | "grpc";
  readonly retryForMs: number;
}

/** The connection's own options as parseArgs gives them. */
export interface ConnectionWords {
  readonly url?: string | undefined;
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
  const url = parseServerUrl(words.url ?? (env.SLIPWAY_URL || defaultUrl));
  const protocol = words.protocol ?? "connect";
  if (protocol !== "connect" && protocol !== "grpc") {
    throw wrongUse(`--protocol is connect or grpc, not ${JSON.stringify(protocol)}`);
  }
  const retryForMs = parseDuration(words["retry-for"] ?? "10m", "--retry-for");
  const token = words.token ?? (env.SLIPWAY_TOKEN || undefined);
  const authorization = token === undefined ? basic("admin", await readLocalPassword(url, env)) : bearer(token);
  return { url: url.href.replace(/\/+$/, ""), authorization, protocol, retryForMs };
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

function parseServerUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw wrongUse(`the server's URL is like ${defaultUrl}, not ${JSON.stringify(text)}`);
  }
  if (url.username !== "" || url.search !== "" || url.hash !== "") {
    throw wrongUse("the server's URL has no user, query or fragment");
  }
  return url;
}

function bearer(token: string): string {
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
  const ways = "give --token or set SLIPWAY_TOKEN";
  if (!isLoopback(url)) throw new CliError(`no credentials for ${url.origin}: ${ways}`);
  const path = join(env.SLIPWAY_DATA_DIR || "slipway-data", "initial-admin-password");
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    const code = systemCodeOf(error);
    if (code !== "ENOENT" && code !== "ENOTDIR") {
      throw new CliError(`no credentials: ${path} cannot be read (${code ?? error}); ${ways}`, 1, error);
    }
    throw new CliError(
      `no credentials: ${ways}, or, on the server's own machine, set SLIPWAY_DATA_DIR to its data folder (${path} is not there)`,
    );
  }
}
