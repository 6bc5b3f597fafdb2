import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openClient, type TestClient } from "../support/client.js";
import { startServer, type TestServer } from "../support/server.js";
import { runCli } from "./run-cli.js";
import { runChild } from "./run-child.js";

let server: TestServer;
let client: TestClient;
let env: Record<string, string>;

beforeAll(async () => {
  server = await startServer();
  client = openClient(server);
  env = { SLIPWAY_URL: server.url, SLIPWAY_TOKEN: server.token };
});
afterAll(async () => {
  client?.close();
  await server?.kill();
});

const slipway = (...words: string[]) => runCli(words, { env });
const json = async (...words: string[]) => parse(await slipway(...words, "--json"));
const parse = ({ stdout, stderr }: { stdout: string; stderr: string }) => {
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
};

async function open(label = "", itemId?: string): Promise<string> {
  const { session } = await client.sessions.createSession({ label, ...(itemId !== undefined && { itemId }) });
  return session?.id ?? "";
}

async function addFile(sessionId: string, name: string, content?: string): Promise<string> {
  const { file } = await client.files.addFile({ sessionId, spec: { name } });
  const fileId = file?.id ?? "";
  if (content !== undefined) {
    await client.files.uploadPart({ sessionId, fileId, data: Buffer.from(content), finish: true });
  }
  return fileId;
}

describe("session list", () => {
  it("filters by state, label and item, and stops at a limit", async () => {
    const { library } = await client.catalog.createLibrary({ name: randomUUID() });
    const { item } = await client.catalog.createItem({ libraryId: library?.id ?? "", name: "an item" });
    const label = randomUUID();
    const ids = [await open(label), await open(label, item?.id), await open(label)];
    await client.sessions.cancelSession({ sessionId: ids[0] ?? "" });
    const list = async (...words: string[]) =>
      (await json("session", "list", ...words)).sessions.map(({ id }: { id: string }) => id);
    expect(await list("--label", label)).toEqual([...ids].reverse());
    expect(await list("--label", label, "--state", "canceled")).toEqual([ids[0]]);
    expect(await list("--label", label, "--state", "canceled", "--state", "active")).toHaveLength(3);
    expect(await list("--label", label, "--limit", "2")).toEqual([ids[2], ids[1]]);
    expect(await list("--item", `${library?.name}/an item`)).toEqual([ids[1]]);
    expect(await slipway("session", "list", "--label", randomUUID())).toMatchObject({
      exitCode: 0,
      stdout: "",
      stderr: "there are no sessions\n",
    });
  });

  it("prints a label from elsewhere without its control characters", async () => {
    const label = `\u001b[2Jred\n${randomUUID()}`;
    const id = await open(label);
    const { stdout } = await slipway("session", "list", "--label", label);
    expect(stdout).toContain(`${id}  active  0      `);
    expect(stdout).toContain("\\x1b[2Jred\\x0a");
    expect(stdout).not.toContain("\u001b");
    expect((await json("session", "show", id)).session.label).toBe(label);
  });
});

describe("session show", () => {
  it("tells deadlines, target and what is missing of an active session", async () => {
    const { library } = await client.catalog.createLibrary({ name: randomUUID() });
    const { item } = await client.catalog.createItem({ libraryId: library?.id ?? "", name: "target" });
    const id = await open("shown", item?.id);
    await addFile(id, "missing\u001b.bin".replace("\u001b", "[31m"));
    await addFile(id, "whole.txt", "whole");
    const { exitCode, stdout } = await slipway("session", "show", id);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^state +active$/m);
    expect(stdout).toMatch(new RegExp(`^item +${library?.name}/target \\(${item?.id}\\)$`, "m"));
    expect(stdout).toMatch(/^expires +\d{4}-\d\d-\d\dT[\d:]+Z$/m);
    expect(stdout).toMatch(/^missing +missing\[31m\.bin$/m);
    expect(stdout).not.toMatch(/whole\.txt|forgotten|failure/);
    expect(await json("session", "show", id)).toMatchObject({
      session: { id, state: "active", files: 2, item: `${library?.name}/target`, access: "additive", lastEvent: 4 },
      missingFiles: ["missing[31m.bin"],
      invalidFiles: [],
    });
  });

  it("tells why a session failed, and until when it is remembered", async () => {
    const id = await open();
    await client.sessions.failSession({ sessionId: id, message: "the source\u001b[31m was damaged" });
    const { stdout } = await slipway("session", "show", id);
    expect(stdout).toMatch(/^failure +.*the source\\x1b\[31m was damaged$/m);
    expect(stdout).toMatch(/^forgotten +\d{4}-/m);
    expect(await json("session", "show", id)).toMatchObject({ session: { state: "failed", failureReason: "client" } });
  });

  it("knows no strange session", async () => {
    const shown = await slipway("session", "show", randomUUID());
    expect([shown.exitCode, shown.stderr]).toEqual([1, expect.stringContaining("not_found SESSION_NOT_FOUND")]);
  });
});

it.each([
  ["session"],
  ["session", "nothing"],
  ["session", "show"],
  ["session", "show", "no-id"],
  ["session", "watch", "no-id"],
  ["session", "watch", "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "--after", "-1"],
  ["session", "list", "--state", "ended"],
  ["session", "list", "--limit", "0"],
  ["session", "keep-alive", "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "--progress", "101"],
  ["session", "cancel", "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"],
])("wrong use: slipway %s %s %s %s %s", async (...words) => {
  const { exitCode, stdout, stderr } = await runCli(words, { env });
  expect([exitCode, stdout]).toEqual([2, ""]);
  expect(stderr.trim().split("\n")).toHaveLength(2);
});

describe("the end of a session", () => {
  it("complete names what is missing and changes nothing, and then completes once", async () => {
    const id = await open();
    const fileId = await addFile(id, "late.txt");
    const refused = await slipway("session", "complete", id);
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('"late.txt" is not whole yet')]);
    await client.files.uploadPart({ sessionId: id, fileId, data: Buffer.from("x"), finish: true });
    expect(await slipway("session", "complete", id)).toMatchObject({ exitCode: 0, stdout: `session ${id} is done\n` });
    expect((await slipway("session", "complete", id)).stdout).toBe(`session ${id} is done already\n`);
    expect(await json("session", "complete", id)).toMatchObject({ session: { state: "done" }, applied: false });
  });

  it.each(["cancel", "fail", "delete"])("%s asks a person, and does nothing without a yes", async (deed) => {
    const id = await open();
    if (deed === "delete") await client.sessions.cancelSession({ sessionId: id });
    for (const typed of ["n\n", "\n", "", "yes please\n"]) {
      const { exitCode, stderr } = await runCli(["session", deed, id], { env, typed });
      expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/\? \[y\/N\] .*nothing was done\n$/s)]);
    }
    expect((await json("session", "show", id)).session.state).toBe(deed === "delete" ? "canceled" : "active");
    expect((await runCli(["session", deed, id], { env, typed: "y\n" })).exitCode).toBe(0);
  });

  it("fail leaves its reason, cancel can be asked twice, delete forgets", async () => {
    const [failed, canceled] = [await open(), await open()];
    const { stdout } = await slipway("session", "fail", failed, "--message", "no more disk", "--yes");
    expect(stdout).toMatch(/is failed: .*no more disk\n$/);
    expect((await slipway("session", "cancel", canceled, "-y")).stdout).toBe(`session ${canceled} is canceled\n`);
    expect((await slipway("session", "cancel", canceled, "-y")).stdout).toBe(
      `session ${canceled} is canceled already\n`,
    );
    expect(await json("session", "delete", canceled, "--yes")).toEqual({ id: canceled, deleted: true });
    const again = await slipway("session", "delete", canceled, "--yes");
    expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining("SESSION_NOT_FOUND")]);
    const active = await slipway("session", "delete", await open(), "--yes");
    expect([active.exitCode, active.stderr]).toEqual([1, expect.stringContaining("SESSION_STATE")]);
  });

  it("keep-alive moves the deadline on and reports progress", async () => {
    const id = await open();
    const before = (await json("session", "show", id)).session.expiresAt;
    await sleep(20);
    expect((await slipway("session", "keep-alive", id, "--progress", "40")).stdout).toContain(
      `session ${id} expires at`,
    );
    const { session } = await json("session", "keep-alive", id);
    expect(session.progress).toBe(40);
    expect(Date.parse(session.expiresAt)).toBeGreaterThan(Date.parse(before));
    expect((await slipway("session", "keep-alive", id, "--progress", "30")).exitCode).toBe(1);
  });
});

describe("session watch", () => {
  it("tells the history a line an event, with hostile names escaped, and ends with the session", async () => {
    const id = await open();
    await addFile(id, "a.txt", "a");
    await client.sessions.completeSession({ sessionId: id });
    const { exitCode, stdout } = await slipway("session", "watch", id);
    expect(exitCode).toBe(0);
    const lines = stdout.trim().split("\n");
    expect(lines.map((line) => line.replace(/^\S+Z {2}/, ""))).toEqual([
      "session created",
      "file added          a.txt",
      "file ready          a.txt",
      "session done",
    ]);
    const later = await slipway("session", "watch", id, "--after", "2", "--json");
    expect(
      later.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { type: "file_ready", number: 3, fileName: "a.txt", at: expect.stringMatching(/Z$/) },
      { type: "session_done", number: 4 },
    ]);
    expect(await slipway("session", "watch", id, "--after", "4")).toMatchObject({ exitCode: 0, stdout: "" });
  });

  it("exits with 1 when the session is cancelled or fails", async () => {
    const [canceled, failed] = [await open(), await open()];
    await client.sessions.cancelSession({ sessionId: canceled });
    await client.sessions.failSession({ sessionId: failed, message: "bad\u0007news" });
    expect((await slipway("session", "watch", canceled)).exitCode).toBe(1);
    expect((await slipway("session", "watch", canceled, "--after", "9")).exitCode).toBe(1);
    const { exitCode, stdout } = await slipway("session", "watch", failed);
    expect([exitCode, stdout]).toEqual([1, expect.stringContaining("bad\\x07news")]);
  });

  it.each(["connect", "grpc"])(
    "over %s outlives kill -9 of the server, and tells every event once",
    async (protocol) => {
      const id = await open();
      let told = "";
      const watching = runCli(["session", "watch", id, "--json", "--protocol", protocol], {
        env,
        onOutput: (text) => {
          told += text;
        },
      });
      await addFile(id, "before.txt", "1");
      while (!told.includes("file_ready")) await sleep(10);
      await server.kill();
      server = await startServer({ dataDir: server.dataDir, port: server.port });
      client.close();
      client = openClient(server);
      await addFile(id, "after.txt", "2");
      await client.sessions.completeSession({ sessionId: id });
      const { exitCode, stdout, stderr } = await watching;
      expect(exitCode).toBe(0);
      const events = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { type: string; number?: number });
      expect(events.flatMap(({ number }) => number ?? [])).toEqual([1, 2, 3, 4, 5, 6]);
      expect(events.at(-1)).toMatchObject({ type: "session_done" });
      expect(stderr).toContain("retrying in");
    },
  );

  it("interrupted, exits with 130", async () => {
    const id = await open();
    const child = runChild(["session", "watch", id], env);
    while (!child.stdout().includes("session created")) await sleep(10);
    child.signal("SIGINT");
    expect([await child.exited, child.stderr()]).toEqual([130, "Interrupted.\n"]);
  });
});

it("ls shows what is in a library and in an item, and says so when there is no such thing", async () => {
  const name = randomUUID().slice(0, 8);
  const { library } = await client.catalog.createLibrary({ name });
  const { item } = await client.catalog.createItem({ libraryId: library?.id ?? "", name: "an item" });
  const id = await open("", item?.id);
  await addFile(id, "a.txt", "hello");
  await client.sessions.completeSession({ sessionId: id });
  for (const word of [name, `${name}/`, `${library?.id}/`]) {
    expect((await slipway("ls", word)).stdout).toMatch(new RegExp(`^${item?.id}  2 .*  an item$`, "m"));
  }
  expect(await json("ls", name)).toMatchObject({ library: { name }, items: [{ name: "an item", contentVersion: 2 }] });
  expect((await slipway("ls", `${name}/an item`)).stdout).toMatch(/^5 B +1 +2cf24dba5fb0 .* a\.txt$/m);
  expect(await json("ls", `${name}/an item`)).toMatchObject({ item: { name: "an item" }, files: [{ sizeBytes: 5 }] });
  const nowhere = await slipway("ls", "no such\u001b library");
  expect([nowhere.exitCode, nowhere.stderr]).toEqual([
    1,
    'slipway ls: "no such\\u001b library" is neither the id of a session nor the name of a library\n',
  ]);
  expect((await slipway("ls", `${name}/nothing`)).stderr).toContain(`the library "${name}" has no item "nothing"`);
});
