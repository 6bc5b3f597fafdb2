import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import type { BlobKey } from "../../../src/core/index.js";
import { bodyOf, pseudoRandom, sendWhole } from "../../support/bodies.js";
import { contentOf, cutBytes, flipBit, removeBytes } from "../../support/check.js";
import { type HttpAnswer, httpVersions } from "../../support/http.js";
import { readBack, startSession, statusOf } from "../../support/uploads.js";
import { useCapabilities } from "./capability-scene.js";

const scene = useCapabilities();
const content = pseudoRandom(300_000);
const hex = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const digest = (bytes: Uint8Array, algorithm = "sha256") =>
  `${algorithm === "sha256" ? "sha-256" : "sha-512"}=:${createHash(algorithm).update(bytes).digest("base64")}:`;
const whole = (bytes: Uint8Array) => ({
  "cache-control": "no-store",
  "upload-offset": String(bytes.length),
  "upload-complete": "?1",
  "upload-length": String(bytes.length),
  etag: `"${hex(bytes)}"`,
});
const partly = (offset: number, length?: number) => ({
  "cache-control": "no-store",
  "upload-offset": String(offset),
  "upload-complete": "?0",
  ...(length === undefined ? {} : { "upload-length": String(length) }),
});
const empty = { "content-length": "0" };
const append = (offset: number, more: Record<string, string> = {}) => ({
  "content-type": "application/partial-upload",
  "upload-offset": String(offset),
  ...more,
});
const tell = (answer: HttpAnswer) => ({
  status: answer.status,
  headers: answer.headers,
  body: answer.body.toString("utf8"),
});
const problemHeaders = (body: string, more: Record<string, string> = {}) => ({
  "content-type": "application/problem+json",
  "cache-control": "no-store",
  "content-length": String(Buffer.byteLength(body)),
  ...more,
});
/** The whole of an answer that refuses. */
const refusal = (body: Record<string, unknown>, more: Record<string, string> = {}) => {
  const text = `${JSON.stringify(body)}\n`;
  return { status: body.status, headers: problemHeaders(text, more), body: text };
};
const nowhere = {
  type: "about:blank",
  title: "Not Found",
  status: 404,
  detail: "this URL leads nowhere, or no longer; whoever gave it may have another one",
};

describe.each(httpVersions)("a capability URL over HTTP/%s", (version) => {
  const ask: (typeof scene.clients)["2"]["ask"] = (request) => scene.clients[version].ask(request);
  const begin: (typeof scene.clients)["2"]["begin"] = (...all) => scene.clients[version].begin(...all);
  const status = (place: { sessionId: string; fileId: string }) =>
    statusOf(scene.opened.uploads, scene.opened.alice, place);

  it.each(["PUT", "POST"])("takes all of the content by %s, and the same again as a repeat (P4)", async (method) => {
    const { path, ...place } = await scene.offer();
    const headers = { "content-type": "text/ovf", authorization: "Bearer whatever" };
    const first = await ask({ method, path, headers, body: content });
    expect(tell(first)).toEqual({ status: 201, headers: { ...whole(content), ...empty }, body: "" });
    expect(Buffer.compare(await readBack(scene.opened.uploads, scene.opened.alice, place), content)).toBe(0);
    const again = await ask({ method, path, body: content });
    expect(tell(again)).toEqual({ status: 200, headers: { ...whole(content), ...empty }, body: "" });
    const other = await ask({ method, path, body: pseudoRandom(300_000, 2) });
    expect(tell(other)).toEqual(
      refusal({
        type: "about:blank",
        title: "Conflict",
        status: 409,
        detail: "the part differs from the stored bytes at offset 0",
        code: "conflict",
        reason: "BYTES_DIFFER",
      }),
    );
  });

  it("takes content of no bytes", async () => {
    const { path } = await scene.offer();
    const answer = await ask({ method: "PUT", path, body: new Uint8Array(0) });
    expect(tell(answer)).toEqual({ status: 201, headers: { ...whole(new Uint8Array(0)), ...empty }, body: "" });
  });

  it("refuses all of the content when its length is not the declared size, before it is sent", async () => {
    const { path, ...place } = await scene.offer({ sizeBytes: 300_001 });
    const answer = await ask({ method: "PUT", path, body: content });
    expect(tell(answer)).toEqual(
      refusal({
        type: "about:blank",
        title: "Bad Request",
        status: 400,
        detail: 'size of "a.bin" was declared as 300001, now as 300000',
        code: "invalid",
        reason: "SIZE_DIFFERS",
        declared: "300001",
        actual: "300000",
      }),
    );
    expect(await status(place)).toBe(0);
  });

  it("takes ranges by PUT, in order, and tells where the next one belongs", async () => {
    const { path } = await scene.offer();
    const put = (from: number, to: number, size: string) =>
      ask({
        method: "PUT",
        path,
        headers: { "content-range": `bytes ${from}-${to - 1}/${size}` },
        body: content.subarray(from, to),
      });
    expect(tell(await put(0, 100_000, "*"))).toEqual({ status: 204, headers: partly(100_000), body: "" });
    expect(tell(await put(200_000, 300_000, "300000"))).toEqual(
      refusal(
        {
          type: "https://iana.org/assignments/http-problem-types#mismatching-upload-offset",
          title: "offset from request does not match offset of resource",
          status: 409,
          detail: 'file "a.bin" has 100000 bytes, a part at 200000 would leave a gap',
          code: "offset_mismatch",
          reason: "OFFSET_UNEXPECTED",
          "expected-offset": 100_000,
        },
        { "upload-offset": "100000" },
      ),
    );
    expect(tell(await put(50_000, 200_000, "300000"))).toMatchObject({
      status: 204,
      headers: partly(200_000, 300_000),
    });
    expect(tell(await put(200_000, 300_000, "300000"))).toMatchObject({ status: 201, headers: whole(content) });
  });

  it("appends parts by PATCH, compares what is sent again, and finishes where the client says so (P4, P11)", async () => {
    const { path, ...place } = await scene.offer();
    const patch = (from: number, to: number, more: Record<string, string> = {}) =>
      ask({ method: "PATCH", path, headers: append(from, more), body: content.subarray(from, to) });
    expect(tell(await patch(0, 1000))).toEqual({ status: 204, headers: partly(1000), body: "" });
    expect(tell(await patch(500, 2000, { "upload-complete": "?0" }))).toMatchObject({ headers: partly(2000) });
    expect(tell(await patch(2001, 3000))).toEqual(
      refusal(
        {
          type: "https://iana.org/assignments/http-problem-types#mismatching-upload-offset",
          title: "offset from request does not match offset of resource",
          status: 409,
          detail: 'file "a.bin" has 2000 bytes, a part at 2001 would leave a gap',
          code: "offset_mismatch",
          reason: "OFFSET_UNEXPECTED",
          "expected-offset": 2000,
        },
        { "upload-offset": "2000" },
      ),
    );
    const other = await ask({ method: "PATCH", path, headers: append(1999), body: pseudoRandom(10, 5) });
    expect(other.status).toBe(409);
    expect(await status(place)).toBe(2000);
    const last = await patch(2000, 300_000, { "upload-complete": "?1" });
    expect(tell(last)).toEqual({ status: 201, headers: { ...whole(content), ...empty }, body: "" });
    expect((await patch(2000, 300_000, { "upload-complete": "?1" })).status).toBe(200);
  });

  it("finishes by a last part of no bytes, and by the declared size without a word", async () => {
    const { path } = await scene.offer();
    await ask({ method: "PATCH", path, headers: append(0), body: content });
    const none = new Uint8Array(0);
    const last = await ask({
      method: "PATCH",
      path,
      headers: append(300_000, { "upload-complete": "?1" }),
      body: none,
    });
    expect(tell(last)).toMatchObject({ status: 201, headers: whole(content) });
    const sized = await scene.offer({ sizeBytes: 300_000 });
    const full = await ask({ method: "PATCH", path: sized.path, headers: append(0), body: content });
    expect(tell(full)).toMatchObject({ status: 201, headers: whole(content) });
  });

  it("goes on after a cut: HEAD tells the offset, PATCH sends the rest (P3)", async () => {
    const big = pseudoRandom(20 * 2 ** 20);
    const { path, ...place } = await scene.offer();
    const put = begin({ method: "PUT", path }, big.subarray(0, 9_000_000), big.length);
    await vi.waitFor(async () => expect(await status(place)).not.toBe(0), { timeout: 10_000, interval: 50 });
    put.cut();
    await expect(put.answer).rejects.toThrow();
    let offset = -1;
    await vi.waitFor(async () => {
      const { headers } = await ask({ method: "HEAD", path });
      expect(headers["upload-offset"]).toBe("9000000");
      offset = Number(headers["upload-offset"]);
    });
    const head = await ask({ method: "HEAD", path });
    expect(tell(head)).toEqual({ status: 204, headers: partly(9_000_000, big.length), body: "" });
    const rest = await ask({
      method: "PATCH",
      path,
      headers: append(offset, { "upload-complete": "?1", "repr-digest": digest(big) }),
      body: big.subarray(offset),
    });
    expect(tell(rest)).toMatchObject({ status: 201, headers: whole(big) });
    expect(tell(await ask({ method: "HEAD", path }))).toEqual({ status: 204, headers: whole(big), body: "" });
    const got = await ask({ method: "GET", path });
    expect(Buffer.compare(got.body, big)).toBe(0);
    expect(scene.unexpected).toEqual([]);
  });

  it("checks a digest of a part, which is all or nothing, and of the whole (P6)", async () => {
    const { path, ...place } = await scene.offer();
    const wrong = pseudoRandom(300_000, 3);
    const part = (headers: Record<string, string>, body = content) => ask({ method: "PATCH", path, headers, body });
    const broken = await part(append(0, { "content-digest": digest(wrong) }));
    expect(JSON.parse(broken.body.toString())).toEqual({
      type: "about:blank",
      title: "Bad Request",
      status: 400,
      detail: `sha256 of the part at 0 is ${hex(content)}, declared was ${hex(wrong)}`,
      code: "checksum_mismatch",
      reason: "CHECKSUM_DIFFERS",
      declared: hex(wrong),
      actual: hex(content),
    });
    expect(await status(place)).toBe(0);
    const both = `${digest(wrong)}, ${digest(content, "sha512")}`;
    expect((await part(append(0, { "content-digest": both }))).status).toBe(204);
    const last = append(300_000, { "upload-complete": "?1" });
    const failed = await part({ ...last, "repr-digest": digest(wrong) }, new Uint8Array(0));
    expect(JSON.parse(failed.body.toString())).toMatchObject({ status: 400, reason: "CHECKSUM_DIFFERS" });
    expect((await ask({ method: "HEAD", path })).status).toBe(404);
    const next = await scene.pathOf(place);
    const headers = { "repr-digest": digest(content, "sha512"), "content-digest": digest(content) };
    expect((await ask({ method: "PUT", path: next, headers, body: content })).status).toBe(201);
    const repeat = { "repr-digest": digest(content, "sha512") };
    expect((await ask({ method: "PUT", path: next, headers: repeat, body: content })).status).toBe(200);
  });

  it("gives the content back, whole or a range of it, as a download", async () => {
    const { path } = await scene.offer({ name: 'Bücher "2".html', mediaType: "text/html" });
    expect(tell(await ask({ method: "GET", path }))).toEqual(
      refusal({
        type: "about:blank",
        title: "Conflict",
        status: 409,
        detail: 'file "Bücher \\"2\\".html" has no whole content yet',
        code: "incomplete",
        reason: "NO_CONTENT",
        "expected-offset": 0,
      }),
    );
    await ask({ method: "PUT", path, body: content });
    const common = {
      "content-type": "text/html",
      "content-disposition": "attachment; filename=\"B_cher _2_.html\"; filename*=UTF-8''B%C3%BCcher%20%222%22.html",
      "x-content-type-options": "nosniff",
      "accept-ranges": "bytes",
      etag: `"${hex(content)}"`,
      "cache-control": "private, no-cache",
    };
    const all = await ask({ method: "GET", path });
    expect([all.status, all.headers]).toEqual([200, { ...common, "content-length": "300000" }]);
    expect(Buffer.compare(all.body, content)).toBe(0);
    const headers = { range: "bytes=1000-1999", "if-range": common.etag };
    const some = await ask({ method: "GET", path, headers });
    const ranged = { "content-length": "1000", "content-range": "bytes 1000-1999/300000" };
    expect([some.status, some.headers]).toEqual([206, { ...common, ...ranged }]);
    expect(Buffer.compare(some.body, content.subarray(1000, 2000))).toBe(0);
    const stale = await ask({ method: "GET", path, headers: { ...headers, "if-range": '"other"' } });
    expect([stale.status, stale.body.length]).toEqual([200, 300_000]);
    const past = await ask({ method: "GET", path, headers: { range: "bytes=300000-" } });
    expect(tell(past)).toEqual(
      refusal(
        { type: "about:blank", title: "Range Not Satisfiable", status: 416, detail: "there are 300000 bytes" },
        { "content-range": "bytes */300000" },
      ),
    );
  });

  it.each([
    ["no offset", "PATCH", { "content-type": "application/partial-upload" }, 400, "Upload-Offset is missing"],
    [
      "an offset that is no number",
      "PATCH",
      append("1e3" as never),
      400,
      'Upload-Offset must be a whole number from 0 to 2^53-1, not "1e3"',
    ],
    [
      "another type",
      "PATCH",
      { ...append(0), "content-type": "text/plain" },
      415,
      "a part is application/partial-upload or application/offset+octet-stream or application/octet-stream",
    ],
    [
      "a marker that is neither",
      "PATCH",
      append(0, { "upload-complete": "1" }),
      400,
      "Upload-Complete must be ?1 or ?0",
    ],
    [
      "a length that contradicts",
      "PATCH",
      append(0, { "upload-complete": "?1", "upload-length": "9" }),
      400,
      "Upload-Length is 9, the last part ends at 4",
    ],
    [
      "an offset by a method for the whole",
      "PUT",
      { "upload-offset": "0" },
      400,
      "PUT sends all of the content; a part goes by PATCH, or with Content-Range",
    ],
    [
      "a marker of a part by such a method",
      "POST",
      { "upload-complete": "?0" },
      400,
      "POST sends all of the content; a part goes by PATCH, or with Content-Range",
    ],
    ["a range that is none", "PUT", { "content-range": "bytes */4" }, 400, 'Content-Range names no bytes: "bytes */4"'],
    [
      "a range of another length",
      "PUT",
      { "content-range": "bytes 0-4/9" },
      400,
      "Content-Range is about 5 bytes, the body has 4",
    ],
    [
      "a range that is malformed",
      "PUT",
      { "content-range": "0-3/4" },
      400,
      'Content-Range must be bytes FIRST-LAST/SIZE, with * for a size that is not known, not "0-3/4"',
    ],
    ["a coding", "PUT", { "content-encoding": "gzip" }, 415, "content is taken as it is, without a coding"],
    [
      "a digest that is malformed",
      "PUT",
      { "repr-digest": "sha-256=abc" },
      400,
      'Repr-Digest must be like sha-256=:BASE64:, not "sha-256=abc"',
    ],
    [
      "digests of which none is known",
      "PUT",
      { "content-digest": "md5=:AAAA:" },
      415,
      "Content-Digest has no digest by sha-256 or sha-512",
    ],
  ])("refuses %s", async (_what, method, headers, code, detail) => {
    const { path, ...place } = await scene.offer();
    const answer = await ask({ method, path, headers, body: pseudoRandom(4) });
    expect(JSON.parse(answer.body.toString())).toMatchObject({ type: "about:blank", status: code, detail });
    expect(answer.status).toBe(code);
    expect(await status(place)).toBe(0);
  });

  it("tells which methods there are", async () => {
    const { path } = await scene.offer();
    const allow = "GET, HEAD, PUT, POST, PATCH, OPTIONS";
    const options = await ask({ method: "OPTIONS", path });
    expect(tell(options)).toEqual({
      status: 204,
      headers: { allow, "accept-patch": "application/partial-upload" },
      body: "",
    });
    expect(tell(await ask({ method: "DELETE", path }))).toEqual(
      refusal(
        { type: "about:blank", title: "Method Not Allowed", status: 405, detail: `DELETE is not one of ${allow}` },
        { allow },
      ),
    );
  });

  it("made for reading lets nobody write, and may be used by who may only read", async () => {
    const { alice } = scene.opened;
    const { path: uploadPath, ...place } = await scene.offer();
    await ask({ method: "PUT", path: uploadPath, body: content });
    const path = await scene.readingPathOf(place, new Date(Date.now() + 60_000));
    const allow = "GET, HEAD, OPTIONS";
    for (const method of ["PUT", "POST", "PATCH"]) {
      expect(tell(await ask({ method, path, headers: append(0), body: content }))).toEqual(
        refusal(
          { type: "about:blank", title: "Method Not Allowed", status: 405, detail: `${method} is not one of ${allow}` },
          { allow },
        ),
      );
    }
    scene.callers.set(alice.caller.userId, { caller: { ...alice.caller, permissions: new Set(["read"]) } });
    try {
      expect((await ask({ method: "GET", path })).body.compare(content)).toBe(0);
      expect(tell(await ask({ method: "HEAD", path }))).toEqual({ status: 204, headers: whole(content), body: "" });
    } finally {
      scene.callers.set(alice.caller.userId, alice);
    }
    const late = await scene.readingPathOf(place, new Date(Date.now() - 2_000));
    expect(tell(await ask({ method: "GET", path: late }))).toEqual(refusal(nowhere));
  });

  it("that is forged, or of nothing, answers every method alike (P9)", async () => {
    const { path } = await scene.offer();
    const forged = path.slice(0, -1) + (path.endsWith("A") ? "B" : "A");
    const paths = [forged, "/t/", "/t/x", `${path}x`, `${path}/`, `${path}%20`];
    for (const method of ["GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"]) {
      for (const each of paths) expect(tell(await ask({ method, path: each }))).toEqual(refusal(nowhere));
    }
  });

  it("is dead when the file gets another attempt, when it is gone, and when its session is", async () => {
    const { uploads, alice } = scene.opened;
    const { path, ...place } = await scene.offer();
    const dead = async (of: string) => {
      for (const method of ["PUT", "GET"]) {
        const body = method === "PUT" ? { body: content } : {};
        expect(tell(await ask({ method, path: of, ...body }))).toEqual(refusal(nowhere));
      }
    };
    await ask({ method: "PUT", path, body: content });
    expect(await scene.pathOf(place)).toBe(path);
    await uploads.writePart({ ...place, offset: 0, restart: true, body: bodyOf([content.subarray(0, 5)]) }, alice);
    await dead(path);
    const next = await scene.pathOf(place);
    expect((await ask({ method: "HEAD", path: next })).headers).toEqual(partly(5, 300_000));
    // The former content stays readable in the session, not through a URL of the attempt that is not whole.
    expect((await ask({ method: "GET", path: next })).status).toBe(409);
    await uploads.removeFile(place, alice);
    await dead(next);
    const session = await startSession(uploads, alice);
    const other = await scene.offer({ sessionId: session.id });
    await uploads.cancelSession({ sessionId: session.id }, alice);
    expect(JSON.parse((await ask({ method: "PUT", path: other.path, body: content })).body.toString())).toMatchObject({
      status: 409,
      reason: "SESSION_STATE",
    });
    await uploads.deleteSession({ sessionId: session.id }, alice);
    await dead(other.path);
  });

  it.each([
    ["an extent that is gone", 300_000, removeBytes],
    ["an extent that was cut", 300_000, (dataDir: string, key: BlobKey) => cutBytes(dataDir, key, 1_000)],
    ["small content with a flipped bit", 3_000, flipBit],
  ])("answers 500 for %s, and never content that breaks off at once", async (_what, length, harm) => {
    const { opened } = scene;
    const { path, fileId } = await scene.offer();
    await ask({ method: "PUT", path, body: content.subarray(0, length) });
    await harm(opened.dataDir, (await contentOf(opened.metadata, fileId)).extents[0]!.blobKey);
    for (const headers of [{}, { range: "bytes=1-" }]) {
      const answer = await ask({ method: "GET", path, headers });
      expect([answer.status, answer.headers]).toEqual([500, problemHeaders(answer.body.toString())]);
      expect(JSON.parse(answer.body.toString())).toEqual({
        type: "about:blank",
        title: "Internal Server Error",
        status: 500,
        detail: expect.stringContaining("are damaged"),
        code: "damaged",
        reason: "CONTENT_DAMAGED",
      });
    }
    const damage = expect.objectContaining({ code: "damaged" });
    expect(scene.unexpected.splice(0)).toEqual([damage, damage]);
  });

  it("breaks off where bytes are gone behind others, so that nobody takes what came for all of it", async () => {
    const { opened } = scene;
    const { path, ...place } = await scene.offer();
    for (const [offset, end] of [
      [0, 150_000],
      [150_000, 300_000],
    ] as const) {
      const body = bodyOf([content.subarray(offset, end)]);
      const ending = () => ({ finish: end === 300_000 });
      await opened.uploads.writePart({ ...place, offset, body, ending }, opened.alice);
    }
    const [, second] = (await contentOf(opened.metadata, place.fileId)).extents;
    await removeBytes(opened.dataDir, second!.blobKey);
    await expect(ask({ method: "GET", path })).rejects.toThrow();
    expect((await ask({ method: "GET", path, headers: { range: "bytes=0-149999" } })).status).toBe(206);
    expect((await ask({ method: "GET", path, headers: { range: "bytes=150000-" } })).status).toBe(500);
    // Whoever looks after the server is told.
    const lost = expect.objectContaining({ code: "damaged" });
    expect(scene.unexpected.splice(0)).toEqual([lost, lost]);
  });

  it("acts as the user it was made for, and is dead when they may no longer upload or are gone", async () => {
    const { alice } = scene.opened;
    const { path } = await scene.offer();
    const { userId } = alice.caller;
    try {
      scene.callers.set(userId, { caller: { ...alice.caller, permissions: new Set(["read"]) } });
      expect(tell(await ask({ method: "PUT", path, body: content }))).toEqual(refusal(nowhere));
      expect((await ask({ method: "HEAD", path })).status).toBe(404);
      scene.callers.delete(userId);
      expect(tell(await ask({ method: "GET", path }))).toEqual(refusal(nowhere));
    } finally {
      scene.callers.set(userId, alice);
    }
  });

  it("lets a second writer take over at once from one that is silent (P7)", async () => {
    const { path, ...place } = await scene.offer();
    const silent = begin({ method: "PUT", path }, content.subarray(0, 1000), content.length);
    const state = async () => (await scene.opened.uploads.getFile(place, scene.opened.alice)).file.state;
    await vi.waitFor(async () => expect(await state()).toBe("transferring"));
    const began = performance.now();
    expect((await ask({ method: "PUT", path, body: content })).status).toBe(201);
    expect(performance.now() - began).toBeLessThan(5000);
    const told = await silent.answer;
    expect(JSON.parse(told.body.toString())).toEqual({
      type: "about:blank",
      title: "Conflict",
      status: 409,
      detail: "a newer writer, or the end of the session, took over this file",
      code: "superseded",
      reason: "WRITER_SUPERSEDED",
    });
    expect((await ask({ method: "GET", path })).body.compare(content)).toBe(0);
  });
});

describe("the end of a body (P11)", () => {
  it("finishes a file over HTTP/1.1 at the last chunk, and not when a chunked body is cut", async () => {
    const { path, ...place } = await scene.offer();
    const { uploads, alice } = scene.opened;
    const client = scene.clients["1.1"];
    const put = client.begin({ method: "PUT", path }, content.subarray(0, 1000));
    const state = async () => (await uploads.getFile(place, alice)).file.state;
    await vi.waitFor(async () => expect(await state()).toBe("transferring"));
    await sleep(50);
    put.cut();
    await vi.waitFor(async () => expect(await statusOf(uploads, alice, place)).toBe(1000));
    expect(await state()).toBe("transferring");
    const answer = await client.ask({ method: "PUT", path, body: sendWhole(content) });
    expect(answer.status).toBe(201);
    const none = await scene.offer();
    expect((await client.ask({ method: "PUT", path: none.path, body: sendWhole(new Uint8Array(0)) })).status).toBe(201);
  });

  it("over HTTP/1.1 without a length and without chunks is no content", async () => {
    const { path } = await scene.offer();
    const { connect } = await import("node:net");
    const socket = connect(Number(new URL(scene.url).port), "127.0.0.1");
    socket.write(`PUT ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    let text = "";
    for await (const data of socket) text += String(data);
    expect(text).toMatch(/^HTTP\/1\.1 411 Length Required/);
  });

  it.each(["PUT", "POST", "PATCH"])("over HTTP/2 has to be announced for %s", async (method) => {
    const { path } = await scene.offer();
    const headers = append(0, { "upload-complete": "?1" });
    const own: Record<string, string> = method === "PATCH" ? headers : {};
    const answer = await scene.clients["2"].ask({ method, path, headers: own, body: sendWhole(content) });
    expect(tell(answer)).toEqual(
      refusal({
        type: "about:blank",
        title: "Length Required",
        status: 411,
        detail: "over HTTP/2 the length of a body has to be announced",
      }),
    );
  });

  it("is not the content's when an HTTP/2 stream is cancelled, with whatever code", async () => {
    const { uploads, alice } = scene.opened;
    const { path, ...place } = await scene.offer({ sizeBytes: content.length });
    const put = scene.clients["2"].begin({ method: "PUT", path }, content.subarray(0, 1000), content.length);
    await vi.waitFor(async () => expect((await uploads.getFile(place, alice)).file.state).toBe("transferring"));
    await sleep(50);
    put.cut();
    await vi.waitFor(async () => expect(await statusOf(uploads, alice, place)).toBe(1000));
    expect((await uploads.getFile(place, alice)).file.state).toBe("transferring");
  });
});

describe("a server", () => {
  it("answers what nobody foresaw with fixed text, and logs it", async () => {
    const before = scene.unexpected.length;
    const answer = await scene.clients["1.1"].ask({ method: "GET", path: "/elsewhere" });
    expect(JSON.parse(answer.body.toString())).toEqual({
      type: "about:blank",
      title: "Internal Server Error",
      status: 500,
      detail: "internal error",
    });
    expect(scene.unexpected.splice(before)).toEqual([new Error("a path that nobody foresaw")]);
  });

  it("asks a careful client for its content only when it will be taken", async () => {
    const { request } = await import("node:http");
    const { path } = await scene.offer({ sizeBytes: 5 });
    const careful = (length: number, body: Uint8Array) =>
      new Promise<{ continued: boolean; status: number | undefined }>((resolve, reject) => {
        let continued = false;
        const headers = { expect: "100-continue", "content-length": String(length) };
        const put = request(scene.url + path, { method: "PUT", headers, agent: false }, (answer) => {
          answer.resume();
          resolve({ continued, status: answer.statusCode });
          put.destroy();
        });
        put.on("continue", () => {
          continued = true;
          put.end(body);
        });
        put.on("error", reject);
        put.flushHeaders();
      });
    expect(await careful(6, pseudoRandom(6))).toEqual({ continued: false, status: 400 });
    expect(await careful(5, pseudoRandom(5))).toEqual({ continued: true, status: 201 });
  });

  it("that stops cuts what is under way and keeps what has arrived (P3)", async () => {
    const { uploads, alice } = scene.opened;
    const { path, ...place } = await scene.offer();
    const put = scene.clients["1.1"].begin({ method: "PUT", path }, content.subarray(0, 1000), content.length);
    await vi.waitFor(async () => expect((await uploads.getFile(place, alice)).file.state).toBe("transferring"));
    await sleep(50);
    scene.cut.abort(new Error("stopping"));
    const answer = await put.answer;
    expect([answer.status, answer.body.toString()]).toEqual([503, expect.stringContaining("the server is stopping")]);
    expect(await statusOf(uploads, alice, place)).toBe(1000);
  });
});
