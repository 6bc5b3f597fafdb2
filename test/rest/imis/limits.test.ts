import { describe, expect, it } from "vitest";
import { pseudoRandom } from "../../support/bodies.js";
import { refusalOf } from "../../support/imis.js";
import { type Uploading, useUploads } from "./upload-scene.js";

const small = useUploads({ limits: { maxObjectBytes: 1000, maxPartBytes: 500, minPartBytes: 100 } });
const fewOfHandle = useUploads({ limits: { maxHandleSessions: 3 } });
const few = useUploads({ limits: { maxUserSessions: 5 } });
const forgetful = useUploads({ limits: { maxTombstones: 3 } });

const content = pseudoRandom(1000);

const put = ({ client, handle, id }: Uploading, from: number, to: number, total?: number) =>
  client.putPart(handle, id, from, content.subarray(from, to), total === undefined ? {} : { total });

async function hang(at: Uploading, range: string, length: number, headers: Record<string, string> = {}) {
  const path = `entities/H:${at.handle}/create_sessions/${at.id}`;
  const head = { "content-range": range, ...headers };
  const { status, body } = await at.client.begin("PUT", path, content.subarray(0, 1), length, head).answer;
  return { status, ...JSON.parse(body.toString()).error };
}

describe("decision 24: sizes", () => {
  it("of objects are bounded when a session is created, and by every part before it is read", async () => {
    const at = await small.begin({ size: 1000 });
    const limit = { limit: 1000, setting: "SLIPWAY_IMIS_MAX_OBJECT_BYTES" };
    const told = { status: 413, code: "object_too_large", details: limit };
    expect(await refusalOf(at.client.createSession(at.handle, { size: 1001 }))).toMatchObject(told);
    expect(await hang(at, "900-1000", 101)).toMatchObject(told);
    expect(await hang(at, "bytes 0-99/1001", 100)).toMatchObject(told);
    expect(await hang(at, `${Number.MAX_SAFE_INTEGER}-${Number.MAX_SAFE_INTEGER}`, 1)).toMatchObject(told);
    expect(await at.offset()).toBe(0);
    await put(at, 0, 500);
    expect(await put(at, 500, 1000)).toMatchObject({ offset: 1000 });
    expect(await at.client.save(at.handle, at.id)).toMatchObject({ size: 1000 });
  });

  it("of parts are bounded before they are read", async () => {
    const at = await small.begin();
    expect(await hang(at, "0-500", 501)).toMatchObject({
      status: 413,
      code: "part_too_large",
      details: { limit: 500, setting: "SLIPWAY_IMIS_MAX_PART_BYTES" },
    });
    expect(await put(at, 0, 500)).toMatchObject({ offset: 500 });
  });

  it("of parts have a least one, but for the last, whose end is the total", async () => {
    const at = await small.begin();
    const told = {
      status: 400,
      code: "part_too_small",
      details: { limit: 100, setting: "SLIPWAY_IMIS_MIN_PART_BYTES" },
    };
    expect(await hang(at, "0-98", 99)).toMatchObject(told);
    expect(await hang(at, "bytes 0-98/100", 99)).toMatchObject(told);
    await put(at, 0, 100);
    expect(await refusalOf(put(at, 100, 110))).toMatchObject(told);
    await put(at, 100, 110, 110);
    // A repeat of it, too, whose total is known by now.
    expect(await put(at, 100, 110)).toMatchObject({ offset: 110 });
    expect(await at.client.save(at.handle, at.id)).toMatchObject({ size: 110 });
    expect(await put(at, 100, 110)).toMatchObject({ offset: 110 });
    const declared = await small.begin({ size: 10 });
    expect(await put(declared, 0, 10)).toMatchObject({ offset: 10 });
  });

  it("of parts with a digest of their own are what the store can hold back", async () => {
    const at = await fewOfHandle.begin();
    const digest = { "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==" };
    expect(await hang(at, `0-${64 * 2 ** 20}`, 64 * 2 ** 20 + 1, digest)).toMatchObject({
      status: 413,
      code: "part_too_large",
      details: { limit: 64 * 2 ** 20, setting: "SLIPWAY_MAX_PART_BYTES" },
    });
    await at.client.cancel(at.handle, at.id);
  });
});

/** How many of several creations at once came true; the others were refused for this limit. */
async function createAtOnce(creations: readonly (() => Promise<unknown>)[], setting: string): Promise<number> {
  const told = await Promise.allSettled(creations.map((create) => create()));
  for (const one of told) {
    if (one.status === "fulfilled") continue;
    const { status, code, details, headers } = one.reason;
    expect([status, code, details.setting, headers["retry-after"]]).toEqual([429, "too_many_sessions", setting, "60"]);
  }
  return told.filter(({ status }) => status === "fulfilled").length;
}

describe("decision 24: how many sessions", () => {
  it("a handle has open is bounded, however many are created at once, and those that are over make room", async () => {
    const at = await fewOfHandle.begin();
    const create = () => at.client.createSession(at.handle);
    expect(await createAtOnce(Array(8).fill(create), "SLIPWAY_IMIS_MAX_HANDLE_SESSIONS")).toBe(2);
    await at.client.cancel(at.handle, at.id);
    const { id } = await create();
    await at.client.save(at.handle, id, { allow_empty: true });
    await create();
    expect(await refusalOf(create())).toMatchObject({ status: 429, details: { limit: 3 } });
    // Another handle of the same entity has its own.
    const again = await fewOfHandle.reopen(at);
    await again.client.createSession(again.handle);
    await at.client.closeEntity(at.handle);
    await again.client.closeEntity(again.handle);
  });

  it("a user has open is bounded, however many are created at once on whatever entities", async () => {
    const begin = () => few.begin();
    const kept = await begin();
    const creations = Array.from({ length: 12 }, () => begin);
    expect(await createAtOnce(creations, "SLIPWAY_IMIS_MAX_USER_SESSIONS")).toBe(4);
    expect(await refusalOf(begin())).toMatchObject({ status: 429, details: { limit: 5 } });
    // Whoever makes room need not wait for it.
    await kept.client.cancel(kept.handle, kept.id);
    await begin();
    expect(await refusalOf(begin())).toMatchObject({ status: 429 });
    const other = await few.client(few.members.other);
    await few.begin(undefined, { client: other });
  });

  it("a user has that are over and remembered is bounded, and nothing else of theirs counts", async () => {
    const at = await forgetful.begin();
    const words = { access: "additive", visibility: "owner", origin: "imis" } as const;
    const deadlines = { idleTtlMs: 60_000, absoluteTtlMs: undefined, keepTerminalMs: 60_000 };
    const { caller } = await forgetful.callOf(forgetful.members.uploader);
    for (let i = 0; i < 5; i++) {
      // As staged objects are kept.
      const { session } = await forgetful.opened.uploads.createSession({ ...words, deadlines }, { caller });
      await forgetful.opened.uploads.completeSession({ sessionId: session.id }, { caller });
    }
    for (let i = 0; i < 3; i++) {
      const { id } = await at.client.createSession(at.handle, { size: 0 });
      if (i === 0) await at.client.cancel(at.handle, id);
      else await at.client.save(at.handle, id);
    }
    // What was counted before is believed for a while, so that creating sessions stays cheap.
    forgetful.elapse(11_000);
    expect(await refusalOf(at.client.createSession(at.handle))).toMatchObject({
      status: 429,
      code: "too_many_sessions",
      details: { limit: 3, setting: "SLIPWAY_IMIS_MAX_TOMBSTONES" },
      headers: { "retry-after": "60" },
    });
    expect(await at.offset()).toBe(0);
  });

  it("a user has is counted anew seldom, as long as there is room", async () => {
    let counts = 0;
    const process = await forgetful.startProcess((uploads) => ({
      ...uploads,
      countSessions: (input, call) => {
        counts++;
        return uploads.countSessions(input, call);
      },
    }));
    const client = await forgetful.client(forgetful.members.other, {}, process);
    const handle = await client.openEntity((await forgetful.makeEntity()).id);
    for (let i = 0; i < 5; i++) await client.createSession(handle);
    expect(counts).toBe(2);
  });
});
