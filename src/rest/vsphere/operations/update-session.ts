import { boolean, instant, integer, list, oneOf, optional, struct, text } from "../schema.js";
import { operationsOf } from "../operation.js";
import { localizableMessage, warningBehavior, warningType } from "./models.js";

const operation = operationsOf("com.vmware.content.library.item.update_session");
const api = "/api/content/library/item/update-session";

const id = "update_session_id";

export const sessionState = oneOf("ACTIVE", "DONE", "ERROR", "CANCELED");

/** What of a session a client may say: but for the item and what warnings mean, it is read and not used. */
const spec = {
  id: optional(text),
  library_item_id: optional(text),
  library_item_content_version: optional(text),
  error_message: optional(struct({ default_message: optional(text), id: optional(text), args: optional(list(text)) })),
  client_progress: optional(integer),
  state: optional(sessionState),
  expiration_time: optional(instant),
  warning_behavior: optional(list(warningBehavior)),
};

const previewInfo = struct({
  state: oneOf("UNAVAILABLE", "NOT_APPLICABLE", "PREPARING", "AVAILABLE"),
  warnings: optional(list(struct({ type: warningType, message: localizableMessage, ignored: boolean }))),
});

export const updateSession = {
  create: operation("create", {
    input: { client_token: optional(text), create_spec: struct({ ...spec, library_item_id: text }) },
    output: text,
    rest: { method: "POST", at: "service" },
    api: { lines: [`POST ${api}`], body: "create_spec", status: 201 },
  }),
  get: operation("get", {
    input: { update_session_id: text },
    output: struct({
      id: text,
      library_item_id: text,
      library_item_content_version: text,
      error_message: optional(localizableMessage),
      client_progress: integer,
      state: sessionState,
      expiration_time: instant,
      preview_info: optional(previewInfo),
      warning_behavior: optional(list(warningBehavior)),
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
  complete: operation("complete", {
    input: { update_session_id: text },
    id,
    api: { lines: [`POST ${api}/{${id}}?action=complete`] },
  }),
  keepAlive: operation("keep_alive", {
    input: { update_session_id: text, client_progress: optional(integer) },
    id,
    api: { lines: [`POST ${api}/{${id}}?action=keep-alive`] },
  }),
  cancel: operation("cancel", {
    input: { update_session_id: text },
    id,
    api: { lines: [`POST ${api}/{${id}}?action=cancel`] },
  }),
  fail: operation("fail", {
    input: { update_session_id: text, client_error_message: optional(text) },
    id,
    api: { lines: [`POST ${api}/{${id}}?action=fail`] },
  }),
  update: operation("update", {
    input: { update_session_id: text, update_spec: struct(spec) },
    id,
    rest: { method: "PATCH", at: "id" },
    api: { lines: [`PATCH ${api}/{${id}}`], body: "update_spec" },
  }),
  delete: operation("delete", {
    input: { update_session_id: text },
    id,
    rest: { method: "DELETE", at: "id" },
    api: { lines: [`DELETE ${api}/{${id}}`] },
  }),
};
