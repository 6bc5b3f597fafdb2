import { cat } from "./item/cat.js";
import { create, remove, update } from "./item/change.js";
import { files, find, list, show } from "./item/look.js";
import { defineGroup } from "./shell/define-command.js";

export const item = defineGroup({
  name: "item",
  summary: "look at items and their files, and keep them",
  description: `Looks at the items of libraries and at their files, and keeps them. An item is named by LIBRARY/ITEM, by names
or ids, or by its id alone. Files come into an item by a session, all at once.`,
  commands: [list, show, find, files, cat, create, update, remove],
});
