import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileSchema } from "../../../gen/slipway/upload/v1/file_pb.js";
import { findSafePath, openPlace, partPathOf, pathOf, planOutput } from "../../../src/cli/transfer/output-paths.js";
import { makeTempDir, removeTempDir } from "../../support/temp-dir.js";

describe("findSafePath", () => {
  it.each([
    ["a/b/c.txt", "a/b/c.txt"],
    ["./a//b", "a/b"],
    ["a..b/..c", "a..b/..c"],
    ["C:/x", "C%3A/x"],
    ["a\\..\\b", "a%5C..%5Cb"],
    ["a\nb", "a%0Ab"],
  ])("takes %j as %j", (path, safe) => {
    expect(findSafePath(path, false)).toBe(safe);
  });

  it.each(["", ".", "/", "/etc/passwd", "..", "../x", "a/../../b", "a/.."])("takes nothing from %j", (path) => {
    expect(findSafePath(path, false)).toBeUndefined();
  });

  it("escapes what Windows reads otherwise", () => {
    expect(findSafePath("c:/a?/b.", true)).toBe("c%3A/a%3F/b%2E");
  });
});

describe("what people call a file", () => {
  it.each([
    [{ name: "a%2Fb", attributes: { path: "a/b" } }, "a/b"],
    [{ name: "plain" }, "plain"],
    [{ name: "odd", attributes: { path: 7 } }, "odd"],
  ])("is of %j %j", (spec, path) => {
    expect(pathOf(create(FileSchema, { id: "1", spec }))).toBe(path);
  });
});

describe("planOutput", () => {
  it("recreates the path, and falls back to the name", () => {
    const files = [
      { name: "a%2Fb", path: "a/b" },
      { name: "evil", path: "../../evil" },
    ];
    expect([...planOutput(files).values()]).toEqual(["a/b", "evil"]);
  });

  it("refuses two files for one place", () => {
    const files = [
      { name: "x", path: "a/b" },
      { name: "y", path: "a//b" },
    ];
    expect(() => planOutput(files)).toThrow('files "x" and "y" would both be written to a/b');
  });
});

describe("a place in the output folder", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await makeTempDir();
  });
  afterEach(() => removeTempDir(folder));

  it("comes with its folders", async () => {
    const output = join(folder, "out");
    expect(await openPlace(output, "a/b/c")).toBe(join(output, "a/b/c"));
    expect(await openPlace(output, "a/b/d")).toBe(join(output, "a/b/d"));
  });

  it("is refused where a link leads out", async () => {
    const output = join(folder, "out");
    await mkdir(output);
    await symlink(folder, join(output, "link"));
    await expect(openPlace(output, "link/x")).rejects.toThrow("a symbolic link leads out");
  });

  it("has a part beside it that names its content", () => {
    const sha256 = "0123456789ab".padEnd(64, "0");
    expect(partPathOf("/out/a.bin", sha256)).toBe("/out/a.bin.0123456789ab.part");
    const long = partPathOf(`/out/${"x".repeat(255)}`, sha256);
    expect(Buffer.byteLength(long)).toBeLessThan(255);
  });
});
