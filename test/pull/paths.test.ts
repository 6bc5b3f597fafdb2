import { execFileSync } from "node:child_process";
import { link, mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import { addSomebody } from "../rpc/scene.js";
import { pseudoRandom } from "../support/bodies.js";
import { openClient, refusalOf } from "../support/client.js";
import { makeTempDir } from "../support/temp-dir.js";
import { declare, readBack, usePulls } from "./scene.js";

const content = pseudoRandom(300_000);
let root = "";
let outside = "";

const pulls = usePulls(async () => {
  const folder = await makeTempDir();
  root = join(folder, "root");
  outside = join(folder, "outside");
  await mkdir(join(root, "deep"), { recursive: true });
  await mkdir(outside);
  await writeFile(join(root, "deep", "a b#é.bin"), content);
  await writeFile(join(outside, "secret.bin"), content);
  // The last one holds the data folder of the server.
  const roots = [root, "/dev", inject("runFolder")];
  return { SLIPWAY_PULL_ROOTS: roots.join(), SLIPWAY_MAX_PULL_TRIES: "2" };
});
const uriOf = (path: string, scheme = "file") => `${scheme}://${path.split("/").map(encodeURIComponent).join("/")}`;

describe("a file below a folder that may be read", () => {
  it.each(["file", "ds"])("is fetched by its %s: URI, and stays where it is", async (scheme) => {
    const path = join(root, "deep", "a b#é.bin");
    const place = await pulls.declare(uriOf(path, scheme));
    expect(await pulls.settled(place)).toMatchObject({ state: FileState.READY, committedOffset: 300_000n });
    expect(Buffer.compare(await readBack(pulls.client(), place), content)).toBe(0);
    await pulls.client().sessions.completeSession({ sessionId: place.sessionId });
    expect(Buffer.compare(await readFile(path), content)).toBe(0);
  });

  it("may be empty, and may have several names", async () => {
    await writeFile(join(root, "empty"), "");
    await link(join(root, "empty"), join(root, "also"));
    expect(await pulls.settled(await pulls.declare(uriOf(join(root, "also"))))).toMatchObject({
      state: FileState.READY,
      committedOffset: 0n,
    });
  });

  it("can only be fetched by somebody who keeps the server", async () => {
    const somebody = await addSomebody(pulls.client());
    const theirs = openClient({ url: pulls.server().url, token: somebody.token });
    const refused = await refusalOf(declare(theirs, uriOf(join(root, "deep", "a b#é.bin"))));
    expect(refused).toMatchObject({ code: "PERMISSION_DENIED", reason: "PERMISSION_MISSING" });
    theirs.close();
  });
});

describe("fails its file", () => {
  beforeAll(async () => {
    await symlink(join(outside, "secret.bin"), join(root, "link"));
    await symlink(outside, join(root, "folder-link"));
    execFileSync("mkfifo", [join(root, "pipe")]);
    const socket = createServer();
    await new Promise<void>((resolve) => socket.listen(join(root, "socket"), resolve));
    return () => void socket.close();
  });

  const below = (name: string) => () => join(root, name);
  it.each<[string, () => string, string, string]>([
    ["a path outside of it", () => join(outside, "secret.bin"), "OUTSIDE_ROOTS", "SLIPWAY_PULL_ROOTS"],
    ["a path outside of it that is not there", () => join(outside, "nothing"), "OUTSIDE_ROOTS", "SLIPWAY_PULL_ROOTS"],
    ["a folder beside it whose name begins like it", () => `${root}-2/a`, "OUTSIDE_ROOTS", "SLIPWAY_PULL_ROOTS"],
    ["the folder itself", () => root, "OUTSIDE_ROOTS", "SLIPWAY_PULL_ROOTS"],
    [
      "the server's own data, in a folder that may be read",
      () => join(pulls.server().dataDir, "capability-key"),
      "OUTSIDE_ROOTS",
      "in no folder",
    ],
    ["a symbolic link", below("link"), "OUTSIDE_ROOTS", "symbolic link"],
    ["a symbolic link on the way", below("folder-link/secret.bin"), "OUTSIDE_ROOTS", "symbolic link"],
    ["a folder", below("deep"), "NOT_REGULAR_FILE", "is a folder"],
    ["a pipe, which is not waited for", below("pipe"), "NOT_REGULAR_FILE", "a device, a pipe or a socket"],
    ["a socket", below("socket"), "NOT_REGULAR_FILE", "a device, a pipe or a socket"],
    ["nothing at all", below("nothing"), "NOT_FOUND", "does not exist; check the path"],
    ["a name that is too long", below("\u{1f600}".repeat(80)), "NOT_FOUND", "longer than a path may be"],
  ])("%s", async (_title, path, source, sentence) => {
    const failure = await pulls.failureOf(uriOf(path()));
    expect(failure.source).toBe(source);
    expect(failure.message).toContain(sentence);
  });

  it("a device", async () => {
    const failure = await pulls.failureOf("file:///dev/zero");
    expect(failure.source).toBe("NOT_REGULAR_FILE");
    expect(failure.message).toContain("a device, a pipe or a socket");
  });

  it("a file of another size than declared", async () => {
    const source = { uri: uriOf(join(root, "deep", "a b#é.bin")) };
    expect(await pulls.failureOf({ source, sizeBytes: 1n })).toMatchObject({ source: "SIZE_DIFFERS" });
  });

  it("a folder that may be read, once it has gone away", async () => {
    await rename(root, `${root}-away`);
    try {
      expect(await pulls.failureOf(uriOf(join(root, "link")))).toMatchObject({ source: "UNREACHABLE" });
    } finally {
      await rename(`${root}-away`, root);
    }
  });
});
