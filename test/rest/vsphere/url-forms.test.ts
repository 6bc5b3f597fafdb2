// One session's whole life, from its creation to its end, in every form that a URL of an operation has.
import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { send, type VsphereAnswer } from "../../support/vsphere.js";
import { parseXml, type XmlNode } from "../../support/xml.js";
import { type Carrier, carriers, carry, type Input } from "./representations.js";
import { useVsphereServer } from "./vsphere-server.js";

const scene = useVsphereServer();

const sessions = {
  path: "/com/vmware/content/library/item/update-session",
  service: "content/library/item/update_session",
};
const files = {
  path: "/com/vmware/content/library/item/updatesession/file",
  service: "content/library/item/updatesession/file",
};
type Service = typeof sessions;
const api = "/api/content/library/item/update-session";

/** How a client of a form asks for an operation; `id` is the session's. */
type Ask = (service: Service, name: string, id: string | undefined, input?: Input) => Promise<VsphereAnswer>;

/** Operations with a method of their own: with the id in the path, or without. */
const verbs: Readonly<Record<string, readonly [method: string, needsId: boolean]>> = {
  "update_session.create": ["POST", false],
  "update_session.get": ["GET", true],
  "update_session.list": ["GET", false],
  "update_session.update": ["PATCH", true],
  "update_session.delete": ["DELETE", true],
  "file.list": ["GET", false],
};

const wordsOf = (name: string) => name.split("_").map((word) => word.charAt(0).toUpperCase() + word.slice(1));

/** `POST {service}?~action=`, with the id in the path where `place` says so, and elsewhere among the rest. */
function byAction(prefix: string, place: "path" | "input", carrier: Carrier): Ask {
  return (service, name, id, input = {}) => {
    const inPath = id !== undefined && place === "path";
    const path = `${prefix}${service.path}${inPath ? `/id:${id}` : ""}?~action=${name.replaceAll("_", "-")}`;
    const whole = inPath || id === undefined ? input : { update_session_id: id, ...input };
    const asked = carry(carrier, path, whole, { name: wordsOf(name).join(""), service: service.service });
    const accept = carrier === "XML" || carrier === "a form" ? "application/xml" : "application/json";
    return scene.vsphere.ask("POST", asked.path, { ...asked, headers: { ...asked.headers, accept } });
  };
}

/** The method that an operation has of its own, and `POST ...?~action=` where it has none. */
function byVerb(prefix: string, carrier: Carrier): Ask {
  return (service, name, id, input = {}) => {
    const [method, needsId] = verbs[`${service.service.split("/").at(-1)}.${name}`] ?? [];
    if (method === undefined) return byAction(prefix, "path", carrier)(service, name, id, input);
    const path = `${prefix}${service.path}${needsId ? `/id:${id}` : ""}`;
    const whole: Input = needsId || id === undefined ? input : { update_session_id: id, ...input };
    const by = method === "GET" || method === "DELETE" ? "parameters" : carrier;
    const asked = carry(by, path, whole, { name: wordsOf(name).join(""), service: service.service });
    return scene.vsphere.ask(method, asked.path, asked);
  };
}

/** What is answered, in JSON or in XML; of XML, scalars are text. */
function resultOf({ headers, text }: VsphereAnswer): unknown {
  if (text === "") return undefined;
  if (headers.get("content-type") === "application/json") return (JSON.parse(text) as { value: unknown }).value;
  const [value] = parseXml(text).children;
  return membersOf(value!);
}

function membersOf({ name, children, text }: XmlNode): unknown {
  if (name.endsWith("-array")) return children.map(membersOf);
  if (children.length === 0) return text;
  return Object.fromEntries(children.map((child) => [child.name.replace(/-array$/, ""), membersOf(child)]));
}

const forms: readonly (readonly [form: string, ask: Ask])[] = ["/rest", ""].flatMap((prefix) => [
  ...carriers.map((by) => [`their own methods under ${prefix}/com, by ${by}`, byVerb(prefix, by)] as const),
  ...carriers.map((by) => [`POST ${prefix}/com/.../id:{id}?~action=, by ${by}`, byAction(prefix, "path", by)] as const),
  ...carriers.map((by) => [`POST ${prefix}/com/...?~action=, by ${by}`, byAction(prefix, "input", by)] as const),
]);

describe.each(forms)("a session by %s", (_form, ask) => {
  /** The value of a good answer. */
  async function good(service: Service, name: string, id?: string, input?: Input): Promise<unknown> {
    const answer = await ask(service, name, id, input);
    expect([name, answer.status, answer.text]).toEqual([name, 200, answer.text]);
    return resultOf(answer);
  }

  async function create(item: string): Promise<string> {
    const input = { client_token: randomUUID(), create_spec: { library_item_id: item } };
    return String(await good(sessions, "create", undefined, input));
  }

  const stateOf = async (id: string) => ((await good(sessions, "get", id)) as { state: string }).state;

  it("is created, found, kept alive, told about warnings, filled, validated and completed, and deleted", async () => {
    const item = await scene.item({ "old.txt": Buffer.from("old") });
    const id = await create(item);
    // The one that put the old file there is known as well.
    expect(await good(sessions, "list", undefined, { library_item_id: item })).toHaveLength(2);
    expect(await good(sessions, "list")).toContain(id);
    expect(await good(sessions, "keep_alive", id, { client_progress: 40 })).toBeUndefined();
    const warnings = [
      { type: "SELF_SIGNED_CERTIFICATE", ignored: true },
      { type: "EXPIRED_CERTIFICATE", ignored: false },
    ];
    expect(await good(sessions, "update", id, { update_spec: { warning_behavior: warnings } })).toBeUndefined();
    const found = (await good(sessions, "get", id)) as Record<string, unknown>;
    expect([found.id, found.library_item_id, found.state, String(found.client_progress)]).toEqual([
      ...[id, item, "ACTIVE"],
      "40",
    ]);
    expect(asTexts(found.warning_behavior)).toEqual(asTexts(warnings));

    const spec = { name: "new & good.txt", source_type: "PUSH", size: 3 };
    const added = (await good(files, "add", id, { file_spec: spec })) as { upload_endpoint: { uri: string } };
    const validated = (await good(files, "validate", id)) as Record<string, unknown>;
    expect([String(validated.has_errors), validated.missing_files]).toEqual(["true", ["new & good.txt"]]);
    expect((await send(added.upload_endpoint.uri, "new")).status).toBe(200);
    expect(await good(files, "get", id, { file_name: "new & good.txt" })).toMatchObject({ status: "READY" });
    expect(await good(files, "remove", id, { file_name: "old.txt" })).toBeUndefined();
    expect(await good(files, "list", id)).toMatchObject([{ name: "new & good.txt", source_type: "PUSH" }]);
    expect(await good(sessions, "complete", id)).toBeUndefined();

    expect(await stateOf(id)).toBe("DONE");
    expect(await scene.vsphere.itemFiles(item)).toMatchObject([{ name: "new & good.txt", size: 3 }]);
    expect(await good(sessions, "delete", id)).toBeUndefined();
    expect((await ask(sessions, "get", id)).status).toBe(404);
  });

  it("is given up: canceled, or failed with a reason", async () => {
    const item = await scene.item();
    const canceled = await create(item);
    expect(await good(sessions, "cancel", canceled)).toBeUndefined();
    expect(await stateOf(canceled)).toBe("CANCELED");
    const failed = await create(item);
    expect(await good(sessions, "fail", failed, { client_error_message: "the cable <is> cut" })).toBeUndefined();
    expect(await good(sessions, "get", failed)).toMatchObject({
      state: "ERROR",
      error_message: { default_message: "the cable <is> cut" },
    });
    const ids = (await good(sessions, "list", undefined, { library_item_id: item })) as readonly string[];
    expect([...ids].sort()).toEqual([canceled, failed].sort());
  });
});

function asTexts(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_name, member) => (typeof member === "boolean" ? String(member) : member)));
}

describe("a session under /api", () => {
  async function ask(line: string, body?: unknown): Promise<readonly [status: number, value: unknown]> {
    const [method = "", path = ""] = line.split(" ");
    const { status, text } = await scene.vsphere.ask(method, path, { body });
    return [status, text === "" ? undefined : JSON.parse(text)];
  }

  it("is created with 201 and an id alone, works without wrappers, and answers 204 where there is nothing to say", async () => {
    const item = await scene.item({ "old.txt": Buffer.from("old") });
    const [status, value] = await ask(`POST ${api}`, { library_item_id: item });
    expect([status, value]).toEqual([201, expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    const id = String(value);
    expect(await ask(`GET ${api}?library_item_id=${item}`)).toEqual([200, expect.arrayContaining([id])]);
    expect(await ask(`POST ${api}/${id}?action=keep-alive`, { client_progress: 40 })).toEqual([204, undefined]);
    const warnings = [{ type: "EXPIRED_CERTIFICATE", ignored: true }];
    expect(await ask(`PATCH ${api}/${id}`, { warning_behavior: warnings })).toEqual([204, undefined]);
    expect(await ask(`GET ${api}/${id}`)).toMatchObject([
      200,
      { id, library_item_id: item, state: "ACTIVE", client_progress: 40, warning_behavior: warnings },
    ]);
    const [added, file] = await ask(`POST ${api}/${id}/file`, { name: "a b.txt", source_type: "PUSH" });
    expect(added).toBe(200);
    expect(await ask(`POST ${api}/${id}/file?action=validate`)).toEqual([
      200,
      { has_errors: true, missing_files: ["a b.txt"], invalid_files: [] },
    ]);
    const { uri } = (file as { upload_endpoint: { uri: string } }).upload_endpoint;
    expect((await send(uri, "new", { method: "POST" })).status).toBe(200);
    for (const path of ["file/a%20b.txt", "file?file_name=a%20b.txt"]) {
      expect(await ask(`GET ${api}/${id}/${path}`)).toMatchObject([200, { name: "a b.txt", status: "READY" }]);
    }
    expect(await ask(`DELETE ${api}/${id}/file/old.txt`)).toEqual([204, undefined]);
    expect(await ask(`GET ${api}/${id}/file`)).toMatchObject([200, [{ name: "a b.txt" }]]);
    expect(await ask(`POST ${api}/${id}?action=complete`)).toEqual([204, undefined]);
    expect(await ask(`GET ${api}/${id}`)).toMatchObject([200, { state: "DONE" }]);
    expect(await ask(`DELETE ${api}/${id}`)).toEqual([204, undefined]);
    expect(await ask(`GET ${api}/${id}`)).toMatchObject([404, { error_type: "NOT_FOUND" }]);
    expect(await scene.vsphere.itemFiles(item)).toMatchObject([{ name: "a b.txt", size: 3 }]);
  });

  it("takes a file as other clients add and remove it", async () => {
    const [, value] = await ask(`POST ${api}`, { library_item_id: await scene.item() });
    const id = String(value);
    const spec = { name: "a.txt", source_type: "PUSH" };
    const added = { name: "a.txt", status: "WAITING_FOR_TRANSFER" };
    for (const [line, body] of [
      [`POST ${api}/${id}/file?action=add`, spec],
      [`POST ${api}/${id}/file?action=add`, { file_spec: spec }],
      [`POST ${api}/${id}/file`, { file_spec: spec }],
    ] as const) {
      expect(await ask(line, body)).toMatchObject([200, added]);
    }
    expect(await ask(`GET ${api}/${id}/file`)).toMatchObject([200, [added]]);
    expect(await ask(`DELETE ${api}/${id}/file?file_name=a.txt`)).toEqual([204, undefined]);
    expect(await ask(`GET ${api}/${id}/file`)).toEqual([200, []]);
  });

  it("is given up: canceled, or failed with a reason", async () => {
    const item = await scene.item();
    const [, canceled] = await ask(`POST ${api}`, { library_item_id: item });
    expect(await ask(`POST ${api}/${canceled}?action=cancel`)).toEqual([204, undefined]);
    expect(await ask(`GET ${api}/${canceled}`)).toMatchObject([200, { state: "CANCELED" }]);
    const [, failed] = await ask(`POST ${api}`, { library_item_id: item });
    expect(await ask(`POST ${api}/${failed}?action=fail`, { client_error_message: "cut" })).toEqual([204, undefined]);
    expect(await ask(`GET ${api}/${failed}`)).toMatchObject([
      200,
      { state: "ERROR", error_message: { default_message: "cut" } },
    ]);
  });

  it("is the same one for the same token, as a header or in the query", async () => {
    const body = { library_item_id: await scene.item() };
    const token = randomUUID();
    const first = await ask(`POST ${api}?client_token=${token}`, body);
    expect(first[0]).toBe(201);
    expect(await ask(`POST ${api}?client_token=${token}`, body)).toEqual(first);
    const headers = { "client-token": token };
    expect(await scene.vsphere.ask("POST", api, { body, headers })).toMatchObject({
      status: 201,
      text: JSON.stringify(first[1]),
    });
  });

  it("that keeps an item busy answers others with 500", async () => {
    const body = { library_item_id: await scene.item() };
    expect((await ask(`POST ${api}`, body))[0]).toBe(201);
    const [status, { error_type, messages }] = (await ask(`POST ${api}`, body)) as [
      number,
      { error_type: string; messages: readonly { id: string }[] },
    ];
    expect([status, error_type, messages.length]).toEqual([500, "RESOURCE_BUSY", 1]);
  });

  it.each([
    ["POST", "", {}, 400, "INVALID_ARGUMENT"],
    ["POST", "", { library_item_id: "obj-103" }, 404, "NOT_FOUND"],
    ["POST", "/{id}/file", { name: "", source_type: "PUSH" }, 400, "INVALID_ARGUMENT"],
    ["GET", "/{id}/file/unknown.txt", undefined, 400, "INVALID_ARGUMENT"],
    ["DELETE", "/{id}", undefined, 400, "NOT_ALLOWED_IN_CURRENT_STATE"],
    ["GET", "/obj-103", undefined, 404, "NOT_FOUND"],
    ["POST", "/{id}?action=nothing", undefined, 404, "OPERATION_NOT_FOUND"],
  ])("refuses %s %s of %o with %i %s, bare", async (method, path, body, status, type) => {
    const id = await scene.vsphere.createSession(await scene.item());
    const [answered, error] = await ask(`${method} ${api}${path.replace("{id}", id)}`, body);
    expect([answered, Object.keys(error as object)]).toEqual([status, ["error_type", "messages"]]);
    expect((error as { error_type: string }).error_type).toBe(type);
  });
});
