import { readFile } from "node:fs/promises";

/** This program's version, from the package's own file, which lies further up when this runs as built. */
export async function readVersion(): Promise<string> {
  for (const up of ["../../package.json", "../../../package.json"]) {
    const text = await readFile(new URL(up, import.meta.url), "utf8").catch(() => undefined);
    if (text === undefined) continue;
    const { name, version } = JSON.parse(text) as { name?: unknown; version?: unknown };
    if (name === "slipway" && typeof version === "string") return version;
  }
  return "unknown";
}
