import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { planUpload } from "../../../src/cli/transfer/upload-plan.js";
import { makeTempDir, removeTempDir } from "../../support/temp-dir.js";

let folder: string;
let notices: string[];

beforeEach(async () => {
  folder = await makeTempDir();
  notices = [];
  await mkdir(join(folder, "tree/b/deep"), { recursive: true });
  await mkdir(join(folder, "other"));
  for (const path of ["tree/z", "tree/b/deep/x", "tree/b/a", "tree/a", "other/a", "tree/b-c"]) {
    await writeFile(join(folder, path), path);
  }
});

afterEach(() => removeTempDir(folder));

const plan = (paths: string[], name?: string) =>
  planUpload(
    paths.map((path) => (path === "-" ? path : join(folder, path))),
    name,
    (text) => notices.push(text),
  );

describe("a plan", () => {
  it("walks folders, sorted, under the folder's own name", async () => {
    const files = await plan(["tree"]);
    expect(files.map(({ path }) => path)).toEqual(["tree/a", "tree/b-c", "tree/b/a", "tree/b/deep/x", "tree/z"]);
    expect(files[2]).toEqual({
      path: "tree/b/a",
      name: "tree%2Fb%2Fa",
      location: join(folder, "tree/b/a"),
      sizeBytes: 8,
    });
  });

  it("keeps the order of the command line, and calls a file by its base name", async () => {
    expect((await plan(["tree/z", "other"])).map(({ path }) => path)).toEqual(["z", "other/a"]);
  });

  it("skips links inside a folder with a notice, and follows one that is named", async () => {
    await symlink(join(folder, "other/a"), join(folder, "tree/link"));
    await symlink(join(folder, "other"), join(folder, "named"));
    expect((await plan(["tree", "named"])).map(({ path }) => path)).not.toContain("tree/link");
    expect((await plan(["named"])).map(({ path }) => path)).toEqual(["named/a"]);
    expect(notices[0]).toMatch(/link is skipped: it is a symbolic link$/);
  });

  it("takes standard input by a name", async () => {
    expect(await plan(["-"], "dumps/shop.sql")).toEqual([
      { path: "dumps/shop.sql", name: "dumps%2Fshop.sql", location: undefined, sizeBytes: undefined },
    ]);
    await expect(plan(["-"])).rejects.toThrow("needs a --name");
    await expect(plan(["tree"], "x")).rejects.toThrow("--name is for standard input");
  });

  it("fails when two files would have one name", async () => {
    await expect(plan(["tree/a", "other/a"])).rejects.toThrow(/would both be called "a" in the session/);
  });

  it("fails for what is not there", async () => {
    await expect(plan(["nowhere"])).rejects.toThrow(/nowhere is not there$/);
  });

  it("says that a folder is empty", async () => {
    await mkdir(join(folder, "empty"));
    expect(await plan(["empty"])).toEqual([]);
    expect(notices[0]).toMatch(/empty holds no files$/);
  });
});
