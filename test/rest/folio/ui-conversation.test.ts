// What FOLIO's user interface does, step by step, in a browser whose page has another origin than the server.
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBack } from "../../rpc/scene.js";
import { openClient } from "../../support/client.js";
import { startServer, type TestServer } from "../../support/server.js";
import { openPage, type Page, type PageRequest, type Seen } from "./browser.js";
import { addDiku, password, userName } from "./tenant-scene.js";

const origin = "http://localhost:3000";

let server: TestServer;
const pages: Page[] = [];
beforeAll(async () => {
  server = await startServer({ env: { SLIPWAY_CORS_ORIGINS: `https://folio.example,${origin}` } });
});
afterAll(async () => {
  for (const page of pages) page.close();
  await server?.kill();
});

interface FileDefinition {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly uiKey?: string;
  readonly size?: number;
  readonly uploadedDate?: string;
  readonly sourcePath?: string;
}
interface Definition {
  readonly id: string;
  readonly status: string;
  readonly fileDefinitions: readonly FileDefinition[];
  readonly metadata: object;
}
interface LocalFile {
  readonly name: string;
  readonly lastModified: number;
  readonly content: Buffer;
}

/** The user interface of a tenant, with a page of its own. */
type Interface = ReturnType<typeof openInterface>;
function openInterface(tenant: string, authorization: string, from = origin) {
  const page = openPage(server.url, from);
  pages.push(page);

  /** As its library asks, which has a media type and languages for everything. */
  function ask(method: string, path: string, body?: object, more: Partial<PageRequest> = {}): Promise<Seen> {
    const headers = {
      "x-okapi-tenant": tenant,
      "content-type": "application/json",
      accept: "application/json",
      "accept-language": "en-US",
      ...more.headers,
    };
    return page.send({ method, path, ...(body && { body: JSON.stringify(body) }), ...more, headers });
  }

  function logIn(): Promise<Seen> {
    const path = "/bl-users/login-with-expiry?expandPermissions=true&fullPermissions=true";
    return ask("POST", path, { username: userName, password });
  }

  /** Every draft that it would go on with, of which it wants the latest. */
  async function findDraft(): Promise<Definition | undefined> {
    const query = `(status==("NEW" OR "IN_PROGRESS" OR "LOADED")) sortBy createdDate/sort.descending`;
    const path = `/data-import/uploadDefinitions?limit=1&query=${encodeURIComponent(query)}`;
    const { status, text } = await ask("GET", path);
    expect(status).toBe(200);
    return (JSON.parse(text) as { readonly uploadDefinitions: readonly Definition[] }).uploadDefinitions[0];
  }

  /** What it does with the draft that it finds: those with nothing in them to go on with are deleted. */
  async function settleDraft(): Promise<Definition | undefined> {
    for (;;) {
      const draft = await findDraft();
      const files = draft?.fileDefinitions ?? [];
      const isLost = draft?.status === "ERROR" || files.every(({ status }) => status === "ERROR");
      if (draft === undefined || !isLost) return draft;
      expect((await remove(draft)).status).toBe(204);
    }
  }

  async function create(files: readonly LocalFile[]): Promise<Definition> {
    const fileDefinitions = files.map((file) => ({
      uiKey: uiKeyOf(file),
      size: Math.ceil(file.content.length / 1024),
      name: file.name,
    }));
    const { status, text } = await ask("POST", "/data-import/uploadDefinitions", { fileDefinitions });
    expect(status).toBe(201);
    return JSON.parse(text) as Definition;
  }

  /** By XMLHttpRequest, which adds nothing. */
  function uploadRequest(definition: Definition, file: LocalFile): PageRequest {
    const { id } = findFile(definition, file);
    const headers = { "x-okapi-tenant": tenant, "content-type": "application/octet-stream" };
    return { method: "POST", path: `/data-import/uploadDefinitions/${definition.id}/files/${id}`, headers };
  }

  /** Any answer but a whole definition with status 200 is a failure to it. */
  async function upload(definition: Definition, file: LocalFile): Promise<FileDefinition> {
    const { status, text } = await page.send({
      ...uploadRequest(definition, file),
      body: file.content,
    });
    expect(status).toBe(200);
    return findFile(JSON.parse(text) as Definition, file);
  }

  async function get({ id }: Definition): Promise<Definition> {
    const { status, text } = await ask("GET", `/data-import/uploadDefinitions/${id}`);
    expect(status).toBe(200);
    return JSON.parse(text) as Definition;
  }

  function remove({ id }: Definition): Promise<Seen> {
    return ask("DELETE", `/data-import/uploadDefinitions/${id}`);
  }

  function removeFile({ id }: Definition, file: FileDefinition): Promise<Seen> {
    return ask("DELETE", `/data-import/uploadDefinitions/${id}/files/${file.id}`);
  }

  /** With the definition as it was read, members of the server's own and all. */
  function run(definition: Definition): Promise<Seen> {
    const jobProfileInfo = { id: "6f7f3cd7-9f24-42eb-ae91-91af1cd54d0a", name: "Create records", dataType: "MARC" };
    const path = `/data-import/uploadDefinitions/${definition.id}/processFiles?defaultMapping=false`;
    return ask("POST", path, { uploadDefinition: definition, jobProfileInfo });
  }
  return {
    tenant,
    authorization,
    page,
    ask,
    logIn,
    findDraft,
    settleDraft,
    create,
    uploadRequest,
    upload,
    get,
    remove,
    removeFile,
    run,
  };
}

const uiKeyOf = ({ name, lastModified }: LocalFile) => `${name}${lastModified}`;
function findFile({ fileDefinitions }: Definition, file: LocalFile): FileDefinition {
  const found = fileDefinitions.find(({ uiKey }) => uiKey === uiKeyOf(file));
  if (found === undefined) throw new Error(`no file has the key of ${file.name}`);
  return found;
}
const makeFile = (name: string, bytes = 3000): LocalFile => ({
  name,
  lastModified: 1553182511000,
  content: randomBytes(bytes),
});

/** The user interface of a new tenant, where nobody has logged in. */
async function openAnew(): Promise<Interface> {
  const tenant = `diku-${crypto.randomUUID()}`;
  const { authorization } = await addDiku(server, { tenant });
  return openInterface(tenant, authorization);
}
async function enter(): Promise<Interface> {
  const ui = await openAnew();
  expect((await ui.logIn()).status).toBe(201);
  return ui;
}

describe("the user interface", () => {
  it("logs in to cookies that only the browser sees, and learns who it is and what it may", async () => {
    const ui = await openAnew();
    const { status, headers, text } = await ui.logIn();
    const answer = JSON.parse(text);
    expect(status).toBe(201);
    expect(headers).not.toHaveProperty("set-cookie");
    expect(answer).toMatchObject({
      user: { username: userName, active: true },
      permissions: {
        permissions: expect.arrayContaining([expect.objectContaining({ permissionName: expect.any(String) })]),
      },
      tenant: ui.tenant,
    });
    const { accessTokenExpiration, refreshTokenExpiration } = answer.tokenExpiration;
    expect(Date.parse(refreshTokenExpiration)).toBeGreaterThan(Date.parse(accessTokenExpiration));
    const cookies = [...ui.page.cookies.kept].map(([name, { path, attributes }]) => [name, path, attributes]);
    const safe = expect.stringMatching(/^(?=.*; HttpOnly)(?=.*; Secure)(?=.*; SameSite=Strict)/);
    expect(cookies).toEqual([
      ["folioAccessToken", "/", safe],
      ["folioRefreshToken", "/authn", safe],
    ]);
    const self = await ui.ask("GET", "/bl-users/_self?expandPermissions=true&fullPermissions=true");
    expect([self.status, JSON.parse(self.text).user]).toEqual([200, answer.user]);
  });

  it("is told in the words that it knows to refresh, does so by its cookie, and goes on", async () => {
    const ui = await enter();
    // As the browser does when its time is over.
    ui.page.cookies.kept.delete("folioAccessToken");
    const split = () => ui.ask("GET", "/data-import/splitStatus");
    const { status, text } = await split();
    expect([status, text]).toEqual([400, "Token missing, access requires permission: data-import.splitconfig.get"]);
    const before = ui.page.cookies.kept.get("folioRefreshToken");
    const refreshed = await ui.ask("POST", "/authn/refresh");
    expect([refreshed.status, Object.keys(JSON.parse(refreshed.text))]).toEqual([
      201,
      ["accessTokenExpiration", "refreshTokenExpiration"],
    ]);
    expect((await split()).status).toBe(200);
    // Each is good for one.
    ui.page.cookies.kept.set("folioRefreshToken", before!);
    const again = await ui.ask("POST", "/authn/refresh");
    expect([again.status, JSON.parse(again.text).errors[0].code]).toEqual([422, "token.refresh.unprocessable"]);
  });

  it("logs out, and its cookies are gone and worth nothing", async () => {
    const ui = await enter();
    const cookies = [...ui.page.cookies.kept];
    expect((await ui.ask("POST", "/authn/logout")).status).toBe(204);
    expect(ui.page.cookies.kept.size).toBe(0);
    for (const [name, cookie] of cookies) ui.page.cookies.kept.set(name, cookie);
    expect((await ui.ask("GET", "/data-import/splitStatus")).status).toBe(401);
    expect((await ui.ask("POST", "/authn/refresh")).status).toBe(422);
  });

  it("uploads what was dropped, one file after the other, and runs it", async () => {
    const ui = await enter();
    const split = await ui.ask("GET", "/data-import/splitStatus");
    expect(JSON.parse(split.text)).toEqual({ splitStatus: false });
    expect(await ui.settleDraft()).toBeUndefined();

    const files = [makeFile("records.mrc", 300_000), makeFile("Records (2).MRC", 1), makeFile("empty.mrc", 0)];
    expect(await ui.findDraft()).toBeUndefined();
    const made = await ui.create(files);
    expect(made.fileDefinitions).toMatchObject(
      files.map((file) => ({ uiKey: uiKeyOf(file), name: file.name, size: Math.ceil(file.content.length / 1024) })),
    );
    expect(await ui.findDraft()).toEqual(made);
    for (const file of files) {
      const uploaded = await ui.upload(made, file);
      expect(uploaded).toMatchObject({ status: "UPLOADED", name: file.name });
      expect(uploaded.uploadedDate).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
    }

    const query = encodeURIComponent('extension==".mrc"');
    const extensions = await ui.ask("GET", `/data-import/fileExtensions?query=${query}`);
    expect(JSON.parse(extensions.text).fileExtensions[0].dataTypes).toEqual(["MARC"]);

    const read = await ui.get(made);
    expect(read).toMatchObject({ status: "LOADED", metadata: { createdByUserId: expect.any(String) } });
    expect(read.fileDefinitions.every(({ sourcePath }) => sourcePath !== undefined)).toBe(true);
    const ran = await ui.run(read);
    expect([ran.status, ran.text]).toEqual([204, ""]);
    expect((await ui.get(made)).status).toBe("COMPLETED");
    expect(await ui.settleDraft()).toBeUndefined();

    const client = openClient({ url: server.url, authorization: ui.authorization });
    for (const file of files) {
      const place = { sessionId: made.id, fileId: findFile(made, file).id };
      expect((await readBack(client, place)).equals(file.content)).toBe(true);
    }
    client.close();
  });

  it("shows why a definition is refused by the messages that it knows", async () => {
    const ui = await enter();
    const { status, text } = await ui.ask("POST", "/data-import/uploadDefinitions", {
      fileDefinitions: [
        { uiKey: "a", size: 2 ** 31 - 1, name: "large.mrc" },
        { uiKey: "b", size: 1, name: "picture.png" },
      ],
    });
    expect(status).toBe(422);
    expect(JSON.parse(text).errors).toMatchObject([
      { message: "upload.fileSize.invalid", code: "large.mrc" },
      { message: "upload.fileSize.invalid", code: "picture.png" },
      { message: "validation.uploadDefinition.fileExtension.blocked", code: "picture.png" },
    ]);
  });

  it("takes a file away by its trash icon, and is asked to delete a draft without files when it comes back", async () => {
    const ui = await enter();
    const files = [makeFile("a.mrc"), makeFile("b.mrc")] as const;
    const made = await ui.create(files);
    await ui.upload(made, files[0]);
    expect((await ui.removeFile(made, findFile(made, files[1]))).status).toBe(204);
    const left = await ui.settleDraft();
    expect(left).toMatchObject({ id: made.id, status: "IN_PROGRESS", fileDefinitions: [{ name: "a.mrc" }] });
    expect((await ui.removeFile(made, findFile(made, files[0]))).status).toBe(204);
    expect(await ui.findDraft()).toMatchObject({ id: made.id, fileDefinitions: [] });
    expect(await ui.settleDraft()).toBeUndefined();
    expect((await ui.ask("GET", `/data-import/uploadDefinitions/${made.id}`)).status).toBe(404);
  });

  it("deletes a draft of which every file has failed, and finds the one before it", async () => {
    const ui = await enter();
    const earlier = await ui.create([makeFile("earlier.mrc")]);
    const files = [makeFile("whole.mrc"), makeFile("cut.mrc")] as const;
    const made = await ui.create(files);
    await ui.upload(made, files[0]);
    const upload = await ui.page.begin(ui.uploadRequest(made, files[1]), files[1].content.subarray(0, 1000), 3000);
    await until(async () => findFile(await ui.get(made), files[1]).status === "UPLOADING");
    upload.cut();
    await until(async () => findFile(await ui.get(made), files[1]).status === "ERROR");
    expect(await ui.settleDraft()).toMatchObject({ id: made.id, status: "IN_PROGRESS" });
    expect((await ui.removeFile(made, findFile(made, files[0]))).status).toBe(204);
    expect(await ui.settleDraft()).toMatchObject({ id: earlier.id });
  });

  it("sends a file again whose upload was cut, and a draft that failed as a whole is no draft meanwhile", async () => {
    const ui = await enter();
    const file = makeFile("a.mrc");
    const made = await ui.create([file]);
    const upload = await ui.page.begin(ui.uploadRequest(made, file), file.content.subarray(0, 1000), 3000);
    await until(async () => findFile(await ui.get(made), file).status === "UPLOADING");
    upload.cut();
    await until(async () => (await ui.get(made)).status === "ERROR");
    expect(await ui.findDraft()).toBeUndefined();
    expect(await ui.upload(made, file)).toMatchObject({ status: "UPLOADED" });
    expect(await ui.findDraft()).toMatchObject({ id: made.id, status: "LOADED" });
  });

  it("is told by 404 of a definition that was deleted in another window", async () => {
    const ui = await enter();
    const file = makeFile("a.mrc");
    const made = await ui.create([file]);
    await ui.upload(made, file);
    const read = await ui.get(made);
    expect((await ui.remove(made)).status).toBe(204);
    const ran = await ui.run(read);
    expect([ran.status, ran.text]).toEqual([404, `Upload definition not found by id: ${made.id}`]);
    expect((await ui.ask("GET", `/data-import/uploadDefinitions/${made.id}`)).status).toBe(404);
  });
});

describe("a page of an origin that the settings do not name", () => {
  it("is not let in by cookies: the browser blocks it, and the server does not look at them", async () => {
    const ui = await enter();
    const stranger = openInterface(ui.tenant, ui.authorization, "http://localhost:3001");
    await expect(stranger.ask("GET", "/data-import/splitStatus")).rejects.toThrow("blocked: the origin");
    await expect(stranger.logIn()).rejects.toThrow("blocked: the origin");
    const cookie = `folioAccessToken=${ui.page.cookies.kept.get("folioAccessToken")?.value}`;
    const asked = (from: string) =>
      fetch(`${server.url}/data-import/splitStatus`, {
        headers: { cookie, origin: from, "sec-fetch-site": "same-site", "x-okapi-tenant": ui.tenant },
      });
    const refused = await asked("http://localhost:3001");
    expect([refused.status, await refused.text()]).toEqual([
      400,
      "Token missing, access requires permission: data-import.splitconfig.get",
    ]);
    expect(refused.headers.get("access-control-allow-credentials")).toBeNull();
    // What keeps the stranger out is the origin, and nothing else.
    expect((await asked(origin)).status).toBe(200);
  });

  it("may use a token of its own without credentials", async () => {
    const ui = await enter();
    const stranger = openInterface(ui.tenant, ui.authorization, "http://localhost:3001");
    const words = { username: userName, password };
    const login = await stranger.ask("POST", "/authn/login", words, { credentials: "omit" });
    const token = login.headers["x-okapi-token"]!;
    expect(token).toBe(JSON.parse(login.text).okapiToken);
    const headers = { "x-okapi-token": token };
    const split = await stranger.ask("GET", "/data-import/splitStatus", undefined, { credentials: "omit", headers });
    expect(split.status).toBe(200);
  });
});

/** For what happens soon after something else. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 20_000;
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error("it did not come to be");
    await sleep(20);
  }
}
