import type { Item } from "../../../gen/slipway/upload/v1/catalog_pb.js";
import { parseAlias } from "../catalog/aliases.js";
import { fieldsOf, itemFileJson, itemJson, printItemFiles, printItems } from "../catalog/catalog-view.js";
import { getItem, getLibrary, type Lookup } from "../catalog/find.js";
import { listItemFiles, listItems } from "../catalog/listing.js";
import { defineServerCommand } from "../connection/server-command.js";
import { CliError } from "../shell/cli-error.js";
import type { Context, Operands } from "../shell/command.js";
import { formatMoment } from "../shell/format.js";
import { limitOption, parseLimit } from "../shell/limit.js";
import { printFields, printJson } from "../shell/output.js";

export const itemOperand: Operands = { shape: "LIBRARY/ITEM", least: 1, most: 1 };

export const list = defineServerCommand({
  path: "item list",
  aliases: ["ls"],
  summary: "list the items of a library",
  description: "Lists the items of a library, newest first.",
  operands: { shape: "LIBRARY", least: 1, most: 1 },
  options: {
    type: { type: "string", value: "TYPE", summary: "only those of exactly this type" },
    ...limitOption,
  },
  examples: ["slipway item list maps", "slipway item list maps --type atlas --json"],
  check: ({ values }) => parseLimit(values.limit),
  async run(call) {
    const { operands, values, context, json } = call;
    const { id: libraryId } = await getLibrary(call, (operands[0] ?? "").replace(/\/$/, ""));
    const filters = { libraryId, ...(values.type !== undefined && { type: values.type }) };
    const items = await listItems(call, filters, parseLimit(values.limit));
    if (json) printJson(context, { items: items.map(itemJson) });
    else printItems(context, items);
  },
});

export const show = defineServerCommand({
  path: "item show",
  summary: "tell all about one item",
  description: "Tells all about one item. Its files are listed by `slipway item files`.",
  operands: itemOperand,
  examples: ["slipway item show maps/europe"],
  async run(call) {
    await printItem(call, await getItem(call, call.operands[0] ?? "", "an item"));
  },
});

export const find = defineServerCommand({
  path: "item find",
  summary: "find an item by an alias",
  description: "Tells all about the item that has an alias.",
  operands: { shape: "KIND=VALUE", least: 1, most: 1 },
  examples: ["slipway item find barcode=4006381333931"],
  check: ({ operands }) => parseAlias(operands[0] ?? "", "an alias"),
  async run(call) {
    const alias = parseAlias(call.operands[0] ?? "", "an alias");
    const { item } = await call.ask((options) => call.client.catalog.findItem({ alias }, options));
    await printItem(call, item);
  },
});

export const files = defineServerCommand({
  path: "item files",
  summary: "list the files of an item",
  description: "Lists the files of an item, by name.",
  operands: itemOperand,
  examples: ["slipway item files maps/europe --json"],
  async run(call) {
    const item = await getItem(call, call.operands[0] ?? "", "an item");
    const found = await listItemFiles(call, item.id);
    if (call.json) printJson(call.context, { item: itemJson(item), files: found.map(itemFileJson) });
    else printItemFiles(call.context, found);
  },
});

export async function printItem(
  call: Lookup & { readonly context: Context; readonly json: boolean },
  item: Item | undefined,
): Promise<void> {
  if (item === undefined) throw new CliError("the server's answer holds no item");
  if (call.json) return printJson(call.context, { item: itemJson(item) });
  const { libraryId } = item;
  const { library } = await call.ask((options) => call.client.catalog.getLibrary({ libraryId }, options));
  const json = itemJson(item);
  const fields = {
    item: json.name,
    id: json.id,
    library: `${library?.name} (${libraryId})`,
    type: json.type,
    description: json.description,
    aliases: json.aliases.map(({ kind, value }) => `${kind}=${value}`).join(", "),
    attributes: json.attributes,
    content: json.contentVersion,
    version: json.version,
    created: formatMoment(item.createTime),
    changed: formatMoment(item.updateTime),
  };
  printFields(call.context, fieldsOf(fields));
}
