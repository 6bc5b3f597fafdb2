// The files of an update session: what it shows of its item, what is added, replaced and removed, and when others see it.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Role } from "../../../gen/slipway/upload/v1/access_pb.js";
import { openHttp } from "../../support/http.js";
import { postgresAvailable } from "../../support/postgres.js";
import { content, downloadFiles, downloadSessions, send, sessionFiles } from "../../support/vsphere.js";
import { logInAs, namesOf, refusalOf, refused, refusedBy, until, uploadUrlOf } from "./update-scene.js";
import { digest, useVsphereServer } from "./vsphere-server.js";

const one = Buffer.from("content one");
const two = Buffer.from("other content");
const setups = [{ database: "embedded" }, { database: "PostgreSQL" }] as const;
const noFile = (name: string) => [400, "invalid_argument", "slipway.file_not_found", [name]];

for (const { database } of setups) {
  describe.runIf(database === "embedded" || postgresAvailable())(`over ${database}`, () => {
    const scene = useVsphereServer({ database });
    const open = async (files: Readonly<Record<string, Uint8Array>> = {}) => {
      const itemId = await scene.item(files);
      return { itemId, id: await scene.vsphere.createSession(itemId) };
    };
    const contentOf = async (itemId: string) => {
      const files = await scene.vsphere.itemFiles(itemId);
      const texts = files.map(async ({ name }) => [name, await textOf(itemId, name)]);
      return Object.fromEntries(await Promise.all(texts)) as Readonly<Record<string, string>>;
    };
    const textOf = async (itemId: string, name: string) =>
      Buffer.from(await scene.vsphere.download(itemId, name)).toString();

    describe("the files that a session shows", () => {
      it("are at first those of its item, which it leaves as they are", async () => {
        const { id } = await open({ "a.bin": one, "b.bin": two });
        const kept = (name: string, bytes: Uint8Array) => ({
          name,
          source_type: "NONE",
          status: "READY",
          bytes_transferred: bytes.length,
          size: bytes.length,
          checksum_info: { algorithm: "SHA256", checksum: digest("sha256", bytes) },
          keep_in_storage: true,
        });
        expect(await scene.vsphere.files(id)).toEqual([kept("a.bin", one), kept("b.bin", two)]);
        expect(await scene.vsphere.file(id, "b.bin")).toEqual(kept("b.bin", two));
      });

      it("of an item without content are none", async () => {
        const { id } = await open();
        expect(await scene.vsphere.files(id)).toEqual([]);
        expect(await refused(scene.vsphere.file(id, "a.bin"))).toEqual(noFile("a.bin"));
      });

      it("are what came of it after its end, whatever later sessions do to the item", async () => {
        const { itemId, id } = await open({ "kept.bin": one, "gone.bin": one });
        await scene.vsphere.remove(id, "gone.bin");
        await scene.vsphere.push(id, "new.bin", two);
        await scene.vsphere.act(id, "complete");
        expect(namesOf(await scene.vsphere.files(id))).toEqual(["kept.bin", "new.bin"]);
        const later = await scene.vsphere.createSession(itemId);
        await scene.vsphere.push(later, "later.bin", one);
        await scene.vsphere.act(later, "complete");
        expect(namesOf(await scene.vsphere.files(id))).toEqual(["kept.bin", "new.bin"]);
      });
    });

    describe("adding a file", () => {
      it("that is pushed answers where its content goes; when it has come it is READY, with its size and checksum", async () => {
        const { id } = await open();
        const added = await scene.vsphere.add(id, { name: "a.bin", source_type: "PUSH" });
        const uri = uploadUrlOf(added);
        const waiting = {
          name: "a.bin",
          source_type: "PUSH",
          status: "WAITING_FOR_TRANSFER",
          bytes_transferred: 0,
          upload_endpoint: { uri },
          keep_in_storage: true,
        };
        expect(added).toEqual(waiting);
        expect(uri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/rest\/com\/vmware\/cis\/data\/[\w-]{40,}\/a\.bin$/);
        expect(await scene.vsphere.files(id)).toEqual([waiting]);
        expect((await send(uri, one)).status).toBe(200);
        const ready = {
          ...waiting,
          status: "READY",
          bytes_transferred: one.length,
          size: one.length,
          checksum_info: { algorithm: "SHA256", checksum: digest("sha256", one) },
        };
        expect(await scene.vsphere.file(id, "a.bin")).toEqual(ready);
        expect(await scene.vsphere.files(id)).toEqual([ready]);
      });

      it("of a name that the item has replaces that file: there is one entry, and the item has its own until the end", async () => {
        const { itemId, id } = await open({ "a.bin": one, "b.bin": one });
        await scene.vsphere.add(id, { name: "a.bin", source_type: "PUSH" });
        expect((await scene.vsphere.files(id)).map(({ name, source_type }) => [name, source_type])).toEqual([
          ["b.bin", "NONE"],
          ["a.bin", "PUSH"],
        ]);
        await scene.vsphere.push(id, "a.bin", two);
        expect(await contentOf(itemId)).toEqual({ "a.bin": one.toString(), "b.bin": one.toString() });
        await scene.vsphere.act(id, "complete");
        expect(await contentOf(itemId)).toEqual({ "a.bin": two.toString(), "b.bin": one.toString() });
      });

      it("of a name that the session has replaces that one, whose URL leads nowhere any more", async () => {
        const { itemId, id } = await open();
        const first = await scene.vsphere.push(id, "a.bin", one);
        const second = await scene.vsphere.add(id, { name: "a.bin", source_type: "PUSH", size: two.length });
        expect(second).toMatchObject({ status: "WAITING_FOR_TRANSFER", bytes_transferred: 0 });
        expect(second).not.toHaveProperty("size");
        expect(namesOf(await scene.vsphere.files(id))).toEqual(["a.bin"]);
        for (const method of ["PUT", "POST"]) {
          const answer = await send(uploadUrlOf(first), one, { method });
          expect(refusedBy(answer)).toEqual([404, "not_found", "slipway.url_over", []]);
        }
        expect((await fetch(uploadUrlOf(first))).status).toBe(404);
        await expect(scene.vsphere.act(id, "complete")).rejects.toThrow(/has not been received/);
        expect((await send(uploadUrlOf(second), two)).status).toBe(200);
        await scene.vsphere.act(id, "complete");
        expect(await contentOf(itemId)).toEqual({ "a.bin": two.toString() });
      });

      it("of a name whose content is just being sent stops that, and nothing of it gets into the new one (P7)", async () => {
        const { itemId, id } = await open();
        const first = await scene.vsphere.add(id, { name: "a.bin", source_type: "PUSH" });
        const http = openHttp(scene.server.url, "1.1");
        const path = new URL(uploadUrlOf(first)).pathname;
        const sending = http.begin({ method: "PUT", path }, one, 1_000_000);
        await until(
          () => scene.vsphere.file(id, "a.bin"),
          ({ status }) => status === "TRANSFERRING",
        );
        const second = await scene.vsphere.add(id, { name: "a.bin", source_type: "PUSH" });
        // It is told, though it has sent nothing more.
        expect((await sending.answer).status).toBe(404);
        expect((await http.ask({ method: "PUT", path, body: one })).status).toBe(404);
        expect(await scene.vsphere.file(id, "a.bin")).toMatchObject({
          status: "WAITING_FOR_TRANSFER",
          bytes_transferred: 0,
        });
        expect((await send(uploadUrlOf(second), two)).status).toBe(200);
        await scene.vsphere.act(id, "complete");
        expect(await contentOf(itemId)).toEqual({ "a.bin": two.toString() });
        http.close();
      });

      it("as NONE declares one that still needs content: no URL, and no completion until it is added with a source", async () => {
        const { itemId, id } = await open();
        const source_endpoint = { uri: "http://169.254.0.1/never-asked-for" };
        const added = await scene.vsphere.add(id, { name: "a.ovf", source_type: "NONE", source_endpoint });
        expect(added).toEqual({
          name: "a.ovf",
          source_type: "NONE",
          status: "WAITING_FOR_TRANSFER",
          bytes_transferred: 0,
          keep_in_storage: true,
        });
        expect(await refused(scene.vsphere.act(id, "complete"))).toEqual([
          400,
          "not_allowed_in_current_state",
          "com.vmware.vdcs.cls-main.update_session_file_not_received",
          ["a.ovf", "WAITING_FOR_TRANSFER"],
        ]);
        await scene.vsphere.push(id, "a.ovf", one);
        await scene.vsphere.act(id, "complete");
        expect(await contentOf(itemId)).toEqual({ "a.ovf": one.toString() });
      });

      it("as PULL without a source is invalid_argument; a source beside PUSH is passed over", async () => {
        const { id } = await open();
        expect(await refused(scene.vsphere.add(id, { name: "a.bin", source_type: "PULL" }))).toEqual([
          400,
          "invalid_argument",
          "slipway.source_endpoint_missing",
          ["file_spec.source_endpoint"],
        ]);
        expect(await scene.vsphere.files(id)).toEqual([]);
        const source_endpoint = { uri: "no address at all" };
        const added = await scene.vsphere.add(id, { name: "a.bin", source_type: "PUSH", source_endpoint });
        expect(added).not.toHaveProperty("source_endpoint");
        uploadUrlOf(added);
      });
    });

    describe("removing a file", () => {
      it("that was added takes it out of the session, and its URL leads nowhere", async () => {
        const { itemId, id } = await open();
        const file = await scene.vsphere.push(id, "a.bin", one);
        await scene.vsphere.remove(id, "a.bin");
        expect(await scene.vsphere.files(id)).toEqual([]);
        expect(refusedBy(await send(uploadUrlOf(file), one)).slice(0, 2)).toEqual([404, "not_found"]);
        await scene.vsphere.act(id, "complete");
        expect([await contentOf(itemId), (await scene.vsphere.item(itemId)).content_version]).toEqual([{}, "1"]);
      });

      it("of the item takes it out of what the session shows, and out of the item when it completes", async () => {
        const { itemId, id } = await open({ "a.bin": one, "b.bin": two });
        await scene.vsphere.remove(id, "a.bin");
        expect(namesOf(await scene.vsphere.files(id))).toEqual(["b.bin"]);
        expect(await refused(scene.vsphere.file(id, "a.bin"))).toEqual(noFile("a.bin"));
        expect(Object.keys(await contentOf(itemId))).toEqual(["a.bin", "b.bin"]);
        await scene.vsphere.act(id, "complete");
        expect(await contentOf(itemId)).toEqual({ "b.bin": two.toString() });
      });

      it("that was added in place of the item's takes both away", async () => {
        const { itemId, id } = await open({ "a.bin": one });
        await scene.vsphere.push(id, "a.bin", two);
        await scene.vsphere.remove(id, "a.bin");
        expect(await scene.vsphere.files(id)).toEqual([]);
        await scene.vsphere.act(id, "complete");
        expect(await contentOf(itemId)).toEqual({});
      });

      it("and adding it anew is the usual way of replacing everything", async () => {
        const { itemId, id } = await open({ "a.bin": one, "b.bin": one });
        for (const { name } of await scene.vsphere.files(id)) await scene.vsphere.remove(id, name);
        await scene.vsphere.push(id, "a.bin", two);
        await scene.vsphere.act(id, "complete");
        expect(await contentOf(itemId)).toEqual({ "a.bin": two.toString() });
      });

      it("that is not there, or not any more, is invalid_argument", async () => {
        const { id } = await open({ "a.bin": one });
        expect(await refused(scene.vsphere.remove(id, "b.bin"))).toEqual(noFile("b.bin"));
        await scene.vsphere.remove(id, "a.bin");
        expect(await refused(scene.vsphere.remove(id, "a.bin"))).toEqual(noFile("a.bin"));
        await scene.vsphere.push(id, "c.bin", two);
        await scene.vsphere.remove(id, "c.bin");
        expect(await refused(scene.vsphere.remove(id, "c.bin"))).toEqual(noFile("c.bin"));
      });
    });

    describe("what a session has not completed", () => {
      it("nobody sees in the item: not its files, not its storage, not a download (P5)", async () => {
        const { itemId, id } = await open({ "a.bin": one });
        const { vsphere: other } = await logInAs(scene, Role.READER);
        await scene.vsphere.push(id, "a.bin", two);
        await scene.vsphere.push(id, "new.bin", two);
        const storage = `${content}/library/item/storage?library_item_id=${itemId}`;
        for (const vsphere of [scene.vsphere, other]) {
          expect(await vsphere.itemFiles(itemId)).toMatchObject([{ name: "a.bin", size: one.length, version: "1" }]);
          expect(await vsphere.value("GET", storage)).toMatchObject([{ name: "a.bin", size: one.length }]);
          expect(await vsphere.item(itemId)).toMatchObject({ content_version: "2", size: one.length });
          expect(Buffer.from(await vsphere.download(itemId, "a.bin"))).toEqual(one);
          const download = await vsphere.value<string>("POST", downloadSessions, {
            create_spec: { library_item_id: itemId },
          });
          const prepare = vsphere.value("POST", `${downloadFiles}/id:${download}?~action=prepare`, {
            file_name: "new.bin",
          });
          expect((await refused(prepare)).slice(0, 2)).toEqual([400, "invalid_argument"]);
        }
      });

      it("becomes visible all at once: no reader ever sees a part of it", async () => {
        const names = ["a", "b", "c", "d", "e"];
        const { itemId, id } = await open(Object.fromEntries([...names, "gone"].map((name) => [name, one])));
        await Promise.all([...names, "new"].map((name) => scene.vsphere.push(id, name, two)));
        await scene.vsphere.remove(id, "gone");
        const seen = new Set<string>();
        let over = false;
        const look = async () => {
          while (!over) {
            const files = await scene.vsphere.itemFiles(itemId);
            seen.add(files.map(({ name, size }) => `${name}:${size}`).join(" "));
          }
        };
        const readers = [look(), look(), look()];
        await sleep(100);
        await scene.vsphere.act(id, "complete");
        const set = (of: readonly string[], { length }: Uint8Array) => of.map((name) => `${name}:${length}`).join(" ");
        const [before, after] = [set([...names, "gone"], one), set([...names, "new"], two)];
        await until(
          async () => seen.has(after),
          (is) => is,
        );
        over = true;
        await Promise.all(readers);
        expect([...seen]).toEqual([before, after]);
      });

      it("twenty completions at once apply once", async () => {
        const { itemId, id } = await open({ "a.bin": one });
        await scene.vsphere.push(id, "a.bin", two);
        const all = await Promise.allSettled(Array.from({ length: 20 }, () => scene.vsphere.act(id, "complete")));
        const refusals = all.flatMap((done) => (done.status === "rejected" ? [done.reason.type] : []));
        expect(refusals).toEqual(Array.from({ length: 19 }, () => "not_allowed_in_current_state"));
        expect(await scene.vsphere.itemFiles(itemId)).toMatchObject([{ name: "a.bin", version: "2" }]);
        expect(await scene.vsphere.item(itemId)).toMatchObject({ content_version: "3" });
      });
    });

    describe("a set of files that is not whole", () => {
      const validate = (id: string) => scene.vsphere.value("POST", `${sessionFiles}/id:${id}?~action=validate`);

      it("is told by validate and refused by complete, and the session goes on", async () => {
        const { itemId, id } = await open({ "kept.bin": one });
        expect(await validate(id)).toEqual({ has_errors: false, missing_files: [], invalid_files: [] });
        await scene.vsphere.push(id, "ready.bin", one);
        await scene.vsphere.add(id, { name: "waiting.bin", source_type: "PUSH" });
        await scene.vsphere.add(id, { name: "none.bin", source_type: "NONE" });
        expect(await validate(id)).toEqual({
          has_errors: true,
          missing_files: ["waiting.bin", "none.bin"],
          invalid_files: [],
        });
        const { status, type, messages } = await refusalOf(scene.vsphere.act(id, "complete"));
        expect([status, type, messages]).toEqual([
          400,
          "not_allowed_in_current_state",
          ["waiting.bin", "none.bin"].map((name) => ({
            id: "com.vmware.vdcs.cls-main.update_session_file_not_received",
            default_message: `file "${name}" has not been received: its status is WAITING_FOR_TRANSFER`,
            args: [name, "WAITING_FOR_TRANSFER"],
          })),
        ]);
        expect(await scene.vsphere.session(id)).toMatchObject({ state: "ACTIVE" });
        expect(namesOf(await scene.vsphere.itemFiles(itemId))).toEqual(["kept.bin"]);
        await scene.vsphere.push(id, "waiting.bin", one);
        await scene.vsphere.remove(id, "none.bin");
        await scene.vsphere.act(id, "complete");
        expect(namesOf(await scene.vsphere.itemFiles(itemId))).toEqual(["kept.bin", "ready.bin", "waiting.bin"]);
      });

      it("names what is wrong beside what is missing", async () => {
        const { id } = await open();
        await scene.vsphere.add(id, { name: "waiting.bin", source_type: "PUSH" });
        const short = await scene.vsphere.add(id, { name: "short.bin", source_type: "PUSH", size: 5 });
        await send(uploadUrlOf(short), one);
        const { error_message } = await scene.vsphere.file(id, "short.bin");
        expect(await validate(id)).toEqual({
          has_errors: true,
          missing_files: ["waiting.bin"],
          invalid_files: [{ name: "short.bin", error_message }],
        });
        expect(error_message?.default_message).toBe(`file "short.bin" was declared with 5 bytes, ${one.length} came`);
        expect(await refused(scene.vsphere.act(id, "complete"))).toEqual([
          400,
          "not_allowed_in_current_state",
          "com.vmware.vdcs.cls-main.session_has_missing_or_invalid_files",
          ["waiting.bin", "short.bin"],
        ]);
      });

      it("that lacks very many names the first ten", async () => {
        const { id } = await open();
        for (let at = 0; at < 12; at++) await scene.vsphere.add(id, { name: `f${at}`, source_type: "PUSH" });
        const { messages } = await refusalOf(scene.vsphere.act(id, "complete"));
        expect(messages.map(({ args }) => args[0])).toEqual(Array.from({ length: 10 }, (_, at) => `f${at}`));
      });
    });
  });
}

describe("the name of a file", () => {
  const scene = useVsphereServer();

  it.each([
    ["spaces, parentheses and an equals sign", "a b=(1).iso"],
    ["other alphabets", "Größe 日本語 🙂.ovf"],
    ["what URLs are made of", "100%?a=b&c#d;e+f:@,!$'*~.bin"],
    ["an escape that is none", "%2F%2e%2e.bin"],
    ["dots", "...a"],
    ["255 bytes", `${"é".repeat(127)}x`],
  ])("may have %s, in both generations of the API and in the URL of its content", async (_what, name) => {
    const itemId = await scene.item();
    const id = await scene.vsphere.createSession(itemId);
    const file = await scene.vsphere.push(id, name, one);
    expect(file).toMatchObject({ name, status: "READY" });
    const { pathname } = new URL(uploadUrlOf(file));
    expect(decodeURIComponent(pathname.split("/").at(-1)!)).toBe(name);
    const newer = `/api/content/library/item/update-session/${id}/file/${encodeURIComponent(name)}`;
    expect(JSON.parse((await scene.vsphere.ask("GET", newer)).text)).toEqual(file);
    const query = `/api/content/library/item/update-session/${id}/file?file_name=${encodeURIComponent(name)}`;
    expect(JSON.parse((await scene.vsphere.ask("GET", query)).text)).toEqual(file);
    expect((await scene.vsphere.ask("DELETE", newer)).status).toBe(204);
    await scene.vsphere.push(id, name, two);
    await scene.vsphere.act(id, "complete");
    expect(namesOf(await scene.vsphere.itemFiles(itemId))).toEqual([name]);
    expect(Buffer.from(await scene.vsphere.download(itemId, name))).toEqual(two);
  });

  it.each([
    ["is empty", ""],
    ["has 256 bytes", "é".repeat(128)],
    ["has a separator", "folder/a.bin"],
    ["has the other separator", "folder\\a.bin"],
    ["is the folder above", ".."],
    ["is the folder itself", "."],
    ["leads upwards", "../a.bin"],
    ["has a NUL", "a\0.bin"],
    ["has a line feed", "a\n.bin"],
    ["is half a character", "\ud83d.bin"],
  ])("that %s is invalid_argument, and nothing is added", async (_what, name) => {
    const id = await scene.vsphere.createSession(await scene.item());
    const answer = await refused(scene.vsphere.add(id, { name, source_type: "PUSH" }));
    expect(answer.slice(0, 2)).toEqual([400, "invalid_argument"]);
    expect(await scene.vsphere.files(id)).toEqual([]);
    for (const ask of [scene.vsphere.file, scene.vsphere.remove]) {
      expect((await refused(ask(id, name))).slice(0, 2)).toEqual([400, "invalid_argument"]);
    }
    expect(await scene.vsphere.session(id)).toMatchObject({ state: "ACTIVE" });
  });
});

describe("content that contradicts what was declared", () => {
  const scene = useVsphereServer();
  const other = Buffer.from("content 1ne");
  const declare = async (spec: object) => {
    const itemId = await scene.item();
    const id = await scene.vsphere.createSession(itemId);
    const file = await scene.vsphere.add(id, { name: "a.bin", source_type: "PUSH", ...spec });
    return { itemId, id, uri: uploadUrlOf(file) };
  };
  const checksumOf = (algorithm: "SHA1" | "MD5" | "SHA256" | "SHA512", bytes: Uint8Array) =>
    digest(algorithm.toLowerCase() as "sha1", bytes);

  it("in its size, whichever way it is off, is refused with both sizes, and the file is in ERROR", async () => {
    for (const { length } of [two, Buffer.alloc(0)]) {
      const bytes = Buffer.alloc(length);
      const { id, uri } = await declare({ size: one.length });
      const answer = await send(uri, bytes);
      expect(refusedBy(answer)).toEqual([
        400,
        "invalid_argument",
        "slipway.size_differs",
        ["a.bin", String(one.length), String(length)],
      ]);
      expect(answer.text).toContain(`was declared with ${one.length} bytes, ${length} came`);
      const { status, error_message: error, ...file } = await scene.vsphere.file(id, "a.bin");
      expect([status, error?.id]).toEqual(["ERROR", "slipway.size_differs"]);
      expect(error?.default_message).toContain(`was declared with ${one.length} bytes, ${length} came`);
      expect(file.bytes_transferred).toBe(0);
      expect(await scene.vsphere.session(id)).toMatchObject({ state: "ACTIVE" });
      expect(await scene.vsphere.session(id)).not.toHaveProperty("error_message");
    }
  });

  it.each(["SHA1", "MD5", "SHA256", "SHA512"] as const)(
    "in its %s is refused with both checksums, and the file is in ERROR",
    async (algorithm) => {
      const [declared, actual] = [checksumOf(algorithm, one), checksumOf(algorithm, other)];
      const { id, uri } = await declare({ checksum_info: { algorithm, checksum: declared } });
      const answer = await send(uri, other);
      expect(refusedBy(answer)).toEqual([400, "invalid_argument", "slipway.checksum_differs", [declared, actual]]);
      expect(answer.text).toContain(declared);
      expect(answer.text).toContain(actual);
      const file = await scene.vsphere.file(id, "a.bin");
      expect(file).toMatchObject({ status: "ERROR", checksum_info: { algorithm, checksum: declared } });
      expect(file.error_message?.id).toBe("slipway.checksum_differs");
      expect(file.error_message?.default_message).toContain(actual);
      expect(await scene.vsphere.session(id)).toMatchObject({ state: "ACTIVE" });
      expect((await refused(scene.vsphere.act(id, "complete"))).slice(2)).toEqual([
        "com.vmware.vdcs.cls-main.session_has_missing_or_invalid_files",
        ["", "a.bin"],
      ]);
    },
  );

  it.each([
    ["through the same URL", false],
    ["after it was added again", true],
  ])("is repaired by sending it again %s", async (_how, again) => {
    const spec = { size: one.length, checksum_info: { algorithm: "SHA256", checksum: digest("sha256", one) } };
    const { itemId, id, uri } = await declare(spec);
    for (const bytes of [other, two]) expect((await send(uri, bytes)).status).toBe(400);
    const added = again && (await scene.vsphere.add(id, { name: "a.bin", source_type: "PUSH", ...spec }));
    if (added) expect(added).toMatchObject({ status: "WAITING_FOR_TRANSFER" });
    expect(added || {}).not.toHaveProperty("error_message");
    expect((await send(added ? uploadUrlOf(added) : uri, one)).status).toBe(200);
    const file = await scene.vsphere.file(id, "a.bin");
    expect(file).toMatchObject({ status: "READY", size: one.length });
    expect(file).not.toHaveProperty("error_message");
    await scene.vsphere.act(id, "complete");
    expect(Buffer.from(await scene.vsphere.download(itemId, "a.bin"))).toEqual(one);
  });

  it.each([
    ["SHA1 where no algorithm is named", undefined, digest("sha1", one)],
    ["SHA1", "SHA1", digest("sha1", one)],
    ["SHA1 as the documents spell it", "SH_a1", digest("sha1", one)],
    ["MD5 as the documents spell it", "M_d5", digest("md5", one)],
    ["SHA256 in upper-case digits", "SHA256", digest("sha256", one).toUpperCase()],
    ["SHA512", "SHA512", digest("sha512", one)],
  ])("is none when it has the declared checksum: %s", async (_what, algorithm, checksum) => {
    const { id, uri } = await declare({ checksum_info: { algorithm, checksum } });
    expect((await send(uri, one)).status).toBe(200);
    const known = { SH_a1: "SHA1", M_d5: "MD5" }[algorithm ?? "SHA1"] ?? algorithm ?? "SHA1";
    expect((await scene.vsphere.file(id, "a.bin")).checksum_info).toEqual({
      algorithm: known,
      checksum: checksum.toLowerCase(),
    });
  });

  it.each([
    ["that are none", "SHA1", "x".repeat(40)],
    ["too few", "SHA1", digest("sha1", one).slice(1)],
    ["too many", "MD5", `${digest("md5", one)}0`],
    ["of another algorithm", "SHA256", digest("sha1", one)],
    ["none at all", "SHA512", ""],
    ["with a SHA256 where nothing says that it is one", undefined, digest("sha256", one)],
  ])("a checksum of digits %s is refused when the file is added", async (_what, algorithm, checksum) => {
    const answer = await refused(declare({ checksum_info: { algorithm, checksum } }));
    expect(answer.slice(0, 2)).toEqual([400, "invalid_argument"]);
  });

  it("an algorithm that is not known is refused when the file is added", async () => {
    const answer = await refused(declare({ checksum_info: { algorithm: "CRC32", checksum: "00000000" } }));
    expect(answer.slice(0, 2)).toEqual([400, "invalid_argument"]);
  });

  it("a size less than nothing is no size: some clients say -1 where they do not know", async () => {
    for (const size of [-1, -5]) {
      const { id, uri } = await declare({ size });
      expect((await send(uri, one)).status).toBe(200);
      expect(await scene.vsphere.file(id, "a.bin")).toMatchObject({ status: "READY", size: one.length });
    }
  });

  it("a size of nothing is one", async () => {
    const { id, uri } = await declare({ size: 0 });
    expect((await send(uri, one)).status).toBe(400);
    expect((await send(uri, "")).status).toBe(200);
    expect(await scene.vsphere.file(id, "a.bin")).toMatchObject({ status: "READY", size: 0 });
  });

  it("keeps what was there before out of reach until it is right: complete refuses, and nothing is lost (P6)", async () => {
    const itemId = await scene.item({ "a.bin": two });
    const id = await scene.vsphere.createSession(itemId);
    const file = await scene.vsphere.add(id, { name: "a.bin", source_type: "PUSH", size: one.length });
    expect((await send(uploadUrlOf(file), two)).status).toBe(400);
    await refused(scene.vsphere.act(id, "complete"));
    await scene.vsphere.act(id, "cancel");
    expect(Buffer.from(await scene.vsphere.download(itemId, "a.bin"))).toEqual(two);
  });
});
