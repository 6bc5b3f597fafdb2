// The README's commands as a person runs them who has just started a server: word for word, but for the port.
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { copyEmbeddedTemplate } from "./support/embedded-template.js";
import { startServer, type TestServer } from "./support/server.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const run = promisify(execFile);
const modules = fileURLToPath(new URL("../node_modules", import.meta.url));

const missing = ["bash", "curl"].filter((program) => spawnSync(program, ["--version"]).error !== undefined);
if (missing.length > 0 && process.env.CI === "true") throw new Error(`not found, and needed: ${missing}`);

let server: TestServer;
let folder: string;
beforeAll(async () => {
  if (missing.length > 0) return;
  folder = await mkdtemp(join(inject("runFolder"), "readme-"));
  await symlink(modules, join(folder, "node_modules"));
  const dataDir = await copyEmbeddedTemplate();
  await symlink(dataDir, join(folder, "slipway-data"));
  // A password of its own making, which is what the commands read.
  server = await startServer({ dataDir, env: { SLIPWAY_ADMIN_PASSWORD: "" } });
});
afterAll(() => server?.kill());

/** What the commands print. */
async function runCommands(commands: string): Promise<string> {
  expect(commands).toContain("http://127.0.0.1:8080");
  const script = commands.replaceAll("http://127.0.0.1:8080", server.url);
  const inherited = Object.entries(process.env).filter(([name]) => !/^(SLIPWAY|BUF|npm)_/i.test(name));
  const env = { ...Object.fromEntries(inherited), npm_config_offline: "true" };
  const { stdout } = await run("bash", ["-euo", "pipefail", "-c", script], { cwd: folder, env });
  return stdout;
}

/** The same of the shell block below a heading. */
function runBlock(heading: string): Promise<string> {
  const section = readme.split(/^#+ /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  return runCommands(/^```sh\n(.*?)^```$/ms.exec(section)?.[1] ?? "");
}

describe.runIf(missing.length === 0)("in the README", () => {
  it("there are shell blocks below five headings, which are those below", () => {
    expect(readme.match(/^```sh$/gm)).toHaveLength(5);
  });

  it("each face that the table names answers", async () => {
    const commands = [...readme.matchAll(/^\|.*\| `([^`]*http:[^`]*)` \|$/gm)].map(([, command]) => command ?? "");
    const answers = [];
    for (const command of commands) {
      const text = await runCommands(command);
      answers.push(text.startsWith("{") ? JSON.parse(text) : text);
    }
    expect(answers).toMatchObject([
      { session: { label: "first", state: "SESSION_STATE_ACTIVE" } },
      { sessions: [{ label: "first" }] },
      { okapiToken: expect.stringMatching(/^ey/) },
      { value: expect.stringMatching(/^slp_/) },
      expect.stringMatching(/^upload-limit: max-size=\d+, /im),
      { status: "SERVING" },
      { status: "ready" },
      expect.stringMatching(/^slipway_ready 1$/m),
    ]);
  });

  it("a generic client runs a whole session with no files at hand", async () => {
    const printed = await runBlock("With no files at hand");
    expect(printed).toMatch(/^slipway\.upload\.v1\.SessionService$/m);
    expect(printed).toMatch(/^slipway\.upload\.v1\.FileService\/UploadFile$/m);
    expect(printed).toContain('"state": "FILE_STATE_READY"');
    expect(printed).toContain('"state": "SESSION_STATE_DONE"');
    expect(printed).toMatch(/^Hello, world$/m);
    expect(printed).toContain('"type": "SESSION_EVENT_TYPE_SESSION_DONE"');
    expect(printed).toContain('"name": "small.txt"');
  });

  it("a capability URL takes a file from curl, its rest after a cut, and gives it back", async () => {
    const printed = await runBlock("Capability URLs");
    const statuses = [...printed.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status);
    expect(statuses.filter((status) => status !== "100")).toEqual(["201", "204", "200"]);
    expect(printed.match(/^upload-offset: 1000000\r$/gm)).toHaveLength(3);
    const contents = await Promise.all(["a.bin", "back.bin"].map((name) => readFile(join(folder, name))));
    expect(contents[0]?.equals(contents[1] ?? Buffer.alloc(0))).toBe(true);
  });

  it("VMware's content library takes a file into an item", async () => {
    const printed = await runBlock("VMware's content library");
    const { value } = JSON.parse(printed.slice(printed.indexOf("{", 2)));
    expect(printed).toMatch(/^\{\}/);
    const content = await readFile(join(folder, "debian.iso"));
    const checksum = createHash("sha256").update(content).digest("hex");
    expect(value).toEqual([
      {
        name: "debian.iso",
        size: 1_000_000,
        cached: true,
        version: "1",
        checksum_info: { algorithm: "SHA256", checksum },
      },
    ]);
  });

  it("IMiS's face takes a recording in parts into an entity, and gives it back", async () => {
    const printed = await runBlock("IMiS's content upload sessions");
    expect(printed).toMatch(/^Interview\n/);
    const answers = printed.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
    const object = { size: 1_000_000, content_type: "audio/wav", extension: ".wav" };
    expect(answers).toMatchObject([
      { session: { offset: 600_000 } },
      { session: { offset: 1_000_000 } },
      { objects: [object], size: 1 },
    ]);
    const [sent, read] = await Promise.all(["interview.wav", "again.wav"].map((name) => readFile(join(folder, name))));
    expect(read?.equals(sent ?? Buffer.alloc(0))).toBe(true);
  });

  it("a login answers a token", async () => {
    const { token, user } = JSON.parse(await runBlock("Who may come in"));
    expect([token, user]).toMatchObject([expect.stringMatching(/^slp_/), { name: "admin" }]);
  });
});
