import { get } from "./blob/get.js";
import { list, stat } from "./blob/look.js";
import { publish } from "./blob/publish.js";
import { put } from "./blob/put.js";
import { remove } from "./blob/remove.js";
import { defineGroup } from "./shell/define-command.js";

export const blob = defineGroup({
  name: "blob",
  summary: "store and fetch small pieces by their digest",
  description: `Stores small immutable pieces without a session, and fetches them. A blob is named by its REF: an algorithm and
the digest of its bytes, such as sha256-e3b0c442... Equal bytes have equal refs.`,
  commands: [put, get, list, stat, remove, publish],
});
