import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { createCapabilities } from "../../../src/access/capabilities.js";
import { createId, type Item } from "../../../src/core/index.js";
import { loginHeader } from "../../../src/rest/vsphere/admission.js";
import type { VsphereCall } from "../../../src/rest/vsphere/call.js";
import { createDataUrls } from "../../../src/rest/vsphere/data-urls.js";
import { pseudoRandom } from "../../support/bodies.js";
import { type Answered, hour, prepareAll, useDownloads } from "./download-scene.js";

const scene = useDownloads({ tokenIdleTtlMs: 2_000 });
const content = pseudoRandom(3_000_000);
const etag = `"${createHash("sha256").update(content).digest("hex")}"`;
let call: VsphereCall;
let item: Item;
beforeAll(async () => {
  call = await scene.callOf(scene.members.reader);
  item = await scene.makeItem({ "disk ü.vmdk": content, empty: "" });
});
const big = "disk ü.vmdk";
const ref = (id: string) => ({ download_session_id: id });
const info = (id: string, file_name = big) => scene.files.get({ ...ref(id), file_name }, call);
const errorIn = ({ body }: Answered) => {
  const { type, messages } = JSON.parse(body.toString()) as { type: string; messages: [{ id: string }] };
  return [type, messages[0].id];
};
const nowhere = ["not_found", "slipway.no_such_url"];
const lead = (answer: { readonly body?: unknown }) =>
  (answer.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();

describe("the URL of a prepared file", () => {
  it("gives all of its content to whoever has it", async () => {
    const { id, urls } = await prepareAll(scene, item, call);
    const answer = await scene.ask("GET", urls[big]!);
    expect(answer.status).toBe(200);
    expect(answer.headers).toEqual({
      "content-type": "application/octet-stream",
      "content-disposition": `attachment; filename="disk _.vmdk"; filename*=UTF-8''disk%20%C3%BC.vmdk`,
      "x-content-type-options": "nosniff",
      "content-length": "3000000",
      "accept-ranges": "bytes",
      etag,
      "cache-control": "private, no-cache",
    });
    expect(Buffer.compare(answer.body, content)).toBe(0);
    expect(answer.compressible).toBe(false);
    expect((await info(id)).bytes_transferred).toBe(3_000_000);
    await vi.waitFor(async () => {
      const elsewhere = scene.startProcess().downloadFiles;
      expect((await elsewhere.get({ ...ref(id), file_name: big }, call)).bytes_transferred).toBe(3_000_000);
    });
  });

  it("gives content of no bytes", async () => {
    const { urls } = await prepareAll(scene, item, call);
    const { status, headers, body } = await scene.ask("GET", urls.empty!);
    expect([status, headers["content-length"], body.length]).toEqual([200, "0", 0]);
  });

  it("gives a range, and all where the range is of other content", async () => {
    const { urls } = await prepareAll(scene, item, call);
    const part = await scene.ask("GET", urls[big]!, { range: "bytes=100-199", "if-range": etag });
    expect([part.status, part.headers["content-range"], part.headers["content-length"]]).toEqual([
      206,
      "bytes 100-199/3000000",
      "100",
    ]);
    expect(Buffer.compare(part.body, content.subarray(100, 200))).toBe(0);
    const other = await scene.ask("GET", urls[big]!, { range: "bytes=100-199", "if-range": '"other"' });
    expect([other.status, other.body.length]).toEqual([200, 3_000_000]);
    const past = await scene.ask("GET", urls[big]!, { range: "bytes=3000000-" });
    expect([past.status, past.headers["content-range"]]).toEqual([416, "bytes */3000000"]);
    expect(errorIn(past)).toEqual(["invalid_request", "slipway.http"]);
  });

  it("tells by HEAD what GET would, without a body and without having sent anything", async () => {
    const { id, urls } = await prepareAll(scene, item, call);
    const { body: _body, ...get } = await scene.ask("GET", urls.empty!);
    const answer = await scene.begin("HEAD", urls.empty!);
    expect([answer.status, answer.headers]).toEqual([get.status, get.headers]);
    const head = await scene.begin("HEAD", urls[big]!, { headers: { range: "bytes=1-2" } });
    expect([head.status, head.headers["content-length"], head.headers.etag]).toEqual([200, "3000000", etag]);
    await lead(head).return?.();
    expect((await info(id)).bytes_transferred).toBe(0);
  });

  it.each(["PUT", "POST"])("takes no content by %s", async (method) => {
    const { urls } = await prepareAll(scene, item, call);
    const answer = await scene.ask(method, urls[big]!);
    expect([answer.status, answer.headers.allow]).toEqual([405, "GET, HEAD, OPTIONS"]);
    expect(errorIn(answer)).toEqual(["invalid_request", "slipway.method_not_allowed"]);
  });

  it("is the same without `/rest`, and whatever it says the name is", async () => {
    const { urls } = await prepareAll(scene, item, call);
    const short = urls.empty!.replace("/rest/", "/").replace(/[^/]*$/, "other%20name");
    expect((await scene.ask("GET", short)).status).toBe(200);
  });

  it("needs no login, and does not mind a bad one", async () => {
    const { urls } = await prepareAll(scene, item, call);
    expect((await scene.ask("GET", urls.empty!, { [loginHeader]: "nonsense" })).status).toBe(200);
  });

  it("leads nowhere when it is forged, or for content that was not prepared", async () => {
    const { id, urls } = await prepareAll(scene, item, call);
    const forger = createDataUrls({ capabilities: createCapabilities({ key: new Uint8Array(32) }), now: scene.now });
    const { content: held } = await scene.opened.uploads.getItemFile({ itemId: item.id, name: big }, call);
    const unprepared = await scene.sessions.create({ create_spec: { library_item_id: item.id } }, call);
    const words = { downloadSessionId: id, contentId: held.id, name: big };
    const bad = [
      forger.forDownload(words, call),
      scene.dataUrls.forDownload({ ...words, contentId: createId() }, call),
      scene.dataUrls.forDownload({ ...words, downloadSessionId: unprepared }, call),
      scene.dataUrls.forDownload({ ...words, downloadSessionId: createId() }, call),
      // Somebody else's session, in the name of oneself.
      scene.dataUrls.forDownload(words, await scene.callOf(scene.members.other)),
      urls[big]!.replace(/data\/./, "data/_"),
    ];
    for (const url of bad) {
      for (const method of ["GET", "HEAD"]) {
        const answer = await scene.ask(method, url);
        expect([answer.status, ...errorIn(answer)]).toEqual([404, ...nowhere]);
      }
    }
    expect(scene.dataUrls.forDownload(words, call)).toBe(urls[big]);
  });

  it.each([
    ["is canceled", (id: string) => scene.sessions.cancel(ref(id), call)],
    ["has failed", (id: string) => scene.sessions.fail(ref(id), call)],
    ["is deleted", (id: string) => scene.sessions.delete(ref(id), call)],
    ["has expired", async () => scene.elapse(hour)],
  ])("leads nowhere once its session %s", async (_how, end) => {
    const { id, urls } = await prepareAll(scene, item, call);
    await end(id);
    const answer = await scene.ask("GET", urls.empty!);
    expect([answer.status, ...errorIn(answer)]).toEqual([404, ...nowhere]);
  });

  it("keeps to the content it was made for: once that is replaced or removed, it says so", async () => {
    const own = await scene.makeItem({ a: "first", b: "gone" });
    const { urls } = await prepareAll(scene, own, call);
    await scene.changeItem(own, { a: "second", b: undefined });
    const ask = async (name: string) => {
      const answer = await scene.ask("GET", urls[name]!);
      return [answer.status, ...errorIn(answer)];
    };
    expect(await ask("a")).toEqual([404, "not_found", "slipway.content_replaced"]);
    expect(await ask("b")).toEqual([404, "not_found", "slipway.content_removed"]);
    await scene.changeItem(own, { b: "gone" });
    expect(await ask("b")).toEqual([404, "not_found", "slipway.content_replaced"]);
  });

  it("of content that is replaced leads nowhere once the file is prepared again, and the new one gives the new", async () => {
    const own = await scene.makeItem({ a: "first" });
    const { id, urls } = await prepareAll(scene, own, call);
    await scene.changeItem(own, { a: "second" });
    const again = await scene.files.prepare({ ...ref(id), file_name: "a" }, call);
    expect((await scene.ask("GET", urls.a!)).status).toBe(404);
    expect((await scene.ask("GET", again.download_endpoint!.uri)).body.toString()).toBe("second");
  });

  it("gives no other content where that is replaced while it is looked up", async () => {
    const own = await scene.makeItem({ a: "first" });
    const readItemFile: typeof scene.opened.uploads.readItemFile = async (input, as) => {
      await scene.changeItem(own, { a: "second" });
      return scene.opened.uploads.readItemFile(input, as);
    };
    const { urls } = await prepareAll(scene, own, call);
    const answer = await scene.startProcess({ readItemFile }).ask("GET", urls.a!);
    expect([answer.status, ...errorIn(answer)]).toEqual([404, "not_found", "slipway.content_replaced"]);
  });
});

describe("a download that goes on", () => {
  it("tells how far it is, and how far it came when it is cut", async () => {
    const { id, urls } = await prepareAll(scene, item, call);
    const steps = lead(await scene.begin("GET", urls[big]!));
    const { length } = (await steps.next()).value as Uint8Array;
    expect(length).toBeLessThan(3_000_000);
    expect((await info(id)).bytes_transferred).toBe(length);
    await steps.return?.();
    expect((await info(id)).bytes_transferred).toBe(length);
    await scene.ask("GET", urls[big]!, { range: "bytes=2900000-" });
    expect((await info(id)).bytes_transferred).toBe(length);
    await scene.ask("GET", urls[big]!, { range: `bytes=${length}-` });
    expect((await info(id)).bytes_transferred).toBe(3_000_000);
  });

  it.each(["cancel", "fail", "delete"] as const)("ends when its session does: %s", async (deed) => {
    const { id, urls } = await prepareAll(scene, item, call);
    const steps = lead(await scene.begin("GET", urls[big]!));
    await steps.next();
    await scene.sessions[deed](ref(id), call);
    await expect(steps.next()).rejects.toMatchObject({ name: "AbortError" });
  });

  it("ends within a minute when another process ends its session", async () => {
    const { id, urls } = await prepareAll(scene, item, call);
    const answer = await scene.begin("GET", urls[big]!);
    const steps = lead(answer);
    await steps.next();
    await scene.startProcess().downloadSessions.cancel(ref(id), call);
    scene.elapse(60_000);
    await steps.next();
    await sleep(50);
    await expect(steps.next()).rejects.toMatchObject({ name: "AbortError" });
  });

  it("keeps its session alive", async () => {
    const { id, urls } = await prepareAll(scene, item, call);
    const steps = lead(await scene.begin("GET", urls[big]!));
    for (let chunk = 0; chunk < 3; chunk++) {
      await steps.next();
      await sleep(20);
      scene.elapse(hour - 60_000);
    }
    expect((await scene.sessions.get(ref(id), call)).state).toBe("ACTIVE");
    await steps.return?.();
  });

  it("keeps the login alive under which it was prepared, and no other one", async () => {
    const [mine, other] = [await scene.callOf(scene.members.reader), await scene.callOf(scene.members.reader)];
    const own = await scene.makeItem({ a: pseudoRandom(10 * 2 ** 20) });
    const { urls } = await prepareAll(scene, own, mine);
    const steps = lead(await scene.begin("GET", urls.a!));
    const begin = performance.now();
    for (;;) {
      const { done } = await steps.next();
      if (done === true) break;
      await sleep(450);
    }
    await steps.return?.();
    expect(performance.now() - begin).toBeGreaterThan(3_000);
    const isThere = async ({ login }: VsphereCall) =>
      (await scene.opened.metadata.findTokenById(login!.id)) !== undefined;
    expect([await isThere(mine), await isThere(other)]).toEqual([true, false]);
  }, 60_000);

  it("is not stopped by the end of the login under which it was prepared", async () => {
    const mine = await scene.callOf(scene.members.reader);
    const { urls } = await prepareAll(scene, item, mine);
    await scene.logins.delete({}, mine);
    expect((await scene.ask("GET", urls[big]!)).body.length).toBe(3_000_000);
  });
});

describe("the URL of a file that is to be sent", () => {
  it.each([
    ["PUT", "upload send PUT"],
    ["POST", "upload send POST"],
    ["GET", "upload standing GET"],
    ["HEAD", "upload standing HEAD"],
  ])("is for the upload by %s", async (method, asked) => {
    const uploader = await scene.callOf(scene.members.uploader);
    const ids = { tenantId: uploader.caller.tenantId, sessionId: createId(), id: createId(), name: "a" };
    scene.uploadsAsked.length = 0;
    const answer = await scene.ask(method, scene.dataUrls.forUpload(ids as never, 1, uploader));
    expect([answer.status, scene.uploadsAsked]).toEqual([200, [asked]]);
  });
});

it("nothing unforeseen came up", () => {
  expect(scene.errors).toEqual([]);
});
