import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import {
  attributeOption,
  changeAttributes,
  changeOptions,
  changesAttributes,
  parseAttributes,
  parseVersion,
} from "../catalog/attributes.js";
import { getLibrary } from "../catalog/find.js";
import { defineServerCommand } from "../connection/server-command.js";
import { takeAway } from "../connection/take-away.js";
import { wrongUse } from "../shell/cli-error.js";
import { confirm, yesOption } from "../shell/confirm.js";
import { formatForeign } from "../shell/format.js";
import { printJson } from "../shell/output.js";
import { libraryOperand, printLibrary } from "./look.js";

export const create = defineServerCommand({
  path: "library create",
  summary: "make a library",
  description: "Makes a library, with no items. Names are unique in a tenant.",
  operands: { shape: "NAME", least: 1, most: 1 },
  options: {
    description: { type: "string", value: "TEXT", default: "", summary: "what it is, for people" },
    "backing-folder": {
      type: "string",
      value: "PATH",
      default: "",
      summary: "a folder of the server: what is fetched from it into the library is moved, not copied",
    },
    ...attributeOption,
  },
  examples: [
    'slipway library create maps --description "all that is drawn" --attribute shelf=12',
    "slipway library create images --backing-folder /srv/images",
  ],
  check: ({ values }) => parseAttributes(values.attribute),
  async run({ operands: [name = ""], values, client, askOnce, context, json }) {
    const { description, "backing-folder": backingFolder } = values;
    const request = { name, description, backingFolder, attributes: parseAttributes(values.attribute) };
    const { library } = await askOnce((options) => client.catalog.createLibrary(request, options));
    printLibrary(context, json, library);
  },
});

export const update = defineServerCommand({
  path: "library update",
  summary: "change a library's name, description or attributes",
  description: "Changes what is said of a library, and leaves the rest as it is.",
  operands: libraryOperand,
  options: changeOptions,
  examples: [
    "slipway library update maps --name charts",
    "slipway library update maps --attribute shelf=13 --remove-attribute room --if-version 2",
  ],
  check({ values }) {
    parseAttributes(values.attribute);
    parseVersion(values["if-version"]);
    if ((values.name ?? values.description) === undefined && !changesAttributes(values)) {
      throw wrongUse("say what to change: --name, --description, --attribute or --remove-attribute");
    }
  },
  async run(call) {
    const { operands, values, client, askOnce, context, json } = call;
    const before = await getLibrary(call, operands[0] ?? "");
    const merged = changesAttributes(values);
    // What is merged with what was read must not undo what somebody else has changed since.
    const expectedVersion = parseVersion(values["if-version"]) ?? (merged ? before.version : undefined);
    const request = {
      libraryId: before.id,
      ...(values.name !== undefined && { name: values.name }),
      ...(values.description !== undefined && { description: values.description }),
      ...(merged && { attributes: changeAttributes(before.attributes, values) }),
      ...(expectedVersion !== undefined && { expectedVersion }),
    };
    const { library } = await askOnce((options) => client.catalog.updateLibrary(request, options));
    printLibrary(context, json, library);
  },
});

export const remove = defineServerCommand({
  path: "library delete",
  summary: "delete a library that has no items",
  description: "Deletes a library that has no items.",
  operands: libraryOperand,
  options: yesOption,
  examples: ["slipway library delete maps --yes"],
  async run(call) {
    const { operands, values, client, ask, signal, context, json } = call;
    const { id: libraryId, name } = await getLibrary(call, operands[0] ?? "");
    await confirm(context, values.yes, `Delete the library ${JSON.stringify(name)}?`, signal);
    await takeAway(ask, ErrorReason.LIBRARY_NOT_FOUND, (options) =>
      client.catalog.deleteLibrary({ libraryId }, options),
    );
    if (json) printJson(context, { id: libraryId, deleted: true });
    else context.out.write(`library ${formatForeign(name)} is deleted\n`);
  },
});
