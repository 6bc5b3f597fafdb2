// Who may import whom, and the few rules of the house that a program can check.
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

/**
 * Folder -> what its files may import beside the folder itself: files and folders of this repository, packages, and
 * prefixes that end with `*`. The core is known to the outside by its index alone.
 */
const core = "src/core/index.ts";
const table: Record<string, readonly string[]> = {
  "src/core": ["node:crypto"],
  "src/storage/postgres": [core, "knex", "pg", "@electric-sql/pglite", "node:*"],
  "src/storage/disk": [core, "node:*"],
  "src/storage/s3": [core, "@aws-sdk/*", "node:*"],
  "src/sources": [core, "node:*"],
  "src/access": [core, "node:crypto", "node:util", "jose"],
  "src/rpc": [core, "gen", "@connectrpc/connect", "@bufbuild/*"],
  "src/rest/kit": [core, "find-my-way", "@fastify/busboy", "content-disposition", "negotiator", "node:crypto"],
  "src/rest/vsphere": [core, "src/rest/kit", "saxes"],
  "src/rest/imis": [core, "src/rest/kit", "mime-types"],
  "src/rest/folio": [core, "src/rest/kit", "jose"],
  "src/rest/perkeep": [core, "src/rest/kit"],
  "src/cli": ["gen", "@connectrpc/*", "@bufbuild/*", "node:*"],
  "src/cli/serve.ts": ["src/cli", "src/server"],
  "src/server": [core, "src/storage", "src/sources", "src/access", "src/rpc", "src/rest", "gen", "*"],
  "test/contract": [core, "test/support", "vitest", "fast-check", "node:*"],
};

const root = posix.join(import.meta.dirname, "..");
const read = (file: string) => readFileSync(posix.join(root, file), "utf8");
const list = (folder: string) =>
  readdirSync(posix.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.[cm]?ts$/.test(name))
    .map((name) => posix.join(folder, name.replaceAll("\\", "/")))
    .sort();
const sources = list("src");
const tests = list("test");

const isWithin = (path: string, place: string) => path === place || path.startsWith(`${place}/`);

/** What a file may not import and does, as sentences. */
function findBreaches(file: string, text: string): readonly string[] {
  const rows = Object.keys(table).filter((place) => isWithin(file, place));
  const row = rows.sort((a, b) => b.length - a.length)[0];
  if (row === undefined) return [`${file} is in a folder that the table has no row for`];
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => !isAllowed(file, name, row))
    .map((name) => `${file} must not import ${name}`);
}

function isAllowed(file: string, name: string, row: string): boolean {
  const local = name.startsWith(".");
  const target = local ? posix.join(posix.dirname(file), name).replace(/\.js$/, ".ts") : name;
  return [row, ...table[row]!].some((place) =>
    place.endsWith("*") ? !local && target.startsWith(place.slice(0, -1)) : isWithin(target, place),
  );
}

describe("a source file", () => {
  it("imports only what its folder may", () => {
    const bounded = [...sources, ...tests.filter((file) => isWithin(file, "test/contract"))];
    expect(bounded.flatMap((file) => findBreaches(file, read(file)))).toEqual([]);
    expect(sources.length).toBeGreaterThan(50);
  });

  it.each([
    ["src/core/session.ts", 'import knex from "knex";', "src/core/session.ts must not import knex"],
    ["src/core/a/b.ts", 'import type { Knex } from "knex";', "src/core/a/b.ts must not import knex"],
    ["src/core/x.ts", 'export * from "../rpc/y.js";', "src/core/x.ts must not import ../rpc/y.js"],
    ["src/rpc/x.ts", 'type T = import("../core/file.js").T;', "src/rpc/x.ts must not import ../core/file.js"],
    ["src/rpc/x.ts", 'await import("../server/main.js");', "src/rpc/x.ts must not import ../server/main.js"],
    ["src/rest/imis/x.ts", 'import "../folio/y.js";', "src/rest/imis/x.ts must not import ../folio/y.js"],
    ["src/rest/kit/x.ts", 'import http from "node:http";', "src/rest/kit/x.ts must not import node:http"],
    ["src/cli/ls.ts", 'import "../server/main.js";', "src/cli/ls.ts must not import ../server/main.js"],
    ["src/server/x.ts", 'import "../cli/main.js";', "src/server/x.ts must not import ../cli/main.js"],
    ["src/storage/disk/x.ts", 'import "../postgres/y.js";', "src/storage/disk/x.ts must not import ../postgres/y.js"],
    ["src/helpers/x.ts", "", "src/helpers/x.ts is in a folder that the table has no row for"],
  ])("at %s with `%s` is found out", (file, text, sentence) => {
    expect(findBreaches(file, text)).toEqual([sentence]);
  });

  it("has at most 300 lines", () => {
    const long = sources.filter((file) => read(file).split("\n").length > 301);
    expect(long).toEqual([]);
  });

  it("reads the environment in one place for the server and one for the command line", () => {
    const readers = sources.filter((file) => /\bprocess\s*\.\s*env\b|\benv\b.*from "node:process"/.test(read(file)));
    const allowed = ["src/cli/connection/settings.ts", "src/server/config.ts"];
    expect(readers.filter((file) => !allowed.includes(file))).toEqual([]);
  });
});

describe("every promise", () => {
  const cited = new Set(tests.flatMap((file) => findTitles(file).flatMap((title) => title.match(/\bP\d+\b/g) ?? [])));

  it.each(Array.from({ length: 11 }, (_, i) => `P${i + 1}`))("is cited in the title of a test: %s", (promise) => {
    expect([...cited]).toContain(promise);
  });
});

/** The first words of every `describe` and `it` in a file, whatever hangs on them (`it.each(...)("...")`). */
function findTitles(file: string): readonly string[] {
  const titles: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      let callee: ts.Node = node.expression;
      while (ts.isCallExpression(callee) || ts.isPropertyAccessExpression(callee)) callee = callee.expression;
      const [title] = node.arguments;
      const isTest = ts.isIdentifier(callee) && (callee.text === "it" || callee.text === "describe");
      if (isTest && title !== undefined && ts.isStringLiteralLike(title)) titles.push(title.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest));
  return titles;
}
