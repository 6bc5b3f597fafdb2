import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { appendFile, mkdir, realpath, rename, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFileSource, type FileSource } from "../../src/sources/file.js";
import { makeTempDir, removeTempDir } from "../support/temp-dir.js";
import { failureOf, open, readAll, readUntilFailure } from "./web.js";

const MiB = 2 ** 20;
let folder: string;
let root: string;
let source: FileSource;

beforeEach(async () => {
  folder = await realpath(await makeTempDir());
  root = join(folder, "root");
  await mkdir(join(root, "sub"), { recursive: true });
  await mkdir(join(folder, "outside"));
  await writeFile(join(folder, "outside", "file"), "secret");
  source = createFileSource({ roots: [root], closed: [] });
});

afterEach(() => removeTempDir(folder));

const uriOf = (...names: readonly string[]) => pathToFileURL(join(...names)).href;

describe("a file below a root", () => {
  it("is read with its size and a validator, by file: and by ds:", async () => {
    const bytes = Buffer.alloc(2 * MiB + 5, "0123456789");
    await writeFile(join(root, "sub", "a b#c"), bytes);
    const uri = uriOf(root, "sub", "a b#c");
    for (const form of [uri, uri.replace("file:", "ds:"), uri.replace("file://", "file://localhost")]) {
      const content = await open(source, form);
      expect(content).toMatchObject({ offset: 0, sizeBytes: bytes.length, hasEnd: true });
      const chunks: Uint8Array[] = [];
      for await (const chunk of content.bytes) chunks.push(chunk);
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
      expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThanOrEqual(MiB);
      // They belong to the reader: none of them shares its memory with the next.
      expect(new Set(chunks.map(({ buffer }) => buffer)).size).toBe(chunks.length);
    }
  });

  it("of no bytes is content", async () => {
    await writeFile(join(root, "empty"), "");
    const content = await open(source, uriOf(root, "empty"));
    expect([content.sizeBytes, (await readAll(content)).length]).toEqual([0, 0]);
  });

  it("is read below a root that is a symbolic link itself, and below any of several", async () => {
    await writeFile(join(root, "file"), "content");
    await symlink(root, join(folder, "link"));
    const several = createFileSource({ roots: [join(folder, "nowhere"), join(folder, "link/")], closed: [] });
    expect(String(await readAll(await open(several, uriOf(folder, "link", "file"))))).toBe("content");
  });

  it("is read on from where an attempt got to, and anew when it has changed since", async () => {
    const path = join(root, "file");
    await writeFile(path, "0123456789");
    const { validator, close } = await open(source, uriOf(path));
    close();
    const from = { offset: 7, validator: validator! };
    const more = await open(source, uriOf(path), { from });
    expect([more.offset, more.sizeBytes, String(await readAll(more))]).toEqual([7, 10, "789"]);
    const whole = await open(source, uriOf(path), { from: { ...from, offset: 10 } });
    expect([whole.offset, String(await readAll(whole))]).toEqual([10, ""]);

    const changes = [
      () => utimes(path, new Date(), new Date(Date.now() - 5000)),
      () => appendFile(path, "more"),
      async () => {
        await writeFile(join(root, "new"), "abcdefghij");
        await rename(join(root, "new"), path);
      },
    ];
    for (const change of changes) {
      const before = await open(source, uriOf(path));
      before.close();
      await change();
      const after = await open(source, uriOf(path), { from: { offset: 7, validator: before.validator! } });
      expect(after.offset).toBe(0);
      after.close();
    }
  });

  it.each<[string, (path: string) => Promise<void>, number]>([
    ["grows", (path) => appendFile(path, "more"), 3 * MiB],
    ["shrinks", (path) => truncate(path, 2 * MiB), 2 * MiB],
    ["is written over", (path) => writeFile(path, Buffer.alloc(3 * MiB, 1)), 3 * MiB],
  ])("that %s while it is read has changed, and is worth a retry", async (_, change, bytes) => {
    const path = join(root, "file");
    await writeFile(path, Buffer.alloc(3 * MiB));
    await utimes(path, new Date(), new Date(Date.now() - 5000));
    const content = await open(source, uriOf(path));
    const changing = {
      ...content,
      bytes: (async function* () {
        let first = true;
        for await (const chunk of content.bytes) {
          if (first) await change(path);
          first = false;
          yield chunk;
        }
      })(),
    };
    const { read, error } = await readUntilFailure(changing);
    expect(read.length).toBe(bytes);
    expect([error.failure, error.isFinal]).toEqual(["changed", false]);
    expect(error.message).toBe(`${path} changed while it was read; try again when it is whole`);
  });

  it("ends with the signal's reason, before it is opened and between its bytes", async () => {
    const reason = new Error("enough");
    await writeFile(join(root, "file"), Buffer.alloc(3 * MiB));
    await expect(open(source, uriOf(root, "file"), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const stop = new AbortController();
    const content = await open(source, uriOf(root, "file"), { signal: stop.signal });
    const reading = (async () => {
      for await (const _ of content.bytes) stop.abort(reason);
    })();
    await expect(reading).rejects.toBe(reason);
    content.close();
  });
});

describe("a path that leads out of the roots", () => {
  it.each([
    ["beside a root", () => uriOf(folder, "outside", "file")],
    ["that only begins like a root", () => uriOf(`${root}-more`, "file")],
    ["of the root itself", () => uriOf(root)],
    ["that does not exist", () => uriOf(folder, "outside", "nothing")],
  ])("is refused, whether it exists or not: one %s", async (_, uri) => {
    await mkdir(`${root}-more`);
    await writeFile(join(`${root}-more`, "file"), "secret");
    const error = await failureOf(open(source, uri()));
    expect([error.failure, error.isFinal]).toEqual(["outside_roots", true]);
    expect(error.message).toMatch(
      /is in no folder that file: and ds: sources may be read from; the server's setting SL/,
    );
  });

  it.each(["..", "%2e%2e", ".%2E", "sub/../.."])("is refused as malformed by its segments: %s", async (segment) => {
    const uri = `file://${root}/${segment}/outside/file`;
    expect((await failureOf(open(source, uri))).failure).toBe("uri_malformed");
  });

  it("is refused where there are no roots", async () => {
    const none = createFileSource({ roots: [], closed: [] });
    expect((await failureOf(open(none, uriOf(root, "file")))).failure).toBe("outside_roots");
  });

  it("is refused where it leads into a folder that stays closed, by whatever root", async () => {
    await writeFile(join(root, "sub", "key"), "secret");
    await symlink(join(root, "sub"), join(folder, "data"));
    for (const closed of [join(root, "sub"), join(folder, "data")]) {
      const guarded = createFileSource({ roots: [folder, root], closed: [closed] });
      expect((await failureOf(open(guarded, uriOf(root, "sub", "key")))).failure).toBe("outside_roots");
    }
  });

  it.each([
    ["to a file outside", "../outside/file", "link"],
    ["to a file inside", "file", "link"],
    ["to a folder outside", "../outside", "link/file"],
    ["to a folder inside", "sub", "link/file"],
    ["to itself", "link", "link"],
    ["to nothing", "nothing", "link"],
  ])("through a symbolic link %s is refused", async (_, target, path) => {
    await writeFile(join(root, "file"), "content");
    await writeFile(join(root, "sub", "file"), "content");
    await symlink(target, join(root, "link"));
    const error = await failureOf(open(source, uriOf(root, path)));
    expect([error.failure, error.isFinal]).toEqual(["outside_roots", true]);
    expect(error.message).toBe(`${join(root, path)} leads through a symbolic link; give the path of the file itself`);
  });

  it("is never read, although a folder turns into a symbolic link and back all the time", async () => {
    await writeFile(join(root, "sub", "file"), "content");
    await symlink(join(folder, "outside"), join(root, "link"));
    const worker = new Worker(
      `const { renameSync } = require("node:fs");
       const { workerData: [sub, link, aside], parentPort } = require("node:worker_threads");
       let stop = false;
       parentPort.on("message", () => process.exit());
       (function turn() {
         for (let i = 0; i < 100; i++) {
           renameSync(sub, aside); renameSync(link, sub);
           renameSync(sub, link); renameSync(aside, sub);
         }
         setImmediate(turn);
       })();`,
      { eval: true, workerData: [join(root, "sub"), join(root, "link"), join(root, "aside")] },
    );
    await new Promise((resolve) => worker.once("online", resolve));
    const seen = new Set<string>();
    for (let i = 0; i < 1500; i++) {
      try {
        seen.add(String(await readAll(await open(source, uriOf(root, "sub", "file")))));
      } catch (error) {
        seen.add((error as { failure: string }).failure);
      }
    }
    await worker.terminate();
    expect(seen).not.toContain("secret");
    expect(seen).toContain("content");
    expect(seen.size).toBeGreaterThan(1);
  });
});

describe("what is no file", () => {
  it("is refused without being opened: a folder, a pipe, a socket, a device", async () => {
    await promisify(execFile)("mkfifo", [join(root, "pipe")]);
    const listener = createServer().listen(join(root, "socket"));
    await new Promise((resolve) => listener.once("listening", resolve));
    const devices = createFileSource({ roots: [root, "/dev"], closed: [] });
    for (const [path, kind] of [
      [join(root, "sub"), "a folder"],
      [join(root, "pipe"), "a device, a pipe or a socket"],
      [join(root, "socket"), "a device, a pipe or a socket"],
      ["/dev/zero", "a device, a pipe or a socket"],
    ] as const) {
      const error = await failureOf(open(devices, uriOf(path)));
      expect([error.failure, error.isFinal]).toEqual(["not_regular_file", true]);
      expect(error.message).toBe(`${path} is ${kind}; give the path of a file`);
    }
    await new Promise((resolve) => listener.close(resolve));
  });

  it.each([
    ["nothing", (name: string) => name, /does not exist; check the path$/],
    ["a file with a name below it", (name: string) => `file/${name}`, /does not exist; check the path$/],
    ["a name that is too long", () => "x".repeat(300), /is longer than a path may be$/],
  ])("is told: %s", async (_, name, sentence) => {
    await writeFile(join(root, "file"), "");
    const error = await failureOf(open(source, uriOf(root, name("nothing"))));
    expect([error.failure, error.isFinal]).toEqual(["not_found", true]);
    expect(error.message).toMatch(sentence);
  });

  it.runIf(process.getuid?.() !== 0)("is told where the server may not read it", async () => {
    await writeFile(join(root, "file"), "", { mode: 0 });
    expect((await failureOf(open(source, uriOf(root, "file")))).failure).toBe("unreadable");
  });

  it("is worth a retry where the root itself is away", async () => {
    await rm(root, { recursive: true });
    const error = await failureOf(open(source, uriOf(root, "file")));
    expect([error.failure, error.isFinal]).toEqual(["unreachable", false]);
    expect(error.message).toBe(`the folder ${root} of ${join(root, "file")} is away; try again later`);
  });
});
