import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { table } from "../../../src/rest/vsphere/table.js";
import { isSetting } from "../../support/settings-source.js";

const place = new URL("../../../src/rest/vsphere/README.md", import.meta.url);
const readme = readFileSync(place, "utf8");

function section(heading: string): string {
  return readme.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
}

describe("the dialect's README", () => {
  it("lists every operation once, and no other", () => {
    const rows = [...section("Operations").matchAll(/^\| `([\w.]+)` \| (.*) \|$/gm)];
    const listed = rows.flatMap(([, service, names = ""]) =>
      [...names.matchAll(/`(\w+)`/g)].map(([, name]) => `${service}.${name}`),
    );
    expect(listed).toEqual(table.map(({ operation: { service, name } }) => `${service}.${name}`));
  });

  it("names for everything that it compares a test that there is", () => {
    const rows = section("What it does").match(/^\| (?!\| |---).*$/gm) ?? [];
    const features = rows.map((row) => /^\| (.+?) \| .+ \| .+ \| .+ \| `([\w/-]+)`: (.+) \|$/.exec(row) ?? [row]);
    expect(features.length).toBeGreaterThan(30);
    const unshown = features.filter(([, , file, title]) => {
      const test = new URL(`${file}.test.ts`, import.meta.url);
      return title === undefined || !existsSync(test) || !readFileSync(test, "utf8").includes(`"${title}"`);
    });
    expect(unshown.map(([row]) => row)).toEqual([]);
  });

  it("links only to files that exist, and names settings that the server reads", () => {
    const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path ?? "");
    expect(links.length).toBeGreaterThan(1);
    expect(links.filter((path) => !existsSync(new URL(path, place)))).toEqual([]);
    const settings = [...readme.matchAll(/`(SLIPWAY_[A-Z_]+)/g)].map(([, name]) => name ?? "");
    expect(settings.filter((name) => !isSetting(name))).toEqual([]);
  });
});
