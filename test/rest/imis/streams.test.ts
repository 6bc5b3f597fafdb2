import { randomBytes } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { createId, type Item } from "../../../src/core/index.js";
import { type ImisClient, refusalFrom, refusalOf } from "../../support/imis.js";
import { hour, useFace } from "./face-scene.js";
import { putObject, objectServices, removeObject } from "./object-scene.js";

const maxStreams = 4;
const scene = useFace({ services: objectServices, limits: { maxStreams } });
const bytes = randomBytes(100_000);
let client: ImisClient;
let item: Item;
let handle: string;
beforeAll(async () => {
  client = await scene.client(scene.members.reader);
  item = await scene.makeEntity();
  await putObject(scene, item, "dial tone.wav", bytes, { mediaType: "audio/wav" });
  handle = await client.openEntity(item.id);
});

const placeOf = (of = handle, name = "dial tone.wav") => `entities/H:${of}/objects/${encodeURIComponent(name)}/stream`;
const open = async (place = placeOf(), as = client) =>
  (await as.value<{ handle: string }>("GET", `${place}/open.json`)).handle;
const close = (stream: string, place = placeOf(), as = client) => as.value("GET", `${place}/${stream}/close.json`);
const read = (stream: string, range?: string, place = placeOf(), as = client) =>
  as.ask("GET", `${place}/${stream}`, { headers: range === undefined ? {} : { range } });
async function readRefusal(...asked: Parameters<typeof read>) {
  return refusalFrom(await read(...asked));
}
/** In a stream of their own, which is closed again. */
async function inStream<T>(run: (stream: string) => Promise<T>): Promise<T> {
  const stream = await open();
  try {
    return await run(stream);
  } finally {
    await close(stream);
  }
}

describe("a stream", () => {
  it.each([
    ["bytes=0-10", 0, 10],
    ["bytes=0-0", 0, 0],
    ["bytes=5000-5999", 5_000, 5_999],
    ["bytes=99990-", 99_990, 99_999],
    ["bytes=-10", 99_990, 99_999],
    ["bytes=99999-200000", 99_999, 99_999],
    ["Bytes=1-2", 1, 2],
  ])("answers %s with these bytes, both ends included", async (range, first, last) => {
    const answer = await inStream((stream) => read(stream, range));
    expect(answer.status).toBe(206);
    expect(answer.headers).toMatchObject({
      "content-range": `bytes ${first}-${last}/100000`,
      "content-length": String(last - first + 1),
      "content-type": "audio/wav",
      "accept-ranges": "bytes",
    });
    expect(answer.body.equals(bytes.subarray(first, last + 1))).toBe(true);
  });

  it.each([undefined, "bytes=7-3", "items=0-1", "bytes=0-1,5-6", "nonsense"])(
    "answers %s, which asks for no one range, with all bytes",
    async (range) => {
      const answer = await inStream((stream) => read(stream, range));
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({ "content-length": "100000", "content-type": "audio/wav" });
      expect(answer.headers["content-range"]).toBeUndefined();
      expect(answer.body.equals(bytes)).toBe(true);
    },
  );

  it("answers a range that begins behind the end with 416 and the size", async () => {
    for (const range of ["bytes=100000-", "bytes=100000-100001", "bytes=-0"]) {
      const refusal = await inStream((stream) => readRefusal(stream, range));
      expect(refusal).toMatchObject({ status: 416, code: "range_not_satisfiable", details: { size: 100_000 } });
      expect(refusal.headers["content-range"]).toBe("bytes */100000");
    }
  });

  it("answers HEAD with what a GET of all bytes would, and no body", async () => {
    const answer = await inStream((stream) =>
      client.ask("HEAD", `${placeOf()}/${stream}`, { headers: { range: "bytes=0-1" } }),
    );
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ "content-length": "100000", "content-type": "audio/wav" });
    expect(answer.body.length).toBe(0);
  });

  it("gives nothing of an empty object, and 416 for any range", async () => {
    await putObject(scene, item, "empty", "");
    const place = placeOf(handle, "empty");
    const stream = await open(place);
    expect(await read(stream, undefined, place)).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    expect(await readRefusal(stream, "bytes=0-", place)).toMatchObject({ status: 416, details: { size: 0 } });
    await close(stream, place);
  });

  it.each(["a b.txt", "100%.txt", "data.json", "open", "H:x", "Grüße 日本 🎧.wav", "a+b&c=d?e#f"])(
    "is opened, read and closed by the name that another face gave the object: %j",
    async (name) => {
      await putObject(scene, item, name, name);
      const place = placeOf(handle, name);
      const stream = await open(place);
      expect((await read(stream, "bytes=0-", place)).body.toString()).toBe(name);
      await close(stream, place);
      expect(await readRefusal(stream, "bytes=0-", place)).toMatchObject({ code: "stream_not_found" });
    },
  );

  it("is opened, read and closed with `.json` and without", async () => {
    for (const suffix of ["", ".json"]) {
      const opened = await client.value<{ handle: string }>("GET", `${placeOf()}/open${suffix}`);
      expect(Object.keys(opened)).toEqual(["handle"]);
      expect((await read(opened.handle + suffix, "bytes=0-0")).status).toBe(206);
      await client.value("GET", `${placeOf()}/${opened.handle}/close${suffix}`);
      expect(await readRefusal(opened.handle)).toMatchObject({ status: 404, code: "stream_not_found" });
    }
  });

  it("may be closed however often, and when it never was", async () => {
    const stream = await open();
    await close(stream);
    await close(stream);
    await close(createId());
    await close("nonsense");
    expect(await readRefusal(stream)).toMatchObject({ status: 404, code: "stream_not_found" });
  });

  it("is not opened for an object that is not there", async () => {
    for (const name of ["nothing", createId(), "x".repeat(256), "a/b"]) {
      const refusal = await refusalOf(open(placeOf(handle, name)));
      expect(refusal).toMatchObject({ status: 404, code: "object_not_found" });
    }
  });

  it("is nobody's but of the handle and the object that it was opened by", async () => {
    await putObject(scene, item, "another", "bytes");
    const second = await client.openEntity(item.id);
    const other = await scene.client(scene.members.other);
    const foreign = await other.openEntity(item.id);
    await inStream(async (stream) => {
      const missing = { status: 404, code: "stream_not_found" };
      expect(await readRefusal(stream, undefined, placeOf(handle, "another"))).toMatchObject(missing);
      expect(await readRefusal(stream, undefined, placeOf(second))).toMatchObject(missing);
      expect(await readRefusal(stream, undefined, placeOf(foreign), other)).toMatchObject(missing);
      expect(await readRefusal(stream, undefined, placeOf(), other)).toMatchObject({ code: "handle_not_found" });
      await close(stream, placeOf(second));
      await close(stream, placeOf(foreign), other);
      expect(await readRefusal("nonsense")).toMatchObject(missing);
      expect(await readRefusal(createId())).toMatchObject(missing);
      expect((await read(stream.toUpperCase(), "bytes=0-0")).status).toBe(206);
    });
  });

  it("is of the content that the object had: replaced content is gone, and so is removed content", async () => {
    await putObject(scene, item, "changing", "first");
    const place = placeOf(handle, "changing");
    const stream = await open(place);
    expect((await read(stream, "bytes=1-2", place)).body.toString()).toBe("ir");
    await putObject(scene, item, "changing", "second");
    const gone = { status: 410, code: "stream_gone" };
    expect(await readRefusal(stream, "bytes=1-2", place)).toMatchObject({ ...gone, details: { reason: "replaced" } });
    expect(await readRefusal(stream, "bytes=100-", place)).toMatchObject(gone);
    const newer = await open(place);
    expect((await read(newer, undefined, place)).body.toString()).toBe("second");
    await removeObject(scene, item, "changing");
    for (const one of [stream, newer]) {
      expect(await readRefusal(one, undefined, place)).toMatchObject({ ...gone, details: { reason: "removed" } });
      await close(one, place);
    }
  });

  it("is over with its handle", async () => {
    const own = await client.openEntity(item.id);
    const stream = await open(placeOf(own));
    await client.closeEntity(own);
    expect(await readRefusal(stream, undefined, placeOf(own))).toMatchObject({ status: 410, code: "handle_closed" });
  });

  it("outlives the process", async () => {
    await inStream(async (stream) => {
      const second = await scene.startProcess();
      const there = await scene.client(scene.members.reader, {}, second);
      expect((await read(stream, "bytes=3-5", placeOf(), there)).body.equals(bytes.subarray(3, 6))).toBe(true);
      await second.stop();
    });
  });
});

describe("streams of a handle", () => {
  it("are bounded, by a limit that is named (P10)", async () => {
    const own = await client.openEntity(item.id);
    const place = placeOf(own);
    const streams: string[] = [];
    for (let count = 0; count < maxStreams; count++) streams.push(await open(place));
    const refusal = await refusalOf(open(place));
    expect(refusal).toMatchObject({
      status: 429,
      code: "too_many_streams",
      details: { limit: maxStreams, setting: "SLIPWAY_IMIS_MAX_STREAMS" },
    });
    expect(refusal.headers["retry-after"]).toBe("60");
    expect((await read(streams[0]!, "bytes=0-0", place)).status).toBe(206);
    await open(placeOf(await client.openEntity(item.id)));
    await close(streams[0]!, place);
    await open(place);
  });

  it("are never more than that, however many are opened at once", async () => {
    const own = await client.openEntity(item.id);
    const place = placeOf(own);
    const all = await Promise.allSettled(Array.from({ length: 4 * maxStreams }, () => open(place)));
    const count = all.filter(({ status }) => status === "fulfilled").length;
    expect(count).toBeLessThanOrEqual(maxStreams);
    for (let more = count; more < maxStreams; more++) await open(place);
    expect(await refusalOf(open(place))).toMatchObject({ code: "too_many_streams" });
  });

  it("live as long as they are used, as handles do", async () => {
    const own = await client.openEntity(item.id);
    const place = placeOf(own);
    const used = await open(place);
    const unused = await open(place);
    for (let passed = 0; passed < 30; passed += 10) {
      scene.elapse(10 * hour);
      // The bearer session is over by then, the handle is not.
      const later = await scene.client(scene.members.reader);
      expect((await read(used, "bytes=0-0", place, later)).status).toBe(206);
    }
    const later = await scene.client(scene.members.reader);
    expect(await readRefusal(unused, undefined, place, later)).toMatchObject({ code: "stream_not_found" });
    client = later;
    handle = await client.openEntity(item.id);
  });
});
