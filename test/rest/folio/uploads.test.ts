import { readdir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { readBack } from "../../rpc/scene.js";
import { fedBody, pseudoRandom, sendWhole } from "../../support/bodies.js";
import type { HttpAnswer } from "../../support/http.js";
import { definitionsPath, digest, okapi, useFolioServer } from "./folio-server.js";
import { at, bytes, json } from "./shown.js";

const content = pseudoRandom(300_000, 7);
const scene = useFolioServer({
  env: {
    SLIPWAY_DURABILITY: "os",
    SLIPWAY_SWEEP_INTERVAL: "300ms",
    SLIPWAY_SWEEP_BYTES_INTERVAL: "300ms",
    SLIPWAY_SWEEP_UNREFERENCED_AFTER: "300ms",
    SLIPWAY_SWEEP_TRASH_AFTER: "300ms",
  },
});
const versions = ["1.1", "2"] as const;

interface ShownFile {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly sourcePath?: string;
  readonly uploadedDate?: string;
}
interface Shown {
  readonly id: string;
  readonly status: string;
  readonly fileDefinitions: readonly ShownFile[];
}

const shown = (answer: HttpAnswer) => JSON.parse(answer.body.toString("utf8")) as Shown;
const told = ({ status, body }: HttpAnswer) => ({ status, text: body.toString("utf8") });

async function start(names: readonly string[]): Promise<Shown> {
  const body = Buffer.from(JSON.stringify({ fileDefinitions: names.map((name) => ({ name })) }));
  return shown(
    await scene.http["1.1"].ask({ method: "POST", path: definitionsPath, headers: { ...okapi(), ...json }, body }),
  );
}

async function look(id: string): Promise<Shown> {
  return shown(await scene.http["1.1"].ask({ method: "GET", path: at(`/${id}`), headers: okapi() }));
}

/** The digest of what the typed API reads. */
const stored = async (place: { readonly sessionId: string; readonly fileId: string }) =>
  digest(await readBack(scene.client, place));
const uploadTo = (id: string, fileId: string) => ({
  method: "POST",
  path: at(`/${id}/files/${fileId}`),
  headers: { ...okapi(), ...bytes },
});
const addition = (id: string, name: string) => ({
  method: "POST",
  path: at(`/${id}/files`),
  headers: { ...okapi(), ...json },
  body: Buffer.from(JSON.stringify({ name })),
});
const removal = (path: string) => ({ method: "DELETE", path: at(path), headers: okapi() });

/** Waits until a definition is shown like this. */
async function until(id: string, holds: (shown: Shown) => boolean): Promise<Shown> {
  for (;;) {
    const found = await look(id);
    if (holds(found)) return found;
    await sleep(20);
  }
}
const statusOf = ({ fileDefinitions }: Shown, fileId: string) =>
  fileDefinitions.find(({ id }) => id === fileId)?.status;

describe("twenty uploads into one definition at the same time", () => {
  it("all arrive, every answer and every read after it shows the file, and the definition is LOADED", async () => {
    const names = Array.from({ length: 20 }, (_, number) => `part${number}.mrc`);
    const { id, fileDefinitions } = await start(names);
    const answers = await Promise.all(
      fileDefinitions.map(async ({ id: fileId }, number) => {
        const body = pseudoRandom(50_000 + number, number + 1);
        const answer = await scene.http["1.1"].ask({ ...uploadTo(id, fileId), body });
        return { fileId, answered: shown(answer), read: await look(id), body };
      }),
    );
    for (const { fileId, answered, read } of answers) {
      expect(statusOf(answered, fileId)).toBe("UPLOADED");
      expect(statusOf(read, fileId)).toBe("UPLOADED");
    }
    const last = await look(id);
    expect(last.status).toBe("LOADED");
    expect(last.fileDefinitions.map(({ name }) => name).sort()).toEqual([...names].sort());
    expect(answers.filter(({ answered }) => answered.status === "LOADED").length).toBeGreaterThan(0);
    for (const { fileId, body } of answers) {
      expect(await stored({ sessionId: id, fileId })).toBe(digest(body));
    }
  });
});

describe("ten uploads of one file at the same time", () => {
  it("are answered 200 or 400, and the file holds the whole of one that was answered 200", async () => {
    const { id, fileDefinitions } = await start(["a.mrc"]);
    const fileId = fileDefinitions[0]!.id;
    const bodies = Array.from({ length: 10 }, (_, number) => pseudoRandom(200_000 + number, number + 50));
    const answers = await Promise.all(bodies.map((body) => scene.http["1.1"].ask({ ...uploadTo(id, fileId), body })));
    const taken = bodies.filter((_, number) => answers[number]!.status === 200).map(digest);
    const refused = answers.filter(({ status }) => status !== 200).map(told);
    const text = `Upload stream for file with id '${fileId}' has been interrupted`;
    expect(refused).toEqual(refused.map(() => ({ status: 400, text })));
    expect(taken).toContain(await stored({ sessionId: id, fileId }));
    const last = await look(id);
    expect([last.status, statusOf(last, fileId)]).toEqual(["LOADED", "UPLOADED"]);
  });
});

describe("uploads among deletions and additions", () => {
  it("leave a definition that has what was not deleted, uploaded, and is LOADED with the next upload", async () => {
    const { id, fileDefinitions } = await start(Array.from({ length: 12 }, (_, number) => `a${number}.mrc`));
    const answers = await Promise.all(
      fileDefinitions.flatMap(({ id: fileId }, number) => [
        scene.http["1.1"].ask({ ...uploadTo(id, fileId), body: pseudoRandom(80_000, number + 1) }),
        ...(number % 3 === 0 ? [scene.http["1.1"].ask(removal(`/${id}/files/${fileId}`))] : []),
        ...(number % 3 === 1 ? [scene.http["1.1"].ask(addition(id, "more.mrc"))] : []),
      ]),
    );
    expect(answers.filter(({ status }) => ![200, 201, 204, 404].includes(status)).map(told)).toEqual([]);
    const left = await look(id);
    const kept = fileDefinitions.filter((_, number) => number % 3 !== 0);
    const byStatus = (status: string) => left.fileDefinitions.filter((one) => one.status === status);
    expect(new Set(byStatus("UPLOADED").map((one) => one.id))).toEqual(new Set(kept.map((one) => one.id)));
    expect(byStatus("NEW").map(({ name }) => name)).toEqual(Array(4).fill("more.mrc"));
    expect(left.fileDefinitions).toHaveLength(12);
    const ends: string[] = [];
    for (const { id: fileId } of byStatus("NEW")) {
      ends.push(shown(await scene.http["1.1"].ask({ ...uploadTo(id, fileId), body: content })).status);
    }
    expect(ends).toEqual(["IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS", "LOADED"]);
  });
});

describe.each(versions)("an upload that breaks off in the middle, over HTTP/%s", (version) => {
  const begin = (id: string, fileId: string, length: number) =>
    scene.http[version].begin(uploadTo(id, fileId), content.subarray(0, 100_000), length);

  it("is UPLOADING at the end of the list while it runs, with the definition NEW still", async () => {
    const { id, fileDefinitions } = await start(["a.mrc", "b.mrc"]);
    const [a, b] = fileDefinitions.map((one) => one.id);
    const hanging = begin(id, a!, content.length);
    const seen = await until(id, (now) => statusOf(now, a!) === "UPLOADING");
    expect(seen.fileDefinitions.map((one) => [one.id, one.status])).toEqual([
      [b, "NEW"],
      [a, "UPLOADING"],
    ]);
    expect(seen.status).toBe("NEW");
    hanging.cut();
  });

  it("makes its file ERROR and leaves the definition as it was, until it is sent again", async () => {
    const { id, fileDefinitions } = await start(["a.mrc", "b.mrc"]);
    const [a, b] = fileDefinitions.map((one) => one.id);
    const hanging = begin(id, a!, content.length);
    await until(id, (now) => statusOf(now, a!) === "UPLOADING");
    hanging.cut();
    const seen = await until(id, (now) => statusOf(now, a!) !== "UPLOADING");
    expect(seen).toEqual({
      ...seen,
      status: "NEW",
      fileDefinitions: [
        { ...seen.fileDefinitions[0], id: b, status: "NEW" },
        { ...seen.fileDefinitions[1], id: a, status: "ERROR" },
      ],
    });
    expect(seen.fileDefinitions[1]).not.toHaveProperty("sourcePath");
    const again = shown(await scene.http[version].ask({ ...uploadTo(id, a!), body: content }));
    expect([again.status, statusOf(again, a!)]).toEqual(["IN_PROGRESS", "UPLOADED"]);
    expect(await stored({ sessionId: id, fileId: a! })).toBe(digest(content));
  });

  it("makes the definition ERROR when all its files are, and LOADED when it is sent again", async () => {
    const { id, fileDefinitions } = await start(["a.mrc"]);
    const fileId = fileDefinitions[0]!.id;
    const hanging = begin(id, fileId, content.length);
    await until(id, (now) => statusOf(now, fileId) === "UPLOADING");
    hanging.cut();
    const seen = await until(id, (now) => statusOf(now, fileId) !== "UPLOADING");
    expect([seen.status, statusOf(seen, fileId)]).toEqual(["ERROR", "ERROR"]);
    const again = shown(await scene.http[version].ask({ ...uploadTo(id, fileId), body: content }));
    expect([again.status, statusOf(again, fileId)]).toEqual(["LOADED", "UPLOADED"]);
  });

  it("leaves the content that was there before, which is not shown as uploaded any more", async () => {
    const { id, fileDefinitions } = await start(["a.mrc"]);
    const fileId = fileDefinitions[0]!.id;
    await scene.http[version].ask({ ...uploadTo(id, fileId), body: content });
    const hanging = begin(id, fileId, content.length * 2);
    await until(id, (now) => statusOf(now, fileId) === "UPLOADING");
    hanging.cut();
    const seen = await until(id, (now) => statusOf(now, fileId) !== "UPLOADING");
    expect([seen.status, statusOf(seen, fileId)]).toEqual(["ERROR", "ERROR"]);
    expect(await stored({ sessionId: id, fileId })).toBe(digest(content));
  });
});

describe("a body of no announced length", () => {
  it("is taken over HTTP/1.1, where it is chunked", async () => {
    const { id, fileDefinitions } = await start(["a.mrc"]);
    const fileId = fileDefinitions[0]!.id;
    const answer = await scene.http["1.1"].ask({ ...uploadTo(id, fileId), body: sendWhole(content, [1, 70_000, 3]) });
    expect([answer.status, shown(answer).status]).toEqual([200, "LOADED"]);
    expect(await stored({ sessionId: id, fileId })).toBe(digest(content));
  });

  it("is refused with 411 over HTTP/2, where a body that is cut looks like one that ends", async () => {
    const { id, fileDefinitions } = await start(["a.mrc"]);
    const fileId = fileDefinitions[0]!.id;
    const answer = await scene.http["2"].ask({ ...uploadTo(id, fileId), body: sendWhole(content) });
    expect(told(answer)).toEqual({ status: 411, text: "over HTTP/2 the length of a body has to be announced" });
    expect(statusOf(await look(id), fileId)).toBe("NEW");
  });
});

describe.each(versions)("while a file uploads over HTTP/%s", (version) => {
  /** An upload that has sent the first part of its content, and sends the rest when it is told to. */
  async function begin(id: string, fileId: string, whole = content) {
    const fed = fedBody();
    const length: Record<string, string> = version === "2" ? { "content-length": String(whole.length) } : {};
    const { headers, ...request } = uploadTo(id, fileId);
    const answer = scene.http[version].ask({ ...request, headers: { ...headers, ...length }, body: fed.body });
    fed.send(whole.subarray(0, whole.length / 2));
    await until(id, (now) => statusOf(now, fileId) === "UPLOADING");
    return () => {
      fed.send(whole.subarray(whole.length / 2));
      fed.end();
      return answer.then(told);
    };
  }

  it("deleting it answers 204, the upload 404, and nothing of it is left", async () => {
    const { id, fileDefinitions } = await start(["a.mrc", "b.mrc"]);
    const [a, b] = fileDefinitions.map((one) => one.id);
    const before = await storedFiles();
    const finish = await begin(id, a!, pseudoRandom(6_000_000, 3));
    const fresh = await storedSince(before);
    expect((await scene.http["1.1"].ask(removal(`/${id}/files/${a}`))).status).toBe(204);
    expect(await finish()).toEqual({ status: 404, text: `FileDefinition not found. FileDefinition ID: ${a}` });
    const left = await look(id);
    expect([left.status, left.fileDefinitions.map((one) => one.id)]).toEqual(["NEW", [b]]);
    await untilGone(fresh);
  });

  it("deleting the definition answers 204, the upload 404, and nothing of it is left", async () => {
    const { id, fileDefinitions } = await start(["a.mrc"]);
    const fileId = fileDefinitions[0]!.id;
    const before = await storedFiles();
    const finish = await begin(id, fileId, pseudoRandom(6_000_000, 4));
    const fresh = await storedSince(before);
    expect((await scene.http["1.1"].ask(removal(`/${id}`))).status).toBe(204);
    expect(await finish()).toEqual({ status: 404, text: `Upload Definition was not found. ID: ${id}` });
    await untilGone(fresh);
  });

  it("a newcomer with the same file wins, and the other upload is answered 400", async () => {
    const { id, fileDefinitions } = await start(["a.mrc"]);
    const fileId = fileDefinitions[0]!.id;
    const finish = await begin(id, fileId);
    const other = pseudoRandom(123_456, 9);
    const won = await scene.http["1.1"].ask({ ...uploadTo(id, fileId), body: other });
    expect([won.status, shown(won).status]).toEqual([200, "LOADED"]);
    expect(await finish()).toEqual({
      status: 400,
      text: `Upload stream for file with id '${fileId}' has been interrupted`,
    });
    const last = await look(id);
    expect([last.status, statusOf(last, fileId)]).toEqual(["LOADED", "UPLOADED"]);
    expect(await stored({ sessionId: id, fileId })).toBe(digest(other));
  });

  it("it is uploaded in the end, however often it is read meanwhile", async () => {
    const { id, fileDefinitions } = await start(["a.mrc"]);
    const fileId = fileDefinitions[0]!.id;
    const finish = await begin(id, fileId);
    expect(statusOf(await look(id), fileId)).toBe("UPLOADING");
    expect((await finish()).status).toBe(200);
    expect(statusOf(await look(id), fileId)).toBe("UPLOADED");
  });
});

describe("an upload to nowhere", () => {
  const content = Buffer.alloc(20_000_000, "x");
  const id = "7a9ab1b2-0c6a-4a8e-9a49-4d1f0a3b8c01";

  it.each([
    ["an unknown definition", () => Promise.resolve([id, id]), `Upload Definition was not found. ID: ${id}`],
    [
      "an unknown file",
      async () => [(await start(["a.mrc"])).id, id],
      `FileDefinition not found. FileDefinition ID: ${id}`,
    ],
  ])(
    "%s, by a client that reads nothing before it has sent everything, is answered 404",
    async (_what, place, text) => {
      const [definitionId, fileId] = await place();
      const { method, path, headers } = uploadTo(definitionId!, fileId!);
      const socket = connect(scene.server.port, "127.0.0.1");
      const lines = Object.entries({ host: "localhost", ...headers, "content-length": String(content.length) });
      socket.write(`${method} ${path} HTTP/1.1\r\n${lines.map((line) => line.join(": ")).join("\r\n")}\r\n\r\n`);
      await new Promise<void>((resolve, reject) => {
        socket.once("error", reject);
        socket.write(content, () => resolve());
      });
      let answer = "";
      for await (const chunk of socket.setEncoding("utf8")) {
        answer += chunk;
        if (answer.includes("\r\n\r\n") && answer.endsWith(text)) break;
      }
      socket.destroy();
      expect(answer.split("\r\n")[0]).toBe("HTTP/1.1 404 Not Found");
      expect(answer.split("\r\n\r\n")[1]).toBe(text);
    },
  );
});

/** Waits for content that was not there before, and says which it is. */
async function storedSince(before: readonly string[]): Promise<readonly string[]> {
  const news = async () => (await storedFiles()).filter((name) => !before.includes(name));
  await vi.waitFor(async () => expect(await news()).not.toEqual([]), { timeout: 20_000, interval: 20 });
  return news();
}

async function untilGone(names: readonly string[]): Promise<void> {
  const left = async () => (await storedFiles()).filter((name) => names.includes(name));
  await vi.waitFor(async () => expect(await left()).toEqual([]), { timeout: 20_000, interval: 100 });
}

/** What lies in the folder of large content. */
async function storedFiles(): Promise<readonly string[]> {
  const found = await readdir(join(scene.server.dataDir, "extents"), { recursive: true, withFileTypes: true });
  return found.flatMap((entry) => (entry.isFile() ? [entry.name] : [])).sort();
}
