import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { bodyOf, pseudoRandom } from "../../support/bodies.js";
import { httpVersions, openHttp } from "../../support/http.js";
import { type ImisAnswer, refusalFrom, refusalOf } from "../../support/imis.js";
import { type Uploading, type UploadScene, useUploads } from "./upload-scene.js";

const scene = useUploads();
const rejecting = useUploads({ overlap: "reject" });

const content = pseudoRandom(4096);
const bytes = (from: number, to: number) => content.subarray(from, to);
const other = (length: number) => pseudoRandom(length, 9);
const pathOf = ({ handle, id }: Pick<Uploading, "handle" | "id">) => `entities/H:${handle}/create_sessions/${id}`;

/** A session of which the first bytes of `content` are stored. */
async function beginWith(stored: number, words?: object, of: UploadScene = scene) {
  const at = await of.begin(words);
  if (stored > 0) await at.client.putPart(at.handle, at.id, 0, bytes(0, stored));
  return at;
}

/** A part with this head, whatever its bytes are. */
function put(at: Uploading, range: string | undefined, body: Uint8Array, headers: Record<string, string> = {}) {
  const head = { ...(range !== undefined && { "content-range": range }), ...headers };
  return at.client.ask("PUT", pathOf(at), { body, headers: head });
}

/** The same by chunks, which say nothing of the length. */
async function putChunked(at: Uploading, range: string, chunks: readonly Uint8Array[]): Promise<ImisAnswer> {
  const http = openHttp(at.client.url, "1.1");
  const headers = { authorization: `Bearer ${at.client.token}`, "content-range": range };
  const path = `/archives/${at.client.archive}/${pathOf(at)}`;
  try {
    const answer = await http.ask({ method: "PUT", path, headers, body: bodyOf(chunks) });
    return { ...answer, text: answer.body.toString() };
  } finally {
    http.close();
  }
}

const refused = async (asked: Promise<ImisAnswer>) => refusalFrom(await asked);

async function saved(at: Uploading) {
  const { id } = await at.client.save(at.handle, at.id);
  return scene.contentOf(at.entity, id);
}

/** Once so much is stored. */
async function untilStored(at: Uploading, offset: number): Promise<void> {
  while ((await at.offset()) < offset) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe("decision 28: a part", () => {
  it("answers 200 with the session's id, as the documentation shows it, and how far it is and until when it lives", async () => {
    const at = await scene.begin();
    const answer = await put(at, "0-99", bytes(0, 100));
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ "cache-control": "no-store", "upload-offset": "100" });
    const { session } = JSON.parse(answer.text);
    expect(session).toEqual({ id: at.id, offset: 100, expires: expect.any(String) });
    expect(Date.parse(session.expires)).toBeGreaterThan(Date.now());
  });

  it("follows another one to the end, whatever their sizes", async () => {
    const at = await scene.begin();
    for (let from = 0, length = 1; from < content.length; from += length, length = Math.min(length * 3, 4096 - from)) {
      expect(await at.client.putPart(at.handle, at.id, from, bytes(from, from + length))).toMatchObject({
        offset: from + length,
      });
    }
    expect(await saved(at)).toEqual(content);
  });
});

describe("decision 1: Content-Range", () => {
  it("is understood in every accepted form, over both versions of HTTP", async () => {
    for (const version of httpVersions) {
      const client = await scene.client(undefined, { version });
      const at = await scene.begin(undefined, { client });
      const forms = ["0-9", "bytes 10-19", "bytes=20-29", "bytes 30-39/*", "BYTES 40-49/60", "50-59/60"];
      for (const [i, form] of forms.entries()) {
        const answer = await put(at, form, bytes(10 * i, 10 * i + 10));
        expect([form, answer.status, answer.headers["upload-offset"]]).toEqual([form, 200, String(10 * i + 10)]);
      }
      expect(await saved(at)).toEqual(bytes(0, 60));
    }
  });

  it("that is missing, malformed or there twice is refused, and nothing is stored", async () => {
    const at = await scene.begin();
    expect(await refused(put(at, undefined, bytes(0, 10)))).toMatchObject({
      status: 400,
      code: "content_range_required",
    });
    for (const range of ["5-", "x", "0-9,10-19", "bytes 9-0/10"]) {
      expect(await refused(put(at, range, bytes(0, 10)))).toMatchObject({ status: 400, code: "content_range_invalid" });
    }
    expect(await at.offset()).toBe(0);
  });

  it("that names no bytes asks how far the content is, and stores nothing", async () => {
    const at = await beginWith(100);
    for (const [range, headers] of [
      ["bytes */4096", { "content-length": "0" }],
      ["*/4096", {}],
    ] as const) {
      const answer = await at.client.ask("PUT", pathOf(at), { headers: { "content-range": range, ...headers } });
      expect([answer.status, answer.headers["upload-offset"]]).toEqual([200, "100"]);
      expect(JSON.parse(answer.text)).toMatchObject({ session: { id: at.id, offset: 100 } });
    }
    expect(await refused(put(at, "bytes */50", new Uint8Array()))).toMatchObject({ code: "length_inconsistent" });
    // What it said of the total is not taken at its word.
    expect(await at.client.session(at.handle, at.id)).not.toHaveProperty("size");
  });
});

describe("decision 3: the total", () => {
  it("is the same in all parts, and a part that says another one changes nothing", async () => {
    const at = await scene.begin();
    await put(at, "bytes 0-9/100", bytes(0, 10));
    expect(await at.client.session(at.handle, at.id)).toMatchObject({ size: 100 });
    for (const range of ["bytes 10-19/101", "bytes 10-19/50", "bytes 0-9/99", "bytes 0-9/5"]) {
      expect(await refused(put(at, range, bytes(10, 20)))).toMatchObject({ status: 400, code: "length_inconsistent" });
    }
    expect(await put(at, "bytes 10-19/*", bytes(10, 20))).toMatchObject({ status: 200 });
    expect(await at.client.session(at.handle, at.id)).toMatchObject({ size: 100, offset: 20 });
  });

  it("is the size that was said when the session was created", async () => {
    const at = await scene.begin({ size: 20 });
    expect(await refused(put(at, "bytes 0-9/21", bytes(0, 10)))).toMatchObject({
      status: 400,
      code: "length_inconsistent",
    });
    expect(await refused(put(at, "0-20", bytes(0, 21)))).toMatchObject({ status: 400, code: "length_inconsistent" });
    expect(await put(at, "bytes 0-19/20", bytes(0, 20))).toMatchObject({ status: 200 });
  });

  it("is never less than what is stored", async () => {
    const at = await beginWith(100);
    expect(await refused(put(at, "bytes 0-49/50", bytes(0, 50)))).toMatchObject({
      status: 400,
      code: "length_inconsistent",
      details: { expected_offset: 100 },
    });
    expect(await at.client.session(at.handle, at.id)).not.toHaveProperty("size");
  });
});

describe("decision 4: a body of another length than its range", () => {
  it("is refused from the head alone, before anything of it is read, and nothing changes", async () => {
    const at = await beginWith(10);
    const hanging = at.client.begin("PUT", pathOf(at), bytes(10, 12), 1000, { "content-range": "10-19" });
    const answer = await hanging.answer;
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body.toString()).error).toMatchObject({
      code: "content_length_mismatch",
      details: { range_length: 10, content_length: 1000 },
    });
    expect(await at.offset()).toBe(10);
    expect(await at.client.session(at.handle, at.id)).toMatchObject({ parts: 1 });
  });

  it("by chunks that go on behind the range is dropped", async () => {
    const at = await beginWith(10);
    for (const chunks of [[bytes(10, 21)], [bytes(10, 20), bytes(20, 21)], [bytes(10, 15), bytes(15, 4096)]]) {
      expect(await refused(putChunked(at, "10-19", chunks))).toMatchObject({
        status: 400,
        code: "content_length_mismatch",
        headers: { "upload-offset": "10" },
      });
      expect(await at.offset()).toBe(10);
    }
    expect(await refused(putChunked(at, "10-19/20", [bytes(10, 21)]))).toMatchObject({
      code: "content_length_mismatch",
    });
    expect(await at.offset()).toBe(10);
    expect((await putChunked(at, "10-19", [bytes(10, 13), bytes(13, 20)])).status).toBe(200);
    expect(await saved(at)).toEqual(bytes(0, 20));
  });

  it("by chunks that repeat more than the range is refused, too", async () => {
    const at = await beginWith(100);
    expect(await refused(putChunked(at, "10-19", [bytes(10, 30)]))).toMatchObject({ code: "content_length_mismatch" });
    expect(await refused(putChunked(at, "10-19", [bytes(10, 200)]))).toMatchObject({ code: "content_length_mismatch" });
    expect(await at.offset()).toBe(100);
  });

  it("by chunks that end before the range does keeps what came", async () => {
    const at = await beginWith(10);
    const told = await refused(putChunked(at, "10-29", [bytes(10, 15)]));
    expect(told).toMatchObject({ status: 400, code: "content_length_mismatch", details: { expected_offset: 15 } });
    expect(told.headers["upload-offset"]).toBe("15");
    expect((await put(at, "10-29", bytes(10, 30))).status).toBe(200);
    expect(await saved(at)).toEqual(bytes(0, 30));
  });
});

describe("decision 5: a part whose client vanishes", () => {
  /** A process that tells how many bytes have come there, and a client of it. */
  async function useTold(version: (typeof httpVersions)[number]) {
    const told = { bytes: 0 };
    const process = await scene.startProcess((uploads) => ({
      ...uploads,
      async writePart(input, call) {
        async function* body() {
          for await (const chunk of input.body) {
            told.bytes += chunk.length;
            yield chunk;
          }
        }
        return uploads.writePart({ ...input, body: body() }, call);
      },
    }));
    const client = await scene.client(undefined, { version }, process);
    const untilCame = async (bytes: number) => {
      while (told.bytes < bytes) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    return { client, untilCame };
  }

  it.each(httpVersions)(
    "leaves what came of it, and whoever sends it again goes on from there (HTTP/%s)",
    async (version) => {
      const { client, untilCame } = await useTold(version);
      const at = await scene.begin(undefined, { client });
      const hanging = client.beginPart(at.handle, at.id, 0, 4096, bytes(0, 1000));
      await untilCame(1000);
      hanging.cut();
      await untilStored(at, 1000);
      expect((await put(at, "0-4095", content)).status).toBe(200);
      expect(await saved(at)).toEqual(content);
    },
  );

  it("is all or nothing where it came with a digest", async () => {
    const { client, untilCame } = await useTold("1.1");
    const at = await scene.begin(undefined, { client });
    const digest = createHash("sha256").update(content).digest("base64");
    const headers = { "content-range": "0-4095", "content-digest": `sha-256=:${digest}:` };
    const hanging = client.begin("PUT", pathOf(at), bytes(0, 1000), 4096, headers);
    await untilCame(1000);
    hanging.cut();
    // Whoever comes next finds nothing to repeat.
    expect((await put(at, "0-9", other(10))).status).toBe(200);
    expect(await at.offset()).toBe(10);
  });
});

describe("decision 6: a part that leaves a gap", () => {
  it("is refused with the expected offset, before its body is read, and nothing is stored", async () => {
    const at = await beginWith(10);
    for (const from of [11, 20, 2 ** 30]) {
      const hanging = at.client.beginPart(at.handle, at.id, from, 2 ** 30, bytes(0, 10));
      const { status, headers, body } = await hanging.answer;
      expect([status, headers["upload-offset"]]).toEqual([416, "10"]);
      expect(JSON.parse(body.toString()).error).toMatchObject({
        code: "range_not_satisfiable",
        status: 416,
        details: { expected_offset: 10, provided_offset: from },
      });
    }
    expect(await at.offset()).toBe(10);
  });

  it("never becomes an object with bytes that nobody sent", async () => {
    const at = await scene.begin({ size: 10 });
    expect(await refused(put(at, "bytes 5-9/10", Buffer.from("WORLD")))).toMatchObject({ status: 416 });
    expect(await refusalOf(at.client.save(at.handle, at.id))).toMatchObject({ status: 409, code: "incomplete" });
    expect(await scene.objectsOf(at.entity)).toEqual([]);
  });
});

describe("decision 7: a part that repeats", () => {
  it("what is stored already gets the same good answer, and changes nothing", async () => {
    const at = await beginWith(100);
    for (const [from, to] of [
      [0, 100],
      [0, 1],
      [99, 100],
      [40, 60],
    ] as const) {
      const answer = await put(at, `${from}-${to - 1}`, bytes(from, to));
      expect([answer.status, JSON.parse(answer.text).session.offset]).toEqual([200, 100]);
    }
    expect(await saved(at)).toEqual(bytes(0, 100));
  });

  it("and goes on behind it adds what is new", async () => {
    const at = await beginWith(100);
    expect((await put(at, "40-149", bytes(40, 150))).headers["upload-offset"]).toBe("150");
    expect((await put(at, "0-199", bytes(0, 200))).headers["upload-offset"]).toBe("200");
    expect(await saved(at)).toEqual(bytes(0, 200));
  });

  it("other bytes than the stored ones is a conflict, of which nothing is stored", async () => {
    const at = await beginWith(100);
    const wrong = Uint8Array.from(bytes(40, 150));
    wrong[59]! ^= 1;
    for (const [range, body] of [
      ["0-99", other(100)],
      ["40-99", wrong.subarray(0, 60)],
      ["40-149", wrong],
    ] as const) {
      expect(await refused(put(at, range, body))).toMatchObject({ status: 409, code: "part_conflict" });
    }
    expect(await at.offset()).toBe(100);
    expect(await saved(at)).toEqual(bytes(0, 100));
  });

  it("is refused with the expected offset, unread, where the server is set so", async () => {
    const at = await beginWith(100, undefined, rejecting);
    for (const from of [0, 99]) {
      const { status, headers, body } = await at.client.beginPart(at.handle, at.id, from, 2 ** 20, bytes(0, 1)).answer;
      expect([status, headers["upload-offset"]]).toEqual([416, "100"]);
      const { details } = JSON.parse(body.toString()).error;
      expect(details).toEqual({ expected_offset: 100, provided_offset: from });
    }
    expect((await put(at, "100-199", bytes(100, 200))).status).toBe(200);
    await at.client.save(at.handle, at.id);
    expect(await refused(put(at, "0-99", bytes(0, 100)))).toMatchObject({ status: 409, code: "already_saved" });
  });
});

describe("decision 8: two writers at once", () => {
  it("hand over: the older one is told, what it brought durably stays, and the newer one goes on at once", async () => {
    const at = await beginWith(100);
    const first = at.client.beginPart(at.handle, at.id, 100, 1000, bytes(100, 300));
    while ((await at.client.session(at.handle, at.id)).parts !== 2) await new Promise(setImmediate);
    const second = await put(at, "100-1099", bytes(100, 1100));
    expect(second.status).toBe(200);
    const told = await first.answer;
    expect([told.status, JSON.parse(told.body.toString()).error.code]).toEqual([409, "superseded"]);
    expect(await saved(at)).toEqual(bytes(0, 1100));
  });

  it("by a save: the part is cut, and what was stored is saved", async () => {
    const at = await beginWith(100);
    const hanging = at.client.beginPart(at.handle, at.id, 100, 1000, bytes(100, 300));
    while ((await at.client.session(at.handle, at.id)).parts !== 2) await new Promise(setImmediate);
    expect(await saved(at)).toEqual(bytes(0, 100));
    const told = await hanging.answer;
    expect([told.status, JSON.parse(told.body.toString()).error.code]).toEqual([409, "superseded"]);
  });

  it("send one content, however many there are", async () => {
    const at = await scene.begin();
    const parts = Array.from({ length: 64 }, (_, i) => [i * 64, i * 64 + 64] as const);
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        const client = await scene.client();
        for (const [from, to] of parts) {
          for (;;) {
            const range = { "content-range": `${from}-${to - 1}` };
            const answer = await client.ask("PUT", pathOf(at), { body: bytes(from, to), headers: range });
            if (answer.status === 200) break;
            expect([from, JSON.parse(answer.text).error.code]).toEqual([from, "superseded"]);
          }
        }
      }),
    );
    expect(await saved(at)).toEqual(content);
  });
});

describe("decision 22: a part's own digest", () => {
  const digest = (algorithm: string, of: Uint8Array) => createHash(algorithm).update(of).digest("base64");

  it.each<[string, (of: Uint8Array) => Record<string, string>]>([
    ["Content-Digest", (of) => ({ "content-digest": `sha-256=:${digest("sha256", of)}:` })],
    ["Upload-Checksum", (of) => ({ "upload-checksum": `sha1 ${digest("sha1", of)}` })],
    ["Content-MD5", (of) => ({ "content-md5": digest("md5", of) })],
  ])("%s is what the bytes hash to, or nothing of them is stored", async (_, headersOf) => {
    const at = await beginWith(100);
    const told = await refused(put(at, "100-199", bytes(100, 200), headersOf(other(1))));
    expect(told).toMatchObject({ status: 400, code: "digest_mismatch" });
    expect(told.details.declared).not.toBe(told.details.actual);
    expect(await at.offset()).toBe(100);
    expect((await put(at, "100-199", bytes(100, 200), headersOf(bytes(100, 200)))).status).toBe(200);
    // Of a repeat, too, and of one that is new in part.
    expect(await refused(put(at, "100-199", bytes(100, 200), headersOf(other(1))))).toMatchObject({ status: 400 });
    expect((await put(at, "150-299", bytes(150, 300), headersOf(bytes(150, 300)))).status).toBe(200);
    expect(await saved(at)).toEqual(bytes(0, 300));
  });
});

describe("decision 13: a part of a session that is saved", () => {
  it("is good where it repeats the content, and is refused with the object's id otherwise", async () => {
    const at = await beginWith(100);
    const { id } = await at.client.save(at.handle, at.id);
    for (const [from, to] of [
      [0, 100],
      [40, 60],
    ] as const) {
      const answer = await put(at, `${from}-${to - 1}`, bytes(from, to));
      expect([answer.status, answer.headers["upload-offset"]]).toEqual([200, "100"]);
    }
    const parts = [
      ["0-99", other(100)],
      ["50-149", bytes(50, 150)],
      ["100-109", bytes(100, 110)],
      ["200-209", bytes(200, 210)],
      ["0-99/101", bytes(0, 100)],
    ] as const;
    for (const [range, body] of parts) {
      expect(await refused(put(at, range, body))).toMatchObject({
        status: 409,
        code: "already_saved",
        details: { object_id: id },
      });
    }
    expect(await scene.contentOf(at.entity, id)).toEqual(bytes(0, 100));
  });
});

describe("decision 10: a part of a session that is not there", () => {
  it("is refused before its body is read: unknown ones with 404, those that are over with 410 and the reason", async () => {
    const at = await beginWith(10);
    const elsewhere = await scene.begin();
    for (const id of [crypto.randomUUID(), "x", "0".repeat(500)]) {
      const answer = await at.client.beginPart(at.handle, id, 0, 2 ** 30, bytes(0, 1)).answer;
      expect([id, answer.status]).toEqual([id, 404]);
    }
    const foreign = { ...elsewhere, id: at.id };
    expect(await refused(put(foreign, "10-19", bytes(10, 20)))).toMatchObject({ code: "session_not_found" });
    await at.client.cancel(at.handle, at.id);
    const gone = await at.client.beginPart(at.handle, at.id, 10, 2 ** 30, bytes(0, 1)).answer;
    expect(gone.status).toBe(410);
    expect(JSON.parse(gone.body.toString()).error).toMatchObject({
      code: "session_gone",
      details: { reason: "cancelled" },
    });
  });
});

describe("decision 18: a part", () => {
  it("is taken by a handle that is good for it alone", async () => {
    const at = await beginWith(10);
    const reading = await scene.reopen(at, undefined, "read");
    expect(await refused(put(reading, "10-19", bytes(10, 20)))).toMatchObject({
      status: 403,
      code: "handle_read_only",
    });
    expect(await reading.offset()).toBe(10);
  });
});

describe("decision 20: who may use a session", () => {
  it("is its user alone, by any login and any handle of the entity", async () => {
    const at = await beginWith(10);
    const other = await scene.reopen(at, scene.members.other);
    const admin = await scene.reopen(at, scene.members.admin);
    for (const stranger of [other, admin]) {
      expect(await refused(put(stranger, "10-19", bytes(10, 20)))).toMatchObject({
        status: 404,
        code: "session_not_found",
      });
      expect(await refusalOf(stranger.offset())).toMatchObject({ status: 404, code: "session_not_found" });
      expect(await refusalOf(stranger.client.save(stranger.handle, at.id))).toMatchObject({ status: 404 });
    }
    const again = await scene.reopen(at);
    expect((await put(again, "10-19", bytes(10, 20))).status).toBe(200);
    expect(await saved(again)).toEqual(bytes(0, 20));
  });

  it("goes on under the new handle when the old one is closed after it was taken over", async () => {
    const at = await beginWith(10);
    const again = await scene.reopen(at);
    expect((await put(again, "10-19", bytes(10, 20))).status).toBe(200);
    await at.client.closeEntity(at.handle);
    expect((await put(again, "20-29", bytes(20, 30))).status).toBe(200);
    await again.client.closeEntity(again.handle);
    const third = await scene.reopen(at);
    expect(await refused(put(third, "30-39", bytes(30, 40)))).toMatchObject({
      status: 410,
      code: "session_gone",
      details: { reason: "entity_closed" },
    });
  });
});
