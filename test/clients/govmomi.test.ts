// A client that nobody here wrote: VMware's own Go library, as published, in a program that makes its checks.
import { execFile, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, inject, it } from "vitest";
import { Role } from "../../gen/slipway/upload/v1/access_pb.js";
import { openClient } from "../support/client.js";
import { adminPassword, startServer } from "../support/server.js";
import { itPasses, type Report, runChecks } from "./checks.js";

const run = promisify(execFile);
const source = fileURLToPath(new URL("govmomi", import.meta.url));

const go = spawnSync("go", ["version"]).error === undefined;
if (!go && process.env.CI === "true") throw new Error("go is needed, and was not found");

/** Builds the program from what go.sum vouches for, in a folder that is gone after the run. */
async function build(folder: string): Promise<string> {
  const program = join(folder, "govmomi");
  const env = { ...process.env, GOFLAGS: "-mod=readonly -buildvcs=false" };
  await run("go", ["build", "-o", program, "."], { cwd: source, env });
  return program;
}

/** A server for the program alone: an administrator, somebody who may only upload, and a folder to pull from. */
async function check(program: string, folder: string, tls: boolean): Promise<Report> {
  const roots = join(folder, tls ? "roots-tls" : "roots");
  await mkdir(roots);
  const server = await startServer({ tls, env: { SLIPWAY_PULL_ALLOW: "127.0.0.1", SLIPWAY_PULL_ROOTS: roots } });
  const client = openClient(server);
  try {
    const password = "a password of somebody else's";
    await client.access.createUser({ name: "uploader", role: Role.UPLOADER, password });
    const words = ["-url", server.url, "-user", "admin", "-other-user", "uploader", "-folder", roots];
    if (server.ca !== undefined) {
      const file = join(folder, "ca.pem");
      await writeFile(file, server.ca);
      words.push("-ca", file);
    }
    return await runChecks(program, words, { GOVMOMI_PASSWORD: adminPassword, GOVMOMI_OTHER_PASSWORD: password });
  } finally {
    client.close();
    await server.kill();
  }
}

// Before the tests are told apart, for each check is one of them.
const reports: [string, Report][] = [];
if (go) {
  const folder = await mkdtemp(join(inject("runFolder"), "govmomi-"));
  const program = await build(folder);
  reports.push(["plain HTTP", await check(program, folder, false)]);
  reports.push(["TLS", await check(program, folder, true)]);
}

describe.runIf(go)("VMware's Go client", () => {
  it("is driven by a program that Go's own tools have nothing to say about", async () => {
    expect((await run("gofmt", ["-l", source])).stdout).toBe("");
    await run("go", ["vet", "-mod=readonly", "./..."], { cwd: source });
  }, 300_000);
});

describe.each(reports)("VMware's Go client over %s", (_, report) => itPasses(report, 100));
