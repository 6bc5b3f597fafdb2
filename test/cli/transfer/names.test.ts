import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fileNameFromPath } from "../../../src/cli/transfer/names.js";

const digestOf = (path: string) => createHash("sha256").update(path).digest("hex").slice(0, 32);

describe("fileNameFromPath", () => {
  it.each([
    ["a.bin", "a.bin"],
    ["photos/summer/a.jpg", "photos%2Fsummer%2Fa.jpg"],
    ["100%/a%2Fb", "100%25%2Fa%252Fb"],
    ["a\\b\nc\u0085", "a%5Cb%0Ac%C2%85"],
    ["grüße/日本.txt", "grüße%2F日本.txt"],
  ])("names %j %j", (path, name) => {
    expect(fileNameFromPath(path)).toBe(name);
  });

  it("keeps a name of exactly 255 bytes", () => {
    expect(fileNameFromPath("a".repeat(255))).toBe("a".repeat(255));
  });

  it("puts a digest and the end of the base name where the name would be longer", () => {
    const path = `deep/${"d".repeat(300)}/report.pdf`;
    expect(fileNameFromPath(path)).toBe(`${digestOf(path)}-report.pdf`);
  });

  it("cuts between characters", () => {
    const path = `${"ü".repeat(200)}.txt`;
    expect(fileNameFromPath(path)).toBe(`${digestOf(path)}-${"ü".repeat(109)}.txt`);
  });

  it.each([0, 1, 2, 3])("cuts no escape in halves, %i on", (shift) => {
    const path = `${"%".repeat(300)}${"x".repeat(shift)}`;
    expect(fileNameFromPath(path)).toMatch(/^[0-9a-f]{32}-(%25)+x*$/);
  });

  it("gives names that the service takes, and different ones to different paths", () => {
    const path = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 400 })
      .filter((text) => !/^\.{1,2}$/.test(text));
    fc.assert(
      fc.property(path, path, (a, b) => {
        const name = fileNameFromPath(a);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
        expect(name).not.toMatch(/[/\\\p{Cc}]/u);
        if (a !== b) expect(fileNameFromPath(b)).not.toBe(name);
      }),
    );
  });
});
