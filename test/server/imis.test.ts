// IMiS's face as a server has it on its port: with its settings, for pages of browsers, in the metrics.
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeItem, makeLibrary, useServer } from "../rpc/scene.js";
import { pseudoRandom } from "../support/bodies.js";
import { type ImisClient, logIn, refusalOf } from "../support/imis.js";
import { readMetrics } from "../support/metrics.js";

const minuteMs = 60_000;
const page = { origin: "https://page.example" };
const words = (header: string | null) => (header ?? "").toLowerCase().split(/,\s*/);

/** Somebody who has an entity open, on a server with these settings. */
function useEntity(env: Record<string, string> = {}) {
  const server = useServer(() => ({ env }));
  let client: ImisClient;
  let entity: { readonly id: string; readonly handle: string };
  beforeAll(async () => {
    const rpc = server.client("connect/1.1");
    const archive = await makeLibrary(rpc);
    const { id } = await makeItem(rpc, { libraryId: archive });
    client = await logIn(server.get(), { archive });
    entity = { id, handle: await client.openEntity(id) };
  });
  afterAll(() => client?.close());
  return {
    url: () => server.get().url,
    client: () => client,
    entity: () => entity,
    handle: () => entity.handle,
    sessions: () => `/archives/${client.archive}/entities/H:${entity.handle}/create_sessions.json`,
  };
}

describe("a server as it comes", () => {
  const { client, handle, sessions, url } = useEntity();

  it("takes content in parts and gives it back, and a part may come again", async () => {
    const content = pseudoRandom(300_000);
    const { id } = await client().createSession(handle());
    await client().putPart(handle(), id, 0, content.subarray(0, 200_000));
    await client().putPart(handle(), id, 0, content.subarray(0, 200_000));
    await client().putPart(handle(), id, 200_000, content.subarray(200_000));
    const object = await client().save(handle(), id);
    expect(object).toMatchObject({
      size: 300_000,
      extension: ".wav",
      sha256: createHash("sha256").update(content).digest("hex"),
    });
    expect(Buffer.from(await client().read(handle(), object.id)).equals(content)).toBe(true);
  });

  it("takes an object on the stage and gives it back", async () => {
    const content = pseudoRandom(1000);
    const asked = { body: content, headers: { "content-type": "application/pdf" } };
    const { object } = await client().value<{ object: { id: string; size: number } }>("POST", "objects", asked);
    expect(object).toMatchObject({ size: 1000, content_type: "application/pdf", extension: ".pdf" });
    expect((await client().ask("GET", `objects/${object.id}`)).body.equals(content)).toBe(true);
  });

  it("lets pages of any origin send what the face reads, without cookies", async () => {
    const asked = { "access-control-request-method": "PUT", "access-control-request-headers": "content-range" };
    const { status, headers } = await fetch(url() + sessions(), { method: "OPTIONS", headers: { ...page, ...asked } });
    expect(status).toBe(204);
    expect(headers.get("access-control-allow-origin")).toBe("*");
    expect(headers.get("access-control-allow-credentials")).toBeNull();
    expect(words(headers.get("access-control-allow-methods"))).toEqual(
      expect.arrayContaining(["get", "post", "put", "delete"]),
    );
    expect(words(headers.get("access-control-allow-headers"))).toEqual(
      expect.arrayContaining([
        ...["authorization", "content-type", "content-range", "range", "x-request-id"],
        ...["content-digest", "repr-digest", "upload-checksum", "content-md5"],
      ]),
    );
    expect(headers.get("upload-limit")).toBeNull();
  });

  it("shows pages what the face answers in headers, and what may be sent, which is no preflight", async () => {
    const { status, headers } = await fetch(url() + sessions(), { method: "OPTIONS", headers: page });
    expect(status).toBe(204);
    expect(headers.get("upload-limit")).toBe(
      `max-size=${2 ** 44}, max-append-size=${2 ** 44}, min-append-size=0, max-age=${7 * 24 * 3600}`,
    );
    expect(words(headers.get("access-control-expose-headers"))).toEqual(
      expect.arrayContaining(["upload-offset", "upload-length", "upload-limit", "content-range", "retry-after"]),
    );
  });

  it("counts requests under the face and the operation, and what was refused under its code", async () => {
    const { id } = await client().createSession(handle());
    const counts = async () => {
      const all = await readMetrics(url());
      const line = "PUT /archives/{archive}/entities/H:{handle}/create_sessions/{sessionId}";
      const requests = `slipway_request_duration_seconds_count{face="imis",method="${line}",code=`;
      const errors = 'slipway_errors_total{face="imis",code="';
      const of = (name: string) => all.get(name) ?? 0;
      const refused = [...all].filter(([name]) => name.startsWith(errors)).reduce((sum, [, count]) => sum + count, 0);
      return { good: of(`${requests}"ok"}`), refused };
    };
    const before = await counts();
    await client().putPart(handle(), id, 0, pseudoRandom(10));
    await refusalOf(client().putPart(handle(), id, 20, pseudoRandom(10)));
    await expect.poll(counts).toEqual({ good: before.good + 1, refused: before.refused + 1 });
  });
});

describe("a server with other settings", () => {
  const { client, entity, handle, sessions, url } = useEntity({
    SLIPWAY_IMIS_EXTENSION_DOT: "0",
    SLIPWAY_IMIS_OVERLAP: "reject",
    SLIPWAY_IMIS_MAX_OBJECT_BYTES: "4000",
    SLIPWAY_IMIS_MAX_PART_BYTES: "3000",
    SLIPWAY_IMIS_MIN_PART_BYTES: "1000",
    SLIPWAY_IMIS_MAX_HANDLE_SESSIONS: "2",
    SLIPWAY_IMIS_MAX_HANDLES: "2",
    SLIPWAY_IMIS_MAX_STREAMS: "1",
    SLIPWAY_IMIS_SESSION_TTL: "90m",
    SLIPWAY_IMIS_SESSION_ABSOLUTE_TTL: "3d",
  });
  const refused = async (deed: Promise<unknown>) => {
    const { status, code, details } = await refusalOf(deed);
    return { status, code, setting: details.setting, limit: details.limit };
  };
  const create = async () => (await client().createSession(handle())).id;
  const cancel = (id: string) => client().cancel(handle(), id);

  it("tells extensions without their dot", async () => {
    expect((await client().store(handle(), pseudoRandom(1000))).extension).toBe("wav");
  });

  it("says in `Upload-Limit` what it was set to", async () => {
    const { headers } = await fetch(url() + sessions(), { method: "OPTIONS" });
    expect(headers.get("upload-limit")).toBe(
      `max-size=4000, max-append-size=3000, min-append-size=1000, max-age=${3 * 24 * 3600}`,
    );
  });

  it("refuses a part that is stored already", async () => {
    const id = await create();
    await client().putPart(handle(), id, 0, pseudoRandom(1000));
    const refusal = await refusalOf(client().putPart(handle(), id, 0, pseudoRandom(1000)));
    expect([refusal.status, refusal.details.expected_offset]).toEqual([416, 1000]);
    await cancel(id);
  });

  it("refuses parts and objects beyond its bounds, by the names of these", async () => {
    const id = await create();
    const send = (length: number, offset = 0) => client().putPart(handle(), id, offset, pseudoRandom(length));
    expect(await refused(send(3001))).toEqual({
      status: 413,
      code: "part_too_large",
      setting: "SLIPWAY_IMIS_MAX_PART_BYTES",
      limit: 3000,
    });
    expect(await refused(send(999))).toEqual({
      status: 400,
      code: "part_too_small",
      setting: "SLIPWAY_IMIS_MIN_PART_BYTES",
      limit: 1000,
    });
    await send(3000);
    expect(await refused(send(1001, 3000))).toEqual({
      status: 413,
      code: "object_too_large",
      setting: "SLIPWAY_IMIS_MAX_OBJECT_BYTES",
      limit: 4000,
    });
    await send(1000, 3000);
    expect((await client().save(handle(), id)).size).toBe(4000);
  });

  it("has no more upload sessions, entities and streams open than it may, and says which bound that is", async () => {
    const ids = [await create(), await create()];
    expect(await refused(create())).toEqual({
      status: 429,
      code: "too_many_sessions",
      setting: "SLIPWAY_IMIS_MAX_HANDLE_SESSIONS",
      limit: 2,
    });
    for (const id of ids) await cancel(id);

    const second = await client().openEntity(entity().id);
    expect(await refused(client().openEntity(entity().id))).toEqual({
      status: 429,
      code: "too_many_handles",
      setting: "SLIPWAY_IMIS_MAX_HANDLES",
      limit: 2,
    });
    await client().closeEntity(second);

    const { id } = await client().store(handle(), pseudoRandom(1000));
    const open = () => client().value("GET", `entities/H:${handle()}/objects/${id}/stream/open.json`);
    await open();
    expect(await refused(open())).toEqual({
      status: 429,
      code: "too_many_streams",
      setting: "SLIPWAY_IMIS_MAX_STREAMS",
      limit: 1,
    });
  });

  it("lets upload sessions live for as long as it was set to", async () => {
    const startedAt = Date.now();
    const { id, expires } = await client().createSession(handle());
    const lifeMs = Date.parse(expires!) - startedAt;
    expect(lifeMs).toBeGreaterThanOrEqual(90 * minuteMs - 1000);
    expect(lifeMs).toBeLessThan(91 * minuteMs);
    await cancel(id);
  });
});
