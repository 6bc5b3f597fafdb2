import { describe, expect, it } from "vitest";
import { createContentHash } from "../../src/cli/transfer/content-hash.js";
import { runCommandLine } from "../../src/cli/main.js";
import { parseServeFlags } from "../../src/cli/serve.js";
import { createTally } from "../../src/cli/transfer/upload-file.js";
import { formatContinue, parseUploadOptions } from "../../src/cli/transfer/upload-options.js";
import { runCli } from "./run-cli.js";

describe("a command line", () => {
  it.each(["serve", "upload", "download", "ls", "version"])("helps with %s, with examples", async (name) => {
    const { exitCode, stdout } = await runCli([name, "--help"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: slipway ${name} `));
    expect(stdout).toContain(`\nExamples:\n  slipway ${name}`);
    expect((await runCli(["help", name])).stdout).toBe(stdout);
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
