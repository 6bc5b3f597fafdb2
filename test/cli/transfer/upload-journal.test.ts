import { randomUUID } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findJournal, isOfPaths, journalFolderOf } from "../../../src/cli/transfer/upload-journal.js";
import { makeTempDir, removeTempDir } from "../../support/temp-dir.js";

const url = "http://127.0.0.1:1";
const upload = (sessionId: string) => ({
  ...{ sessionId, folder: "/home/ann", paths: ["photos", "-"], stdinName: "piped" },
  ...{ parallel: 4, chunkBytes: 2 ** 20, complete: true },
});

let home: string;
beforeEach(async () => {
  home = await makeTempDir();
});
afterEach(() => removeTempDir(home));

describe("the unfinished uploads", () => {
  it("lie in the user's state folder", () => {
    expect(journalFolderOf({ XDG_STATE_HOME: "/state", HOME: "/home/ann" })).toBe("/state/slipway/uploads");
    expect(journalFolderOf({ XDG_STATE_HOME: "relative", HOME: "/h" })).toBe("/h/.local/state/slipway/uploads");
    expect(journalFolderOf({})).toBeUndefined();
    expect(findJournal({ HOME: "" }, url)).toBeUndefined();
  });

  it("are remembered by server, and forgotten", async () => {
    const journal = findJournal({ HOME: home }, url)!;
    const [first, second] = [randomUUID(), randomUUID()];
    expect(await journal.list()).toEqual([]);
    await journal.remember(upload(first));
    await journal.remember(upload(second));
    await journal.remember({ ...upload(second), complete: false });
    await findJournal({ HOME: home }, "http://127.0.0.1:2")!.remember(upload(randomUUID()));
    expect(await journal.list()).toMatchObject([upload(first), { ...upload(second), complete: false }]);
    await journal.forget(first);
    await journal.forget(first);
    expect(await journal.list()).toMatchObject([{ sessionId: second, serverUrl: url }]);
  });

  it("are for nobody else to read, and leave no other files", async () => {
    const sessionId = randomUUID();
    await findJournal({ HOME: home }, url)!.remember(upload(sessionId));
    const folder = journalFolderOf({ HOME: home })!;
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(await readdir(folder)).toEqual([`${sessionId}.json`]);
    expect((await stat(join(folder, `${sessionId}.json`))).mode & 0o777).toBe(0o600);
    expect(Object.keys(JSON.parse(await readFile(join(folder, `${sessionId}.json`), "utf8"))).sort()).toEqual(
      [
        "begunAt",
        "chunkBytes",
        "complete",
        "folder",
        "parallel",
        "paths",
        "serverUrl",
        "sessionId",
        "stdinName",
      ].sort(),
    );
  });

  it("are not what others put there", async () => {
    const journal = findJournal({ HOME: home }, url)!;
    await journal.remember(upload(randomUUID()));
    const folder = journalFolderOf({ HOME: home })!;
    for (const text of ["", "{", "[]", "null", '{"sessionId": 1}']) {
      await writeFile(join(folder, `${randomUUID()}.json`), text);
    }
    expect(await journal.list()).toHaveLength(1);
  });

  it("are not written under a name that a server made up", async () => {
    const journal = findJournal({ HOME: home }, url)!;
    await expect(journal.remember(upload("../../../.profile"))).rejects.toThrow("is no id of a session");
  });

  it("are found by the same places, however they are written", async () => {
    const one = { ...upload(randomUUID()), serverUrl: url, begunAt: "", paths: ["a", "./b/"] };
    expect(isOfPaths(one, "/home/ann", ["b", "a"])).toBe(true);
    expect(isOfPaths(one, "/", ["home/ann/a", "/home/ann/b"])).toBe(true);
    expect(isOfPaths(one, "/home/ann", ["a"])).toBe(false);
    expect(isOfPaths(one, "/home/bob", ["a", "b"])).toBe(false);
  });
});
