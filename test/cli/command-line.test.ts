import { parseArgs } from "node:util";
import { describe, expect, it } from "vitest";
import { createContentHash } from "../../src/cli/transfer/content-hash.js";
import { commands } from "../../src/cli/commands.js";
import { runCommandLine } from "../../src/cli/main.js";
import { parseServeFlags } from "../../src/cli/serve.js";
import { type Command, findCommand } from "../../src/cli/shell/command.js";
import { createTally } from "../../src/cli/transfer/upload-file.js";
import { formatContinue, parseUploadOptions } from "../../src/cli/transfer/upload-options.js";
import { runCli } from "./run-cli.js";

/** Every command by its whole path, and every word that groups some. */
const all = (function walk(among: readonly Command[], above: string): (readonly [string, Command])[] {
  return among.flatMap((command) => {
    const path = `${above} ${command.name}`.trim();
    return [[path, command] as const, ...walk(command.subcommands, path)];
  });
})(commands, "");
const leaves = all.filter(([, command]) => command.subcommands.length === 0);
const groups = all.filter(([, command]) => command.subcommands.length > 0);

/** What stands behind `slipway` in each example of a help, be it in a pipe, a substitution or alone. */
function examplesOf(command: Command): string[][] {
  const [, text = ""] = /\nExamples:\n((?: {2}.*\n)+)/.exec(command.help) ?? [];
  return [...text.matchAll(/\bslipway ((?:"[^"]*"|'[^']*'|[^\s|()<>&;]+| (?! ))+)/g)].map(([, line = ""]) =>
    [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((found) => found[1] ?? found[2] ?? found[3] ?? ""),
  );
}

function find(words: readonly string[]): [Command | undefined, readonly string[]] {
  let found: Command | undefined;
  let among = commands;
  let at = 0;
  for (; at < words.length; at += 1) {
    const next = findCommand(among, words[at]);
    if (next === undefined) break;
    found = next;
    among = next.subcommands;
  }
  return [found, words.slice(at)];
}

/** Parses the words and does nothing. */
function assertParses({ options, operands }: Command, words: readonly string[]): void {
  const parsed = parseArgs({ args: [...words], allowPositionals: true, options });
  expect(parsed.positionals.length).toBeGreaterThanOrEqual(operands.least);
  expect(parsed.positionals.length).toBeLessThanOrEqual(operands.most);
  for (const [name, value] of Object.entries(parsed.values)) {
    const { choices } = options[name]!;
    if (choices !== undefined) for (const one of [value].flat()) expect(choices).toContain(one);
  }
}

describe("a command line", () => {
  it.each(leaves)("helps with %s, with examples of it", async (path, command) => {
    const { exitCode, stdout } = await runCli([...path.split(" "), "--help"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: slipway ${path} ?`));
    expect(stdout).toContain("\nExamples:\n  ");
    expect(
      examplesOf(command)
        .map((words) => words.join(" "))
        .join("\n"),
    ).toContain(path);
    expect((await runCli(["help", ...path.split(" ")])).stdout).toBe(stdout);
    // A command line of an example may be longer than the lines of a terminal, words may not.
    const words = stdout.split("\n").filter((line) => !line.startsWith("  slipway "));
    expect(words.filter((line) => line.length > 80)).toEqual([]);
  });

  it.each(leaves)("takes the examples in the help of %s", (_, command) => {
    for (const words of examplesOf(command)) {
      const [found, rest] = find(words);
      expect([words, found?.subcommands]).toEqual([words, []]);
      if (found!.name === "serve") parseServeFlags(rest);
      else assertParses(found!, rest);
    }
  });

  it.each(leaves)("refuses an option that %s does not have, and says where its help is", async (path) => {
    const { exitCode, stdout, stderr } = await runCli([...path.split(" "), "--no-such-option"]);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(new RegExp(`^slipway: [^\n]+\nSee: slipway ${path} --help\n$`));
  });

  it.each(groups)("alone, %s says what it groups and where its help is", async (path, group) => {
    const { exitCode, stdout, stderr } = await runCli(path.split(" "));
    const names = group.subcommands.map(({ name }) => name).join(", ");
    expect([exitCode, stdout, stderr]).toEqual([
      2,
      "",
      `slipway: say what to do: ${names}\nSee: slipway ${path} --help\n`,
    ]);
    const help = (await runCli([...path.split(" "), "--help"])).stdout;
    for (const { name, summary } of group.subcommands) expect(help).toMatch(new RegExp(`^  ${name} +${summary}$`, "m"));
  });

  it.each(leaves.filter(([path]) => path !== "serve"))(
    "%s writes no more operands than it takes",
    async (path, command) => {
      if (!Number.isFinite(command.operands.most)) return;
      const words = Array.from({ length: command.operands.most + 1 }, (_, i) => `word-${i}`);
      const { exitCode, stderr } = await runCli([...path.split(" "), ...words]);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining(" is too much: this takes ")]);
    },
  );

  it.each(["session", "library", "item", "blob"])("helps with each command of %s, with examples", async (name) => {
    const group = commands.find((command) => command.name === name);
    expect((await runCli([name, "--help"])).stdout).toMatch(new RegExp(`^Usage: slipway ${name} COMMAND `));
    expect(group?.subcommands.length).toBeGreaterThan(4);
    for (const { name: word } of group?.subcommands ?? []) {
      const { stdout } = await runCli([name, word, "--help"]);
      expect(stdout).toMatch(new RegExp(`^Usage: slipway ${name} ${word} `));
      expect(stdout).toMatch(new RegExp(`\nExamples:\n  .*slipway ${name} ${word}`));
      expect(stdout.split("\n").filter((line) => line.length > 120)).toEqual([]);
    }
  });

  it.each([
    [[]],
    [["up"]],
    [["help", "up"]],
    [["upload"]],
    [["upload", "x", "--bogus"]],
    [["upload", "x", "--parallel", "0"]],
    [["upload", "x", "--chunk-size", "5MiB"]],
    [["upload", "x", "--session", "s", "--label", "l"]],
    [["download"]],
    [["ls", "a", "b"]],
    [["serve", "x"]],
    [["serve", "--listen"]],
    [["version", "x"]],
  ])("%j is wrong use", async (words) => {
    const { exitCode, stdout, stderr } = await runCli(words);
    expect(exitCode).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).not.toBe("");
  });

  it("says of each command how long that one goes on trying", async () => {
    const patient = ["upload", "download", "check", "session watch", "item cat", "blob put", "blob get"];
    for (const [path, { help, options }] of leaves) {
      if (options.url === undefined) continue;
      const time = patient.includes(path) ? "10m" : "15s";
      expect(help.replaceAll(/\s+/g, " "), path).toContain(`go on trying without progress (${time})`);
    }
  });

  it("prints the version", async () => {
    expect((await runCli(["--version"])).stdout).toMatch(/^slipway \d+\.\d+\.\d+ \(Node\.js /);
    expect(JSON.parse((await runCli(["version", "--json"])).stdout)).toMatchObject({ node: process.versions.node });
  });

  it("fails, rather than breaks, without a token", async () => {
    const context = { env: {}, stdin: (async function* () {})(), out: { write() {} }, err: { write() {} } };
    expect(await runCommandLine(["ls", "--url", "http://example.org"], context)).toBe(1);
  });
});

describe("the flags of serve", () => {
  it("are settings in kebab-case", () => {
    const words = [
      "--listen",
      "127.0.0.1:0",
      "--data-dir=/srv/a=b",
      "--database-url",
      "postgres://db",
      "--trust-proxy=1",
    ];
    expect(parseServeFlags(words)).toEqual({
      SLIPWAY_LISTEN: "127.0.0.1:0",
      SLIPWAY_DATA_DIR: "/srv/a=b",
      DATABASE_URL: "postgres://db",
      SLIPWAY_TRUST_PROXY: "1",
    });
  });

  it.each([[["--listen", "--data-dir"]], [["--listen=a", "--listen=b"]], [["-l", "x"]], [["--Listen", "x"]]])(
    "refuses %j",
    (words) => {
      expect(() => parseServeFlags(words)).toThrow(expect.objectContaining({ exitCode: 2 }));
    },
  );
});

it("the command that goes on names the session and never a token", () => {
  const values = {
    ...{ parallel: "4", label: "", session: undefined, replace: false, name: undefined, "chunk-size": "1MiB" },
    ...{
      into: undefined,
      resume: false,
      quiet: false,
      verbose: false,
      json: undefined,
      token: "secret",
      url: "http://h:1",
      "no-complete": true,
    },
  };
  const options = parseUploadOptions({ values, operands: ["two words", "-x"] });
  expect(formatContinue(options, "ID", false)).toBe(
    "slipway upload --session ID --url http://h:1 --no-complete -- 'two words' -x",
  );
});

it("the tally counts what is handed over again, and only that", () => {
  const tally = createTally(() => undefined);
  for (const [offset, length] of [
    [100, 50],
    [150, 50],
    [120, 30],
    [150, 100],
  ] as const)
    tally.handed(offset, length);
  expect(tally).toMatchObject({ sentBytes: 230, resentBytes: 80 });
});

it("the content's hash takes repeated bytes once and refuses a gap", () => {
  const hash = createContentHash();
  hash.take(0, Buffer.from("abc"));
  hash.take(1, Buffer.from("bcd"));
  hash.take(0, Buffer.from("ab"));
  expect(hash.offset).toBe(4);
  expect(hash.digest()).toBe("88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589");
  expect(() => hash.take(5, Buffer.from("f"))).toThrow(TypeError);
});
