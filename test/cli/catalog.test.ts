import { createHash, randomBytes, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openClient, type TestClient } from "../support/client.js";
import { startServer, type TestServer } from "../support/server.js";
import { runChild } from "./run-child.js";
import { runCli } from "./run-cli.js";

const mib = 2 ** 20;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

let server: TestServer;
let client: TestClient;
let env: Record<string, string>;
let name: string;

beforeAll(async () => {
  server = await startServer();
  client = openClient(server);
  env = { SLIPWAY_URL: server.url, SLIPWAY_TOKEN: server.token };
});
afterAll(async () => {
  client?.close();
  await server?.kill();
});
beforeEach(() => {
  name = `lib-${randomUUID().slice(0, 13)}`;
});

const slipway = (...words: string[]) => runCli(words, { env });
async function json(...words: string[]) {
  const { stdout, stderr } = await slipway(...words, "--json");
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}

/** Puts a file into an item. */
async function fill(itemId: string, fileName: string, content: Uint8Array, path?: string): Promise<void> {
  const { session } = await client.sessions.createSession({ itemId });
  const sessionId = session?.id ?? "";
  const spec = { name: fileName, ...(path !== undefined && { attributes: { path } }) };
  const { file } = await client.files.addFile({ sessionId, spec });
  const fileId = file?.id ?? "";
  const step = 3 * mib;
  for (let at = 0; at === 0 || at < content.length; at += step) {
    const data = content.subarray(at, at + step);
    const finish = at + step >= content.length;
    await client.files.uploadPart({ sessionId, fileId, offset: BigInt(at), data, finish });
  }
  await client.sessions.completeSession({ sessionId });
}

describe("library", () => {
  it("is made, listed, shown, changed and deleted", async () => {
    const created = await json("library", "create", name, "--description", "all", "--attribute", "shelf=12");
    expect(created).toEqual({
      library: {
        ...{ id: expect.any(String), name, description: "all", version: 1, attributes: { shelf: 12 } },
        ...{ createdAt: expect.stringMatching(/Z$/), updatedAt: expect.stringMatching(/Z$/) },
      },
    });
    const { id } = created.library;
    expect((await slipway("library", "list")).stdout).toContain(`  ${name}  all\n`);
    expect((await json("library", "list", "--limit", "1")).libraries).toHaveLength(1);
    for (const word of [name, id])
      expect((await slipway("library", "show", word)).stdout).toMatch(/^attributes +\{"shelf":12\}$/m);
    const changed = ["--attribute", "room=west", "--remove-attribute", "shelf", "--if-version", "1"];
    expect(await json("library", "update", name, "--name", `${name}-2`, ...changed)).toMatchObject({
      library: { id, name: `${name}-2`, description: "all", version: 2, attributes: { room: "west" } },
    });
    const late = await slipway("library", "update", id, "--description", "x", "--if-version", "1");
    expect([late.exitCode, late.stderr]).toEqual([1, expect.stringContaining("VERSION_CHANGED")]);
    expect((await json("library", "show", id)).library.description).toBe("all");
    expect((await slipway("library", "delete", id, "--yes")).stdout).toBe(`library ${name}-2 is deleted\n`);
    const gone = await slipway("library", "show", `${name}-2`);
    expect([gone.exitCode, gone.stderr]).toEqual([1, `slipway library show: there is no library "${name}-2"\n`]);
  });

  it("may have a folder of the server that is its own, and keeps it when it is changed", async () => {
    const { library } = await json("library", "create", name, "--backing-folder", "/srv/images");
    expect(library.backingFolder).toBe("/srv/images");
    await slipway("library", "update", name, "--description", "all");
    expect((await slipway("library", "show", name)).stdout).toMatch(/^backing folder +\/srv\/images$/m);
    const relative = await slipway("library", "create", `${name}-2`, "--backing-folder", "images");
    expect([relative.exitCode, relative.stderr]).toEqual([1, expect.stringContaining("is an absolute path such as")]);
  });

  it("with items is not deleted, and its name is not given twice", async () => {
    await slipway("library", "create", name);
    await slipway("item", "create", `${name}/one`);
    expect((await slipway("library", "delete", name, "--yes")).stderr).toContain("ITEM_BUSY");
    expect((await slipway("library", "create", name)).stderr).toContain("NAME_TAKEN");
  });

  it("keeps attributes that are JSON, text or odd as they are, and refuses numbers that it cannot keep", async () => {
    const words = ['list=[1,"a"]', "text=a=b", 'quoted="5"', "empty=", "none=null"];
    const { library } = await json("library", "create", name, ...words.flatMap((word) => ["--attribute", word]));
    const kept = { list: [1, "a"], text: "a=b", quoted: "5", empty: "", none: null };
    expect(library.attributes).toMatchObject(kept);
    for (const word of ["__proto__=1", 'a={"__proto__":1}']) {
      expect((await slipway("library", "create", randomUUID(), "--attribute", word)).exitCode).toBe(2);
    }
    for (const word of ["n=12345678901234567890", "n=[1e999]"]) {
      const refused = await slipway("library", "create", randomUUID(), "--attribute", word);
      expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining("too large to be kept exactly")]);
    }
  });
});

describe("item", () => {
  it("is made with aliases, found by one, changed and deleted", async () => {
    await slipway("library", "create", name);
    const aliases = ["--alias", `barcode=${name}`, "--alias", `url=https://a/b?c=${name}`];
    const made = await json("item", "create", `${name}/europe`, "--type", "atlas", ...aliases);
    const { id, libraryId } = made.item;
    expect(made.item).toMatchObject({ name: "europe", type: "atlas", contentVersion: 1, version: 1, attributes: {} });
    expect((await json("item", "find", `barcode=${name}`)).item.id).toBe(id);
    expect((await json("item", "find", `url=https://a/b?c=${name}`)).item.id).toBe(id);
    expect((await slipway("item", "find", "barcode=nothing")).stderr).toContain("ITEM_NOT_FOUND");
    for (const word of [`${name}/europe`, `${libraryId}/${id}`, id]) {
      const { stdout } = await slipway("item", "show", word);
      expect(stdout).toMatch(new RegExp(`^library +${name} \\(${libraryId}\\)$`, "m"));
    }
    const change = ["--alias", `shelf=${name}`, "--remove-alias", `barcode=${name}`, "--attribute", "pages=2"];
    const { item } = await json("item", "update", `${name}/europe`, "--name", "world", ...change);
    expect(item).toMatchObject({ name: "world", type: "atlas", version: 2, attributes: { pages: 2 } });
    expect(item.aliases.map(({ kind }: { kind: string }) => kind).sort()).toEqual(["shelf", "url"]);
    expect((await json("item", "list", name, "--type", "atlas")).items).toHaveLength(1);
    expect((await json("item", "list", name, "--type", "map")).items).toEqual([]);
    expect((await slipway("item", "delete", `${name}/world`, "--yes")).stdout).toBe("item world is deleted\n");
    expect((await slipway("item", "show", `${name}/world`)).stderr).toContain(
      `the library "${name}" has no item "world"`,
    );
  });

  it("lists its files, and names of others are printed escaped", async () => {
    await slipway("library", "create", name);
    const { item } = await json("item", "create", `${name}/one`, "--description", "a\u001b[31mb");
    await fill(item.id, "a.txt", Buffer.from("hello"), "dir/\u001b[2J.txt");
    const { stdout } = await slipway("item", "files", `${name}/one`);
    expect(stdout).toMatch(/^5 B +1 +2cf24dba5fb0 .* dir\/\\x1b\[2J\.txt$/m);
    expect((await slipway("item", "show", item.id)).stdout).toContain("a\\x1b[31mb");
    expect((await json("item", "files", item.id)).files).toMatchObject([
      { name: "a.txt", version: 1, sizeBytes: 5, sha256: sha256(Buffer.from("hello")) },
    ]);
  });
});

describe("item cat", () => {
  async function makeItem(): Promise<string> {
    await slipway("library", "create", name);
    return (await json("item", "create", `${name}/one`)).item.id;
  }

  it("prints a file as it is, by its name or its path, empty ones, too", async () => {
    const itemId = await makeItem();
    const bytes = randomBytes(5 * mib + 3);
    await fill(itemId, "deep%2Fa.bin", bytes);
    await fill(itemId, "empty", Buffer.alloc(0));
    for (const word of ["deep%2Fa.bin", "deep/a.bin"]) {
      const { exitCode, bytes: printed } = await slipway("item", "cat", `${name}/one`, word);
      expect([exitCode, sha256(printed)]).toEqual([0, sha256(bytes)]);
    }
    expect(await slipway("item", "cat", itemId, "empty")).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
    const nothing = await slipway("item", "cat", itemId, "nothing\n");
    expect([nothing.exitCode, nothing.stderr]).toEqual([1, 'slipway item cat: the item has no file "nothing\\n"\n']);
    expect((await slipway("item", "cat", itemId, "empty", "--json")).exitCode).toBe(2);
  });

  it("prints no binary content and no control characters on a terminal, unless forced", async () => {
    const itemId = await makeItem();
    const contents = {
      binary: Buffer.from([0x41, 0xff, 0xfe]),
      escape: Buffer.from("a\u001b[2Jb"),
      csi: Buffer.from("a\u009bb"),
    };
    for (const [file, content] of Object.entries(contents)) {
      await fill(itemId, file, content);
      const refused = await runCli(["item", "cat", itemId, file], { env, typed: "" });
      expect([refused.exitCode, refused.stdout, refused.stderr]).toEqual([1, "", expect.stringContaining("--force")]);
      const forced = await runCli(["item", "cat", itemId, file, "--force"], { env, typed: "" });
      expect(forced.bytes).toEqual(content);
      expect((await slipway("item", "cat", itemId, file)).bytes).toEqual(content);
    }
    await fill(itemId, "text", Buffer.from("grün\n\tweiß\r\n"));
    expect((await runCli(["item", "cat", itemId, "text"], { env, typed: "" })).stdout).toBe("grün\n\tweiß\r\n");
  });

  it.each(["connect", "grpc"])(
    "over %s goes on after kill -9 of the server, with every byte once",
    async (protocol) => {
      const itemId = await makeItem();
      const bytes = randomBytes(48 * mib);
      await fill(itemId, "big", bytes);
      let restarted: Promise<void> | undefined;
      const restart = async () => {
        await server.kill();
        server = await startServer({ dataDir: server.dataDir, port: server.port });
        client.close();
        client = openClient(server);
      };
      const {
        exitCode,
        bytes: printed,
        stderr,
      } = await runCli(["item", "cat", itemId, "big", "--protocol", protocol], {
        env,
        onOutput: () => {
          restarted ??= restart();
        },
      });
      await restarted;
      expect([exitCode, sha256(printed)]).toEqual([0, sha256(bytes)]);
      expect(stderr).toContain("retrying in");
    },
  );

  it("interrupted while it waits for the server, exits with 130", async () => {
    const itemId = await makeItem();
    await fill(itemId, "big", Buffer.alloc(3 * mib, 0x61));
    await server.kill();
    const child = runChild(["item", "cat", itemId, "big"], env);
    while (!child.stderr().includes("retrying in")) await sleep(10);
    child.signal("SIGINT");
    expect([await child.exited, child.stderr()]).toEqual([130, expect.stringMatching(/Interrupted\.\n$/)]);
    server = await startServer({ dataDir: server.dataDir, port: server.port });
    client.close();
    client = openClient(server);
  });
});

it.each([
  ["library"],
  ["library", "create"],
  ["library", "create", "x", "--attribute", "nothing"],
  ["library", "update", "x"],
  ["library", "update", "x", "--name", "y", "--if-version", "zero"],
  ["library", "delete"],
  ["item", "create", "bare"],
  ["item", "create", "a/b", "--alias", "bare"],
  ["item", "update", "a/b"],
  ["item", "show", "bare"],
  ["item", "find", "bare"],
  ["item", "cat", "a/b"],
])("wrong use: slipway %s %s %s %s %s", async (...words) => {
  const { exitCode, stdout, stderr } = await runCli(words, { env });
  expect([exitCode, stdout]).toEqual([2, ""]);
  expect(stderr.trim().split("\n")).toHaveLength(2);
});

it("deletion is asked about, and needs --yes where nobody can be asked", async () => {
  await slipway("library", "create", name);
  await slipway("item", "create", `${name}/one`);
  for (const words of [
    ["library", "delete", name],
    ["item", "delete", `${name}/one`],
  ]) {
    expect(await runCli(words, { env })).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("say --yes") });
    expect(await runCli(words, { env, typed: "no\n" })).toMatchObject({ exitCode: 1 });
  }
  expect((await runCli(["item", "delete", `${name}/one`], { env, typed: "yes\n" })).exitCode).toBe(0);
});
