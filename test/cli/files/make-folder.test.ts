import { mkdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeFolder } from "../../../src/cli/files/make-folder.js";
import { makeTempDir, removeTempDir } from "../../support/temp-dir.js";

let root: string;
beforeAll(async () => {
  root = await makeTempDir();
});
afterAll(() => removeTempDir(root));

describe("making a folder", () => {
  it("makes those above it, with the same rights, also when several want them at once", async () => {
    const paths = ["a/b/c", "a/b/d", "a/b/c", "a/e"].map((path) => join(root, path));
    await Promise.all(paths.map((path) => makeFolder(path, 0o700)));
    for (const path of [...paths, join(root, "a"), join(root, "a/b")]) {
      const found = await stat(path);
      expect([found.isDirectory(), found.mode & 0o777]).toEqual([true, 0o700]);
    }
  });

  it("leaves one that is there as it is, be it by a link", async () => {
    await mkdir(join(root, "there"), { mode: 0o755 });
    await symlink(join(root, "there"), join(root, "link"));
    await makeFolder(join(root, "there"), 0o700);
    await makeFolder(join(root, "link"), 0o700);
    await makeFolder(join(root, "link/inside"), 0o700);
    expect((await stat(join(root, "there"))).mode & 0o777).toBe(0o755);
    expect((await stat(join(root, "there/inside"))).isDirectory()).toBe(true);
    await makeFolder("/");
    await makeFolder(".");
  });

  it("fails where a file is in the way, or a link that leads nowhere", async () => {
    await writeFile(join(root, "file"), "");
    await symlink(join(root, "nowhere"), join(root, "dangling"));
    await expect(makeFolder(join(root, "file"))).rejects.toMatchObject({ code: "EEXIST" });
    await expect(makeFolder(join(root, "file/below"))).rejects.toMatchObject({ code: "ENOTDIR" });
    await expect(makeFolder(join(root, "dangling"))).rejects.toMatchObject({ code: "EEXIST" });
  });

  it("fails, and does not try for ever, where the file system takes no folders", async () => {
    await expect(makeFolder("/proc/slipway/below")).rejects.toMatchObject({ code: "ENOENT" });
  });
});
