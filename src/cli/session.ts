import { cancel, complete, fail, keepAlive, remove } from "./session/end.js";
import { list } from "./session/list.js";
import { show } from "./session/show.js";
import { watch } from "./session/watch.js";
import { defineGroup } from "./shell/define-command.js";

export const session = defineGroup({
  name: "session",
  summary: "look at sessions, follow them, end them",
  description: "Looks at upload sessions, follows what happens in them, and ends them.",
  commands: [list, show, watch, complete, cancel, fail, remove, keepAlive],
});
