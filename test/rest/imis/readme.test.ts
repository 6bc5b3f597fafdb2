import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { createAdmission } from "../../../src/rest/imis/admission.js";
import { createImisDialect } from "../../../src/rest/imis/dialect.js";
import { imisStatuses } from "../../../src/rest/imis/errors.js";
import { logIn } from "../../support/imis.js";
import { startServer } from "../../support/server.js";
import { isSetting } from "../../support/settings-source.js";

const place = new URL("../../../src/rest/imis/README.md", import.meta.url);
const readme = readFileSync(place, "utf8");

function section(heading: string): string {
  return readme.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
}

// Nobody is let in here.
const admit = createAdmission({
  access: {
    authenticate: async () => {
      throw new TypeError("nobody asks");
    },
  },
});
const served = createImisDialect(admit)
  .rows.map(({ line }) => line)
  .filter((line) => !line.endsWith(".json") && !line.includes(" /scsvc/"));

describe("the dialect's README", () => {
  it("lists every operation once, and no other", () => {
    const rows = [...section("Operations").matchAll(/^\| `([A-Z\\|]+) (\/[^`]*)` \| .+ \|$/gm)];
    const listed = rows.flatMap(([, methods = "", path = ""]) =>
      methods.split("\\|").map((method) => `${method} ${path}`),
    );
    expect(listed.length).toBeGreaterThan(20);
    expect(listed.sort()).toEqual([...served].sort());
  });

  it("begins with commands that make an archive, and an entity that is found by all its ids", async () => {
    const server = await startServer();
    try {
      const [, commands = ""] = /^```\n(slipway [^`]+)```$/m.exec(section("Begin")) ?? [];
      expect(commands.split("\n").filter((line) => line !== "")).toHaveLength(2);
      const bin = fileURLToPath(new URL("../../../src/cli/slipway.cjs", import.meta.url));
      const script = `set -e\nslipway() { "$NODE" "$BIN" "$@"; }\n${commands}`;
      const env = { PATH: process.env.PATH, HOME: server.dataDir, NODE: process.execPath, BIN: bin };
      const settings = { SLIPWAY_URL: server.url, SLIPWAY_TOKEN: server.token };
      await promisify(execFile)("bash", ["-c", script], { env: { ...env, ...settings } });
      const client = await logIn(server, { archive: "IARC" });
      for (const entity of ["C:C=3^C=92", "E:tape 17"])
        expect(await client.openEntity(entity)).toMatch(/^[0-9a-f-]{36}$/);
      client.close();
    } finally {
      await server.kill();
    }
  });

  it("says of every operation that answers with another status than 200 which", () => {
    const rows = section("Operations").match(/^\| `.*$/gm) ?? [];
    const others = rows.filter((row) => /\b204\b/.test(row)).map((row) => /`([A-Z]+) /.exec(row)?.[1]);
    expect(others).toEqual(["OPTIONS"]);
  });

  it("lists every code of an error once, with its status, and no other", () => {
    const rows = [...section("Errors").matchAll(/^\| `(\w+)` \| (\d{3}) \| .+ \|$/gm)];
    expect(rows.map(([, code, status]) => [code, Number(status)])).toEqual(Object.entries(imisStatuses));
  });

  it("links only to files that exist, and names settings that the server reads", () => {
    const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path ?? "");
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((path) => !existsSync(new URL(path, place)))).toEqual([]);
    const settings = [...readme.matchAll(/`(SLIPWAY_[A-Z_]+)/g)].map(([, name]) => name ?? "");
    expect(settings.length).toBeGreaterThan(3);
    expect(settings.filter((name) => !isSetting(name))).toEqual([]);
  });
});
