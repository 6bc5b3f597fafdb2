import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { trustOkapi } from "../support/folio.js";
import { type BenchServer, type Processes, repositoryRoot } from "./processes.js";

const readyMs = 60_000;
/** Of every server that is started here. */
export const benchPassword = "a password for a bench";

/** Slipway as people start it, in a folder of its own; resolves once it is ready, with a token for it. */
export async function startSlipway(
  processes: Processes,
  options: {
    readonly folder: string;
    /** Undefined for the embedded database. */
    readonly databaseUrl: string | undefined;
    /** Node's own. */
    readonly nodeFlags: readonly string[];
  },
): Promise<{ readonly server: BenchServer; readonly token: string }> {
  const { folder, databaseUrl, nodeFlags } = options;
  const program = join(repositoryRoot, "src/cli/slipway.cjs");
  const words = [...nodeFlags, program, "serve", "--listen", "127.0.0.1:0", "--data-dir", folder];
  const env = {
    SLIPWAY_LOG_LEVEL: "warn",
    SLIPWAY_ADMIN_PASSWORD: benchPassword,
    // FOLIO's face believes what a client says of itself; the others do not know of it.
    ...trustOkapi,
    ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
  };
  const server = await processes.startServer({ name: "slipway", words, env });
  await waitUntilReady(server);
  return { server, token: await logIn(server.url) };
}

async function logIn(url: string): Promise<string> {
  const response = await fetch(`${url}/slipway.upload.v1.AccessService/Login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ login: "admin", password: benchPassword }),
  });
  const { token } = (await response.json()) as { readonly token?: string };
  if (token === undefined) throw new Error(`slipway lets nobody in: ${response.status}`);
  return token;
}

async function waitUntilReady({ url, ended }: BenchServer): Promise<void> {
  for (const giveUpAt = Date.now() + readyMs; ; ) {
    const response = await Promise.race([fetch(`${url}/readyz`), ended]);
    const reason = await response.text();
    if (response.ok) return;
    if (Date.now() > giveUpAt) throw new Error(`slipway is not ready: ${reason}`);
    await wait(100);
  }
}
