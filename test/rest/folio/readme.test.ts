import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { permissionsOf, roles } from "../../../src/core/index.js";
import { FolioRefusal } from "../../../src/rest/folio/errors.js";
import { createFolioDialect } from "../../../src/rest/folio/index.js";
import { createOkapiGate } from "../../../src/rest/folio/okapi.js";
import type { FolioServices } from "../../../src/rest/folio/services.js";
import { buildRequest } from "./gate-scene.js";
import { isSetting } from "../../support/settings-source.js";

const place = new URL("../../../src/rest/folio/README.md", import.meta.url);
const readme = readFileSync(place, "utf8");

// Nobody is asked for anything here.
const gate = createOkapiGate({ access: { findTenant: async () => undefined } });
const rowsOf = (mode: "login" | "okapi") => createFolioDialect(gate, mode, "+0000").rows;
const rows = { Login: rowsOf("login"), Okapi: rowsOf("okapi") };
const missesIn = (mode: keyof typeof rows, line: string) => !rows[mode].some((row) => row.line === line);
const all = [...rows.Login, ...rows.Okapi.filter(({ line }) => missesIn("Login", line))];

const listed = [...readme.matchAll(/^\| `([A-Z]+ \/[^`]*)` \| (\w+) \| (\S+) \| (\S+) \| .+ \|$/gm)].map(
  ([, line = "", done, needs, role]) => ({ line, done, needs, role }),
);

const linesThatAre = (done: string) => listed.flatMap((row) => (row.done === done ? [row.line] : [])).sort();

describe("the dialect's README", () => {
  it("lists every endpoint once, with what it needs, and no other", () => {
    const expected = all.map(({ line, facts: { permission, needs } }) => ({
      line,
      needs: permission === undefined ? "-" : `\`${permission}\``,
      role:
        permission === undefined
          ? "-"
          : roles.find((role) => needs === undefined || permissionsOf(role, "diku").has(needs)),
    }));
    const byLine = (a: { line: string }, b: { line: string }) => (a.line < b.line ? -1 : 1);
    expect(listed.map(({ line, needs, role }) => ({ line, needs, role })).sort(byLine)).toEqual(expected.sort(byLine));
  });

  it("says which endpoints are there in one mode only", () => {
    for (const [mode, other] of [
      ["Login", "Okapi"],
      ["Okapi", "Login"],
    ] as const) {
      const own = rows[mode].map(({ line }) => line).filter((line) => missesIn(other, line));
      expect(linesThatAre(mode)).toEqual(own.sort());
    }
  });

  it("says which endpoints do nothing but refuse", async () => {
    const params = { id: "1", fileId: "2" };
    const wire = buildRequest();
    const request = {
      params,
      wire,
      query: () => undefined,
      text: async () => "null",
      json: async () => null,
      raw: () => ({ lengthBytes: 0, bytes: wire.body }),
    };
    const call = (await gate.admit(buildRequest({ path: "/admin/health" }), {})).call;
    const refusing = [];
    for (const row of all.filter(({ line }) => line.includes(" /data-import/"))) {
      // Those that do something miss what they do it with.
      const refusal = await row.answer({} as FolioServices, request, call).catch((error: unknown) => error);
      if (refusal instanceof FolioRefusal && [404, 500, 501].includes(refusal.status)) refusing.push(row.line);
    }
    expect(linesThatAre("no")).toEqual(refusing.sort());
  });

  it("links only to files that exist, and names settings that the server reads", () => {
    const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path ?? "");
    expect(links.length).toBeGreaterThan(1);
    expect(links.filter((path) => !existsSync(new URL(path, place)))).toEqual([]);
    const settings = [...readme.matchAll(/`(SLIPWAY_[A-Z_]+)/g)].map(([, name]) => name ?? "");
    expect(settings.filter((name) => !isSetting(name))).toEqual([]);
  });
});
