// The names under which servers are stored.
import type { Environment } from "../shell/command.js";
import { wrongUse } from "../shell/cli-error.js";
import { formatShellWord } from "../shell/format.js";
import { readServers, type StoredServer } from "../connection/servers.js";
import { findServer, formatServerUrl, isLoopback } from "../connection/settings.js";

/** The server to log in to, and the name that it is to have. */
export interface ChosenServer {
  readonly name: string;
  readonly url: URL;
}

/**
 * A URL that is known keeps its name. A name that is known, without a URL, is its server; it cannot become that of
 * another one.
 */
export async function chooseServer(
  words: { readonly url: string | undefined; readonly name: string | undefined },
  env: Environment,
): Promise<ChosenServer> {
  const name = words.name === undefined ? undefined : parseServerName(words.name);
  const { servers } = await readServers(env);
  const named = servers.find((server) => server.name === name);
  const { url, stored } = await findServer({ url: words.url ?? named?.url }, env);
  if (named !== undefined && named.url !== formatServerUrl(url)) {
    throw wrongUse(
      `${named.name} is ${named.url}: take another --name, or run: slipway server remove ${formatShellWord(named.name)}`,
    );
  }
  return { name: name ?? stored?.name ?? freeName(url, servers), url };
}

export function parseServerName(text: string): string {
  if (/^(?!-)[^\s\p{Cc}]{1,100}$/u.test(text)) return text;
  throw wrongUse(`--name is at most 100 characters without blanks, not ${JSON.stringify(text)}`);
}

/** `local` for the server of this machine, else as short as names go that are not taken. */
function freeName(url: URL, servers: readonly StoredServer[]): string {
  const text = formatServerUrl(url);
  const names = [...(isLoopback(url) ? ["local"] : []), url.host, text.replace(/^https?:\/\//, ""), text];
  // Two servers never have the same URL, so that the last one is always free.
  return names.find((name) => servers.every((server) => server.name !== name)) ?? text;
}
