import {
  appendFile,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseSourceAddress } from "../../src/core/index.js";
import { createFileSource, type FileSource } from "../../src/sources/file.js";
import { makeTempDir, removeTempDir } from "../support/temp-dir.js";
import { failureOf, open, readAll } from "./web.js";

let folder: string;
let root: string;
let backing: string;
let store: string;
let source: FileSource;

beforeEach(async () => {
  folder = await realpath(await makeTempDir());
  [root, store] = [join(folder, "root"), join(folder, "store")];
  backing = join(root, "backing");
  await mkdir(backing, { recursive: true });
  await mkdir(store);
  await writeFile(join(backing, "file"), "content");
  await writeFile(join(root, "other"), "other");
  source = createFileSource({ roots: [root], closed: [store] });
});

afterEach(() => removeTempDir(folder));

const addressOf = (...names: readonly string[]) => parseSourceAddress(pathToFileURL(join(...names)).href);

describe("a file in a library's own backing folder", () => {
  it("is told from others, also where the folder is reached by a symbolic link", async () => {
    await symlink(backing, join(folder, "link"));
    await mkdir(`${backing}-more`);
    await writeFile(join(`${backing}-more`, "file"), "");
    const liesIn = (path: string, asked = backing) => source.liesBelow(addressOf(path), asked);
    expect(await liesIn(join(backing, "file"))).toBe(true);
    expect(await liesIn(join(backing, "file"), join(folder, "link"))).toBe(true);
    expect(await liesIn(join(root, "other"))).toBe(false);
    expect(await liesIn(join(`${backing}-more`, "file"))).toBe(false);
    expect(await liesIn(join(backing, "nothing"))).toBe(false);
    expect(await liesIn(join(backing, "file"), join(folder, "nowhere"))).toBe(false);
    expect(await liesIn(join(store, "file"), store)).toBe(false);
  });

  it("is linked, read under both names, and gone from the folder once it is removed", async () => {
    const address = addressOf(backing, "file");
    const { validator } = await open(source, address.uri).then(async (content) => {
      await readAll(content);
      return content;
    });
    const linked = await source.linkTo(address, join(store, "extent"));
    expect(linked).toEqual({ validator, sizeBytes: 7 });
    expect((await stat(join(store, "extent"))).ino).toBe((await stat(join(backing, "file"))).ino);
    expect(await source.removeIfSame(address, linked!.validator)).toBe(true);
    expect(await readdir(backing)).toEqual([]);
    expect(await readFile(join(store, "extent"), "utf8")).toBe("content");
    expect(await source.removeIfSame(address, linked!.validator)).toBe(false);
  });

  it.each<[string, (path: string) => Promise<void>]>([
    ["was written to", (path) => appendFile(path, "more")],
    ["was touched", (path) => utimes(path, new Date(), new Date(Date.now() - 5000))],
    [
      "was replaced by one with the same content",
      async (path) => {
        await writeFile(`${path}.new`, "content");
        await rename(`${path}.new`, path);
      },
    ],
    [
      "was replaced by a symbolic link to where it went",
      async (path) => {
        await rename(path, `${path}.old`);
        await symlink(`${path}.old`, path);
      },
    ],
    [
      "lies in a folder that was replaced by a symbolic link",
      async (path) => {
        await rename(join(path, ".."), `${join(path, "..")}.old`);
        await symlink(`${join(path, "..")}.old`, join(path, ".."));
      },
    ],
  ])("is left alone where it %s", async (_, change) => {
    const address = addressOf(backing, "file");
    const linked = await source.linkTo(address, join(store, "extent"));
    await change(join(backing, "file"));
    expect(await source.removeIfSame(address, linked!.validator)).toBe(false);
    expect(await readdir(backing)).toContain("file");
  });

  it("is not linked where it is no file below a root, and nothing is left in the store", async () => {
    await symlink(join(backing, "file"), join(root, "link"));
    for (const path of [join(root, "link"), backing, join(folder, "outside"), join(backing, "nothing")]) {
      expect((await failureOf(source.linkTo(addressOf(path), join(store, "extent")))).isFinal).toBe(true);
    }
    expect(await readdir(store)).toEqual([]);
  });

  it("is not linked over something else", async () => {
    await writeFile(join(store, "extent"), "theirs");
    await expect(source.linkTo(addressOf(backing, "file"), join(store, "extent"))).rejects.toThrow("EEXIST");
    expect(await readFile(join(store, "extent"), "utf8")).toBe("theirs");
  });
});

const shared = "/dev/shm";
const isOther = async () => {
  const [here, there] = [await stat(folder), await stat(shared).catch(() => undefined)];
  return there !== undefined && here.dev !== there.dev;
};

describe("a file on another file system", () => {
  it("has to be copied, for it cannot be linked", async (context) => {
    if (!(await isOther())) context.skip("there is only one file system here");
    const target = join(shared, `slipway-test-${process.pid}`);
    expect(await source.linkTo(addressOf(backing, "file"), target)).toBeUndefined();
    await expect(stat(target)).rejects.toThrow("ENOENT");
  });
});
