import type { Library } from "../../../gen/slipway/upload/v1/catalog_pb.js";
import { fieldsOf, libraryJson, printLibraries } from "../catalog/catalog-view.js";
import { getLibrary } from "../catalog/find.js";
import { listSome } from "../connection/all-pages.js";
import { defineServerCommand } from "../connection/server-command.js";
import { CliError } from "../shell/cli-error.js";
import type { Context, Operands } from "../shell/command.js";
import { formatMoment } from "../shell/format.js";
import { limitOption, parseLimit } from "../shell/limit.js";
import { printFields, printJson } from "../shell/output.js";

export const libraryOperand: Operands = { shape: "LIBRARY", least: 1, most: 1 };

export const list = defineServerCommand({
  path: "library list",
  aliases: ["ls"],
  summary: "list libraries",
  description: "Lists the libraries of your tenant, newest first.",
  options: limitOption,
  examples: ["slipway library list"],
  check: ({ values }) => parseLimit(values.limit),
  async run({ values, client, ask, context, json }) {
    const libraries = await listSome(
      parseLimit(values.limit),
      (page) => ask((options) => client.catalog.listLibraries(page, options)),
      (page) => page.libraries,
    );
    if (json) printJson(context, { libraries: libraries.map(libraryJson) });
    else printLibraries(context, libraries);
  },
});

export const show = defineServerCommand({
  path: "library show",
  summary: "tell all about one library",
  description: "Tells all about one library. Its items are listed by `slipway item list`.",
  operands: libraryOperand,
  examples: ["slipway library show maps"],
  async run(call) {
    printLibrary(call.context, call.json, await getLibrary(call, call.operands[0] ?? ""));
  },
});

export function printLibrary(context: Context, json: boolean, library: Library | undefined): void {
  if (library === undefined) throw new CliError("the server's answer holds no library");
  const { id, name, description, version, backingFolder = "", attributes } = libraryJson(library);
  const times = { created: formatMoment(library.createTime), changed: formatMoment(library.updateTime) };
  const fields = { library: name, id, description, "backing folder": backingFolder, version, attributes, ...times };
  if (json) printJson(context, { library: libraryJson(library) });
  else printFields(context, fieldsOf(fields));
}
