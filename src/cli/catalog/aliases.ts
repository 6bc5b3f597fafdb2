import type { Alias } from "../../../gen/slipway/upload/v1/catalog_pb.js";
import type { Options } from "../shell/command.js";
import { parsePair } from "./attributes.js";

export const aliasOption = {
  alias: {
    type: "string",
    value: "KIND=VALUE",
    multiple: true,
    summary: "another name to find it by, such as barcode=4006381333931. May be given more than once",
  },
} as const satisfies Options;

export type AliasWords = Pick<Alias, "kind" | "value">;

export function parseAlias(word: string, what = "--alias"): AliasWords {
  const [kind, value] = parsePair(word, what, "KIND=VALUE");
  return { kind, value };
}

/** Aliases with some taken away and some added; the others stay. */
export function changeAliases(
  before: readonly AliasWords[],
  added: readonly string[] = [],
  removed: readonly string[] = [],
): AliasWords[] {
  const key = ({ kind, value }: AliasWords) => JSON.stringify([kind, value]);
  const after = new Map(before.map(({ kind, value }) => [key({ kind, value }), { kind, value }]));
  for (const alias of removed.map((word) => parseAlias(word, "--remove-alias"))) after.delete(key(alias));
  for (const alias of added.map((word) => parseAlias(word))) after.set(key(alias), alias);
  return [...after.values()];
}
