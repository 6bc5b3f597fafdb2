// One server process for the tests of a file, and a script that is logged in.
import { createHash } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import { openClient, type TestClient } from "../../support/client.js";
import { openTestSchema } from "../../support/postgres.js";
import { type ServerOptions, startServer, type TestServer } from "../../support/server.js";
import { openVsphere, type VsphereClient } from "../../support/vsphere.js";

export interface VsphereServer {
  server: TestServer;
  vsphere: VsphereClient;
  /** The same administrator through the typed API. */
  client: TestClient;
  /** A library for the file's tests. */
  libraryId: string;
  /** Of a real PostgreSQL; empty for the embedded database. */
  databaseUrl: string;
  /** A new item with these files in it; names of items differ. */
  item(files?: Readonly<Record<string, Uint8Array>>): Promise<string>;
}

export interface VsphereServerOptions {
  readonly database?: "embedded" | "PostgreSQL";
  readonly env?: ServerOptions["env"];
  readonly tls?: boolean;
}

export function digest(algorithm: "sha1" | "md5" | "sha256" | "sha512", bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest("hex");
}

export function useVsphereServer({ database = "embedded", env = {}, tls = false }: VsphereServerOptions = {}) {
  const scene = {} as VsphereServer;
  const closing: (() => unknown)[] = [];
  let items = 0;
  beforeAll(async () => {
    const schema = database === "PostgreSQL" ? await openTestSchema() : undefined;
    if (schema !== undefined) closing.push(schema.drop);
    const server = await startServer({ ...(schema && { databaseUrl: schema.url }), env, tls });
    closing.push(server.kill);
    const client = openClient(server);
    closing.push(client.close);
    const vsphere = await openVsphere(server);
    const libraryId = await vsphere.createLibrary("library of the tests");
    async function item(files: Readonly<Record<string, Uint8Array>> = {}): Promise<string> {
      const id = await vsphere.createItem(libraryId, `item ${++items}`);
      const named = Object.entries(files);
      if (named.length === 0) return id;
      const session = await vsphere.createSession(id);
      for (const [name, bytes] of named) await vsphere.push(session, name, bytes);
      await vsphere.act(session, "complete");
      return id;
    }
    Object.assign(scene, { server, vsphere, client, libraryId, databaseUrl: schema?.url ?? "", item });
  });
  afterAll(async () => {
    for (const close of closing.reverse()) await close();
  });
  return scene;
}
