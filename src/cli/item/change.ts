import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import { aliasOption, changeAliases, parseAlias } from "../catalog/aliases.js";
import {
  attributeOption,
  changeAttributes,
  changeOptions,
  changesAttributes,
  parseAttributes,
  parseVersion,
} from "../catalog/attributes.js";
import { getItem, getLibrary, parseItemPath } from "../catalog/find.js";
import { defineServerCommand } from "../connection/server-command.js";
import { takeAway } from "../connection/take-away.js";
import { wrongUse } from "../shell/cli-error.js";
import { confirm, yesOption } from "../shell/confirm.js";
import { formatForeign } from "../shell/format.js";
import { printJson } from "../shell/output.js";
import { itemOperand, printItem } from "./look.js";

export const create = defineServerCommand({
  path: "item create",
  summary: "make an item",
  description: "Makes an item, with no files. Names are unique in a library, aliases in a tenant.",
  operands: itemOperand,
  options: {
    type: { type: "string", value: "TYPE", default: "", summary: "what kind of item it is, in your own words" },
    description: { type: "string", value: "TEXT", default: "", summary: "what it is, for people" },
    ...aliasOption,
    ...attributeOption,
  },
  examples: ["slipway item create maps/europe --type atlas --alias barcode=4006381333931 --attribute pages=212"],
  check: ({ operands, values }) => [
    parseItemPath(operands[0] ?? "", "a new item"),
    parseAttributes(values.attribute),
    changeAliases([], values.alias),
  ],
  async run(call) {
    const { operands, values, client, askOnce } = call;
    const path = parseItemPath(operands[0] ?? "", "a new item");
    const request = {
      libraryId: (await getLibrary(call, path.library)).id,
      name: path.item,
      type: values.type,
      description: values.description,
      aliases: changeAliases([], values.alias),
      attributes: parseAttributes(values.attribute),
    };
    const { item } = await askOnce((options) => client.catalog.createItem(request, options));
    await printItem(call, item);
  },
});

export const update = defineServerCommand({
  path: "item update",
  summary: "change what is said of an item",
  description: "Changes what is said of an item, and leaves the rest as it is. Its files are not touched.",
  operands: itemOperand,
  options: {
    type: { type: "string", value: "TYPE", summary: "its new type" },
    ...changeOptions,
    ...aliasOption,
    "remove-alias": { type: "string", value: "KIND=VALUE", multiple: true, summary: "an alias to take away" },
  },
  examples: [
    "slipway item update maps/europe --name europe-1914 --attribute pages=214",
    "slipway item update maps/europe --alias shelf=12-b --remove-alias shelf=12-a --if-version 3",
  ],
  check({ values }) {
    const removed = (values["remove-alias"] ?? []).map((word) => parseAlias(word, "--remove-alias"));
    const changed = [values.name, values.type, values.description, values.alias, values["remove-alias"]];
    parseVersion(values["if-version"]);
    if (changed.every((value) => value === undefined) && !changesAttributes(values)) {
      throw wrongUse("say what to change: --name, --type, --description, --alias, --attribute, ...");
    }
    return [removed, changeAliases([], values.alias), parseAttributes(values.attribute)];
  },
  async run(call) {
    const { operands, values, client, askOnce } = call;
    const before = await getItem(call, operands[0] ?? "", "an item");
    const aliases = (values.alias ?? values["remove-alias"]) !== undefined;
    const attributes = changesAttributes(values);
    // What is merged with what was read must not undo what somebody else has changed since.
    const expectedVersion = parseVersion(values["if-version"]) ?? (aliases || attributes ? before.version : undefined);
    const request = {
      itemId: before.id,
      ...(values.name !== undefined && { name: values.name }),
      ...(values.type !== undefined && { type: values.type }),
      ...(values.description !== undefined && { description: values.description }),
      ...(aliases && { aliases: { aliases: changeAliases(before.aliases, values.alias, values["remove-alias"]) } }),
      ...(attributes && { attributes: changeAttributes(before.attributes, values) }),
      ...(expectedVersion !== undefined && { expectedVersion }),
    };
    const { item } = await askOnce((options) => client.catalog.updateItem(request, options));
    await printItem(call, item);
  },
});

export const remove = defineServerCommand({
  path: "item delete",
  summary: "delete an item with its files",
  description: "Deletes an item with all of its files.",
  operands: itemOperand,
  options: yesOption,
  examples: ["slipway item delete maps/europe --yes"],
  async run(call) {
    const { operands, values, client, ask, signal, context, json } = call;
    const { id: itemId, name } = await getItem(call, operands[0] ?? "", "an item");
    await confirm(context, values.yes, `Delete the item ${JSON.stringify(name)} with all of its files?`, signal);
    await takeAway(ask, ErrorReason.ITEM_NOT_FOUND, (options) => client.catalog.deleteItem({ itemId }, options));
    if (json) printJson(context, { id: itemId, deleted: true });
    else context.out.write(`item ${formatForeign(name)} is deleted\n`);
  },
});
