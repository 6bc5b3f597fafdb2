import { boolean, integer, list, oneOf, optional, struct, text } from "../schema.js";
import { operationsOf } from "../operation.js";
import { checksumInfo, localizableMessage, transferEndpoint } from "./models.js";

const operation = operationsOf("com.vmware.content.library.item.updatesession.file");
const id = "update_session_id";
const session = "/api/content/library/item/update-session";
const api = `${session}/{${id}}/file`;

export const sourceType = oneOf("NONE", "PUSH", "PULL");
export const transferStatus = oneOf("WAITING_FOR_TRANSFER", "TRANSFERRING", "READY", "VALIDATING", "ERROR");

const info = struct({
  source_endpoint: optional(transferEndpoint),
  status: transferStatus,
  error_message: optional(localizableMessage),
  name: text,
  upload_endpoint: optional(transferEndpoint),
  source_type: sourceType,
  bytes_transferred: integer,
  checksum_info: optional(checksumInfo),
  size: optional(integer),
  keep_in_storage: optional(boolean),
});

export const sessionFile = {
  add: operation("add", {
    input: {
      update_session_id: text,
      file_spec: struct({
        name: text,
        source_type: sourceType,
        source_endpoint: optional(transferEndpoint),
        size: optional(integer),
        checksum_info: optional(checksumInfo),
      }),
    },
    output: info,
    id,
    api: { lines: [`POST ${api}`], body: "file_spec" },
  }),
  get: operation("get", {
    input: { update_session_id: text, file_name: text },
    output: info,
    id,
    api: { lines: [`GET ${api}/{file_name}`, `GET ${api}?file_name`] },
  }),
  list: operation("list", {
    input: { update_session_id: text },
    output: list(info),
    id,
    rest: { method: "GET", at: "service" },
    api: { lines: [`GET ${api}`] },
  }),
  remove: operation("remove", {
    input: { update_session_id: text, file_name: text },
    id,
    api: { lines: [`DELETE ${api}/{file_name}`, `DELETE ${api}?file_name`] },
  }),
  validate: operation("validate", {
    input: { update_session_id: text },
    output: struct({
      has_errors: boolean,
      missing_files: list(text),
      invalid_files: list(struct({ name: text, error_message: localizableMessage })),
    }),
    id,
    api: { lines: [`POST ${api}?action=validate`] },
  }),
  /** What a source would be like if content were fetched from it. */
  probe: operation("probe", {
    input: { source_endpoint: transferEndpoint },
    output: struct({
      status: oneOf("SUCCESS", "INVALID_URL", "CERTIFICATE_ERROR"),
      ssl_certificate: optional(text),
      ssl_thumbprint: optional(text),
      error_messages: optional(list(localizableMessage)),
    }),
  }),
};
