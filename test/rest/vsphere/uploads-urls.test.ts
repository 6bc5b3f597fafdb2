// The URLs that content is sent to: who may use one, what counts as content, and what becomes of it on the way.
import { request as request1 } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Role } from "../../../gen/slipway/upload/v1/access_pb.js";
import { pseudoRandom, sendWhole } from "../../support/bodies.js";
import { type HttpClient, type HttpRequest, httpVersions, openHttp } from "../../support/http.js";
import { postgresAvailable } from "../../support/postgres.js";
import { send, type VsphereClient } from "../../support/vsphere.js";
import { logInAs, refused, type Refused, refusedBy, until, uploadUrlOf } from "./update-scene.js";
import { useVsphereServer, type VsphereServer } from "./vsphere-server.js";

const content = pseudoRandom(200_000);
const other = pseudoRandom(200_000, 2);
// The same for every URL that is of no use, whatever the reason.
const nowhere: Refused = [404, "not_found", "slipway.no_such_url", []];
const methods = ["PUT", "POST"] as const;

interface Place {
  readonly itemId: string;
  readonly id: string;
  readonly path: string;
  readonly uri: string;
}

/** A file that is to be pushed, in a session of its own. */
async function offer(scene: VsphereServer, spec: object = {}, vsphere: VsphereClient = scene.vsphere): Promise<Place> {
  const itemId = await scene.item();
  const id = await vsphere.createSession(itemId);
  const uri = uploadUrlOf(await vsphere.add(id, { name: "a.bin", source_type: "PUSH", ...spec }));
  return { itemId, id, uri, path: new URL(uri).pathname };
}

/** Completes the session, and reads what the item has then. */
async function finish({ vsphere }: VsphereServer, { id, itemId }: Place): Promise<Buffer> {
  await vsphere.act(id, "complete");
  return Buffer.from(await vsphere.download(itemId, "a.bin"));
}

const range = (from: number, to: number, size: number | "*" = content.length) => ({
  "content-range": `bytes ${from}-${to - 1}/${size}`,
});

/** Clients over both versions of HTTP. */
function useHttp(scene: VsphereServer): Record<"1.1" | "2", HttpClient> {
  const clients = {} as Record<"1.1" | "2", HttpClient>;
  beforeAll(
    () =>
      void Object.assign(clients, { "1.1": openHttp(scene.server.url, "1.1"), "2": openHttp(scene.server.url, "2") }),
  );
  afterAll(() => {
    for (const client of Object.values(clients)) client.close();
  });
  return clients;
}

const textOf = ({ status, body }: { status: number; body: Buffer }) => ({ status, text: body.toString() });

describe("content that is sent whole", () => {
  const scene = useVsphereServer();
  const http = useHttp(scene);

  for (const version of httpVersions) {
    it.each(methods)(`is taken by %s over HTTP/${version}, and answered 200 with an empty object`, async (method) => {
      const place = await offer(scene);
      const answer = await http[version].ask({ method, path: place.path, body: content });
      expect(answer).toEqual({
        status: 200,
        headers: expect.objectContaining({
          "content-type": "application/json",
          "cache-control": "no-store",
          "upload-offset": String(content.length),
        }),
        body: Buffer.from("{}"),
      });
      expect(await finish(scene, place)).toEqual(Buffer.from(content));
    });
  }

  it.each(methods)("is taken in chunks by %s, of which nobody knows the length before", async (method) => {
    const place = await offer(scene);
    const answer = await http["1.1"].ask({ method, path: place.path, body: sendWhole(content, [1, 70_000, 17]) });
    expect(answer.status).toBe(200);
    expect(await finish(scene, place)).toEqual(Buffer.from(content));
  });

  it("has to be announced over HTTP/2, where its end cannot be told from a cut", async () => {
    const { path } = await offer(scene);
    const answer = await http["2"].ask({ method: "PUT", path, body: sendWhole(content) });
    expect(refusedBy(textOf(answer)).slice(0, 2)).toEqual([411, "invalid_request"]);
  });

  it.each([
    ["an object of JSON", "application/json", '{"file_spec":{"name":"b"}}'],
    ["broken JSON", "application/json", '{"file_spec":'],
    [
      "a form with parts",
      "multipart/form-data; boundary=x",
      '--x\r\ncontent-disposition: form-data; name="f"\r\n\r\n1\r\n--x--',
    ],
    ["a form", "application/x-www-form-urlencoded", "a=1&b=2"],
    ["XML with a document type", "application/xml", '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'],
    ["an OVF", "text/ovf", "<Envelope/>"],
    ["no type that there is", "what ever", "x"],
  ])("is bytes, whatever its type says: %s", async (_what, type, text) => {
    for (const method of methods) {
      const place = await offer(scene);
      const answer = await send(place.uri, Buffer.from(text), { method, headers: { "content-type": type } });
      expect([answer.status, answer.text]).toEqual([200, "{}"]);
      expect((await finish(scene, place)).toString()).toBe(text);
    }
  });

  it.each<[string, Partial<HttpRequest>]>([
    ["announced as none", { headers: { "content-length": "0" } }],
    ["in no chunks", { body: sendWhole(new Uint8Array(0)) }],
  ])("may be no bytes at all, %s", async (_how, request) => {
    for (const method of methods) {
      const place = await offer(scene);
      const answer = await http["1.1"].ask({ method, path: place.path, ...request });
      expect(answer.status).toBe(200);
      expect(await scene.vsphere.file(place.id, "a.bin")).toMatchObject({ status: "READY", size: 0 });
      expect(await finish(scene, place)).toEqual(Buffer.alloc(0));
    }
  });

  it("needs nothing but the URL: a login beside it is not looked at, whoever's it is", async () => {
    const place = await offer(scene);
    for (const header of ["nonsense", scene.vsphere.token]) {
      const headers = { "vmware-api-session-id": header, authorization: "Basic bm9ib2R5Om5vYm9keQ==" };
      expect((await send(place.uri, content, { headers })).status).toBe(200);
    }
    expect((await send(place.uri.replace("/rest/", "/"), content)).status).toBe(200);
  });

  it("goes by no other method", async () => {
    const { uri } = await offer(scene);
    for (const method of ["PATCH", "DELETE"]) {
      const answer = await send(uri, content, { method });
      const allowed = answer.headers.get("allow")?.split(", ").sort();
      expect([answer.status, allowed]).toEqual([405, ["GET", "HEAD", "OPTIONS", "POST", "PUT"]]);
    }
  });
});

describe("a file that is sent again", () => {
  const scene = useVsphereServer({ env: { SLIPWAY_CHECKPOINT_INTERVAL: "50ms" } });
  const http = useHttp(scene);

  it("and was whole has the new content once that is whole, and not before", async () => {
    const place = await offer(scene);
    await send(place.uri, content);
    const sending = http["1.1"].begin({ method: "PUT", path: place.path }, other.subarray(0, 1000), other.length);
    await until(
      () => scene.vsphere.file(place.id, "a.bin"),
      ({ status }) => status === "TRANSFERRING",
    );
    expect(await refused(scene.vsphere.act(place.id, "complete"))).toEqual([
      400,
      "not_allowed_in_current_state",
      "com.vmware.vdcs.cls-main.update_session_file_not_received",
      ["a.bin", "TRANSFERRING"],
    ]);
    sending.cut();
    expect((await send(place.uri, other.subarray(0, 7))).status).toBe(200);
    expect(await scene.vsphere.file(place.id, "a.bin")).toMatchObject({ status: "READY", size: 7 });
    expect(await finish(scene, place)).toEqual(Buffer.from(other.subarray(0, 7)));
  });

  it("and broke off keeps what has come, tells how much that is, and goes on from there (P3)", async () => {
    const place = await offer(scene);
    const sending = http["1.1"].begin({ method: "PUT", path: place.path }, content.subarray(0, 70_000), content.length);
    await until(
      () => scene.vsphere.file(place.id, "a.bin"),
      ({ bytes_transferred: there }) => there === 70_000,
    );
    expect(await scene.vsphere.file(place.id, "a.bin")).toMatchObject({ status: "TRANSFERRING" });
    expect(await scene.vsphere.file(place.id, "a.bin")).not.toHaveProperty("size");
    sending.cut();
    const get = await fetch(place.uri);
    expect([get.status, get.headers.get("upload-offset")]).toEqual([200, "70000"]);
    expect(await get.json()).toEqual({ bytes_transferred: 70_000 });
    const head = await fetch(place.uri, { method: "HEAD" });
    expect([head.status, head.headers.get("upload-offset"), await head.text()]).toEqual([200, "70000", ""]);
    const rest = content.subarray(70_000);
    const answer = await send(place.uri, rest, { headers: range(70_000, content.length) });
    expect([answer.status, answer.headers.get("upload-offset")]).toEqual([200, String(content.length)]);
    expect(await finish(scene, place)).toEqual(Buffer.from(content));
  });

  it("without a range begins at zero, whatever has come before", async () => {
    const place = await offer(scene);
    const sending = http["1.1"].begin({ method: "PUT", path: place.path }, other.subarray(0, 70_000), other.length);
    await until(
      () => scene.vsphere.file(place.id, "a.bin"),
      ({ bytes_transferred: there }) => there > 0,
    );
    sending.cut();
    expect((await send(place.uri, content)).status).toBe(200);
    expect(await finish(scene, place)).toEqual(Buffer.from(content));
  });

  it("by two at once has the content of one of them: whoever came last goes on (P7)", async () => {
    const place = await offer(scene);
    const first = http["1.1"].begin({ method: "PUT", path: place.path }, other.subarray(0, 100_000), other.length);
    await until(
      () => scene.vsphere.file(place.id, "a.bin"),
      ({ status }) => status === "TRANSFERRING",
    );
    expect((await send(place.uri, content)).status).toBe(200);
    expect(refusedBy(textOf(await first.answer)).slice(0, 2)).toEqual([400, "not_allowed_in_current_state"]);
    expect(await finish(scene, place)).toEqual(Buffer.from(content));
  });

  it("by twelve at once has the content of one that was told so, and never a mixture (P7)", async () => {
    const place = await offer(scene);
    const contents = Array.from({ length: 12 }, (_, seed) => pseudoRandom(300_000, seed + 10));
    const answers = await Promise.all(contents.map((bytes) => send(place.uri, bytes)));
    expect(answers.filter(({ status }) => status !== 200 && status !== 400)).toEqual([]);
    const told = contents.filter((_, at) => answers[at]!.status === 200).map((bytes) => Buffer.from(bytes));
    const there = await finish(scene, place);
    expect(told.filter((bytes) => bytes.equals(there))).toHaveLength(1);
  });
});

const setups = [{ database: "embedded" }, { database: "PostgreSQL" }] as const;
for (const { database } of setups) {
  describe.runIf(database === "embedded" || postgresAvailable())(
    `content that is sent in ranges, over ${database}`,
    () => {
      const scene = useVsphereServer({ database });
      const part = (place: Place, from: number, to: number, size?: number | "*", bytes = content) =>
        send(place.uri, bytes.subarray(from, to), { headers: range(from, to, size) });
      const offsetOf = async ({ id }: Place) => (await scene.vsphere.file(id, "a.bin")).bytes_transferred;

      it.each(methods)("by %s is appended, part by part, until the size that they name has come", async (method) => {
        const place = await offer(scene);
        for (const [from, to] of [
          [0, 1],
          [1, 100_000],
          [100_000, 150_000],
          [150_000, 200_000],
        ] as const) {
          expect(await offsetOf(place)).toBe(from);
          const answer = await send(place.uri, content.subarray(from, to), { method, headers: range(from, to) });
          expect([answer.status, answer.text, answer.headers.get("upload-offset")]).toEqual([200, "{}", String(to)]);
        }
        expect(await scene.vsphere.file(place.id, "a.bin")).toMatchObject({ status: "READY", size: content.length });
        expect(await finish(scene, place)).toEqual(Buffer.from(content));
      });

      it("may be repeated, also when all of it is there; other bytes in the same place are refused (P4)", async () => {
        const place = await offer(scene);
        await part(place, 0, 100_000);
        for (const [from, to] of [
          [0, 100_000],
          [50_000, 60_000],
        ] as const) {
          const again = await part(place, from, to);
          expect([again.status, again.headers.get("upload-offset")]).toEqual([200, "100000"]);
          expect(refusedBy(await part(place, from, to, 200_000, other)).slice(0, 2)).toEqual([400, "invalid_argument"]);
          expect(await offsetOf(place)).toBe(100_000);
        }
        expect((await part(place, 90_000, 200_000)).status).toBe(200);
        expect((await part(place, 0, 200_000)).status).toBe(200);
        expect((await part(place, 0, 200_000, 200_000, other)).status).toBe(400);
        expect(await finish(scene, place)).toEqual(Buffer.from(content));
      });

      it("that leaves a gap is 416 with the offset that is expected, and changes nothing", async () => {
        const place = await offer(scene);
        await part(place, 0, 1000);
        const answer = await part(place, 1001, 2000);
        expect(refusedBy(answer)).toEqual([416, "invalid_argument", "slipway.offset_unexpected", ["1000"]]);
        expect(answer.headers.get("upload-offset")).toBe("1000");
        expect(answer.text).toContain("send the bytes from 1000 on");
        expect(await offsetOf(place)).toBe(1000);
      });

      it("is not spoilt by who announces other content, and is refused before it sends any", async () => {
        const place = await offer(scene, { size: content.length });
        await part(place, 0, 1000);
        expect((await send(place.uri, new Uint8Array(content.length + 1))).status).toBe(400);
        expect(await offsetOf(place)).toBe(1000);
        await part(place, 1000, content.length);
        expect(await finish(scene, place)).toEqual(Buffer.from(content));
      });

      it("that names another size than was declared, or than an earlier part, is refused with both", async () => {
        const declared = await offer(scene, { size: 200_000 });
        expect(refusedBy(await part(declared, 0, 1000, 300_000))).toEqual([
          400,
          "invalid_argument",
          "slipway.size_differs",
          ["200000", "300000"],
        ]);
        const said = await offer(scene);
        await part(said, 0, 1000);
        expect(refusedBy(await part(said, 1000, 2000, 300_000)).slice(2)).toEqual([
          "slipway.size_differs",
          ["200000", "300000"],
        ]);
        // A part is not the content: nothing of the file is wrong yet.
        for (const place of [declared, said]) {
          expect((await scene.vsphere.file(place.id, "a.bin")).status).not.toBe("ERROR");
          expect((await part(place, await offsetOf(place), 200_000)).status).toBe(200);
          expect(await finish(scene, place)).toEqual(Buffer.from(content));
        }
      });

      it("may leave the size open: what was declared, or the last part, says where the end is", async () => {
        const declared = await offer(scene, { size: 200_000 });
        await part(declared, 0, 150_000, "*");
        await part(declared, 150_000, 200_000, "*");
        expect(await finish(scene, declared)).toEqual(Buffer.from(content));
        const open = await offer(scene);
        await part(open, 0, 150_000, "*");
        expect(await scene.vsphere.file(open.id, "a.bin")).toMatchObject({ status: "TRANSFERRING" });
        await part(open, 150_000, 200_000);
        expect(await finish(scene, open)).toEqual(Buffer.from(content));
      });

      it.each([
        ["no unit", "0-9/10"],
        ["an end before the start", "bytes 9-0/10"],
        ["an end after the size", "bytes 0-10/10"],
        ["other bytes than come", "bytes 0-8/10"],
        ["no bytes", "bytes */10"],
        ["nonsense", "all of it"],
      ])("with %s is refused, and nothing of it is kept", async (_what, text) => {
        const place = await offer(scene);
        const answer = await send(place.uri, Buffer.alloc(10), { headers: { "content-range": text } });
        expect(refusedBy(answer).slice(0, 2)).toEqual([400, "invalid_argument"]);
        expect(await scene.vsphere.file(place.id, "a.bin")).toMatchObject({
          status: "WAITING_FOR_TRANSFER",
          bytes_transferred: 0,
        });
      });

      it("is verified as a whole: a wrong checksum is refused with the last part, and it begins anew (P6)", async () => {
        const checksum_info = { algorithm: "MD5", checksum: "0".repeat(32) };
        const place = await offer(scene, { checksum_info });
        expect((await part(place, 0, 100_000)).status).toBe(200);
        const answer = await part(place, 100_000, 200_000);
        expect(refusedBy(answer).slice(0, 3)).toEqual([400, "invalid_argument", "slipway.checksum_differs"]);
        expect(await scene.vsphere.file(place.id, "a.bin")).toMatchObject({ status: "ERROR", bytes_transferred: 0 });
        expect((await fetch(place.uri)).headers.get("upload-offset")).toBe("0");
      });
    },
  );
}

describe("how far a file is", () => {
  const scene = useVsphereServer();

  it("is told by GET and HEAD, from the beginning to the end", async () => {
    const { uri } = await offer(scene, { size: content.length });
    const tell = async () => {
      const [get, head] = [await fetch(uri), await fetch(uri, { method: "HEAD" })];
      expect([head.status, head.headers.get("upload-offset")]).toEqual([200, get.headers.get("upload-offset")]);
      expect(get.headers.get("cache-control")).toBe("no-store");
      return [get.headers.get("upload-offset"), await get.json()];
    };
    expect(await tell()).toEqual(["0", { bytes_transferred: 0, size: 200_000 }]);
    await send(uri, content.subarray(0, 5), { headers: range(0, 5) });
    expect(await tell()).toEqual(["5", { bytes_transferred: 5, size: 200_000 }]);
    await send(uri, content);
    expect(await tell()).toEqual(["200000", { bytes_transferred: 200_000, size: 200_000 }]);
  });
});

describe("a URL that content is sent to", () => {
  const scene = useVsphereServer();
  const http = useHttp(scene);
  const everyMethod = async (uri: string) => {
    const sent = await Promise.all(methods.map((method) => send(uri, content, { method })));
    const get = await fetch(uri);
    const head = await fetch(uri, { method: "HEAD" });
    expect(head.status).toBe(get.status);
    return [...sent, { status: get.status, text: await get.text() }].map(refusedBy);
  };

  it("that is forged, cut or made up leads nowhere", async () => {
    const place = await offer(scene);
    const [token = ""] = /(?<=\/data\/)[^/]+/.exec(place.uri) ?? [];
    const last = token.at(-1) === "A" ? "B" : "A";
    const flipped = `${token.slice(0, 30)}${token[30] === "A" ? "B" : "A"}${token.slice(31)}`;
    for (const bad of [token.slice(0, -1) + last, flipped, token.slice(1), `${token}A`, "x", place.id]) {
      expect(await everyMethod(place.uri.replace(token, bad)), bad).toEqual([nowhere, nowhere, nowhere]);
    }
    expect(await scene.vsphere.file(place.id, "a.bin")).toMatchObject({ status: "WAITING_FOR_TRANSFER" });
    expect((await send(place.uri, content)).status).toBe(200);
  });

  it("is of no use under the typed API's path, nor is one of those here", async () => {
    const { uri } = await offer(scene);
    const [token = ""] = /(?<=\/data\/)[^/]+/.exec(uri) ?? [];
    for (const method of ["GET", "PUT"]) {
      expect((await fetch(`${scene.server.url}/t/${token}`, { method })).status).toBe(404);
    }
    const { session } = await scene.client.sessions.createSession({});
    const { uploadEndpoint } = await scene.client.files.addFile({ sessionId: session!.id, spec: { name: "a.bin" } });
    const theirs = new URL(uploadEndpoint!.uri).pathname.replace("/t/", "");
    expect(await everyMethod(uri.replace(token, theirs))).toEqual([nowhere, nowhere, nowhere]);
  });

  it("of another server leads nowhere", async () => {
    const elsewhere = await offer(foreign);
    const uri = elsewhere.uri.replace(foreign.server.url, scene.server.url);
    expect(await everyMethod(uri)).toEqual([nowhere, nowhere, nowhere]);
  });
  const foreign = useVsphereServer();

  it("of another tenant sends to that tenant's file and to nothing else, and dies with its user (P9)", async () => {
    const { vsphere, userId } = await logInAs(scene, Role.ADMIN, "elsewhere");
    const libraryId = await vsphere.createLibrary("theirs");
    const theirs = await vsphere.createSession(await vsphere.createItem(libraryId, "an item"));
    const uri = uploadUrlOf(await vsphere.add(theirs, { name: "a.bin", source_type: "PUSH" }));
    const mine = await offer(scene);
    expect((await send(uri, content)).status).toBe(200);
    expect(await scene.vsphere.file(mine.id, "a.bin")).toMatchObject({ status: "WAITING_FOR_TRANSFER" });
    expect(await vsphere.file(theirs, "a.bin")).toMatchObject({ status: "READY" });
    await scene.client.access.deleteUser({ userId });
    expect(await everyMethod(uri)).toEqual([nowhere, nowhere, nowhere]);
  });

  it("outlives the login that it was made under, and not the right to upload", async () => {
    const { vsphere, userId } = await logInAs(scene, Role.UPLOADER);
    const { uri } = await offer(scene, {}, vsphere);
    await vsphere.value("DELETE", "/rest/com/vmware/cis/session");
    expect((await send(uri, content)).status).toBe(200);
    await scene.client.access.updateUser({ userId, role: Role.READER });
    const answers = until(
      () => everyMethod(uri),
      ([first]) => first?.[0] === 404,
    );
    expect(await answers).toEqual([nowhere, nowhere, nowhere]);
  });

  it.each([
    ["is canceled", "cancel"],
    ["is done", "complete"],
    ["has failed", "fail"],
  ])("leads nowhere once its session %s", async (_how, action) => {
    const { id, uri } = await offer(scene);
    expect((await send(uri, content)).status).toBe(200);
    await scene.vsphere.act(id, action);
    expect(await everyMethod(uri)).toEqual([nowhere, nowhere, nowhere]);
    expect((await send(uri, content, { headers: range(0, content.length) })).status).toBe(404);
  });

  it.each([
    ["is canceled", "cancel"],
    ["fails", "fail"],
  ])("leads nowhere, and says so to who is just sending, when its session %s (P5)", async (_how, action) => {
    const { id, path } = await offer(scene);
    const sending = http["1.1"].begin({ method: "PUT", path }, content.subarray(0, 1000), content.length);
    await until(
      () => scene.vsphere.file(id, "a.bin"),
      ({ status }) => status === "TRANSFERRING",
    );
    await scene.vsphere.act(id, action);
    expect(refusedBy(textOf(await sending.answer))).toEqual(nowhere);
  });

  it("leads nowhere once its file was removed, and says so to who is just sending", async () => {
    const { id, path, uri } = await offer(scene);
    const sending = http["1.1"].begin({ method: "PUT", path }, content.subarray(0, 1000), content.length);
    await until(
      () => scene.vsphere.file(id, "a.bin"),
      ({ status }) => status === "TRANSFERRING",
    );
    await scene.vsphere.remove(id, "a.bin");
    expect(refusedBy(textOf(await sending.answer))).toEqual(nowhere);
    expect(await everyMethod(uri)).toEqual([nowhere, nowhere, nowhere]);
  });

  it("is not shown of a file that is to be fetched or is declared without a source", async () => {
    const { id } = await offer(scene);
    expect(await scene.vsphere.add(id, { name: "b", source_type: "NONE" })).not.toHaveProperty("upload_endpoint");
    const source_endpoint = { uri: "https://example.com/a" };
    const pulled = await scene.vsphere.add(id, { name: "c", source_type: "PULL", source_endpoint });
    expect(pulled).not.toHaveProperty("upload_endpoint");
  });
});

describe("more than was declared", () => {
  const scene = useVsphereServer({ env: { SLIPWAY_MAX_FILE_BYTES: "1MiB" } });
  const http = useHttp(scene);

  /** What a body without an end gives before the answer comes. */
  async function pour(path: string) {
    let sent = 0;
    let answered = false;
    async function* endless() {
      while (!answered) {
        yield content;
        sent += content.length;
        await sleep(1);
      }
    }
    const asked = request1(scene.server.url + path, { method: "PUT", agent: false });
    asked.on("error", () => undefined);
    const answer = new Promise<{ status: number; text: string }>((resolve, reject) => {
      asked.on("close", () => reject(new Error("there was no answer")));
      asked.on("response", async (response) => {
        answered = true;
        let text = "";
        for await (const chunk of response) text += String(chunk);
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    for await (const chunk of endless()) {
      if (asked.destroyed) break;
      asked.write(chunk);
    }
    const told = await answer;
    asked.destroy();
    return { ...told, sent };
  }

  it("is stopped long before its end, which may never come", async () => {
    const { id, path } = await offer(scene, { size: 10 });
    const { sent, ...answer } = await pour(path);
    expect(refusedBy(answer)).toEqual([
      400,
      "invalid_argument",
      "slipway.size_differs",
      ["a.bin", "10", "more than 10"],
    ]);
    expect(sent).toBeLessThan(100_000_000);
    expect(await scene.vsphere.file(id, "a.bin")).toMatchObject({ status: "ERROR", bytes_transferred: 0 });
  });

  it("or than any file may have, is stopped with the setting's name", async () => {
    const { id, path } = await offer(scene);
    const { sent, ...answer } = await pour(path);
    expect(refusedBy(answer).slice(0, 3)).toEqual([400, "invalid_argument", "slipway.size_exceeded"]);
    expect(answer.text).toContain("SLIPWAY_MAX_FILE_BYTES=1048576");
    expect(sent).toBeLessThan(100_000_000);
    expect(await scene.vsphere.file(id, "a.bin")).toMatchObject({ status: "ERROR" });
    const announced = http["1.1"].begin({ method: "PUT", path }, content.subarray(0, 10), 2 ** 40);
    expect(refusedBy(textOf(await announced.answer)).slice(0, 3)).toEqual(refusedBy(answer).slice(0, 3));
    announced.cut();
    const declared = await refused(scene.vsphere.add(id, { name: "b.bin", source_type: "PUSH", size: 2 ** 20 + 1 }));
    expect(declared.slice(0, 3)).toEqual([400, "invalid_argument", "slipway.size_exceeded"]);
  });

  it("is not asked for: a client that waits for 100 Continue is told at once", async () => {
    const careful = (path: string, length: number) =>
      new Promise<{ continued: boolean; status: number | undefined }>((resolve, reject) => {
        let continued = false;
        const headers = { expect: "100-continue", "content-length": String(length) };
        const asked = request1(scene.server.url + path, { method: "PUT", headers, agent: false }, (answer) => {
          answer.resume();
          resolve({ continued, status: answer.statusCode });
          asked.destroy();
        });
        asked.on("continue", () => {
          continued = true;
          asked.end(Buffer.alloc(length));
        });
        asked.on("error", reject);
        asked.flushHeaders();
      });
    const { id, path } = await offer(scene, { size: 5 });
    expect(await careful(path, 6)).toEqual({ continued: false, status: 400 });
    expect(await careful(path, 5)).toEqual({ continued: true, status: 200 });
    expect(await careful(path.replace(/data\/./, "data/_"), 5)).toEqual({ continued: false, status: 404 });
    await scene.vsphere.act(id, "cancel");
    expect(await careful(path, 5)).toEqual({ continued: false, status: 404 });
  });
});
