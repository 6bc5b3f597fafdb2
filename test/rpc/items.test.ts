// Sessions that end in an item, on a PostgreSQL server: the catalog has no face yet, so the test puts the item there
// itself.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SessionAccess, SessionState } from "../../gen/slipway/upload/v1/session_pb.js";
import type { MetadataStore } from "../../src/core/index.js";
import { connectDatabase, type Database } from "../../src/storage/postgres/connect.js";
import { createMetadataStore } from "../../src/storage/postgres/metadata-store.js";
import { pseudoRandom } from "../support/bodies.js";
import { buildItem, buildLibrary } from "../support/builders.js";
import { mainWires, refusalOf, type TestClient } from "../support/client.js";
import { openTestSchema, postgresAvailable } from "../support/postgres.js";
import { addFile, readBack, send, sendPart, startSession, storeFile, useServer } from "./scene.js";

describe.runIf(postgresAvailable())("on PostgreSQL", () => {
  let schema: Awaited<ReturnType<typeof openTestSchema>>;
  let database: Database;
  let metadata: MetadataStore;
  let tenantId: string;
  let libraryId: string;
  const server = useServer(async () => {
    schema = await openTestSchema();
    return { databaseUrl: schema.url };
  });
  beforeAll(async () => {
    database = await connectDatabase({ url: schema.url, dataDir: "", poolSize: 2, durability: "fsync" });
    metadata = createMetadataStore(database.knex);
    ({ tenantId } = await metadata.ensureUser("default", "admin"));
    libraryId = (await metadata.createLibrary(buildLibrary({ tenantId }))).id;
  });
  afterAll(async () => {
    await metadata?.close();
    await database?.close();
    await server.get().stop();
    await schema?.drop();
  });
  const makeItem = async () => (await metadata.createItem(buildItem({ tenantId, libraryId }))).id;
  const { ADDITIVE, EXCLUSIVE } = SessionAccess;

  describe.each(mainWires)("over %s", (wire) => {
    const client = new Proxy({} as TestClient, { get: (_, name: keyof TestClient) => server.client(wire)[name] });
    const attempt = async (itemId: string, access: SessionAccess) => {
      const created = client.sessions.createSession({ itemId, access });
      return created.then(
        () => "created",
        async (error) => (await refusalOf(Promise.reject(error))).reason,
      );
    };

    it("completing applies all files to the item at once and moves its content version by one (P5)", async () => {
      const itemId = await makeItem();
      const { id: sessionId } = await startSession(client, { itemId });
      for (const name of ["one", "two"]) await storeFile(client, pseudoRandom(1_000), { name }, sessionId);
      expect(await metadata.listItemFiles(tenantId, itemId, { limit: 10 })).toEqual([]);
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => client.sessions.completeSession({ sessionId })),
      );
      expect(answers.filter(({ applied }) => applied)).toHaveLength(1);
      const files = await metadata.listItemFiles(tenantId, itemId, { limit: 10 });
      expect(files.map(({ name }) => name).sort()).toEqual(["one", "two"]);
      expect((await metadata.getItem(tenantId, itemId)).contentVersion).toBe(2);
    });

    it.each([
      [EXCLUSIVE, ADDITIVE],
      [EXCLUSIVE, EXCLUSIVE],
      [ADDITIVE, EXCLUSIVE],
    ])("an item with a session of access %s is ITEM_BUSY for one of %s", async (first, second) => {
      const itemId = await makeItem();
      const { id: sessionId } = await startSession(client, { itemId, access: first });
      const refusal = await refusalOf(client.sessions.createSession({ itemId, access: second }));
      expect([refusal.code, refusal.reason]).toEqual(["FAILED_PRECONDITION", "ITEM_BUSY"]);
      await client.sessions.cancelSession({ sessionId });
      expect(await attempt(itemId, second)).toBe("created");
    });

    it("of exclusive sessions that race for an item exactly one is opened", async () => {
      const itemId = await makeItem();
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => attempt(itemId, EXCLUSIVE)));
      expect(outcomes.sort()).toEqual([...Array(7).fill("ITEM_BUSY"), "created"]);
    });

    it("additive sessions share an item, and each applies its own files", async () => {
      const itemId = await makeItem();
      for (const name of ["one", "two", "three"]) {
        const { id: sessionId } = await startSession(client, { itemId });
        await storeFile(client, pseudoRandom(100), { name }, sessionId);
        await client.sessions.completeSession({ sessionId });
      }
      expect(await metadata.listItemFiles(tenantId, itemId, { limit: 10 })).toHaveLength(3);
    });

    it("completing into an item that is gone is ITEM_NOT_FOUND, or the session has ended with the item", async () => {
      const itemId = await makeItem();
      const { id: sessionId } = await startSession(client, { itemId });
      await storeFile(client, pseudoRandom(100), {}, sessionId);
      const deleted = await metadata.deleteItem(tenantId, itemId).then(
        () => true,
        () => false,
      );
      if (!deleted) return expect((await client.sessions.completeSession({ sessionId })).applied).toBe(true);
      expect(["ITEM_NOT_FOUND", "SESSION_STATE"]).toContain(
        (await refusalOf(client.sessions.completeSession({ sessionId }))).reason,
      );
    });

    it("a file whose content went to an item is read through its session, too, while that is remembered", async () => {
      const { id: sessionId } = await startSession(client, { itemId: await makeItem() });
      const content = pseudoRandom(100);
      const place = await storeFile(client, content, {}, sessionId);
      await client.sessions.completeSession({ sessionId });
      expect((await readBack(client, place)).equals(content)).toBe(true);
    });

    it("the main story ends byte for byte the same", async () => {
      const content = pseudoRandom(3_000_001);
      const { id: sessionId } = await startSession(client);
      const streamed = await addFile(client, { name: "stream" }, sessionId);
      const parted = await addFile(client, { name: "parts", sizeBytes: 3_000_001n }, sessionId);
      await Promise.all([
        send(client, streamed, content, { withCrc: true }),
        (async () => {
          for (let offset = 0; offset < content.length; offset += 2 ** 20) {
            await sendPart(client, parted, offset, content.subarray(offset, offset + 2 ** 20));
          }
        })(),
      ]);
      expect((await client.sessions.completeSession({ sessionId })).session?.state).toBe(SessionState.DONE);
      for (const place of [streamed, parted]) expect((await readBack(client, place)).equals(content)).toBe(true);
    });

    it("a hundred files sent at once by ten connections' worth of calls are all there", async () => {
      const { id: sessionId } = await startSession(client);
      const names = Array.from({ length: 100 }, (_, i) => `file ${i}`);
      const places = await Promise.all(
        names.map((name, i) => storeFile(client, pseudoRandom(i * 37, i), { name }, sessionId)),
      );
      expect((await client.sessions.completeSession({ sessionId })).session?.fileCount).toBe(100);
      for (const [i, place] of places.entries()) {
        expect((await readBack(client, place)).equals(pseudoRandom(i * 37, i))).toBe(true);
      }
    });
  });
});
