import { instant, struct, text } from "../schema.js";
import { operationsOf } from "../operation.js";

const operation = operationsOf("com.vmware.cis.session");

const api = "/api/session";

export const login = {
  create: operation("create", {
    output: text,
    rest: { method: "POST", at: "service" },
    api: { lines: [`POST ${api}`], status: 201 },
  }),
  get: operation("get", {
    output: struct({ user: text, created_time: instant, last_accessed_time: instant }),
    rest: { method: "GET", at: "service" },
    api: { lines: [`GET ${api}`] },
  }),
  delete: operation("delete", {
    rest: { method: "DELETE", at: "service" },
    api: { lines: [`DELETE ${api}`] },
  }),
};
