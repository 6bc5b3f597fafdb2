import { complete } from "./session/complete.js";
import { cancel, fail, keepAlive, remove } from "./session/end.js";
import { fetch } from "./session/fetch.js";
import { list } from "./session/list.js";
import { show } from "./session/show.js";
import { watch } from "./session/watch.js";
import { defineGroup } from "./shell/define-command.js";

export const session = defineGroup({
  name: "session",
  summary: "look at sessions, follow them, have files fetched into them, end them",
  description: "Looks at upload sessions, follows what happens in them, has files fetched into them, and ends them.",
  commands: [list, show, watch, fetch, complete, cancel, fail, remove, keepAlive],
});
