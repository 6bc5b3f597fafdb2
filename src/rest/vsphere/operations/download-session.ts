import { instant, integer, list, oneOf, optional, struct, text } from "../schema.js";
import { operationsOf } from "../operation.js";
import { localizableMessage, transferEndpoint, transferred } from "./models.js";

const operation = operationsOf("com.vmware.content.library.item.download_session");
const id = "download_session_id";
const api = "/api/content/library/item/download-session";

export const downloadState = oneOf("ACTIVE", "CANCELED", "ERROR");

const spec = struct({
  id: optional(text),
  library_item_id: text,
  library_item_content_version: optional(text),
  error_message: optional(localizableMessage),
  client_progress: optional(integer),
  state: optional(downloadState),
  expiration_time: optional(instant),
});

export const downloadSession = {
  create: operation("create", {
    input: { client_token: optional(text), create_spec: spec },
    output: text,
    rest: { method: "POST", at: "service" },
    api: { lines: [`POST ${api}`], body: "create_spec", status: 201 },
  }),
  get: operation("get", {
    input: { download_session_id: text },
    output: struct({
      id: text,
      library_item_id: text,
      library_item_content_version: text,
      error_message: optional(localizableMessage),
      client_progress: integer,
      state: downloadState,
      expiration_time: instant,
    }),
    id,
    rest: { method: "GET", at: "id" },
    api: { lines: [`GET ${api}/{${id}}`] },
  }),
  list: operation("list", {
    input: { library_item_id: optional(text) },
    output: list(text),
    rest: { method: "GET", at: "service" },
    api: { lines: [`GET ${api}`] },
  }),
  /** Its progress is called `progress`, and not `client_progress` as that of an update session. */
  keepAlive: operation("keep_alive", {
    input: { download_session_id: text, progress: optional(integer) },
    id,
    api: { lines: [`POST ${api}/{${id}}?action=keep-alive`] },
  }),
  cancel: operation("cancel", {
    input: { download_session_id: text },
    id,
    api: { lines: [`POST ${api}/{${id}}?action=cancel`] },
  }),
  fail: operation("fail", {
    input: { download_session_id: text, client_error_message: optional(text) },
    id,
    api: { lines: [`POST ${api}/{${id}}?action=fail`] },
  }),
  delete: operation("delete", {
    input: { download_session_id: text },
    id,
    rest: { method: "DELETE", at: "id" },
    api: { lines: [`DELETE ${api}/{${id}}`] },
  }),
};

const file = operationsOf("com.vmware.content.library.item.downloadsession.file");

export const prepareStatus = oneOf("UNPREPARED", "PREPARE_REQUESTED", "PREPARING", "PREPARED", "ERROR");

const info = struct({
  name: text,
  status: prepareStatus,
  ...transferred,
  download_endpoint: optional(transferEndpoint),
});

export const downloadFile = {
  list: file("list", {
    input: { download_session_id: text },
    output: list(info),
    id,
    rest: { method: "GET", at: "service" },
    api: { lines: [`GET ${api}/{${id}}/file`] },
  }),
  prepare: file("prepare", {
    input: { download_session_id: text, file_name: text, endpoint_type: optional(oneOf("HTTPS", "DIRECT")) },
    output: info,
    id,
    api: { lines: [`POST ${api}/{${id}}/file?action=prepare`] },
  }),
  get: file("get", {
    input: { download_session_id: text, file_name: text },
    output: info,
    id,
    api: { lines: [`GET ${api}/{${id}}/file/{file_name}`, `GET ${api}/{${id}}/file?file_name`] },
  }),
};
