import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fileMoves, sessionMoves } from "../src/core/index.js";
import { createMetrics } from "../src/server/metrics.js";
import { registerState } from "../src/server/state-metrics.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const source = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

/** The arrows of the n-th diagram, but for the first one into it. */
function arrowsOf(diagram: number): string[] {
  const block = readme.split("```mermaid")[diagram]?.split("```")[0] ?? "";
  const arrows = [...block.matchAll(/^ {2}(\S+) --> (\S+): (\w+)$/gm)];
  return arrows.map(([, from, to, event]) => `${from} ${event} ${to === "[*]" ? "gone" : to}`).sort();
}

/** What a state table moves to another state. */
function movesOf(table: Record<string, Record<string, string>>): string[] {
  const moves = Object.entries(table).flatMap(([from, events]) =>
    Object.entries(events)
      .filter(([, to]) => to !== "refused" && to !== "replay" && to !== from)
      .map(([event, to]) => `${from} ${event} ${to}`),
  );
  return moves.sort();
}

async function createMetricsText(): Promise<string> {
  const { registry } = createMetrics("0");
  registerState(registry, {
    dataDir: ".",
    isReady: async () => true,
    countOpenSessions: async () => 0,
    bufferUse: () => ({ sharers: 0, heldBytes: 0 }),
    maxBufferedBytes: 0,
    fetching: () => 0,
    poolUse: () => ({ used: 0, free: 0, waiting: 0, most: 0 }),
  });
  return registry.metrics();
}

describe("README", () => {
  it("draws the states of a session as the table has them", () => {
    expect(arrowsOf(1)).toEqual(movesOf(sessionMoves));
  });

  it("draws the states of a file as the table has them", () => {
    expect(arrowsOf(2)).toEqual(movesOf(fileMoves));
  });

  it("lists every setting that the server reads, and no other", () => {
    const settings = source("src/server/config.ts") + source("src/server/config/dialects.ts");
    const read = [...settings.matchAll(/"((?:SLIPWAY_|DATABASE_)[A-Z_]+)"/g)].map(([, name]) => name);
    const clientSettings = ["SLIPWAY_URL", "SLIPWAY_TOKEN"];
    const listed = [...readme.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name);
    expect(new Set(listed)).toEqual(new Set(read.filter((name) => !clientSettings.includes(name ?? ""))));
  });

  it("lists every metric of the server's own, with its type", async () => {
    const text = await createMetricsText();
    const told = [...text.matchAll(/^# TYPE (slipway_\w+) (\w+)$/gm)].map(([, name, type]) => `${name} ${type}`);
    const listed = [...readme.matchAll(/^\| `(slipway_\w+)` \| (\w+) \| .+ \|$/gm)].map(([, ...words]) =>
      words.join(" "),
    );
    expect(listed.sort()).toEqual(told.sort());
  });

  it("links only to files that exist", () => {
    const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path ?? "");
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((path) => !existsSync(new URL(`../${path}`, import.meta.url)))).toEqual([]);
  });
});
