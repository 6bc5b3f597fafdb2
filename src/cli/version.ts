import { readFile } from "node:fs/promises";
import { defineCommand } from "./shell/define-command.js";
import { printJson } from "./shell/output.js";

export const version = defineCommand({
  path: "version",
  summary: "print the version",
  description: "Prints the version of this program and of the Node.js that runs it.",
  options: { json: { type: "boolean", summary: "print one JSON object" } },
  examples: ["slipway version", "slipway version --json"],
  async run({ values }, context) {
    const slipway = await readVersion();
    if (values.json === true) printJson(context, { slipway, node: process.versions.node });
    else context.out.write(`slipway ${slipway} (Node.js ${process.versions.node})\n`);
    return 0;
  },
});

/** This program's version, from the package's own file, which lies further up when this runs as built. */
export async function readVersion(): Promise<string> {
  for (const up of ["../../package.json", "../../../package.json"]) {
    const text = await readFile(new URL(up, import.meta.url), "utf8").catch(() => undefined);
    if (text === undefined) continue;
    const { name, version: found } = JSON.parse(text) as { name?: unknown; version?: unknown };
    if (name === "slipway" && typeof found === "string") return found;
  }
  return "unknown";
}
