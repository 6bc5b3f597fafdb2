import { describe, expect, it } from "vitest";
import type { HttpAnswer } from "../../support/http.js";
import { readMemory, resetPeakMemory } from "../../support/process-stats.js";
import { type Exchange, type Json, tell } from "./exchanges.js";
import { definitionsPath, okapi, useFolioServer } from "./folio-server.js";
import { at, bytes, create, definition, file, json, upload, uploaded, violation } from "./shown.js";

const scene = useFolioServer({ env: { SLIPWAY_DURABILITY: "os" } });
const open = () => scene.http["1.1"];
const someId = "7a9ab1b2-0c6a-4a8e-9a49-4d1f0a3b8c01";
const profile = { id: "e34d7b92-9b83-11eb-a8b3-0242ac130003" };

const textOf = ({ body }: HttpAnswer) => body.toString("utf8");
const toldOf = (answer: HttpAnswer) => ({ status: answer.status, text: textOf(answer) });

describe("an id that is none", () => {
  const ids = [
    "x",
    "7a9ab1b2-0c6a-4a8e-9a49-4d1f0a3b8c0",
    "../../etc/passwd",
    "' or '1'='1",
    "\0",
    "😀",
    "a".repeat(3000),
  ];
  const paths: readonly [
    method: string,
    path: (id: string) => string,
    headers: object,
    body: Json,
    text: (id: string) => string,
  ][] = [
    ["GET", (id) => `/${id}`, {}, null, (id) => `Upload Definition with id '${id}' not found`],
    ["PUT", (id) => `/${id}`, json, {}, (id) => `Upload Definition was not found. ID: ${id}`],
    ["DELETE", (id) => `/${id}`, {}, null, (id) => `UploadDefinition with id '${id}' was not found`],
    ["POST", (id) => `/${id}/files`, json, { name: "a.mrc" }, (id) => `Upload Definition was not found. ID: ${id}`],
    ["POST", (id) => `/${id}/files/${someId}`, bytes, "bytes", (id) => `Upload Definition was not found. ID: ${id}`],
    ["POST", (id) => `/${someId}/files/${id}`, bytes, "bytes", () => `Upload Definition was not found. ID: ${someId}`],
    ["DELETE", (id) => `/${id}/files/${someId}`, {}, null, (id) => `Upload Definition was not found. ID: ${id}`],
    ["DELETE", (id) => `/${someId}/files/${id}`, {}, null, () => `Upload Definition was not found. ID: ${someId}`],
  ];

  it.each(paths.map(([method, path, ...rest]) => [`${method} ${path("{id}")}`, method, path, ...rest] as const))(
    "%s answers 404 and says it",
    async (_name, method, path, headers, body, text) => {
      for (const id of ids) {
        const answer = await open().ask({
          method,
          path: at(path(encodeURIComponent(id))),
          headers: { ...okapi(), ...headers },
          ...(body !== null && { body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)) }),
        });
        expect(toldOf(answer)).toEqual({ status: 404, text: text(id) });
      }
    },
  );

  const processing = (name: string, body: Json, expected: Exchange["expect"]): Exchange => ({
    name,
    send: { method: "POST", path: at(`/${someId}/processFiles`), headers: { ...okapi(), ...json }, body },
    expect: expected,
  });
  const pattern = "^[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-[1-5][a-fA-F0-9]{3}-[89abAB][a-fA-F0-9]{3}-[a-fA-F0-9]{12}$";
  tell(open, [
    create(
      "that a file shall be made with is nobody's, but its definition is",
      { fileDefinitions: [{ name: "a.mrc" }] },
      { status: 201, body: definition("NEW", [file("a", "a.mrc", { jobExecutionId: "<job>" })]) },
    ),
    ...["x", "7a9ab1b2-0c6a-4a8e-9a49-4d1f0a3b8c0", "%2e%2e%2f"].flatMap((id): Exchange[] => [
      {
        name: `of a file answers 404 in a definition that is there, on uploading: ${id}`,
        send: {
          method: "POST",
          path: at(`/<definition>/files/${id}`),
          headers: { ...okapi(), ...bytes },
          body: "bytes",
        },
        expect: { status: 404, body: `FileDefinition not found. FileDefinition ID: ${decodeURIComponent(id)}` },
      },
      {
        name: `of a file answers 404 in a definition that is there, on deleting: ${id}`,
        send: { method: "DELETE", path: at(`/<definition>/files/${id}`), headers: okapi() },
        expect: { status: 404, body: `FileDefinition not found. FileDefinition ID: ${decodeURIComponent(id)}` },
      },
    ]),
    processing(
      "in a body answers 422",
      { uploadDefinition: { id: "' or '1'='1" }, jobProfileInfo: { id: "x" } },
      {
        status: 422,
        body: {
          errors: [
            violation("uploadDefinition.id", "Pattern", `must match "${pattern}"`, "' or '1'='1"),
            violation("jobProfileInfo.id", "Pattern", `must match "${pattern}"`, "x"),
          ],
        },
      },
    ),
    processing(
      "and no id at all answers 404",
      { uploadDefinition: {}, jobProfileInfo: profile },
      { status: 404, body: "Upload definition not found by id: null" },
    ),
    processing(
      "and nothing at all answers 422",
      {},
      {
        status: 422,
        body: {
          errors: ["uploadDefinition", "jobProfileInfo"].map((key) =>
            violation(key, "NotNull", "must not be null", "null"),
          ),
        },
      },
    ),
    {
      name: "with an escape that means nothing answers 400",
      send: { method: "GET", path: at("/%zz"), headers: okapi() },
      expect: { status: 400, body: "a percent-escape in the path means nothing" },
    },
  ]);
});

describe("a file's name", () => {
  const names = [
    "../../../etc/passwd",
    "..",
    ".",
    "",
    " ",
    "/",
    "C:\\Windows\\a.mrc",
    `it's "quoted".mrc`,
    "{brackets} [and] (more) $1.mrc",
    "'; drop table sessions; --.mrc",
    `${"n".repeat(300)}.mrc`,
    "😀🏳️‍🌈.mrc",
    "a\u0301.mrc",
    "á.mrc",
    "line\nbreak\t\u001b[31m.mrc",
    "%2e%2e%2f.mrc",
    "con",
    "same.mrc",
    "same.mrc",
    "same (2).mrc",
    "x".repeat(4096),
  ];
  const ids = names.map((_, number) => `file${number}`);
  const files = names.map((name, number) => file(ids[number]!, name));

  const { names: known } = tell(open, [
    create(
      "may be any text, and two files may have the same",
      { fileDefinitions: names.map((name) => ({ name })) },
      { status: 201, body: definition("NEW", files) },
    ),
    ...names.map((_, number) =>
      upload(
        `can be uploaded: ${JSON.stringify(names[number]!.slice(0, 40))}`,
        ids[number]!,
        Buffer.from(`content ${number}`),
        definition(number === names.length - 1 ? "LOADED" : "IN_PROGRESS", [
          ...files.slice(number + 1),
          ...names.slice(0, number + 1).map((name, at) => file(ids[at]!, name, uploaded(ids[at]!))),
        ]),
      ),
    ),
  ]);

  it("is a safe one on other faces, once in its definition", async () => {
    const sessionId = known.get("definition")!;
    const { files: listed } = await scene.client.files.listFiles({ sessionId, pageSize: 100 });
    const shown = listed.map(({ spec }) => spec?.name ?? "");
    expect(new Set(shown).size).toBe(names.length);
    expect(shown.filter((name) => /[/\\\p{Cc}]/u.test(name) || ["", ".", ".."].includes(name))).toEqual([]);
    expect(shown.filter((name) => Buffer.byteLength(name) > 255)).toEqual([]);
  });

  tell(open, [
    create(
      "may not have a NUL, half of a surrogate pair, or more than 4096 characters",
      { fileDefinitions: [{ name: "a\0.mrc" }, { name: "a.mrc", uiKey: "\ud800" }, { name: "x".repeat(4097) }] },
      {
        status: 422,
        body: {
          errors: [
            violation(
              "fileDefinitions[0].name",
              "Pattern",
              "must not have a NUL character or half of a surrogate pair",
              "a\ufffd.mrc",
            ),
            violation(
              "fileDefinitions[1].uiKey",
              "Pattern",
              "must not have a NUL character or half of a surrogate pair",
              "\ufffd",
            ),
            violation("fileDefinitions[2].name", "Size", "size must be between 0 and 4096", "x".repeat(80)),
          ],
        },
      },
    ),
    create(
      "has to be there",
      { fileDefinitions: [{ size: 1 }, null, { name: null }] },
      {
        status: 422,
        body: {
          errors: ["[0].name", "[1]", "[2].name"].map((place) =>
            violation(`fileDefinitions${place}`, "NotNull", "must not be null", "null"),
          ),
        },
      },
    ),
  ]);
});

describe("a definition of 10,000 files", () => {
  const count = 10_000;
  const mostMoreBytes = 640 * 2 ** 20;

  it("is made, uploaded to, listed and deleted within a bound of memory", async () => {
    const { pid } = scene.server;
    const before = await readMemory(pid);
    await resetPeakMemory(pid);
    const fileDefinitions = Array.from({ length: count }, (_, number) => ({
      name: `part ${number}.mrc`,
      uiKey: `part ${number}.mrc1553182511`,
      size: 1,
    }));
    const body = Buffer.from(JSON.stringify({ fileDefinitions }));
    const made = await open().ask({ method: "POST", path: definitionsPath, headers: { ...okapi(), ...json }, body });
    const { id, fileDefinitions: files } = JSON.parse(textOf(made)) as {
      id: string;
      fileDefinitions: { id: string; name: string }[];
    };
    expect(files.map(({ name }) => name)).toEqual(fileDefinitions.map(({ name }) => name));

    const [first] = files;
    const sent = await open().ask({
      method: "POST",
      path: at(`/${id}/files/${first!.id}`),
      headers: { ...okapi(), ...bytes },
      body: Buffer.from("content"),
    });
    const after = JSON.parse(textOf(sent)) as { status: string; fileDefinitions: { id: string; status: string }[] };
    expect([after.status, after.fileDefinitions.length]).toEqual(["IN_PROGRESS", count]);
    expect(after.fileDefinitions.at(-1)).toMatchObject({ id: first!.id, status: "UPLOADED" });

    const listed = await open().ask({ method: "GET", path: at(`?query=id==${id}`), headers: okapi() });
    expect(JSON.parse(textOf(listed))).toEqual({ uploadDefinitions: [after], totalRecords: 1 });

    expect((await open().ask({ method: "DELETE", path: at(`/${id}`), headers: okapi() })).status).toBe(204);
    expect((await open().ask({ method: "GET", path: at(`/${id}`), headers: okapi() })).status).toBe(404);
    const { peakBytes } = await readMemory(pid);
    expect(peakBytes - before.nowBytes).toBeLessThan(mostMoreBytes);
  });
});

describe("JSON that is too much", () => {
  const tooLarge = "the body may have 8388608 bytes at most (SLIPWAY_MAX_JSON_BYTES)";
  const megabyte = Buffer.alloc(1_000_000, " ");
  async function* fiftyMegabytes() {
    for (let sent = 0; sent < 50; sent++) yield megabyte;
  }

  it.each([
    ["announced", () => Buffer.alloc(50_000_000, " ")],
    ["chunked", fiftyMegabytes],
  ])("50 MB of it, %s, are refused with the setting, and others are answered meanwhile", async (_how, body) => {
    const { pid } = scene.server;
    const before = await readMemory(pid);
    await resetPeakMemory(pid);
    const post = { method: "POST", path: definitionsPath, headers: { ...okapi(), ...json } };
    const refusals = Promise.all(Array.from({ length: 8 }, () => open().ask({ ...post, body: body() })));
    const other = await open().ask({ method: "GET", path: "/data-import/splitStatus", headers: okapi() });
    expect(toldOf(other)).toEqual({ status: 200, text: '{\n  "splitStatus" : false\n}' });
    for (const refusal of await refusals) expect(toldOf(refusal)).toEqual({ status: 413, text: tooLarge });
    const { peakBytes } = await readMemory(pid);
    expect(peakBytes - before.nowBytes).toBeLessThan(256 * 2 ** 20);
  });

  const notJson = (name: string, body: string, text: string): Exchange => ({
    name,
    send: { method: "POST", path: definitionsPath, headers: { ...okapi(), ...json }, body },
    expect: { status: 400, body: text },
  });
  tell(open, [
    notJson("nested 100,000 levels deep is refused", "[".repeat(100_000), "the JSON is nested deeper than 100 levels"),
    notJson(
      "nested 100,000 levels deep in objects is refused",
      '{"fileDefinitions":'.repeat(100_000),
      "the JSON is nested deeper than 100 levels",
    ),
    notJson("an array for a definition is refused", "[]", "Cannot read the body: expected an object, not an array"),
    notJson("null for a definition is refused", "null", "Cannot read the body: expected an object, not null"),
    notJson(
      "a text for a list of files is refused",
      '{"fileDefinitions":"a.mrc"}',
      'Cannot read fileDefinitions: expected an array, not "a.mrc"',
    ),
    notJson(
      "a number for a name is refused",
      '{"fileDefinitions":[{"name":1}]}',
      "Cannot read fileDefinitions[0].name: expected a string, not 1",
    ),
    notJson(
      "a size that no 32 bits hold is refused",
      '{"fileDefinitions":[{"name":"a.mrc","size":2147483648}]}',
      "Cannot read fileDefinitions[0].size: expected a whole number from -2147483648 to 2147483647, not 2147483648",
    ),
    {
      ...create("a name of the language itself is as unknown as any other", "", {
        status: 422,
        body: {
          errors: [
            {
              message:
                'Unrecognized field "__proto__", known are id, metaJobExecutionId, status, createDate, fileDefinitions, metadata',
              type: "1",
              code: "-1",
              parameters: [{ key: "", value: "" }],
            },
          ],
        },
      }),
      send: {
        method: "POST",
        path: definitionsPath,
        headers: { ...okapi(), ...json },
        body: '{"__proto__":{"status":"LOADED"}}',
      },
    },
  ]);
});
