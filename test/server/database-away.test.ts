import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addFile, as, deferred, messagesOf, readBack, send, startSession, statusOf, storeFile } from "../rpc/scene.js";
import { ask } from "../rpc/strangers/ask.js";
import { rows } from "../rpc/strangers/rows.js";
import { nothing } from "../rpc/strangers/victim.js";
import { pseudoRandom } from "../support/bodies.js";
import { openClient, refusalOf, type TestClient, type Wire, wires } from "../support/client.js";
import { ownPostgresAvailable, startOwnPostgres } from "../support/postgres.js";
import { adminPassword, logIn, startServer, type TestServer } from "../support/server.js";

const patience = { timeout: 40_000, interval: 200 };

describe.runIf(ownPostgresAvailable())("a PostgreSQL that goes away", () => {
  let postgres: Awaited<ReturnType<typeof startOwnPostgres>>;
  let server: TestServer;
  let client: TestClient;
  const ready = async () => (await fetch(`${server.url}/readyz`)).status;

  beforeAll(async () => {
    postgres = await startOwnPostgres();
    await postgres.stop();
    server = await startServer({
      databaseUrl: postgres.url,
      until: "listening",
      env: { SLIPWAY_CHECKPOINT_BYTES: "1MiB", SLIPWAY_CHECKPOINT_INTERVAL: "200ms" },
    });
    client = openClient(server, "grpc/2");
  });
  afterAll(async () => {
    client?.close();
    await server?.kill();
    await postgres?.remove();
  });

  it("when it is down at the start, the server listens, is alive and not ready, and says why", async () => {
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    const response = await fetch(`${server.url}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ status: "not ready", reason: expect.stringMatching(/database/) });
  });

  /** How every RPC but Login is answered, over this protocol and with these credentials. */
  async function askAll(wire: Wire, token?: string) {
    const over = openClient(server, wire);
    const lines = rows.map(async ({ method, row }) => {
      const { line } = await ask(over, method!, row.request(nothing()), token);
      return [method!.name, line] as const;
    });
    return Object.fromEntries(await Promise.all(lines).finally(() => over.close()));
  }
  const allUnavailable = Object.fromEntries(
    rows.map(({ method }) => [method!.name, "UNAVAILABLE / DATABASE_UNAVAILABLE"]),
  );
  const each = wires.slice(0, 3);

  it.each(each)("while it is down, every RPC over %s is UNAVAILABLE / DATABASE_UNAVAILABLE", async (wire) => {
    expect(await askAll(wire)).toEqual(allUnavailable);
    expect(await askAll(wire, `slp_${"x".repeat(43)}`)).toEqual(allUnavailable);
  });

  it.each(each)("while it is down, nobody logs in over %s: UNAVAILABLE / DATABASE_UNAVAILABLE", async (wire) => {
    const over = openClient({ url: server.url }, wire);
    const refusal = await refusalOf(over.access.login({ login: "admin", password: adminPassword })).finally(() =>
      over.close(),
    );
    expect([refusal.code, refusal.reason]).toEqual(["UNAVAILABLE", "DATABASE_UNAVAILABLE"]);
  });

  it("while it is down, what is no token of this server's is UNAUTHENTICATED all the same", async () => {
    const stranger = openClient({ ...server, token: "x".repeat(43) });
    expect((await refusalOf(stranger.sessions.listSessions({})).finally(() => stranger.close())).code).toBe(
      "UNAUTHENTICATED",
    );
  });

  it("when it comes up, the server works without a restart", async () => {
    await postgres.start();
    await expect.poll(ready, patience).toBe(200);
    const content = pseudoRandom(100_000);
    expect((await readBack(client, await storeFile(client, content))).equals(content)).toBe(true);
  });

  it("when it is killed during an upload, calls are unavailable until it is back, and nothing acknowledged is lost (P1)", async () => {
    const content = pseudoRandom(6_000_000);
    const done = await storeFile(client, content);
    await client.sessions.completeSession({ sessionId: done.sessionId });
    const { id: sessionId } = await startSession(client, { label: "acknowledged" });
    const place = await addFile(client, {}, sessionId);
    const more = deferred();
    async function* messages() {
      yield* messagesOf(place, content.subarray(0, 3_000_000), { finish: false });
      await more.promise;
      const [, ...chunks] = messagesOf(place, content.subarray(3_000_000), { chunkBytes: 100_000 });
      yield* chunks;
    }
    const upload = refusalOf(client.files.uploadFile(messages()));
    await expect.poll(() => statusOf(client, place), patience).toBe(3_000_000);

    await postgres.kill();
    more.resolve();
    const refusal = await upload;
    expect([refusal.code, refusal.reason]).toEqual(["UNAVAILABLE", "DATABASE_UNAVAILABLE"]);
    const status = await refusalOf(client.files.getUploadStatus({ ...place }));
    expect([status.code, status.reason]).toEqual(["UNAVAILABLE", "DATABASE_UNAVAILABLE"]);
    expect(await ready()).toBe(503);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);

    await postgres.start();
    await expect.poll(ready, patience).toBe(200);
    const committed = Number(await statusOf(client, place));
    expect(committed).toBeGreaterThanOrEqual(3_000_000);
    await send(client, place, content.subarray(committed), { offset: committed });
    expect((await client.sessions.completeSession({ sessionId })).applied).toBe(true);
    for (const each of [place, done]) expect((await readBack(client, each)).equals(content)).toBe(true);
  });

  it.each(each)(
    "when it goes, every RPC over %s is UNAVAILABLE / DATABASE_UNAVAILABLE for whoever is in",
    async (wire) => {
      const { token } = await logIn(server.url);
      await client.access.whoAmI({}, as({ token }));
      await postgres.stop();
      const { WhoAmI, GetLimits, ...others } = await askAll(wire, token);
      const { WhoAmI: _, GetLimits: __, ...unavailable } = allUnavailable;
      expect(others).toEqual(unavailable);
      // Who is in is known for a while without the database, and these two answer nothing that is kept there.
      for (const line of [WhoAmI, GetLimits]) expect(["OK", "UNAVAILABLE / DATABASE_UNAVAILABLE"]).toContain(line);
      await postgres.start();
      await expect.poll(ready, patience).toBe(200);
    },
  );

  it("when it restarts while nothing happens, the next calls succeed", async () => {
    await postgres.stop();
    await postgres.start();
    await sleep(100);
    await expect.poll(ready, patience).toBe(200);
    await Promise.all(Array.from({ length: 20 }, () => startSession(client)));
  });

  it("a server whose database is away stops with exit code 0", async () => {
    await postgres.stop();
    expect(await server.stop()).toBe(0);
  });
});
