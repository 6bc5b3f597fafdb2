// The README's session at a terminal. `npm run transcript` writes it anew from a real run.
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { hasPty } from "../support/pty.js";
import { startServer, type TestServer } from "../support/server.js";
import { normalise, recordTranscript } from "./transcript/record.js";

const readme = new URL("../../README.md", import.meta.url);
const block = /(?<=^```console\n).*?(?=^```$)/ms;
const hasBash = spawnSync("bash", ["--version"]).status === 0;
if (!hasBash && process.env.CI === "true") throw new Error("not found, and needed: bash");

let server: TestServer;
beforeAll(async () => {
  if (hasPty && hasBash) server = await startServer();
});
afterAll(() => server?.kill());

describe.runIf(hasPty && hasBash)("the README's session at a terminal", () => {
  it("is what the commands print: upload, Ctrl-C, resumption, listing, download", async () => {
    const folder = await mkdtemp(join(inject("runFolder"), "transcript-"));
    const seen = (await recordTranscript(server, folder)).map(normalise);
    const text = await readFile(readme, "utf8");
    if (process.env.SLIPWAY_TRANSCRIPT === "write") {
      await writeFile(
        readme,
        text.replace(block, () => `${seen.join("\n")}\n`),
      );
      return;
    }
    expect(text.match(/^```console$/gm)).toHaveLength(1);
    expect(seen).toEqual((block.exec(text)?.[0] ?? "").trimEnd().split("\n").map(normalise));
    const restored = (name: string) => readFile(join(folder, "work", name));
    for (const name of ["holiday.mov", "photos/beach.jpg", "photos/sunset.jpg"]) {
      expect((await restored(`restored/${name}`)).equals(await restored(name))).toBe(true);
    }
  });

  it("hides what differs from run to run, and nothing else", () => {
    const id = "01234567-89ab-cdef-0123-456789abcdef";
    expect(normalise(`session ${id} is done: 3 files, 67.4 MiB in 3.9 s (17.2 MiB/s)`)).toBe(
      normalise("session 6f9619ff-8b86-4d01-b42d-00cf4fc964ff is done: 3 files, 67.4 MiB in 12 s (1 GiB/s)"),
    );
    expect(normalise(`session ${id} is done: 2 files`)).not.toBe(normalise(`session ${id} is done: 3 files`));
    expect(normalise("[####>  ]  50%  3 MiB of 6 MiB  1 MiB/s")).not.toBe(
      normalise("[####>  ]  50%  3 MiB of 7 MiB  1 MiB/s"),
    );
    expect(normalise("[#######] 100%  6 MiB of 6 MiB  1 MiB/s")).toContain("100%");
  });
});
