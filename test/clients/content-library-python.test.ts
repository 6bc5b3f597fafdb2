// A script as people write them against the content library, with nothing but Python's own library.
import { spawnSync } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, inject, it } from "vitest";
import { adminPassword, startServer } from "../support/server.js";
import { itPasses, type Report, runChecks } from "./checks.js";

const script = fileURLToPath(new URL("python/content_library.py", import.meta.url));

const python = spawnSync("python3", ["--version"]).error === undefined;
if (!python && process.env.CI === "true") throw new Error("python3 is needed, and was not found");

async function check(tls: boolean, password = adminPassword): Promise<Report> {
  const server = await startServer({ tls, env: { SLIPWAY_PULL_ALLOW: "127.0.0.1" } });
  try {
    const words = [script, "--server", server.url, "--user", "admin"];
    if (server.ca !== undefined) {
      const file = join(await mkdtemp(join(inject("runFolder"), "ca-")), "ca.pem");
      await writeFile(file, server.ca);
      words.push("--authority", file);
    }
    return await runChecks("python3", words, { CONTENT_LIBRARY_PASSWORD: password, PYTHONDONTWRITEBYTECODE: "1" });
  } finally {
    await server.kill();
  }
}

// Before the tests are told apart, for each check is one of them.
const reports: [string, Report][] = [];
if (python) {
  reports.push(["plain HTTP", await check(false)]);
  reports.push(["TLS", await check(true)]);
}

describe.each(reports)("a Python script over %s", (_, report) => itPasses(report, 50));

describe.runIf(python)("a Python script that cannot log in", () => {
  it("fails, and says why", async () => {
    const { code, stderr } = await check(false, "a password of nobody's");
    expect([code, stderr]).toEqual([1, expect.stringContaining("401 unauthenticated")]);
  });
});
