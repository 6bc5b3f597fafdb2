import { boolean, instant, integer, list, optional, struct, text } from "../schema.js";
import { operationsOf } from "../operation.js";
import { fileInfo, storageInfo, times } from "./models.js";

const operation = operationsOf("com.vmware.content.library.item");
const id = "library_item_id";
const api = "/api/content/library/item";

/** What of an item a client may say. */
const spec = {
  id: optional(text),
  library_id: optional(text),
  name: optional(text),
  description: optional(text),
  type: optional(text),
  source_id: optional(text),
  cached: optional(boolean),
  size: optional(integer),
  content_version: optional(text),
  metadata_version: optional(text),
  version: optional(text),
  creation_time: optional(instant),
  last_modified_time: optional(instant),
};

const newItem = struct({ ...spec, library_id: text, name: text });

export const item = {
  create: operation("create", {
    input: { client_token: optional(text), create_spec: newItem },
    output: text,
    rest: { method: "POST", at: "service" },
    api: { lines: [`POST ${api}`], body: "create_spec", status: 201 },
  }),
  get: operation("get", {
    input: { library_item_id: text },
    output: struct({
      id: text,
      library_id: text,
      name: text,
      description: text,
      type: text,
      content_version: text,
      metadata_version: text,
      version: text,
      cached: boolean,
      size: integer,
      ...times,
    }),
    id,
    rest: { method: "GET", at: "id" },
    api: { lines: [`GET ${api}/{${id}}`] },
  }),
  list: operation("list", {
    input: { library_id: text },
    output: list(text),
    id: "library_id",
    rest: { method: "GET", at: "service" },
    api: { lines: [`GET ${api}`] },
  }),
  find: operation("find", {
    input: {
      spec: struct({
        name: optional(text),
        library_id: optional(text),
        type: optional(text),
        source_id: optional(text),
        cached: optional(boolean),
      }),
    },
    output: list(text),
    api: { lines: [`POST ${api}?action=find`], body: "spec" },
  }),
  update: operation("update", {
    input: { library_item_id: text, update_spec: struct(spec) },
    id,
    rest: { method: "PATCH", at: "id" },
    api: { lines: [`PATCH ${api}/{${id}}`], body: "update_spec" },
  }),
  delete: operation("delete", {
    input: { library_item_id: text },
    id,
    rest: { method: "DELETE", at: "id" },
    api: { lines: [`DELETE ${api}/{${id}}`] },
  }),
  copy: operation("copy", {
    input: { source_library_item_id: text, client_token: optional(text), destination_create_spec: newItem },
    output: text,
    id: "source_library_item_id",
    api: {
      lines: [`POST ${api}/{source_library_item_id}?action=copy`],
      body: "destination_create_spec",
      status: 201,
    },
  }),
};

const file = operationsOf("com.vmware.content.library.item.file");

export const itemFile = {
  list: file("list", {
    input: { library_item_id: text },
    output: list(fileInfo),
    id,
    rest: { method: "GET", at: "service" },
    api: { lines: [`GET ${api}/{${id}}/file`] },
  }),
  get: file("get", {
    input: { library_item_id: text, name: text },
    output: fileInfo,
    id,
    api: { lines: [`GET ${api}/{${id}}/file?name`] },
  }),
};

const storage = operationsOf("com.vmware.content.library.item.storage");

export const itemStorage = {
  list: storage("list", {
    input: { library_item_id: text },
    output: list(storageInfo),
    id,
    rest: { method: "GET", at: "service" },
    api: { lines: [`GET ${api}/{${id}}/storage`] },
  }),
  get: storage("get", {
    input: { library_item_id: text, file_name: text },
    output: list(storageInfo),
    id,
    api: { lines: [`GET ${api}/{${id}}/storage?file_name`] },
  }),
};
