// Sessions that end in an item, where what goes on at once really does: on a PostgreSQL server.
import { afterAll, describe, expect, it } from "vitest";
import { SessionAccess, SessionState } from "../../gen/slipway/upload/v1/session_pb.js";
import { pseudoRandom } from "../support/bodies.js";
import { mainWires, refusalOf, type TestClient } from "../support/client.js";
import { openTestSchema, postgresAvailable } from "../support/postgres.js";
import {
  addFile,
  listItemFiles,
  makeItem,
  readBack,
  readItemFile,
  send,
  sendPart,
  startSession,
  storeFile,
  useServer,
} from "./scene.js";

describe.runIf(postgresAvailable())("on PostgreSQL", () => {
  let schema: Awaited<ReturnType<typeof openTestSchema>>;
  const server = useServer(async () => {
    schema = await openTestSchema();
    return { databaseUrl: schema.url };
  });
  afterAll(async () => {
    await server.get().stop();
    await schema?.drop();
  });
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
      const { id: itemId } = await makeItem(client);
      const { id: sessionId } = await startSession(client, { itemId });
      for (const name of ["one", "two"]) await storeFile(client, pseudoRandom(1_000), { name }, sessionId);
      expect(await listItemFiles(client, itemId)).toEqual([]);
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => client.sessions.completeSession({ sessionId })),
      );
      expect(answers.filter(({ applied }) => applied)).toHaveLength(1);
      expect((await listItemFiles(client, itemId)).map(({ name }) => name)).toEqual(["one", "two"]);
      expect((await client.catalog.getItem({ itemId })).item?.contentVersion).toBe(2n);
    });

    it.each([
      [EXCLUSIVE, ADDITIVE],
      [EXCLUSIVE, EXCLUSIVE],
      [ADDITIVE, EXCLUSIVE],
    ])("an item with a session of access %s is ITEM_BUSY for one of %s", async (first, second) => {
      const { id: itemId } = await makeItem(client);
      const { id: sessionId } = await startSession(client, { itemId, access: first });
      const refusal = await refusalOf(client.sessions.createSession({ itemId, access: second }));
      expect([refusal.code, refusal.reason]).toEqual(["FAILED_PRECONDITION", "ITEM_BUSY"]);
      await client.sessions.cancelSession({ sessionId });
      expect(await attempt(itemId, second)).toBe("created");
    });

    it("of exclusive sessions that race for an item exactly one is opened", async () => {
      const { id: itemId } = await makeItem(client);
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => attempt(itemId, EXCLUSIVE)));
      expect(outcomes.sort()).toEqual([...Array(7).fill("ITEM_BUSY"), "created"]);
    });

    it("additive sessions share an item, and each applies its own files", async () => {
      const { id: itemId } = await makeItem(client);
      for (const name of ["one", "two", "three"]) {
        const { id: sessionId } = await startSession(client, { itemId });
        await storeFile(client, pseudoRandom(100), { name }, sessionId);
        await client.sessions.completeSession({ sessionId });
      }
      expect(await listItemFiles(client, itemId)).toHaveLength(3);
    });

    it("of a completion and the deletion of its item at once, the completion is never lost", async () => {
      for (let round = 0; round < 8; round++) {
        const { id: itemId } = await makeItem(client);
        const { id: sessionId } = await startSession(client, { itemId });
        const content = pseudoRandom(100, round);
        await storeFile(client, content, { name: "a" }, sessionId);
        const deletion = client.catalog.deleteItem({ itemId }).then(
          () => "deleted",
          async (error) => (await refusalOf(Promise.reject(error))).reason,
        );
        expect((await client.sessions.completeSession({ sessionId })).applied).toBe(true);
        if ((await deletion) === "ITEM_BUSY") {
          expect((await readItemFile(client, { itemId, name: "a" })).equals(content)).toBe(true);
        } else {
          expect(await deletion).toBe("deleted");
          expect((await refusalOf(listItemFiles(client, itemId))).reason).toBe("ITEM_NOT_FOUND");
        }
      }
    });

    it("a file whose content went to an item is read through its session, too, while that is remembered", async () => {
      const { id: itemId } = await makeItem(client);
      const { id: sessionId } = await startSession(client, { itemId });
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
