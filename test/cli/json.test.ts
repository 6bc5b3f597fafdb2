import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { adminPassword, startServer, type TestServer } from "../support/server.js";
import { makeTempDir, removeTempDir } from "../support/temp-dir.js";
import { runCli } from "./run-cli.js";
import { typed } from "./typed.js";

let folder: string;
let server: TestServer;

beforeAll(async () => {
  folder = await makeTempDir();
  server = await startServer();
});

afterAll(async () => {
  await server?.kill();
  await removeTempDir(folder);
});

/** In the order in which they can be run: each needs what those before it have left. */
const deeds: readonly (readonly [words: string, stdin?: string])[] = [
  ["version"],
  ["login URL --name here --password-stdin", `${adminPassword}\n`],
  ["whoami"],
  ["server list"],
  ["server use here"],
  ["server limits"],
  ["tenant create acme"],
  ["tenant list"],
  ["user create acme/alice --role reader --password-stdin", "a secret of alice\n"],
  ["user list"],
  ["user show acme/alice"],
  ["user update acme/alice --role uploader"],
  ["user passwd acme/alice --password-stdin", "the second one\n"],
  ["token create --user acme/alice"],
  ["token list --user acme/alice"],
  ["token revoke TOKEN"],
  ["user delete acme/alice --yes"],
  ["tenant delete acme --yes"],
  ["ls"],
  ["logout here"],
  ["login URL --name here --password-stdin", `${adminPassword}\n`],
  ["server remove here"],
];

it("with --json every command about access prints one JSON object on standard output, and nothing else", async () => {
  const env = { XDG_CONFIG_HOME: join(folder, "config"), SLIPWAY_DATA_DIR: join(folder, "none") };
  await mkdir(join(folder, "config"));
  let tokenId = "";
  for (const [line, stdin] of deeds) {
    const words = line.replace("URL", server.url).replace("TOKEN", tokenId).split(" ");
    const { exitCode, stdout, stderr } = await runCli([...words, "--json"], {
      env,
      ...(stdin !== undefined && { stdin: typed(stdin) }),
    });
    expect([line, exitCode, stderr]).toEqual([line, 0, ""]);
    const answer = JSON.parse(stdout) as { accessToken?: { id: string } };
    expect([line, typeof answer]).toEqual([line, "object"]);
    expect(stdout.endsWith("}\n")).toBe(true);
    // A token is shown where it is made, and never again.
    if (line.startsWith("token create")) tokenId = answer.accessToken?.id ?? "";
    else expect(stdout).not.toContain("slp_");
  }
});
