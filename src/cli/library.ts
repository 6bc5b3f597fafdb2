import { create, remove, update } from "./library/change.js";
import { list, show } from "./library/look.js";
import { defineGroup } from "./shell/define-command.js";

export const library = defineGroup({
  name: "library",
  summary: "look at libraries, and keep them",
  description: `Looks at libraries, which items are in, and keeps them. A library is named by its name or its id; only
administrators make, change and delete libraries.`,
  commands: [list, show, create, update, remove],
});
