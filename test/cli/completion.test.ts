// The scripts in the shells that they are for.
import { spawnSync } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTempDir, removeTempDir } from "../support/temp-dir.js";
import { runCli } from "./run-cli.js";

const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

const has = (shell: Shell) => spawnSync(shell, ["-c", "exit 0"]).status === 0;
const missing = shells.filter((shell) => !has(shell));
if (missing.length > 0 && process.env.CI === "true") throw new Error(`not found, and needed: ${missing.join(", ")}`);

let folder: string;
let env: Record<string, string | undefined>;

beforeAll(async () => {
  folder = await makeTempDir();
  env = { PATH: `${join(folder, "bin")}:${process.env.PATH}`, HOME: folder, XDG_CONFIG_HOME: folder, LANG: "C.UTF-8" };
  await mkdir(join(folder, "bin"));
  await symlink(fileURLToPath(new URL("../../src/cli/slipway.cjs", import.meta.url)), join(folder, "bin", "slipway"));
  await mkdir(join(folder, "slipway"));
  const server = { url: "http://127.0.0.1:1", token: "t", login: "default/admin" };
  const servers = { work: server, "127.0.0.1:9000": server, "127.0.0.1:9001": server };
  await writeFile(join(folder, "slipway", "servers.json"), JSON.stringify({ current: "work", servers }), {
    mode: 0o600,
  });
  await mkdir(join(folder, "files", "photos"), { recursive: true });
  await writeFile(join(folder, "files", "plain.bin"), "");
  for (const shell of shells) {
    const { exitCode, stdout } = await runCli(["completion", shell]);
    expect(exitCode).toBe(0);
    await writeFile(join(folder, shell), stdout);
  }
});

afterAll(() => removeTempDir(folder));

function run(shell: Shell, script: string, words: readonly string[]): string[] {
  const { stdout, stderr, status } = spawnSync(shell, ["-c", script, ...words], {
    env,
    cwd: join(folder, "files"),
    encoding: "utf8",
    timeout: 40_000,
  });
  expect([status, stderr]).toEqual([0, ""]);
  return stdout.split("\n").filter((line) => line !== "");
}

/** As bash would take the line apart itself, at blanks and at its word breaks. */
function inBash(line: string): string[] {
  const words = line.split(" ").flatMap((word) => (word === "" ? [""] : (word.match(/[:=]+|[^:=]+/g) ?? [])));
  const script = `source "$HOME/bash"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _slipway slipway
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  return run("bash", script, ["bash", ...words]).sort();
}

/** Zsh completes only where it edits a line: in a terminal of its own, and what it would offer goes to a file. */
function inZsh(line: string): string[] {
  const inner = `PS1=; autoload -U compinit; compinit -u -d $HOME/dump; source $HOME/zsh
compadd() { local -a offered; builtin compadd -O offered "$@"; print -rl -- $offered >> $HOME/offered; builtin compadd "$@" }
finish() { print done >> $HOME/finished }
zle -N finish; bindkey '^X' finish; bindkey '^I' complete-word; setopt no_beep; print ready > $HOME/finished`;
  const script = `zmodload zsh/zpty; rm -f $HOME/offered $HOME/finished; print -r -- "$1" > $HOME/inner
    zpty shell "zsh -f -i"; zpty -w shell "source $HOME/inner"
    until [[ -s $HOME/finished ]]; do sleep 0.02; zpty -r -t shell REPLY >/dev/null; done
    zpty -n -w shell "$2"$'\\t\\x18'
    until [[ $(<$HOME/finished) == *done* ]]; do sleep 0.02; zpty -r -t shell REPLY >/dev/null; done
    zpty -d shell; if [[ -e $HOME/offered ]]; then cat $HOME/offered; fi`;
  return [...new Set(run("zsh", script, ["zsh", inner, line]))].sort();
}

function inFish(line: string): string[] {
  const offered = run("fish", 'source "$HOME/fish"; complete -C $argv[1]', [line]);
  return offered.map((word) => word.split("\t")[0] ?? "").sort();
}

const offers: Readonly<Record<Shell, (line: string) => string[]>> = { bash: inBash, zsh: inZsh, fish: inFish };

describe.each(shells)("completion in %s", (shell) => {
  const offer = (line: string) => offers[shell](line);

  describe.skipIf(!has(shell))("offers", () => {
    it.each([
      ["slipway us", ["user"]],
      ["slipway server ", ["limits", "list", "remove", "use"]],
      ["slipway server ls --n", ["--names"]],
      ["slipway user create x --role ", ["admin", "reader", "uploader"]],
      ["slipway user create --tenant list --role up", ["uploader"]],
      ["slipway help us", ["user"]],
      ["slipway help user pa", ["passwd"]],
      ["slipway server use w", ["work"]],
      ["slipway ls --server w", ["work"]],
      ["slipway logout w", ["work"]],
      ["slipway upload ph", shell === "bash" ? ["photos"] : ["photos/"]],
      ["slipway upload --url http://127.0.0.1:1/ pl", ["plain.bin"]],
      ["slipway serve --data-dir p", shell === "bash" ? ["photos"] : ["photos/"]],
      ["slipway version nothing", []],
    ])("for %j: %j", (line, words) => {
      // Zsh lists folders by their names, and adds the slash when it takes one.
      expect(offer(line).map((word) => (shell === "zsh" && word === "photos" ? "photos/" : word))).toEqual(words);
    });

    it("all commands and options, as the help lists them", async () => {
      const { stdout } = await runCli(["help"]);
      const names = [...stdout.matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => name ?? "").sort();
      expect(names).toContain("completion");
      expect(offer("slipway ")).toEqual(names);
      const { stdout: help } = await runCli(["token", "create", "--help"]);
      const flags = [...help.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag]) => flag ?? "");
      expect(flags.length).toBeGreaterThan(6);
      expect(offer("slipway token create --")).toEqual([...new Set([...flags, "--help"])].sort());
    });
  });
});

describe.skipIf(!has("bash"))("in bash", () => {
  it("words with a colon or an equals sign are offered from there on", () => {
    expect(inBash("slipway server use 127.0.0.1:90")).toEqual(["9000", "9001"]);
    expect(inBash("slipway user create --role=up")).toEqual(["uploader"]);
    expect(inBash("slipway user create --role=")).toEqual(["admin", "reader", "uploader"]);
    expect(inBash("slipway ls --server=w")).toEqual(["work"]);
  });

  it("behind -- there are only operands", () => {
    expect(inBash("slipway upload -- --")).toEqual([]);
    expect(inBash("slipway upload -- pl")).toEqual(["plain.bin"]);
  });
});

it("is for three shells", async () => {
  const { exitCode, stderr } = await runCli(["completion", "tcsh"]);
  expect([exitCode, stderr]).toEqual([
    2,
    'slipway: completion is for bash, zsh or fish, not "tcsh"\nSee: slipway completion --help\n',
  ]);
});
