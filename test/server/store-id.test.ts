import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyEmbeddedTemplate } from "../support/embedded-template.js";
import { openTestSchema, postgresAvailable } from "../support/postgres.js";
import { makeDataDir, spawnServer, startServer, type TestServer } from "../support/server.js";

const idOf = async (dataDir: string) => (await readFile(join(dataDir, "store-id"), "utf8")).trim();

/** Something to lose. */
async function upload({ url, token }: TestServer): Promise<void> {
  const call = async (method: string, body: object) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const request = { method: "POST", headers, body: JSON.stringify(body) };
    const response = await fetch(`${url}/slipway.upload.v1.${method}`, request);
    expect(response.status).toBe(200);
    return response.json() as Promise<{ session: { id: string }; file: { id: string } }>;
  };
  const { session } = await call("SessionService/CreateSession", {});
  const { file } = await call("FileService/AddFile", { sessionId: session.id, spec: { name: "a" } });
  const place = { sessionId: session.id, fileId: file.id };
  await call("FileService/UploadPart", { ...place, data: btoa("bytes"), finish: true });
}

/** Starts a server that is to fail, and answers its exit code and what it said last. */
async function fail(dataDir: string, databaseUrl?: string) {
  const database = databaseUrl === undefined ? [] : ["--database-url", databaseUrl];
  const server = spawnServer(["--listen", "127.0.0.1:0", "--data-dir", dataDir, ...database]);
  const timer = setTimeout(() => void server.kill(), 60_000);
  const code = await server.exited;
  clearTimeout(timer);
  const sentence = server
    .stderr()
    .split("\n")
    .find((line) => line.startsWith("slipway: "));
  return { code, sentence };
}

describe("a folder and a database that do not belong together (P8)", () => {
  it("a folder whose store id was changed is refused by its embedded database, and both ids are named", async () => {
    const dataDir = await copyEmbeddedTemplate();
    await (await startServer({ dataDir })).stop();
    const first = await idOf(dataDir);
    const second = crypto.randomUUID();
    await writeFile(join(dataDir, "store-id"), `${second}\n`);
    const { code, sentence } = await fail(dataDir);
    expect(code).toBe(1);
    expect(sentence).toContain(first);
    expect(sentence).toContain(second);
    await writeFile(join(dataDir, "store-id"), `${first}\n`);
    await (await startServer({ dataDir })).kill();
  });

  it.each([true, false])(
    "a folder that holds content is refused, with what to do, and no database is made where its own was (emptied: %s)",
    async (emptied) => {
      const dataDir = await copyEmbeddedTemplate();
      const database = join(dataDir, "database");
      const server = await startServer({ dataDir });
      await upload(server);
      await server.stop();
      const away = `${dataDir}-away`;
      await rename(database, away);
      if (emptied) await mkdir(database);
      const { code, sentence } = await fail(dataDir);
      expect(code).toBe(1);
      expect(sentence).toContain(await idOf(dataDir));
      expect(sentence).toMatch(/holds content.*: restore the database that belongs to it/);
      expect(await readdir(database).catch(() => "none")).toEqual(emptied ? [] : "none");
      await rename(away, database);
      await (await startServer({ dataDir })).kill();
    },
  );

  it("a folder that holds nothing starts with a database that is new, also where an empty folder awaits it", async () => {
    const dataDir = await makeDataDir();
    await mkdir(join(dataDir, "database"));
    const server = await startServer({ dataDir });
    await upload(server);
    expect(await server.stop()).toBe(0);
    await (await startServer({ dataDir })).kill();
  });

  it("a database folder that holds something else, or is none, is refused, and the folder is named", async () => {
    const dataDir = await makeDataDir();
    const database = join(dataDir, "database");
    await mkdir(join(database, "lost+found"), { recursive: true });
    const other = await fail(dataDir);
    expect(other.code).toBe(1);
    expect(other.sentence).toContain(`${database} is not the folder of a database`);
    await rm(database, { recursive: true });
    await writeFile(database, "");
    const none = await fail(dataDir);
    expect(none.code).toBe(1);
    expect(none.sentence).toContain(`${database} must be a folder`);
    await rm(database);
    const elsewhere = await makeDataDir();
    await symlink(elsewhere, database);
    const link = await fail(dataDir);
    expect(link.code).toBe(1);
    expect(link.sentence).toContain(`${database} is empty and cannot be replaced`);
    expect(await readdir(dataDir)).not.toContainEqual(expect.stringContaining("tmp"));
  });

  it("a store id that is none is refused, and the file is named", async () => {
    const dataDir = await copyEmbeddedTemplate();
    await writeFile(join(dataDir, "store-id"), "mine\n");
    const { code, sentence } = await fail(dataDir);
    expect(code).toBe(1);
    expect(sentence).toContain(join(dataDir, "store-id"));
  });

  describe.runIf(postgresAvailable())("on PostgreSQL", () => {
    let schema: Awaited<ReturnType<typeof openTestSchema>>;
    beforeAll(async () => {
      schema = await openTestSchema();
    });
    afterAll(() => schema.drop());

    it("another folder is refused by a database, and both ids are named; the database goes on with its own", async () => {
      const own = await startServer({ databaseUrl: schema.url });
      await own.stop();
      const strange = await makeDataDir();
      const { code, sentence } = await fail(strange, schema.url);
      expect(code).toBe(1);
      expect(sentence).toContain(await idOf(own.dataDir));
      expect(sentence).toContain(await idOf(strange));
      await (await startServer({ databaseUrl: schema.url, dataDir: own.dataDir })).kill();
    });

    it("a folder that holds content is refused by a database that is new and knows none of it", async () => {
      const dataDir = await copyEmbeddedTemplate();
      const server = await startServer({ dataDir });
      await upload(server);
      await server.stop();
      const empty = await openTestSchema();
      const { code, sentence } = await fail(dataDir, empty.url);
      await empty.drop();
      expect(code).toBe(1);
      expect(sentence).toContain(await idOf(dataDir));
      expect(sentence).toContain("holds content");
    });
  });
});
