// Files that are fetched, as clients of this API declare and watch them. What sources do to a transfer as such is in
// test/pull.
import { mkdir, readFile, realpath, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { Role } from "../../../gen/slipway/upload/v1/access_pb.js";
import { thumbprintOf } from "../../sources/thumbprint-of.js";
import { serve, serveRaw } from "../../sources/web.js";
import { pseudoRandom } from "../../support/bodies.js";
import { makeCertificate, writeCertificate } from "../../support/certificate.js";
import { makeTempDir, removeTempDir } from "../../support/temp-dir.js";
import { send, sessionFiles, type VsphereMessage } from "../../support/vsphere.js";
import {
  content,
  ended,
  lookAt,
  openMember,
  openSession,
  refusalOf,
  serveContent,
  serveHeld,
  serveRedirect,
  settled,
  until,
} from "./pull-scene.js";
import { digest, useVsphereServer } from "./vsphere-server.js";

const folder = await realpath(await makeTempDir());
const root = join(folder, "root");
await mkdir(join(root, "folder"), { recursive: true });
/** The server trusts the one, and nobody vouches for the other. */
const [trusted, unknown] = [makeCertificate(), makeCertificate()];
const { certFile } = await writeCertificate(trusted);
const scene = useVsphereServer({
  env: {
    SLIPWAY_PULL_ALLOW: "127.0.0.1",
    SLIPWAY_PULL_ROOTS: root,
    SLIPWAY_MAX_PULL_TRIES: "2",
    NODE_EXTRA_CA_CERTS: certFile,
  },
});
afterAll(() => removeTempDir(folder));

const another = "AB:".repeat(19).concat("AB");
const name = "a.iso";

interface Declared {
  readonly source_endpoint: {
    readonly uri: string;
    readonly ssl_certificate_thumbprint?: string;
    readonly ssl_certificate?: string;
  };
  readonly size?: number;
  readonly checksum_info?: { readonly algorithm?: string; readonly checksum: string };
}

const pull = (sessionId: string, declared: Declared) =>
  scene.vsphere.add(sessionId, { name, source_type: "PULL", ...declared });

async function putInRoot(called: string, bytes: Uint8Array = content): Promise<string> {
  const path = join(root, called);
  await writeFile(path, bytes);
  return path;
}

/** Completes the session and expects the content in its item, in the place of what was there. */
async function expectPulled({ itemId, sessionId }: { itemId: string; sessionId: string }): Promise<void> {
  const { vsphere } = scene;
  await vsphere.act(sessionId, "complete");
  expect((await ended(vsphere, sessionId)).state).toBe("DONE");
  expect(await lookAt(scene, itemId)).toEqual({
    contentVersion: "3",
    size: content.length + 4,
    files: {
      [name]: { version: "2", content: Buffer.from(content).toString("latin1") },
      "kept.txt": { version: "1", content: "kept" },
    },
  });
}

describe("a file with source_type PULL", () => {
  const sha1 = thumbprintOf(unknown, "sha1");
  const pins: readonly (readonly [
    title: string,
    endpoint: () => Promise<Declared["source_endpoint"]>,
    told: string | undefined,
  ])[] = [
    ["http", async () => ({ uri: (await serveContent()).url }), undefined],
    [
      "https, whose certificate is trusted",
      async () => ({ uri: (await serveContent(content, trusted)).url }),
      undefined,
    ],
    [
      "https, whose thumbprint is told",
      async () => ({ uri: (await serveContent(content, unknown)).url, ssl_certificate_thumbprint: sha1 }),
      sha1,
    ],
    [
      "https, whose thumbprint is told in lower case without colons",
      async () => ({
        uri: (await serveContent(content, unknown)).url,
        ssl_certificate_thumbprint: sha1.replaceAll(":", "").toLowerCase(),
      }),
      sha1,
    ],
    [
      "https, whose certificate is told, whatever the thumbprint beside it says",
      async () => ({
        uri: (await serveContent(content, unknown)).url,
        ssl_certificate_thumbprint: another,
        ssl_certificate: unknown.cert,
      }),
      thumbprintOf(unknown),
    ],
    [
      "http that leads to https, whose thumbprint is told",
      async () => ({
        uri: (await serveRedirect((await serveContent(content, unknown)).url)).url,
        ssl_certificate_thumbprint: sha1,
      }),
      sha1,
    ],
  ];

  it.each(pins)("is fetched from %s, and is in the item once the session is completed", async (_from, make, told) => {
    const { vsphere } = scene;
    const endpoint = await make();
    const { itemId, sessionId } = await openSession(scene);
    const before = await lookAt(scene, itemId);
    const declared = await pull(sessionId, { source_endpoint: endpoint, size: content.length });
    const uri = new URL(endpoint.uri).href;
    const source_endpoint = told === undefined ? { uri } : { uri, ssl_certificate_thumbprint: told };
    expect(declared).toMatchObject({ name, source_type: "PULL", source_endpoint });
    expect(declared.upload_endpoint).toBeUndefined();
    expect(await settled(vsphere, sessionId)).toEqual({
      name,
      source_type: "PULL",
      status: "READY",
      bytes_transferred: content.length,
      size: content.length,
      checksum_info: { algorithm: "SHA256", checksum: digest("sha256", content) },
      source_endpoint,
      keep_in_storage: true,
    });
    expect(await lookAt(scene, itemId)).toEqual(before);
    await expectPulled({ itemId, sessionId });
  });

  it.each([
    ["none, which is SHA1", undefined, "sha1"],
    ["SHA1", "SHA1", "sha1"],
    ["MD5", "MD5", "md5"],
    ["SHA256", "SHA256", "sha256"],
    ["SHA512", "SHA512", "sha512"],
  ] as const)("is checked by the checksum that is declared, here by algorithm %s", async (_title, algorithm, hash) => {
    const { sessionId } = await openSession(scene);
    const { url: uri } = await serveContent();
    const checksum = digest(hash, content);
    const named = algorithm === undefined ? {} : { algorithm };
    await pull(sessionId, { source_endpoint: { uri }, checksum_info: { ...named, checksum: checksum.toUpperCase() } });
    const { status, checksum_info } = await settled(scene.vsphere, sessionId);
    expect([status, checksum_info]).toEqual(["READY", { algorithm: algorithm ?? "SHA1", checksum }]);
  });

  it.each([-1, -9])("has no declared size where that is %i", async (size) => {
    const session = await openSession(scene);
    await pull(session.sessionId, { source_endpoint: { uri: (await serveContent()).url }, size });
    expect(await settled(scene.vsphere, session.sessionId)).toMatchObject({ status: "READY", size: content.length });
    await expectPulled(session);
  });

  it("may have no bytes at all", async () => {
    const { itemId, sessionId } = await openSession(scene);
    await pull(sessionId, { source_endpoint: { uri: (await serveContent(new Uint8Array())).url }, size: 0 });
    expect(await settled(scene.vsphere, sessionId)).toMatchObject({ status: "READY", size: 0 });
    await scene.vsphere.act(sessionId, "complete");
    expect((await lookAt(scene, itemId)).files[name]).toEqual({ version: "2", content: "" });
  });

  it.each(["file", "ds"])("is copied from a folder of the server by %s:, which is left as it is", async (scheme) => {
    const path = await putInRoot(`of ${scheme}.iso`);
    const uri = pathToFileURL(path).href.replace(/^file/, scheme);
    const session = await openSession(scene);
    expect((await pull(session.sessionId, { source_endpoint: { uri } })).source_endpoint).toEqual({ uri });
    expect((await settled(scene.vsphere, session.sessionId)).status).toBe("READY");
    await expectPulled(session);
    expect(Buffer.compare(await readFile(path), content)).toBe(0);
  });

  it("is unauthorized from a folder of the server for who may not read its storage, and nothing is declared", async () => {
    const theirs = await openMember(scene, "uploader", Role.UPLOADER);
    const path = await putInRoot("not theirs.iso");
    const { sessionId } = await openSession(scene, theirs);
    for (const scheme of ["file", "ds"]) {
      const uri = `${scheme}://${path.replaceAll(" ", "%20")}`;
      const spec = { name, source_type: "PULL", source_endpoint: { uri } };
      expect(await refusalOf(theirs.add(sessionId, spec))).toMatchObject({
        status: 403,
        type: "unauthorized",
        messages: [{ id: "slipway.permission_missing" }],
      });
      const asked = { source_endpoint: { uri } };
      const probed = theirs.value("POST", `${sessionFiles}?~action=probe`, asked);
      expect(await refusalOf(probed)).toMatchObject({ status: 403, type: "unauthorized" });
    }
    expect((await theirs.files(sessionId)).map((file) => [file.name, file.source_type])).toEqual([
      ["a.iso", "NONE"],
      ["kept.txt", "NONE"],
    ]);
    expect((await theirs.session(sessionId)).state).toBe("ACTIVE");
    const uri = (await serveContent()).url;
    await theirs.add(sessionId, { name, source_type: "PULL", source_endpoint: { uri } });
    expect((await settled(theirs, sessionId)).status).toBe("READY");
  });

  it("takes the place of the same name that was being fetched, whose source is let go of", async () => {
    const session = await openSession(scene);
    const first = await serveHeld(pseudoRandom(200_000, 2));
    await pull(session.sessionId, { source_endpoint: { uri: first.url } });
    await first.underWay(scene.vsphere, session.sessionId);
    await pull(session.sessionId, { source_endpoint: { uri: (await serveContent()).url } });
    await first.left();
    await settled(scene.vsphere, session.sessionId);
    await expectPulled(session);
  });

  it("takes the place of one that was to be sent, whose URL leads nowhere then", async () => {
    const session = await openSession(scene);
    const { upload_endpoint: endpoint } = await scene.vsphere.add(session.sessionId, { name, source_type: "PUSH" });
    await pull(session.sessionId, { source_endpoint: { uri: (await serveContent()).url } });
    expect((await send(endpoint!.uri, "late")).status).toBe(404);
    await settled(scene.vsphere, session.sessionId);
    await expectPulled(session);
  });

  it("that is removed is not waited for, and its source is let go of", async () => {
    const { itemId, sessionId } = await openSession(scene);
    const held = await serveHeld();
    await scene.vsphere.add(sessionId, { name: "b.iso", source_type: "PULL", source_endpoint: { uri: held.url } });
    await until(
      () => scene.vsphere.file(sessionId, "b.iso"),
      ({ bytes_transferred: came }) => came > 0,
    );
    await scene.vsphere.remove(sessionId, "b.iso");
    await held.left();
    await scene.vsphere.act(sessionId, "complete");
    expect((await scene.vsphere.session(sessionId)).state).toBe("DONE");
    expect((await scene.vsphere.itemFiles(itemId)).map((file) => file.name)).toEqual(["a.iso", "kept.txt"]);
  });
});

describe("a source that fails for good", () => {
  const wrong = "0".repeat(40);
  const answering = (status: number) =>
    serve((_request, response) => response.writeHead(status, { "content-length": 9 }).end("not here!"));
  const fails: readonly (readonly [
    title: string,
    make: () => Promise<Declared>,
    id: string,
    words: readonly string[],
  ])[] = [
    [
      "answers 404",
      async () => ({ source_endpoint: { uri: (await answering(404)).url }, size: 9 }),
      "not_found",
      ["404"],
    ],
    ["asks for a login", async () => ({ source_endpoint: { uri: (await answering(401)).url } }), "refused", ["401"]],
    ["stays broken", async () => ({ source_endpoint: { uri: (await answering(503)).url } }), "not_ready", ["503"]],
    [
      "speaks no HTTP",
      async () => ({ source_endpoint: { uri: await serveRaw((socket) => socket.end("220 mail ESMTP\r\n")) } }),
      "response_invalid",
      ["127.0.0.1"],
    ],
    [
      "is larger than declared",
      async () => ({ source_endpoint: { uri: (await serveContent()).url }, size: 299_999 }),
      "size_differs",
      ["300000", "299999"],
    ],
    [
      "is smaller than declared",
      async () => ({ source_endpoint: { uri: (await serveContent()).url }, size: 300_001 }),
      "size_differs",
      ["300000", "300001"],
    ],
    ...(["SHA1", "MD5", "SHA256", "SHA512"] as const).map((algorithm) => {
      const hash = algorithm.toLowerCase() as "sha1" | "md5" | "sha256" | "sha512";
      const declared = digest(hash, pseudoRandom(1));
      const make = async () => ({
        source_endpoint: { uri: (await serveContent()).url },
        checksum_info: { algorithm, checksum: declared },
      });
      return [`has another ${algorithm}`, make, "checksum_differs", [declared, digest(hash, content)]] as const;
    }),
    [
      "has another SHA1, which is meant where no algorithm is told",
      async () => ({ source_endpoint: { uri: (await serveContent()).url }, checksum_info: { checksum: wrong } }),
      "checksum_differs",
      [wrong, digest("sha1", content)],
    ],
    [
      "shows a certificate that nobody vouches for",
      async () => ({ source_endpoint: { uri: (await serveContent(content, unknown)).url } }),
      "certificate_untrusted",
      [thumbprintOf(unknown)],
    ],
    [
      "shows a trusted certificate, but another one than the thumbprint's",
      async () => ({
        source_endpoint: { uri: (await serveContent(content, trusted)).url, ssl_certificate_thumbprint: another },
      }),
      "thumbprint_differs",
      [another, thumbprintOf(trusted, "sha1")],
    ],
    [
      "shows another certificate than the one that was told",
      async () => ({
        source_endpoint: { uri: (await serveContent(content, trusted)).url, ssl_certificate: unknown.cert },
      }),
      "thumbprint_differs",
      [thumbprintOf(unknown), thumbprintOf(trusted)],
    ],
    [
      "leads to https with another certificate than the thumbprint's",
      async () => ({
        source_endpoint: {
          uri: (await serveRedirect((await serveContent(content, unknown)).url)).url,
          ssl_certificate_thumbprint: another,
        },
      }),
      "thumbprint_differs",
      [another, thumbprintOf(unknown, "sha1")],
    ],
    [
      "is no file",
      async () => ({ source_endpoint: { uri: pathToFileURL(join(root, "folder")).href } }),
      "not_regular_file",
      [join(root, "folder")],
    ],
    [
      "is no file that is there",
      async () => ({ source_endpoint: { uri: pathToFileURL(join(root, "none.iso")).href } }),
      "not_found",
      ["none.iso"],
    ],
    [
      "is outside of the folders that may be read",
      async () => ({ source_endpoint: { uri: pathToFileURL(join(folder, "secret")).href } }),
      "outside_roots",
      ["SLIPWAY_PULL_ROOTS"],
    ],
  ];

  it.each(fails)("because it %s ends file and session in ERROR, and says so", async (_title, make, id, words) => {
    const { vsphere } = scene;
    const { itemId, sessionId } = await openSession(scene);
    const before = await lookAt(scene, itemId);
    await pull(sessionId, await make());
    const { error_message: ofSession, state, preview_info } = await ended(vsphere, sessionId);
    expect([state, preview_info]).toEqual(["ERROR", undefined]);
    const { error_message: ofFile, status, source_type } = await vsphere.file(sessionId, name);
    expect([status, source_type, ofFile?.id]).toEqual(["ERROR", "PULL", `slipway.${id}`]);
    for (const word of words) expect(ofFile?.default_message).toContain(word);
    const told = `file ${JSON.stringify(name)}: ${ofFile?.default_message}`;
    expect(ofSession).toEqual({ id: "slipway.file_failed", default_message: told, args: [] });
    await expectOver(sessionId, ofSession!);
    expect(await lookAt(scene, itemId)).toEqual(before);
    // The item is free for another try.
    await vsphere.createSession(itemId);
  });

  /** Everything that changes a session is refused with the reason of its end; then it can be deleted. */
  async function expectOver(sessionId: string, { default_message: reason }: VsphereMessage): Promise<void> {
    const { vsphere } = scene;
    const spec = { name: "b", source_type: "PUSH" };
    const deeds: Record<string, () => Promise<unknown>> = {
      complete: () => vsphere.act(sessionId, "complete"),
      cancel: () => vsphere.act(sessionId, "cancel"),
      fail: () => vsphere.act(sessionId, "fail"),
      keep_alive: () => vsphere.act(sessionId, "keep-alive"),
      add: () => vsphere.add(sessionId, spec),
      remove: () => vsphere.remove(sessionId, name),
      validate: () => vsphere.value("POST", `${sessionFiles}/id:${sessionId}?~action=validate`),
    };
    for (const [operation, deed] of Object.entries(deeds)) {
      const refusal = await refusalOf(deed());
      expect([operation, refusal.status, refusal.type]).toEqual([operation, 400, "not_allowed_in_current_state"]);
      expect(refusal.messages[0]?.args).toEqual([operation, "ERROR", reason]);
    }
    await vsphere.value("DELETE", `/rest/com/vmware/content/library/item/update-session/id:${sessionId}`);
    expect(await refusalOf(vsphere.session(sessionId))).toMatchObject({ status: 404, type: "not_found" });
  }
});

describe("a session that is completed while a file is being fetched", () => {
  async function completeHeld(checksum?: string) {
    const session = await openSession(scene);
    const held = await serveHeld();
    const declared = { source_endpoint: { uri: held.url } };
    await pull(session.sessionId, checksum === undefined ? declared : { ...declared, checksum_info: { checksum } });
    await held.underWay(scene.vsphere, session.sessionId);
    await scene.vsphere.act(session.sessionId, "complete");
    return { ...session, ...held };
  }

  it("is ACTIVE until all has come, and its item as it was; then it is DONE", async () => {
    const { vsphere } = scene;
    const { sessionId, itemId, release } = await completeHeld();
    expect(await vsphere.session(sessionId)).toMatchObject({ state: "ACTIVE", library_item_content_version: "2" });
    expect((await vsphere.file(sessionId, name)).status).toBe("TRANSFERRING");
    expect(await lookAt(scene, itemId)).toMatchObject({ contentVersion: "2", files: { [name]: { version: "1" } } });
    // Clients repeat what they got no answer to.
    await vsphere.act(sessionId, "complete");
    await vsphere.act(sessionId, "keep-alive", { client_progress: 50 });
    release();
    expect(await ended(vsphere, sessionId)).toMatchObject({ state: "DONE", client_progress: 50 });
    expect(await lookAt(scene, itemId)).toMatchObject({ contentVersion: "3", files: { [name]: { version: "2" } } });
    expect(Buffer.compare(await vsphere.download(itemId, name), content)).toBe(0);
  });

  it("is in ERROR when what comes is not what was declared, and its item stays as it was", async () => {
    const { vsphere } = scene;
    const { sessionId, itemId, release } = await completeHeld("0".repeat(40));
    const before = await lookAt(scene, itemId);
    release();
    const { state, error_message: message } = await ended(vsphere, sessionId);
    expect([state, message?.id]).toEqual(["ERROR", "slipway.file_failed"]);
    expect(message?.default_message).toContain(digest("sha1", content));
    expect(await vsphere.file(sessionId, name)).toMatchObject({
      status: "ERROR",
      error_message: { id: "slipway.checksum_differs" },
    });
    expect(await lookAt(scene, itemId)).toEqual(before);
    const again = await refusalOf(vsphere.act(sessionId, "complete"));
    expect([again.type, again.messages[0]?.args]).toEqual([
      "not_allowed_in_current_state",
      ["complete", "ERROR", message?.default_message],
    ]);
  });

  it("takes no more files and loses none, is not deleted, and nobody else may open the item", async () => {
    const { vsphere } = scene;
    const { sessionId, itemId, release } = await completeHeld();
    const deeds: Record<string, () => Promise<unknown>> = {
      add: () => vsphere.add(sessionId, { name: "b", source_type: "PUSH" }),
      remove: () => vsphere.remove(sessionId, "kept.txt"),
      delete: () => vsphere.value("DELETE", `/rest/com/vmware/content/library/item/update-session/id:${sessionId}`),
    };
    for (const [operation, deed] of Object.entries(deeds)) {
      expect(await refusalOf(deed())).toMatchObject({
        status: 400,
        type: "not_allowed_in_current_state",
        messages: [{ args: [operation, "ACTIVE", "it is being completed"] }],
      });
    }
    expect(await refusalOf(vsphere.createSession(itemId))).toMatchObject({ status: 400, type: "resource_busy" });
    release();
    expect((await ended(vsphere, sessionId)).state).toBe("DONE");
    expect(Object.keys((await lookAt(scene, itemId)).files)).toEqual(["a.iso", "kept.txt"]);
  });

  it.each([
    ["cancelled", "cancel", "CANCELED"],
    ["failed by its client", "fail", "ERROR"],
  ])("can be %s, which lets go of the source and leaves the item as it was", async (_title, action, state) => {
    const { vsphere } = scene;
    const { sessionId, itemId, left, release } = await completeHeld();
    const before = await lookAt(scene, itemId);
    await vsphere.act(sessionId, action);
    expect((await vsphere.session(sessionId)).state).toBe(state);
    await left();
    release();
    expect(await lookAt(scene, itemId)).toEqual(before);
    await vsphere.createSession(itemId);
  });
});

it("a session that is cancelled while a file is being fetched lets go of the source, and is over", async () => {
  const { vsphere } = scene;
  const { itemId, sessionId } = await openSession(scene);
  const before = await lookAt(scene, itemId);
  const held = await serveHeld();
  await pull(sessionId, { source_endpoint: { uri: held.url } });
  await held.underWay(vsphere, sessionId);
  await vsphere.act(sessionId, "cancel");
  await held.left();
  expect((await vsphere.session(sessionId)).state).toBe("CANCELED");
  expect((await vsphere.file(sessionId, name)).status).not.toBe("READY");
  expect(await refusalOf(vsphere.act(sessionId, "complete"))).toMatchObject({
    type: "not_allowed_in_current_state",
    messages: [{ args: ["complete", "CANCELED", ""] }],
  });
  expect(await lookAt(scene, itemId)).toEqual(before);
});

describe("a PULL that says of no source, or of none there can be,", () => {
  const pem = unknown.cert;
  it.each<readonly [title: string, endpoint: object | undefined, id: string, word: string]>([
    ["without an endpoint", undefined, "source_endpoint_missing", "source_endpoint"],
    ["with an endpoint without a URI", {}, "value_missing", "file_spec.source_endpoint.uri"],
    ["with an empty URI", { uri: "" }, "source_invalid", "scheme"],
    ["with a URI without a scheme", { uri: "example.com/a.iso" }, "source_invalid", "no scheme"],
    ["with a URI without a host", { uri: "http:///a.iso" }, "source_invalid", "no host"],
    ["with a URI with a space in it", { uri: "http://example.com/a b" }, "source_invalid", "%20"],
    ["with a URI with a control character in it", { uri: "http://example.com/a\nb" }, "source_invalid", "control"],
    ["with a URI that is too long", { uri: `http://h/${"a".repeat(9000)}` }, "source_invalid", "8192"],
    ["with a port that there is not", { uri: "http://example.com:70000/a" }, "source_invalid", "port"],
    ["by ftp", { uri: "ftp://example.com/a.iso" }, "source_invalid", "ftp"],
    ["by data", { uri: "data:,hello" }, "source_invalid", "data"],
    ["by nfs", { uri: "nfs://example.com/a.iso" }, "source_invalid", "nfs"],
    ["with credentials in its URI", { uri: "https://me:secret@example.com/a" }, "source_invalid", "password"],
    ["of a file of another host", { uri: "file://share/a.iso" }, "source_invalid", "share"],
    ["of a file by a way up", { uri: "file:///srv/%2e%2e/a.iso" }, "source_invalid", "`..`"],
    ["of a file with a query", { uri: "file:///srv/a.iso?x" }, "source_invalid", "query"],
    ["of a folder", { uri: "ds:///vmfs/volumes/" }, "source_invalid", "slash"],
    [
      "with a thumbprint that is none",
      { uri: "https://h/a", ssl_certificate_thumbprint: "AB:CD" },
      "source_invalid",
      "",
    ],
    [
      "with a thumbprint beside a file",
      { uri: "file:///a", ssl_certificate_thumbprint: another },
      "source_invalid",
      "thumbprint",
    ],
    ["with a certificate that is none", { uri: "https://h/a", ssl_certificate: "no" }, "certificate_malformed", "PEM"],
    ["with two certificates", { uri: "https://h/a", ssl_certificate: pem + pem }, "certificate_malformed", "one"],
  ])("%s is an invalid argument, and declares nothing", async (_title, source_endpoint, id, word) => {
    const { sessionId } = await openSession(scene);
    const spec = { name, source_type: "PULL", source_endpoint };
    const refusal = await refusalOf(scene.vsphere.add(sessionId, spec));
    expect([refusal.status, refusal.type]).toEqual([400, "invalid_argument"]);
    expect(refusal.messages).toEqual([expect.objectContaining({ id: `slipway.${id}` })]);
    expect(refusal.message).toContain(word);
    expect(refusal.message).not.toContain("secret");
    expect((await scene.vsphere.file(sessionId, name)).source_type).toBe("NONE");
    expect((await scene.vsphere.session(sessionId)).state).toBe("ACTIVE");
  });

  it("is said so on /api, too, where the body is the file itself or is wrapped", async () => {
    const { sessionId } = await openSession(scene);
    const path = `/api/content/library/item/update-session/${sessionId}/file`;
    const bare = { name, source_type: "PULL" };
    for (const body of [bare, { file_spec: bare }]) {
      const { status, text } = await scene.vsphere.ask("POST", path, { body });
      expect([status, JSON.parse(text)]).toEqual([
        400,
        {
          error_type: "INVALID_ARGUMENT",
          messages: [
            {
              id: "slipway.source_endpoint_missing",
              default_message: "file_spec.source_endpoint is missing, which PULL needs",
              args: ["file_spec.source_endpoint"],
            },
          ],
        },
      ]);
    }
  });
});

it.each(["PUSH", "NONE"])("a source beside %s is not asked, and not told", async (source_type) => {
  const { sessionId } = await openSession(scene);
  const web = await serveContent();
  const spec = { name: "b.iso", source_type, source_endpoint: { uri: web.url } };
  expect(await scene.vsphere.add(sessionId, spec)).toMatchObject({ source_type, status: "WAITING_FOR_TRANSFER" });
  const { source_endpoint } = await scene.vsphere.file(sessionId, "b.iso");
  expect([source_endpoint, web.requests.length]).toEqual([undefined, 0]);
});

describe("probe", () => {
  interface Found {
    readonly status: string;
    readonly ssl_certificate?: string;
    readonly ssl_thumbprint?: string;
    readonly error_messages?: readonly VsphereMessage[];
  }
  const at = `${sessionFiles}?~action=probe`;
  const probe = (source_endpoint: object) => scene.vsphere.value<Found>("POST", at, { source_endpoint });
  const told = (id: string) => [
    { id: `com.vmware.vdcs.cls-main.${id}`, default_message: expect.any(String), args: [expect.any(String)] },
  ];

  it("of a source over http says that it can be read, and does not read it", async () => {
    const web = await serveContent();
    expect(await probe({ uri: web.url })).toEqual({ status: "SUCCESS" });
    await until(
      () => web.requests.length,
      (count) => count > 0,
    );
  });

  it("of a source over https shows its certificate, and by that or its thumbprint it can be read", async () => {
    const { url: uri } = await serveContent(content, unknown);
    const found = await probe({ uri });
    const shown = {
      ssl_certificate: expect.stringMatching(/^-----BEGIN CERTIFICATE-----\n/),
      ssl_thumbprint: thumbprintOf(unknown, "sha1"),
    };
    expect(found).toEqual({
      status: "CERTIFICATE_ERROR",
      error_messages: told("http_request_error_peer_not_authenticated"),
      ...shown,
    });
    const { ssl_certificate, ssl_thumbprint } = found;
    for (const pin of [{ ssl_certificate }, { ssl_certificate_thumbprint: ssl_thumbprint }]) {
      expect(await probe({ uri, ...pin })).toEqual({ status: "SUCCESS", ...shown });
      const session = await openSession(scene);
      await pull(session.sessionId, { source_endpoint: { uri, ...pin } as Declared["source_endpoint"] });
      expect((await settled(scene.vsphere, session.sessionId)).status).toBe("READY");
    }
  });

  it("of a source over https that is trusted shows its certificate, too", async () => {
    const { url: uri } = await serveContent(content, trusted);
    expect(await probe({ uri })).toMatchObject({ status: "SUCCESS", ssl_thumbprint: thumbprintOf(trusted, "sha1") });
    expect(await probe({ uri, ssl_certificate_thumbprint: another })).toMatchObject({ status: "CERTIFICATE_ERROR" });
  });

  it.each([
    ["nowhere", "invalid_url_format"],
    ["https://me:secret@example.com/a", "invalid_url_format"],
    ["ftp://example.com/a", "file_probe_unsupported_uri_scheme"],
    ["http://127.0.0.2:9/a", "http_request_error"],
    ["file:///etc/passwd", "http_request_error"],
  ])("of %s says what is wrong with it", async (uri, id) => {
    const found = await probe({ uri });
    expect(found).toEqual({ status: "INVALID_URL", error_messages: told(id) });
    expect(JSON.stringify(found)).not.toContain("secret");
  });

  it("of a source that answers 404 says so", async () => {
    const web = await serve((_request, response) => response.writeHead(404).end());
    const found = await probe({ uri: web.url });
    expect(found).toEqual({ status: "INVALID_URL", error_messages: told("http_request_error") });
    expect(found.error_messages?.[0]?.default_message).toContain("404");
  });

  it("is asked by parameters and answered in XML all the same", async () => {
    const { url } = await serveContent();
    const query = `&source_endpoint.uri=${encodeURIComponent(url)}`;
    const { status, text } = await scene.vsphere.ask("POST", at + query, { headers: { accept: "application/xml" } });
    expect([status, text]).toEqual([
      200,
      expect.stringMatching(/:Probe-Result .*<value><status>SUCCESS<\/status><\/value>/s),
    ]);
  });

  it("of words that declare no source is refused", async () => {
    const { url: uri } = await serveContent();
    for (const endpoint of [{}, { uri, ssl_certificate_thumbprint: "AB:CD" }, { uri, ssl_certificate: "no" }]) {
      expect(await refusalOf(probe(endpoint))).toMatchObject({ status: 400, type: "invalid_argument" });
    }
  });
});

describe("a server that is told of no address beside public ones", () => {
  const strict = useVsphereServer();

  it.each([
    "http://10.1.2.3/a",
    "http://192.168.0.1/a",
    "http://[::1]/a",
    "http://[fe80::1]/a",
    "http://169.254.169.254/latest/meta-data",
    "http://2130706433/a",
    "http://localhost:9/a",
  ])("does not fetch from %s", async (uri) => {
    const { sessionId } = await openSession(strict);
    await strict.vsphere.add(sessionId, { name, source_type: "PULL", source_endpoint: { uri } });
    const { state, error_message } = await ended(strict.vsphere, sessionId);
    expect([state, error_message?.default_message]).toEqual(["ERROR", expect.stringContaining("SLIPWAY_PULL_ALLOW")]);
    const file = await strict.vsphere.file(sessionId, name);
    expect([file.status, file.error_message?.id]).toEqual(["ERROR", "slipway.address_forbidden"]);
  });

  it("does not so much as ask a source of this machine, be it for its content or to probe it", async () => {
    const web = await serveContent();
    const { sessionId } = await openSession(strict);
    await strict.vsphere.add(sessionId, { name, source_type: "PULL", source_endpoint: { uri: web.url } });
    expect((await ended(strict.vsphere, sessionId)).state).toBe("ERROR");
    const asked = { source_endpoint: { uri: web.url } };
    const found = await strict.vsphere.value<object>("POST", `${sessionFiles}?~action=probe`, asked);
    expect(found).toMatchObject({ status: "INVALID_URL" });
    expect(web.requests).toEqual([]);
  });

  it("reads no folder of its own where none is named", async () => {
    const { sessionId } = await openSession(strict);
    const uri = "file:///etc/hostname";
    await strict.vsphere.add(sessionId, { name, source_type: "PULL", source_endpoint: { uri } });
    const { error_message } = await ended(strict.vsphere, sessionId);
    expect(error_message?.default_message).toContain("SLIPWAY_PULL_ROOTS");
  });
});
