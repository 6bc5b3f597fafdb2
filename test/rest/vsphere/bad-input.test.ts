// What is wrong with a request, in the words of both generations of the API and in XML; and that nothing comes of it.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Role } from "../../../gen/slipway/upload/v1/access_pb.js";
import { pseudoRandom } from "../../support/bodies.js";
import {
  content,
  downloadSessions,
  openVsphere,
  send,
  sessionFiles,
  updateSessions,
  type VsphereAnswer,
  type VsphereClient,
  vsphereClient,
} from "../../support/vsphere.js";
import { lookAt, openMember, openTenant, refusalOf } from "./pull-scene.js";
import { digest, useVsphereServer } from "./vsphere-server.js";

const scene = useVsphereServer({
  env: { SLIPWAY_MAX_JSON_BYTES: "64KiB", SLIPWAY_MAX_FILE_BYTES: "1MiB", SLIPWAY_PULL_ALLOW: "127.0.0.1" },
});

const api = "/api/content/library/item/update-session";
const nobody = randomUUID();
const bytes = pseudoRandom(1000);

/** What the requests are about: it is the same after all of them. */
interface Place {
  readonly library: string;
  readonly item: string;
  /** ACTIVE: `sent.bin` has come, `waiting.bin` has not, `kept.bin` is the item's. */
  readonly session: string;
  readonly tokenOfSession: string;
  readonly done: string;
  readonly canceled: string;
  readonly failed: string;
  /** Somebody else's, on an item of its own. */
  readonly foreign: string;
  readonly downloads: string;
  readonly reader: VsphereClient;
  readonly uploader: VsphereClient;
  /** The administrator of another tenant. */
  readonly tenant: VsphereClient;
}
let at: Place;
let before: unknown;

beforeAll(async () => {
  const { vsphere } = scene;
  const [item, other] = [await scene.item({ "kept.bin": bytes }), await scene.item()];
  const over = async (action: string, body?: unknown) => {
    const id = await vsphere.createSession(other);
    await vsphere.act(id, action, body);
    return id;
  };
  const [done, canceled] = [await over("complete"), await over("cancel")];
  const failed = await over("fail", { client_error_message: "the disk is full" });
  const uploader = await openMember(scene, "uploader", Role.UPLOADER);
  const tokenOfSession = randomUUID();
  const session = await vsphere.createSession(item, tokenOfSession);
  await vsphere.act(session, "keep-alive", { client_progress: 50 });
  await vsphere.push(session, "sent.bin", bytes);
  await vsphere.add(session, { name: "waiting.bin", source_type: "PUSH", size: 1000 });
  at = {
    library: scene.libraryId,
    item,
    session,
    tokenOfSession,
    done,
    canceled,
    failed,
    uploader,
    foreign: await uploader.createSession(other),
    downloads: await vsphere.value("POST", downloadSessions, { create_spec: { library_item_id: item } }),
    reader: await openMember(scene, "reader", Role.READER),
    tenant: await openTenant(scene, "elsewhere"),
  };
  before = await standing();
});

/** All that a request could have changed, but for when the session expires. */
async function standing() {
  const { vsphere } = scene;
  const { expiration_time: _time, ...session } = await vsphere.session(at.session);
  const files = (await vsphere.files(at.session)).map(({ upload_endpoint: _url, ...file }) => file);
  const states = await Promise.all([at.done, at.canceled, at.failed].map(async (id) => vsphere.session(id)));
  const lists = [
    await vsphere.value("GET", updateSessions),
    await vsphere.value("GET", `${content}/library/item?library_id=${at.library}`),
    await vsphere.value("GET", `${content}/local-library`),
    await at.uploader.value("GET", updateSessions),
  ];
  return { item: await lookAt(scene, at.item), session, files, states: states.map(({ state }) => state), lists };
}

type Request = readonly [method: string, path: string, body?: unknown];
/** The same in both generations; some are in one alone. */
interface Forms {
  readonly rest?: Request;
  readonly api?: Request;
}
interface Told {
  readonly status?: number | readonly [rest: number, api: number];
  readonly type: string;
  readonly messages: readonly (readonly [id: string, args: readonly string[], words: string])[];
}
type Case = readonly [title: string, forms: (place: Place) => Forms, told: Told, as?: "reader" | "uploader" | "tenant"];

const create = (create_spec: object, client_token?: string): Forms => ({
  rest: ["POST", updateSessions, { client_token, create_spec }],
  api: ["POST", api + (client_token === undefined ? "" : `?client_token=${client_token}`), create_spec],
});
const ofSession = (id: string): Forms => ({
  rest: ["GET", `${updateSessions}/id:${id}`],
  api: ["GET", `${api}/${id}`],
});
const act = (id: string, action: string, body?: object): Forms => ({
  rest: ["POST", `${updateSessions}/id:${id}?~action=${action}`, body],
  api: ["POST", `${api}/${id}?action=${action}`, body],
});
const update = (id: string, update_spec: object): Forms => ({
  rest: ["PATCH", `${updateSessions}/id:${id}`, { update_spec }],
  api: ["PATCH", `${api}/${id}`, update_spec],
});
const remove = (id: string): Forms => ({
  rest: ["DELETE", `${updateSessions}/id:${id}`],
  api: ["DELETE", `${api}/${id}`],
});
const add = (id: string, file_spec: object): Forms => ({
  rest: ["POST", `${sessionFiles}/id:${id}?~action=add`, { file_spec }],
  api: ["POST", `${api}/${id}/file`, file_spec],
});
const files = (id: string): Forms => ({
  rest: ["GET", `${sessionFiles}?update_session_id=${id}`],
  api: ["GET", `${api}/${id}/file`],
});
const file = (id: string, file_name: string): Forms => ({
  rest: ["POST", `${sessionFiles}/id:${id}?~action=get`, { file_name }],
  api: ["GET", `${api}/${id}/file?file_name=${encodeURIComponent(file_name)}`],
});
const removeFile = (id: string, file_name: string): Forms => ({
  rest: ["POST", `${sessionFiles}/id:${id}?~action=remove`, { file_name }],
  api: ["DELETE", `${api}/${id}/file?file_name=${encodeURIComponent(file_name)}`],
});
const validate = (id: string): Forms => ({
  rest: ["POST", `${sessionFiles}/id:${id}?~action=validate`],
  api: ["POST", `${api}/${id}/file?action=validate`],
});
const createItem = (create_spec: object): Forms => ({
  rest: ["POST", `${content}/library/item`, { create_spec }],
  api: ["POST", "/api/content/library/item", create_spec],
});
const createLibrary = (create_spec: object): Forms => ({
  rest: ["POST", `${content}/local-library`, { create_spec }],
  api: ["POST", "/api/content/local-library", create_spec],
});
const push = (name: string, more: object = {}) => ({ name, source_type: "PUSH", ...more });

const one = (type: string, id: string, args: readonly string[], words: string, status?: Told["status"]): Told => ({
  type,
  messages: [[id.includes(".") ? id : `slipway.${id}`, args, words]],
  ...(status !== undefined && { status }),
});
const invalid = (id: string, args: readonly string[], words: string): Told => one("invalid_argument", id, args, words);
/** What is no id at all is the id of nothing. */
const missingAt = (id: string): Told => missing(id === nobody ? "session_not_found" : "id_malformed", "session");
const missing = (id: string, words: string): Told => one("not_found", id, ["{what}"], words, 404);
const notIn = (operation: string, state: string, reason = ""): Told =>
  one("not_allowed_in_current_state", "session_state", [operation, state, reason], `${operation} is not allowed`);
const long = "é".repeat(128);

const specs: readonly Case[] = [
  ["no spec", () => ({ rest: ["POST", updateSessions, {}] }), invalid("value_missing", ["create_spec"], "is missing")],
  ["no body", () => ({ rest: ["POST", updateSessions] }), invalid("value_missing", ["create_spec"], "is missing")],
  ["no item", () => create({}), invalid("value_missing", ["create_spec.library_item_id"], "is missing")],
  [
    "an item of a wrong type",
    () => create({ library_item_id: 7 }),
    invalid("value_invalid", ["create_spec.library_item_id"], "has to be a text, and is 7"),
  ],
  [
    "a client token that is no UUID",
    (p) => create({ library_item_id: p.item }, "token-1"),
    invalid("client_token_malformed", ["token-1"], "is a UUID"),
  ],
  [
    "a client token that was used for something else",
    (p) => create({ library_item_id: p.item, warning_behavior: [] }, p.tokenOfSession),
    invalid("client_token_reused", [], "client token"),
  ],
  [
    "a warning that there is not",
    (p) => update(p.session, { warning_behavior: [{ type: "RAIN", ignored: true }] }),
    invalid("value_invalid", ["update_spec.warning_behavior.1.type"], "SELF_SIGNED_CERTIFICATE"),
  ],
  [
    "a warning twice",
    (p) => update(p.session, { warning_behavior: [1, 2].map(() => ({ type: "EXPIRED_CERTIFICATE", ignored: true })) }),
    invalid("warning_twice", ["EXPIRED_CERTIFICATE"], "more than once"),
  ],
  [
    "progress beyond 100",
    (p) => act(p.session, "keep-alive", { client_progress: 101 }),
    invalid("progress_invalid", [], "100"),
  ],
  [
    "progress below 0",
    (p) => act(p.session, "keep-alive", { client_progress: -1 }),
    invalid("progress_invalid", [], "100"),
  ],
  [
    "progress that goes back",
    (p) => act(p.session, "keep-alive", { client_progress: 49 }),
    invalid("progress_invalid", [], "50"),
  ],
  [
    "progress that is no number",
    (p) => act(p.session, "keep-alive", { client_progress: "60" }),
    invalid("value_invalid", ["client_progress"], "whole number"),
  ],
  [
    "a file without a source type",
    (p) => add(p.session, { name: "a" }),
    invalid("value_missing", ["file_spec.source_type"], "is missing"),
  ],
  [
    "a source type that there is not",
    (p) => add(p.session, { name: "a", source_type: "BOGUS" }),
    invalid("value_invalid", ["file_spec.source_type"], "NONE, PUSH, PULL"),
  ],
  [
    "a PULL without a source",
    (p) => add(p.session, { name: "a", source_type: "PULL" }),
    invalid("source_endpoint_missing", ["file_spec.source_endpoint"], "PULL needs"),
  ],
  [
    "a PULL from a scheme that is not served",
    (p) => add(p.session, { name: "a", source_type: "PULL", source_endpoint: { uri: "gopher://h/a" } }),
    invalid("source_invalid", [], "gopher"),
  ],
  [
    "a size that is no number",
    (p) => add(p.session, push("a", { size: "1 KB" })),
    invalid("value_invalid", ["file_spec.size"], "whole number"),
  ],
  [
    "a size beyond what a file may have",
    (p) => add(p.session, push("a", { size: 2 ** 20 + 1 })),
    invalid("size_exceeded", [], "SLIPWAY_MAX_FILE_BYTES=1048576"),
  ],
  [
    "an algorithm that there is not",
    (p) => add(p.session, push("a", { checksum_info: { algorithm: "CRC7", checksum: "00" } })),
    invalid("value_invalid", ["file_spec.checksum_info.algorithm"], "SHA1, MD5, SHA256, SHA512"),
  ],
  [
    "a checksum without its digits",
    (p) => add(p.session, push("a", { checksum_info: { algorithm: "MD5" } })),
    invalid("value_missing", ["file_spec.checksum_info.checksum"], "is missing"),
  ],
  [
    "a checksum of another length",
    (p) => add(p.session, push("a", { checksum_info: { checksum: "00ff" } })),
    invalid("checksum_malformed", [], "40 hex digits"),
  ],
  [
    "a file without all it needs",
    (p) => add(p.session, {}),
    {
      type: "invalid_argument",
      messages: [
        ["slipway.value_missing", ["file_spec.name"], "is missing"],
        ["slipway.value_missing", ["file_spec.source_type"], "is missing"],
      ],
    },
  ],
  ["a list where a structure belongs", (p) => add(p.session, []), invalid("value_invalid", ["file_spec"], "has to be")],
  [
    "a library with two backings",
    () => createLibrary({ name: "x", storage_backings: [{ type: "OTHER" }, { type: "OTHER" }] }),
    one("unsupported", "several_storage_backings", ["2"], "one storage backing"),
  ],
  [
    "a local library that is subscribed",
    () => createLibrary({ name: "x", type: "SUBSCRIBED" }),
    invalid("library_type", [], "LOCAL"),
  ],
  [
    "an item with a long description",
    (p) => createItem({ library_id: p.library, name: "x", description: "d".repeat(2001) }),
    invalid("text_invalid", [], "2000"),
  ],
  [
    "an item of a name that is taken",
    (p) => createItem({ library_id: p.library, name: "item 1" }),
    one(
      "already_exists",
      "com.vmware.vdcs.cls-main.duplicate_item_name_unsupported_in_library",
      ["item 1", "library of the tests", "{library}"],
      "another item",
    ),
  ],
  [
    "nothing to find by",
    () => ({
      rest: ["POST", `${content}/library/item?~action=find`, { spec: {} }],
      api: ["POST", "/api/content/library/item?action=find", {}],
    }),
    invalid("find_spec_empty", [], "nothing to find"),
  ],
];

const names: readonly Case[] = (
  [
    ["empty", "", "is empty"],
    ["with a slash", "a/b", "separator"],
    ["with a backslash", "a\\b", "separator"],
    ["with a way up in it", "../a", "separator"],
    ["that is the way up", "..", "may not be"],
    ["that is a dot", ".", "may not be"],
    ["with a line break", "a\nb", "control character"],
    ["of more than 255 bytes", long, "255"],
  ] as const
).flatMap(([how, name, words]): Case[] => [
  [`a file's name ${how}`, (p) => add(p.session, push(name)), invalid("name_invalid", [], words)],
  [
    `a file's name ${how}, that shall be removed`,
    (p) => removeFile(p.session, name),
    invalid("name_invalid", [], words),
  ],
  ...(name === long
    ? []
    : [
        [
          `an item's name ${how}`,
          (p: Place) => createItem({ library_id: p.library, name }),
          invalid("name_invalid", [], words),
        ] as const,
      ]),
  [`a library's name ${how}`, () => createLibrary({ name }), invalid("name_invalid", [], words)],
]);
const moreNames: readonly Case[] = [
  [
    "an item's name of more than 80 characters",
    (p) => createItem({ library_id: p.library, name: "n".repeat(81) }),
    invalid("item_name_too_long", ["81"], "80 characters"),
  ],
  [
    "a name with the character 0",
    (p) => add(p.session, push("a\0b")),
    invalid("value_invalid", ["file_spec.name"], "U+0000"),
  ],
  [
    "a name that is half of a character",
    (p) => add(p.session, push("a\ud800")),
    invalid("value_invalid", ["file_spec.name"], "Unicode"),
  ],
  ["an unknown file", (p) => file(p.session, "none.bin"), invalid("file_not_found", ["none.bin"], "has no file")],
  [
    "an unknown file that shall be removed",
    (p) => removeFile(p.session, "none.bin"),
    invalid("file_not_found", ["none.bin"], "has no file"),
  ],
  [
    "an unknown file of a session that is over",
    (p) => file(p.done, "none.bin"),
    invalid("file_not_found", ["none.bin"], "has no file"),
  ],
  [
    "a file's name in another case",
    (p) => file(p.session, "SENT.bin"),
    invalid("file_not_found", ["SENT.bin"], "has no file"),
  ],
];

const ids: readonly Case[] = ["no-such-id", nobody, "urn:815994e5:9c7e16e9", "%F0%9F%9A%A2"].flatMap((id): Case[] => [
  [`session ${id}`, () => ofSession(id), missingAt(id)],
  ...["complete", "cancel", "fail", "keep-alive"].map(
    (action): Case => [`session ${id}, to ${action}`, () => act(id, action), missingAt(id)],
  ),
  [`session ${id}, to update`, () => update(id, {}), missingAt(id)],
  [`session ${id}, to delete`, () => remove(id), missingAt(id)],
  [`session ${id}, to add to`, () => add(id, push("a")), missingAt(id)],
  [`session ${id}, to list`, () => files(id), missingAt(id)],
  [`session ${id}, for a file of it`, () => file(id, "a"), missingAt(id)],
  [`session ${id}, to remove from`, () => removeFile(id, "a"), missingAt(id)],
  [`session ${id}, to validate`, () => validate(id), missingAt(id)],
]);
const moreIds: readonly Case[] = [
  ["an item for a session", () => create({ library_item_id: nobody }), missing("item_not_found", nobody)],
  ["an item for a session by a name", () => create({ library_item_id: "an item" }), missing("id_malformed", "an item")],
  [
    "an item whose sessions are listed",
    () => ({
      rest: ["GET", `${updateSessions}?library_item_id=${nobody}`],
      api: ["GET", `${api}?library_item_id=${nobody}`],
    }),
    missing("item_not_found", nobody),
  ],
  [
    "an item",
    () => ({ rest: ["GET", `${content}/library/item/id:none`], api: ["GET", "/api/content/library/item/none"] }),
    missing("item_not_found", "none"),
  ],
  [
    "a library",
    () => ({ rest: ["GET", `${content}/library/id:none`], api: ["GET", "/api/content/library/none"] }),
    missing("library_not_found", "none"),
  ],
  ["a library for an item", () => createItem({ library_id: nobody, name: "x" }), missing("library_not_found", nobody)],
  ["an item of another tenant", (p) => create({ library_item_id: p.item }), missing("item_not_found", ""), "tenant"],
  ["a session of another tenant", (p) => ofSession(p.session), missing("session_not_found", ""), "tenant"],
  ["a session of somebody else", (p) => ofSession(p.foreign), missing("session_not_found", ""), "reader"],
  [
    "a session of somebody else, to complete",
    (p) => act(p.session, "complete"),
    missing("session_not_found", ""),
    "uploader",
  ],
  [
    "a session of somebody else, to add to",
    (p) => add(p.session, push("a")),
    missing("session_not_found", ""),
    "uploader",
  ],
  [
    "a download session",
    () => ({
      rest: ["GET", `${downloadSessions}/id:${nobody}`],
      api: ["GET", `/api/content/library/item/download-session/${nobody}`],
    }),
    missing("session_not_found", ""),
  ],
  [
    "a URL",
    () => ({ rest: ["GET", "/rest/com/vmware/content/none"] }),
    one(
      "not_found",
      "com.vmware.vapi.rest.operationsForUrlNotFound",
      ["/rest/com/vmware/content/none"],
      "no operation",
      404,
    ),
  ],
  [
    "a URL of the other generation",
    () => ({ api: ["GET", "/api/content/library/item/updatesession/file"] }),
    missing("item_not_found", ""),
  ],
  [
    "an operation",
    (p) => ({
      rest: ["POST", `${updateSessions}/id:${p.session}?~action=explode`],
      api: ["POST", `${api}/${p.session}?action=explode`],
    }),
    one("operation_not_found", "operation_not_found", ["{path}"], "explode", 404),
  ],
  [
    "a method",
    (p) => ({ rest: ["PUT", `${updateSessions}/id:${p.session}`], api: ["PUT", `${api}/${p.session}`] }),
    one("invalid_request", "method_not_allowed", ["PUT", "{methods}"], "PUT", 405),
  ],
];

const overs = [
  ["done", "DONE", ""],
  ["canceled", "CANCELED", ""],
  ["failed", "ERROR", "the disk is full"],
] as const;
const states: readonly Case[] = [
  [
    "an item with a session on it",
    (p) => create({ library_item_id: p.item }),
    one("resource_busy", "item_busy", ["{what}"], "session", [400, 500]),
  ],
  [
    "an item with a session of somebody else on it",
    (p) => create({ library_item_id: p.item }),
    one("resource_busy", "item_busy", ["{what}"], "session", [400, 500]),
    "uploader",
  ],
  [
    "deleting an item with a session on it",
    (p) => ({
      rest: ["DELETE", `${content}/library/item/id:${p.item}`],
      api: ["DELETE", `/api/content/library/item/${p.item}`],
    }),
    one("resource_in_use", "item_busy", [], "session"),
  ],
  ["deleting an ACTIVE session", (p) => remove(p.session), notIn("delete", "ACTIVE")],
  [
    "completing a session with a file that has not come",
    (p) => act(p.session, "complete"),
    one(
      "not_allowed_in_current_state",
      "com.vmware.vdcs.cls-main.update_session_file_not_received",
      ["waiting.bin", "WAITING_FOR_TRANSFER"],
      "has not been received",
    ),
  ],
  ...overs.flatMap(([which, state, reason]): Case[] => [
    ...["complete", "cancel", "fail", "keep-alive"].map(
      (action): Case => [
        `to ${action} a session that is ${state}`,
        (p) => act(p[which], action),
        notIn(action.replace("-", "_"), state, reason),
      ],
    ),
    [
      `to update a session that is ${state}`,
      (p) => update(p[which], { warning_behavior: [] }),
      notIn("update", state, reason),
    ],
    [`to add to a session that is ${state}`, (p) => add(p[which], push("a")), notIn("add", state, reason)],
    [`to remove from a session that is ${state}`, (p) => removeFile(p[which], "a"), notIn("remove", state, reason)],
    [`to validate a session that is ${state}`, (p) => validate(p[which]), notIn("validate", state, reason)],
  ]),
];

const denied = (words: string): Told => one("unauthorized", "permission_missing", [words], words, 403);
const privileges: readonly Case[] = [
  ["to open a session", (p) => create({ library_item_id: p.item }), denied("upload"), "reader"],
  ["to make an item", (p) => createItem({ library_id: p.library, name: "x" }), denied("upload"), "reader"],
  ["to make a library", () => createLibrary({ name: "x" }), denied("administer"), "reader"],
  [
    "to change an item",
    (p) => ({
      rest: ["PATCH", `${content}/library/item/id:${p.item}`, { update_spec: { name: "y" } }],
      api: ["PATCH", `/api/content/library/item/${p.item}`, { name: "y" }],
    }),
    denied("upload"),
    "reader",
  ],
  [
    "to fetch from a folder of the server",
    (p) => add(p.foreign, { name: "a", source_type: "PULL", source_endpoint: { uri: "file:///srv/a" } }),
    denied("read_storage"),
    "uploader",
  ],
  [
    "to keep a library in a folder of the server",
    () => createLibrary({ name: "x", storage_backings: [{ type: "OTHER", storage_uri: "file:///srv" }] }),
    denied("read_storage"),
    "tenant",
  ],
  [
    "to probe a folder of the server",
    () => ({ rest: ["POST", `${sessionFiles}?~action=probe`, { source_endpoint: { uri: "file:///srv/a" } }] }),
    denied("read_storage"),
    "uploader",
  ],
];

const groups: readonly (readonly [what: string, cases: readonly Case[]])[] = [
  ["a specification that is invalid:", specs],
  ["a name that can be none, or is unknown:", [...names, ...moreNames]],
  ["what there is not:", [...ids, ...moreIds]],
  ["what is not for the state that something is in:", states],
  ["what somebody has no privilege for:", privileges],
];

describe.each(groups)("%s", (_what, cases) => {
  const named = cases.map(([title, formsOf, told, as]) => ({ title, formsOf, told, as }));
  it.each(named)("$title", async ({ formsOf, told, as }) => {
    const { rest, api: newer } = formsOf(at);
    const client = as === undefined ? scene.vsphere : at[as];
    if (rest !== undefined) {
      expectTold(await ask(client, rest), "rest", told, rest);
      expectXml(await ask(client, rest, { accept: "application/xml" }), told, rest);
    }
    if (newer !== undefined) expectTold(await ask(client, newer), "api", told, newer);
    expect(rest ?? newer).toBeDefined();
  });
});

function ask(client: VsphereClient, [method, path, body]: Request, headers = {}): Promise<VsphereAnswer> {
  return client.ask(method, path, { body, headers });
}

interface Said {
  readonly id: string;
  readonly default_message: string;
  readonly args: readonly string[];
}

function expectTold({ status, text, headers }: VsphereAnswer, family: "rest" | "api", told: Told, request: Request) {
  expect(headers.get("content-type")).toBe("application/json");
  const said = JSON.parse(text);
  const { type, messages } = told;
  const kind = family === "rest" ? said.type : said.error_type;
  const expected = family === "rest" ? `com.vmware.vapi.std.errors.${type}` : type.toUpperCase();
  expect([status, kind]).toEqual([statusOf(told, family), expected]);
  const list: readonly Said[] = family === "rest" ? said.value.messages : said.messages;
  expect(list).toEqual(
    messages.map(([id, args, words]) => ({
      id,
      default_message: expect.stringContaining(words),
      args: argsOf(args, request),
    })),
  );
}

function expectXml({ status, text, headers }: VsphereAnswer, told: Told, request: Request): void {
  expect([status, headers.get("content-type")]).toEqual([statusOf(told, "rest"), "application/xml"]);
  expect(text).toContain(":Error xmlns");
  expect(text).toContain(`<type>com.vmware.vapi.std.errors.${told.type}</type><value><messages-array><array-item>`);
  for (const [id, args] of told.messages) {
    expect(text).toContain(`<id>${id}</id>`);
    for (const arg of argsOf(args, request)) if (typeof arg === "string") expect(text).toContain(arg);
  }
}

function statusOf({ status = 400 }: Told, family: "rest" | "api"): number {
  return typeof status === "number" ? status : status[family === "rest" ? 0 : 1];
}

function argsOf(args: readonly string[], [, path]: Request): readonly unknown[] {
  const known: Record<string, unknown> = {
    "{library}": at.library,
    "{path}": path.split("?")[0],
    // The id that was asked for.
    "{what}": expect.stringMatching(/./),
    "{methods}": expect.stringContaining("PATCH"),
  };
  return args.map((arg) => known[arg] ?? arg);
}

describe("a body that is none", () => {
  const addAt = () => `${sessionFiles}/id:${at.session}?~action=add`;
  const files = "http://vmware.com/content/library/item/updatesession/file";
  const xmlOf = (inner: string) => `<n:Add-Input xmlns:n="${files}"><file_spec>${inner}</file_spec></n:Add-Input>`;
  const spec = "<name>a</name><source_type>PUSH</source_type>";
  const send = (type: string, body: string, path = addAt()) =>
    scene.vsphere.ask("POST", path, { body, headers: { "content-type": type, accept: type } });

  it.each([
    ["a document type", `<!DOCTYPE x>${xmlOf(spec)}`, "xml_invalid", "a document type is not taken"],
    [
      "an external entity",
      `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${xmlOf("<name>&e;</name>")}`,
      "xml_invalid",
      "document type",
    ],
    [
      "entities of its own",
      `<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>${xmlOf("<name>&b;</name>")}`,
      "xml_invalid",
      "document type",
    ],
    ["an entity that nobody defined", xmlOf("<name>&e;</name>"), "xml_invalid", "undefined entity"],
    ["nesting without an end", "<a>".repeat(10_000), "xml_invalid", "deeper than 32 levels"],
    ["no end", xmlOf(spec).slice(0, -5), "xml_invalid", "the body is no XML"],
    ["the root of another operation", `<n:Remove-Input xmlns:n="${files}"/>`, "xml_root", "Add-Input"],
    [
      "the root of another service",
      xmlOf(spec).replace(files, "http://vmware.com/content/library"),
      "xml_root",
      "Add-Input",
    ],
    ["a leaf twice", xmlOf(`${spec}<name>b</name>`), "value_repeated", "file_spec.name is there twice"],
    ["text where elements belong", xmlOf("hello"), "value_invalid", "file_spec has text"],
    ["no name", xmlOf("<source_type>PUSH</source_type>"), "value_missing", "file_spec.name is missing"],
    ["an empty name", xmlOf("<name/><source_type>PUSH</source_type>"), "name_invalid", "is empty"],
  ])("of XML: %s", async (_what, body, id, words) => {
    const { status, text, headers } = await send("application/xml", body);
    expect([status, headers.get("content-type")]).toEqual([400, "application/xml"]);
    expect(text).toContain("<type>com.vmware.vapi.std.errors.invalid_argument</type>");
    expect(text).toContain(`<id>slipway.${id}</id>`);
    expect(text).toContain(words);
    expect(text).not.toContain("root:");
  });

  it.each([
    ["a leaf that there is not", "file_spec.nam=a&file_spec.source_type=PUSH", "parameter_unknown", "file_spec.nam"],
    ["a leaf within a leaf", "file_spec.name.x=a", "parameter_unknown", "file_spec.name.x"],
    ["a leaf twice", "file_spec.name=a&file_spec.name=b&file_spec.source_type=PUSH", "value_repeated", "twice"],
    ["a name of every object", "__proto__.x=a", "parameter_unknown", "__proto__"],
    ["an escape that is none", "file_spec.name=%zz", "http", ""],
    ["a leaf that is missing", "file_spec.name=a", "value_missing", "file_spec.source_type"],
  ])("of a form or a query: %s", async (_what, pairs, id, words) => {
    const answers = [
      await send("application/x-www-form-urlencoded", pairs),
      await scene.vsphere.ask("POST", `${addAt()}&${pairs}`),
    ];
    for (const { status, text } of answers) {
      const { type, value } = JSON.parse(text);
      expect([status, type, value.messages[0].id]).toEqual([
        400,
        "com.vmware.vapi.std.errors.invalid_argument",
        `slipway.${id}`,
      ]);
      expect(value.messages[0].default_message).toContain(words);
    }
  });

  it.each([
    ["from 0", "0"],
    ["without the first", "2"],
    ["that are not written as numbers are", "01"],
  ])("of a form: a list with numbers %s", async (_what, number) => {
    const pairs = `update_spec.warning_behavior.${number}.type=EXPIRED_CERTIFICATE&update_spec.warning_behavior.${number}.ignored=true`;
    const path = `${updateSessions}/id:${at.session}?~action=update`;
    for (const [body, more] of [
      [pairs, ""],
      [undefined, `&${pairs}`],
    ] as const) {
      const headers = body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" };
      const { status, text } = await scene.vsphere.ask("POST", path + more, { body, headers });
      const [message] = JSON.parse(text).value.messages;
      expect([status, message.id, message.args]).toEqual([
        400,
        "slipway.value_invalid",
        ["update_spec.warning_behavior"],
      ]);
      expect(message.default_message).toContain("its numbers begin at 1 and have no gap");
    }
  });

  it("of JSON: cut, deep, or no object", async () => {
    for (const body of ['{"file_spec":{"name":"a"', "[".repeat(60_000), '"text"', "7", "[]", "{}{}"]) {
      const { status, text } = await send("application/json", body);
      expect([body.slice(0, 30), status, JSON.parse(text).type]).toEqual([
        body.slice(0, 30),
        400,
        "com.vmware.vapi.std.errors.invalid_argument",
      ]);
      const newer = await send("application/json", body, `${api}/${at.session}/file`);
      expect([newer.status, JSON.parse(newer.text).error_type]).toEqual([400, "INVALID_ARGUMENT"]);
    }
  });

  it("of a type that is not taken gets 415, and is told which ones are", async () => {
    const paths = [
      ["application/yaml", "name: a", addAt()],
      ["text/plain", "hello", addAt()],
      ["multipart/form-data; boundary=x", "--x--", addAt()],
      ["application/xml", xmlOf(spec), `${api}/${at.session}/file`],
      ["application/x-www-form-urlencoded", "name=a", `${api}/${at.session}/file`],
    ] as const;
    for (const [type, body, path] of paths) {
      const { status, text } = await send(type, body, path);
      const said = JSON.parse(text);
      const [message] = said.messages ?? said.value.messages;
      expect([
        type,
        status,
        said.error_type ?? said.type.split(".").at(-1).toUpperCase(),
        message.id,
        message.args,
      ]).toEqual([type, 415, "INVALID_REQUEST", "slipway.http", ["415"]]);
      expect(message.default_message).toContain("application/json");
    }
  });

  it("that is compressed gets 415", async () => {
    const headers = { "content-type": "application/json", "content-encoding": "gzip" };
    const { status, text } = await scene.vsphere.ask("POST", addAt(), { body: "{}", headers });
    expect([status, JSON.parse(text).type]).toEqual([415, "com.vmware.vapi.std.errors.invalid_request"]);
  });

  it.each(["application/json", "application/xml", "application/x-www-form-urlencoded"])(
    "that is too large gets 413 with the setting's name: %s",
    async (type) => {
      const { status, text } = await send(type, " ".repeat(70_000));
      expect([status, text]).toEqual([413, expect.stringContaining("SLIPWAY_MAX_JSON_BYTES")]);
      expect(text).toContain("com.vmware.vapi.std.errors.invalid_request");
      const newer = await send(type, " ".repeat(70_000), `${api}/${at.session}/file`);
      expect([newer.status, JSON.parse(newer.text).error_type]).toEqual([413, "INVALID_REQUEST"]);
    },
  );

  it("cannot say another id than the path does", async () => {
    const body = JSON.stringify({ update_session_id: nobody, file_spec: push("a") });
    const { status, text } = await send("application/json", body);
    const [message] = JSON.parse(text).value.messages;
    expect([status, message.id, message.args]).toEqual([400, "slipway.value_contradicted", ["update_session_id"]]);
  });
});

describe("who is not let in", () => {
  const places: readonly (readonly [family: "rest" | "api", path: string])[] = [
    ["rest", updateSessions],
    ["rest", updateSessions.replace("/rest", "")],
    ["api", api],
  ];
  const told = (id: string): Told => ({ status: 401, type: "unauthenticated", messages: [[`slipway.${id}`, [], ""]] });

  async function expectOutside(client: VsphereClient, id: string): Promise<void> {
    for (const [family, path] of places) {
      const answer = await ask(client, ["GET", path]);
      expectTold(answer, family, told(id), ["GET", path]);
      // Browsers ask people for a password where they see this.
      expect(answer.headers.get("www-authenticate")).toBeNull();
      if (family === "rest")
        expectXml(await ask(client, ["GET", path], { accept: "text/xml, application/xml" }), told(id), ["GET", path]);
    }
  }

  it("shows no login", async () => {
    await expectOutside(vsphereClient(scene.server.url, ""), "token_invalid");
  });

  it("shows one that there never was", async () => {
    await expectOutside(vsphereClient(scene.server.url, "nonsense"), "token_invalid");
  });

  it("shows one of another face", async () => {
    await expectOutside(vsphereClient(scene.server.url, scene.server.token), "token_invalid");
  });

  it.each(["/rest/com/vmware/cis/session", "/api/session"])("has logged out: DELETE %s", async (path) => {
    const client = await openVsphere(scene.server);
    expect((await client.ask("DELETE", path)).status).toBe(path.startsWith("/api") ? 204 : 200);
    await expectOutside(client, "token_invalid");
    expect((await client.ask("DELETE", path)).status).toBe(401);
  });

  it("shows a name and a password where a login belongs", async () => {
    const { authorization } = scene.server;
    const response = await fetch(scene.server.url + updateSessions, { headers: { authorization } });
    expect(response.status).toBe(401);
  });

  it.each([
    ["a wrong password", `Basic ${btoa("admin:wrong")}`, "login_failed"],
    ["a user who is not there", `Basic ${btoa("nobody:wrong")}`, "login_failed"],
    ["nothing", undefined, "password_missing"],
    ["a token", "Bearer abc", "password_missing"],
    ["what is no base64", "Basic ???", "password_missing"],
  ])("logs in with %s", async (_what, authorization, id) => {
    for (const [family, path] of [
      ["rest", "/rest/com/vmware/cis/session"],
      ["api", "/api/session"],
    ] as const) {
      const headers = authorization === undefined ? {} : { authorization };
      const answer = await vsphereClient(scene.server.url, "").ask("POST", path, { headers });
      expectTold(answer, family, told(id), ["POST", path]);
      expect(answer.headers.get("www-authenticate")).toContain("Basic");
      expect(answer.headers.get("set-cookie")).toBeNull();
    }
  });

  describe("any more", () => {
    const brief = useVsphereServer({ env: { SLIPWAY_TOKEN_TTL: "1s" } });

    it("showed nothing for as long as SLIPWAY_TOKEN_TTL says", async () => {
      const client = await openVsphere(brief.server);
      await sleep(2000);
      await expectOutside(client, "token_invalid");
    });
  });
});

describe("content that is not what was declared", () => {
  async function declare(more: object) {
    const { vsphere } = scene;
    const itemId = await scene.item({ "kept.bin": bytes });
    const session = await vsphere.createSession(itemId);
    const { upload_endpoint: endpoint } = await vsphere.add(session, push("a.bin", more));
    return { itemId, session, uri: endpoint!.uri };
  }

  it.each([
    [
      "another SHA1, which is meant where no algorithm is told",
      { checksum_info: { checksum: "0".repeat(40) } },
      "checksum_differs",
      ["0".repeat(40), digest("sha1", bytes)],
    ],
    [
      "another MD5",
      { checksum_info: { algorithm: "MD5", checksum: "0".repeat(32) } },
      "checksum_differs",
      ["0".repeat(32), digest("md5", bytes)],
    ],
    [
      "another SHA256",
      { checksum_info: { algorithm: "SHA256", checksum: "0".repeat(64) } },
      "checksum_differs",
      ["0".repeat(64), digest("sha256", bytes)],
    ],
    [
      "another SHA512",
      { checksum_info: { algorithm: "SHA512", checksum: "0".repeat(128) } },
      "checksum_differs",
      ["0".repeat(128), digest("sha512", bytes)],
    ],
    ["more bytes", { size: 999 }, "size_differs", ["a.bin", "999", "1000"]],
    ["fewer bytes", { size: 1001 }, "size_differs", ["a.bin", "1001", "1000"]],
  ])("has %s: the sending is told, the file is in ERROR, the session goes on", async (_what, more, id, args) => {
    const { vsphere } = scene;
    const { itemId, session, uri } = await declare(more);
    const untouched = await lookAt(scene, itemId);
    for (const method of ["PUT", "POST"]) {
      const { status, text } = await send(uri, bytes, { method });
      const { type, value } = JSON.parse(text);
      expect([status, type]).toEqual([400, "com.vmware.vapi.std.errors.invalid_argument"]);
      expect(value.messages).toEqual([{ id: `slipway.${id}`, default_message: expect.any(String), args }]);
      for (const arg of args) expect(value.messages[0].default_message).toContain(arg);
    }
    const { status, error_message: message } = await vsphere.file(session, "a.bin");
    expect([status, message?.id]).toEqual(["ERROR", `slipway.${id}`]);
    expect((await vsphere.session(session)).state).toBe("ACTIVE");
    expect(await vsphere.value("POST", `${sessionFiles}/id:${session}?~action=validate`)).toEqual({
      has_errors: true,
      missing_files: [],
      invalid_files: [{ name: "a.bin", error_message: message }],
    });
    expect(await refusalOf(vsphere.act(session, "complete"))).toMatchObject({
      type: "not_allowed_in_current_state",
      messages: [{ id: "com.vmware.vdcs.cls-main.session_has_missing_or_invalid_files", args: ["", "a.bin"] }],
    });
    expect(await lookAt(scene, itemId)).toEqual(untouched);
    await vsphere.push(session, "a.bin", bytes);
    await vsphere.act(session, "complete");
    expect((await vsphere.itemFiles(itemId)).map(({ name }) => name)).toEqual(["a.bin", "kept.bin"]);
  });

  it("has more bytes than a file may have", async () => {
    const { session, uri } = await declare({});
    const { status, text } = await send(uri, new Uint8Array(2 ** 20 + 1));
    const [message] = JSON.parse(text).value.messages;
    expect([status, message.id, message.args]).toEqual([400, "slipway.size_exceeded", ["a.bin"]]);
    expect(message.default_message).toContain("SLIPWAY_MAX_FILE_BYTES=1048576");
    expect((await scene.vsphere.file(session, "a.bin")).status).toBe("ERROR");
    expect((await scene.vsphere.session(session)).state).toBe("ACTIVE");
  });

  it("cannot be had from its source: what comes after it is told why in both generations", async () => {
    const { vsphere } = scene;
    const session = await vsphere.createSession(await scene.item());
    const source_endpoint = { uri: "http://127.0.0.2:9/a" };
    await vsphere.add(session, { name: "a", source_type: "PULL", source_endpoint });
    await expect.poll(async () => (await vsphere.session(session)).state, { timeout: 60_000 }).toBe("ERROR");
    const reason = (await vsphere.session(session)).error_message!.default_message;
    const forms = act(session, "complete");
    const told = notIn("complete", "ERROR", reason);
    expectTold(await ask(vsphere, forms.rest!), "rest", told, forms.rest!);
    expectTold(await ask(vsphere, forms.api!), "api", told, forms.api!);
  });
});

// In the order of the file: this is about all that came before.
describe("after all of that", () => {
  afterAll(async () => {
    expect(await scene.server.stop()).toBe(0);
  });

  it("item and session are as they were, and the session is brought to its end", async () => {
    const { vsphere } = scene;
    const { lists: _lists, ...now } = (await standing()) as Record<string, unknown>;
    const { lists: _former, ...former } = before as Record<string, unknown>;
    expect(now).toEqual(former);
    await vsphere.push(at.session, "waiting.bin", bytes);
    await vsphere.act(at.session, "complete");
    expect((await vsphere.session(at.session)).state).toBe("DONE");
    expect(Object.keys((await lookAt(scene, at.item)).files)).toEqual(["kept.bin", "sent.bin", "waiting.bin"]);
  });

  it("the server is well, and had nothing to complain of but wrong passwords", async () => {
    expect((await fetch(`${scene.server.url}/readyz`)).status).toBe(200);
    const log = scene.server.stdout() + scene.server.stderr();
    const lines = log.split("\n").filter((line) => line.startsWith("{"));
    expect(lines.length).toBeGreaterThan(0);
    const complaints = lines.map((line) => JSON.parse(line)).filter(({ level }) => level >= 40);
    // Which passwords are tried is for whoever keeps the server.
    expect([...new Set(complaints.map(({ msg, login }) => `${msg}: ${login}`))]).toEqual([
      "a login failed: admin",
      "a login failed: nobody",
    ]);
  });
});
