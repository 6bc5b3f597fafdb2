import { instant, list, oneOf, optional, struct, text, boolean } from "../schema.js";
import { operationsOf } from "../operation.js";
import { storageBacking, times } from "./models.js";

export const libraryType = oneOf("LOCAL", "SUBSCRIBED");

/** How a library is published; what is told of it never holds a password. */
export const publishInfo = struct({
  authentication_method: optional(oneOf("BASIC", "NONE")),
  published: optional(boolean),
  publish_url: optional(text),
  user_name: optional(text),
  password: optional(text),
  current_password: optional(text),
  persist_json_enabled: optional(boolean),
  ssl_thumbprint: optional(text),
});

/** What of a library a client may say. */
const spec = {
  id: optional(text),
  name: optional(text),
  description: optional(text),
  type: optional(libraryType),
  storage_backings: optional(list(storageBacking)),
  publish_info: optional(publishInfo),
  version: optional(text),
  creation_time: optional(instant),
  last_modified_time: optional(instant),
};

const model = struct({
  id: text,
  name: text,
  description: text,
  type: libraryType,
  storage_backings: list(storageBacking),
  publish_info: optional(publishInfo),
  version: text,
  ...times,
});

/** What local and all libraries have in common: the same library is found through both. */
function commonTo(service: string, api: string) {
  const operation = operationsOf(service);
  return {
    get: operation("get", {
      input: { library_id: text },
      output: model,
      id: "library_id",
      rest: { method: "GET", at: "id" },
      api: { lines: [`GET ${api}/{library_id}`] },
    }),
    list: operation("list", {
      output: list(text),
      rest: { method: "GET", at: "service" },
      api: { lines: [`GET ${api}`] },
    }),
    update: operation("update", {
      input: { library_id: text, update_spec: struct(spec) },
      id: "library_id",
      rest: { method: "PATCH", at: "id" },
      api: { lines: [`PATCH ${api}/{library_id}`], body: "update_spec" },
    }),
  };
}

const find = operationsOf("com.vmware.content.library")("find", {
  input: { spec: struct({ name: optional(text), type: optional(libraryType) }) },
  output: list(text),
  api: { lines: ["POST /api/content/library?action=find"], body: "spec" },
});

export const library = { ...commonTo("com.vmware.content.library", "/api/content/library"), find };

const local = operationsOf("com.vmware.content.local_library");
const localApi = "/api/content/local-library";

export const localLibrary = {
  ...commonTo("com.vmware.content.local_library", localApi),
  create: local("create", {
    input: { client_token: optional(text), create_spec: struct({ ...spec, name: text }) },
    output: text,
    rest: { method: "POST", at: "service" },
    api: { lines: [`POST ${localApi}`], body: "create_spec", status: 201 },
  }),
  delete: local("delete", {
    input: { library_id: text },
    id: "library_id",
    rest: { method: "DELETE", at: "id" },
    api: { lines: [`DELETE ${localApi}/{library_id}`] },
  }),
  /** With whatever is under way in it. */
  forceDelete: local("force_delete", {
    input: { library_id: text },
    id: "library_id",
    rest: { method: "DELETE", at: "id", named: true },
    api: { lines: [`POST ${localApi}/{library_id}?action=force-delete`] },
  }),
};

const subscribed = operationsOf("com.vmware.content.subscribed_library");
const subscribedApi = "/api/content/subscribed-library";

/** Whatever another server keeps is not synchronised here: there is none to be made, and all that there are can be seen. */
export const subscribedLibrary = {
  ...commonTo("com.vmware.content.subscribed_library", subscribedApi),
  create: subscribed("create", {
    input: { client_token: optional(text), create_spec: struct({ ...spec, name: text }) },
    output: text,
    rest: { method: "POST", at: "service" },
    api: { lines: [`POST ${subscribedApi}`], body: "create_spec", status: 201 },
  }),
  delete: subscribed("delete", {
    input: { library_id: text },
    id: "library_id",
    rest: { method: "DELETE", at: "id" },
    api: { lines: [`DELETE ${subscribedApi}/{library_id}`] },
  }),
};
