// A server process that is killed at the moments that matter most to clients of VMware's face.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { postgresAvailable } from "../support/postgres.js";
import { startServer } from "../support/server.js";
import { openVsphere } from "../support/vsphere.js";
import { bytesOf, type Content } from "./content.js";
import { serveSlowly } from "./slow-source.js";
import { type Database, makePlace } from "./survive-kills.js";
import { openScripted, pathOf, type Scripted } from "./vsphere-client.js";

const env = {
  SLIPWAY_PULL_ALLOW: "127.0.0.1",
  SLIPWAY_CHECKPOINT_BYTES: "1MiB",
  SLIPWAY_CHECKPOINT_INTERVAL: "200ms",
};
const content: Content = { sizeBytes: 6_000_000, seed: 7 };
const other: Content = { sizeBytes: 6_000_000, seed: 8 };
const name = "disk.vmdk";

/** Works with one server, kills it, and works with the next under the same login. */
async function acrossKill<T>(
  database: Database,
  before: (client: Scripted) => Promise<T>,
  after: (client: Scripted, known: T) => Promise<void>,
): Promise<void> {
  const options = { ...(await makePlace(database)), env };
  const first = await startServer(options);
  const { token } = await openVsphere(first);
  const early = openScripted(first.url, token);
  const known = await before(early).finally(first.kill);
  early.close();
  const next = await startServer(options);
  onTestFinished(() => next.kill());
  const late = openScripted(next.url, token);
  await after(late, known).finally(late.close);
}

async function openSession({ vsphere }: Scripted) {
  const itemId = await vsphere.createItem(await vsphere.createLibrary("library"), "item");
  return { itemId, session: await vsphere.createSession(itemId) };
}

const databases: readonly Database[] = [
  "the embedded database",
  ...(postgresAvailable() ? ["PostgreSQL" as const] : []),
];

describe.each(databases)("a server on %s that is killed", (database) => {
  it("while a session fetches whose completion was answered ends it as DONE by itself (P1, P5)", async () => {
    const source = await serveSlowly(50);
    await acrossKill(
      database,
      async (client) => {
        const place = await openSession(client);
        const pull = { name, source_type: "PULL", source_endpoint: { uri: source.uriOf(content) } };
        await client.vsphere.add(place.session, pull);
        await client.vsphere.act(place.session, "complete");
        while ((await client.vsphere.file(place.session, name)).bytes_transferred === 0) await sleep(10);
        expect((await client.vsphere.session(place.session)).state).toBe("ACTIVE");
        return place;
      },
      async ({ vsphere }, { itemId, session }) => {
        while ((await vsphere.session(session)).state === "ACTIVE") await sleep(20);
        expect((await vsphere.session(session)).state).toBe("DONE");
        expect((await vsphere.item(itemId)).content_version).toBe("2");
        expect(Buffer.compare(await vsphere.download(itemId, name), bytesOf(content))).toBe(0);
      },
    );
  });

  it.each(["from where it was", "from its beginning, with other content"])(
    "while content is sent keeps what it had told, and takes the content %s at the same URL (P1, P3)",
    async (from) => {
      await acrossKill(
        database,
        async (client) => {
          const place = await openSession(client);
          const spec = { name, source_type: "PUSH", size: content.sizeBytes };
          const { upload_endpoint: endpoint } = await client.vsphere.add(place.session, spec);
          const path = pathOf(endpoint!.uri);
          const upload = client.begin(path, content.sizeBytes);
          await upload.send(bytesOf(content).subarray(0, 4_000_000));
          let told = 0;
          while (told === 0) told = (await client.vsphere.file(place.session, name)).bytes_transferred;
          return { ...place, path, told };
        },
        async (client, { itemId, session, path, told }) => {
          const { bytes_transferred: kept, upload_endpoint: endpoint } = await client.vsphere.file(session, name);
          expect(pathOf(endpoint!.uri)).toBe(path);
          expect(kept).toBeGreaterThanOrEqual(told);
          expect(await client.offsetAt(path)).toBe(kept);
          const goesOn = from === "from where it was";
          const whole = bytesOf(goesOn ? content : other);
          const bytes = goesOn ? whole.subarray(kept) : whole;
          const range = goesOn ? `bytes ${kept}-${whole.length - 1}/${whole.length}` : undefined;
          const { status, text } = await client.send(path, { bytes: [bytes], lengthBytes: bytes.length }, range);
          expect(status, text).toBe(200);
          await client.vsphere.act(session, "complete");
          expect(Buffer.compare(await client.vsphere.download(itemId, name), whole)).toBe(0);
        },
      );
    },
  );
});
