import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { readBack } from "../../rpc/scene.js";
import { pseudoRandom, sendWhole, slices } from "../../support/bodies.js";
import type { HttpAnswer } from "../../support/http.js";
import { converse, tell } from "./exchanges.js";
import { ann, definitionsPath, okapi, useFolioServer } from "./folio-server.js";
import { at, bytes, create, definition, file, json, read, remove, upload, uploaded } from "./shown.js";

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

const uploadTo = (id: string, fileId: string) => ({
  method: "POST",
  path: at(`/${id}/files/${fileId}`),
  headers: { ...okapi(), ...bytes },
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
      expect(await readBack(scene.client, { sessionId: id, fileId })).toEqual(Buffer.from(body));
    }
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
    expect(await readBack(scene.client, { sessionId: id, fileId: a! })).toEqual(Buffer.from(content));
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
    expect(await readBack(scene.client, { sessionId: id, fileId })).toEqual(Buffer.from(content));
  });
});

describe("a body of no announced length", () => {
  it("is taken over HTTP/1.1, where it is chunked", async () => {
    const { id, fileDefinitions } = await start(["a.mrc"]);
    const fileId = fileDefinitions[0]!.id;
    const answer = await scene.http["1.1"].ask({ ...uploadTo(id, fileId), body: sendWhole(content, [1, 70_000, 3]) });
    expect([answer.status, shown(answer).status]).toEqual([200, "LOADED"]);
    expect(await readBack(scene.client, { sessionId: id, fileId })).toEqual(Buffer.from(content));
  });

  it("is refused with 411 over HTTP/2, where a body that is cut looks like one that ends", async () => {
    const { id, fileDefinitions } = await start(["a.mrc"]);
    const fileId = fileDefinitions[0]!.id;
    const answer = await scene.http["2"].ask({ ...uploadTo(id, fileId), body: sendWhole(content) });
    expect(told(answer)).toEqual({ status: 411, text: "an upload over HTTP/2 needs Content-Length" });
    expect(statusOf(await look(id), fileId)).toBe("NEW");
  });
});

describe.each(versions)("while a file uploads over HTTP/%s", (version) => {
  const begin = (id: string, fileId: string) =>
    scene.http[version].begin(uploadTo(id, fileId), content.subarray(0, 100_000), content.length);

  it("deleting it answers 204, the upload 404, and nothing of it is left", async () => {
    const { id, fileDefinitions } = await start(["a.mrc", "b.mrc"]);
    const [a, b] = fileDefinitions.map((one) => one.id);
    const hanging = begin(id, a!);
    await until(id, (now) => statusOf(now, a!) === "UPLOADING");
    expect((await scene.http["1.1"].ask(removal(`/${id}/files/${a}`))).status).toBe(204);
    expect(told(await hanging.answer)).toEqual({
      status: 404,
      text: `FileDefinition not found. FileDefinition ID: ${a}`,
    });
    const left = await look(id);
    expect([left.status, left.fileDefinitions.map((one) => one.id)]).toEqual(["NEW", [b]]);
  });

  it("deleting the definition answers 204, and the upload 404", async () => {
    const { id, fileDefinitions } = await start(["a.mrc"]);
    const fileId = fileDefinitions[0]!.id;
    const hanging = begin(id, fileId);
    await until(id, (now) => statusOf(now, fileId) === "UPLOADING");
    expect((await scene.http["1.1"].ask(removal(`/${id}`))).status).toBe(204);
    expect(told(await hanging.answer)).toEqual({
      status: 404,
      text: `Upload Definition was not found. ID: ${id}`,
    });
  });

  it("a newcomer with the same file wins, and the other upload is answered 400", async () => {
    const { id, fileDefinitions } = await start(["a.mrc"]);
    const fileId = fileDefinitions[0]!.id;
    const hanging = begin(id, fileId);
    await until(id, (now) => statusOf(now, fileId) === "UPLOADING");
    const other = pseudoRandom(123_456, 9);
    const won = await scene.http["1.1"].ask({ ...uploadTo(id, fileId), body: other });
    expect([won.status, shown(won).status]).toEqual([200, "LOADED"]);
    expect(told(await hanging.answer)).toEqual({
      status: 400,
      text: `Upload stream for file with id '${fileId}' has been interrupted`,
    });
    const last = await look(id);
    expect([last.status, statusOf(last, fileId)]).toEqual(["LOADED", "UPLOADED"]);
    expect(await readBack(scene.client, { sessionId: id, fileId })).toEqual(Buffer.from(other));
  });
});
