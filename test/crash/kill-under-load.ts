import { setTimeout as sleep } from "node:timers/promises";
import type { TestServer } from "../support/server.js";

/** Kills the server after so long in the middle of the work that each client does for ever. Only the kill may break it. */
export async function killUnderLoad<Client extends { close(): void }>(
  server: TestServer,
  afterMs: number,
  clients: readonly Client[],
  work: (client: Client) => Promise<unknown>,
): Promise<void> {
  let killed = false;
  const load = clients.map((client) =>
    work(client).catch((error: unknown) => {
      if (!killed) throw error;
    }),
  );
  const ended = Promise.all(load);
  ended.catch(() => undefined);
  await sleep(afterMs);
  killed = true;
  await server.kill();
  await ended.finally(() => {
    for (const client of clients) client.close();
  });
}
