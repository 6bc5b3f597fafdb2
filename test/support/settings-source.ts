import { readFileSync } from "node:fs";

const sources = ["config.ts", "config/dialects.ts"].map((name) => new URL(`../../src/server/${name}`, import.meta.url));

/** Whether the server reads a setting of this name. */
export function isSetting(name: string): boolean {
  return sources.some((source) => readFileSync(source, "utf8").includes(`"${name}"`));
}
