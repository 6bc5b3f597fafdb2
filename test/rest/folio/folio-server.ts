// One server process for the tests of a file, behind an Okapi that is believed unless its settings say otherwise, with two
// tenants that people know from FOLIO's documents.
import { createHash } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import { Role } from "../../../gen/slipway/upload/v1/access_pb.js";
import { openClient, type TestClient } from "../../support/client.js";
import { type HttpClient, openHttp } from "../../support/http.js";
import { openTestSchema } from "../../support/postgres.js";
import { type ServerOptions, startServer, type TestServer } from "../../support/server.js";

export interface FolioServer {
  server: TestServer;
  /** For real PostgreSQL; else empty. */
  databaseUrl: string;
  /** Of tenant `diku`, as its administrator of the typed API. */
  client: TestClient;
  http: Record<"1.1" | "2", HttpClient>;
}

export interface FolioServerOptions {
  readonly database?: "embedded" | "PostgreSQL";
  readonly env?: ServerOptions["env"];
}

export const tenants = ["diku", "elsewhere"] as const;
/** Users as Okapi names them: ours need not know them. */
export const ann = "5e1fd0eb-64bf-5d4a-b6ed-bb0889008bbc";
export const ben = "11111111-2222-4333-8444-555555555555";

export const definitionsPath = "/data-import/uploadDefinitions";

/** Contents are compared by it. */
export function digest(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The headers that Okapi sends along. */
export function okapi(userId: string | undefined = ann, tenant = "diku"): Record<string, string> {
  return { "x-okapi-tenant": tenant, ...(userId && { "x-okapi-user-id": userId }) };
}

export function useFolioServer({ database = "embedded", env = {} }: FolioServerOptions = {}): FolioServer {
  const scene = {} as FolioServer;
  const closing: (() => unknown)[] = [];
  beforeAll(async () => {
    const schema = database === "PostgreSQL" ? await openTestSchema() : undefined;
    if (schema !== undefined) closing.push(schema.drop);
    const server = await startServer({
      ...(schema && { databaseUrl: schema.url }),
      env: { SLIPWAY_FOLIO_TRUST_OKAPI: "1", ...env },
    });
    closing.push(server.kill);
    const first = openClient(server);
    closing.push(first.close);
    const [diku] = await Promise.all(tenants.map((name) => first.access.createTenant({ name })));
    const { user } = await first.access.createUser({ tenantId: diku!.tenant!.id, name: "keeper", role: Role.ADMIN });
    const { token } = await first.access.createToken({ userId: user!.id });
    const client = openClient({ ...server, token });
    const http = { "1.1": openHttp(server.url, "1.1"), "2": openHttp(server.url, "2") };
    closing.push(client.close, http["1.1"].close, http["2"].close);
    Object.assign(scene, { server, databaseUrl: schema?.url ?? "", client, http });
  });
  afterAll(async () => {
    for (const close of closing.reverse()) await close();
  });
  return scene;
}
