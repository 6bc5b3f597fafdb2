import { describe, expect, it } from "vitest";
import type { JsonValue } from "../../../src/core/index.js";
import { FolioErrors, FolioRefusal } from "../../../src/rest/folio/errors.js";
import {
  readFileDefinition,
  readFileExtension,
  readProcessFiles,
  readUploadDefinition,
} from "../../../src/rest/folio/schema.js";

const id = "71a43ec9-d923-4c44-8405-979af23b7cc9";
const fileId = "776C7413-7AD9-467B-A686-775A434D2505";
const created = "2019-03-21T15:36:49.583+0000";
const date = new Date("2019-03-21T15:36:49.583Z");
const metadata = { createdDate: created, createdByUserId: "5e1fd0eb-64bf-5d4a-b6ed-bb0889008bbc" };

const whole = {
  id,
  metaJobExecutionId: id,
  status: "IN_PROGRESS",
  createDate: created,
  fileDefinitions: [
    {
      id: fileId,
      sourcePath: `./storage/upload/${id}/${fileId}/marc.mrc`,
      name: "marc.mrc",
      status: "UPLOADED",
      jobExecutionId: id,
      uploadDefinitionId: id,
      createDate: created,
      uploadedDate: date.getTime(),
      size: 2147483647,
      uiKey: "marc.mrc1553182609583",
    },
  ],
  metadata,
};

const { metadata: _, ...definition } = whole;
const { sourcePath: __, ...file } = whole.fileDefinitions[0]!;
const fileWords = { ...file, createDate: date, uploadedDate: date };
const words = { ...definition, createDate: date, fileDefinitions: [fileWords] };

function refusalOf(run: () => unknown) {
  try {
    run();
  } catch (error) {
    if (error instanceof FolioRefusal) return `${error.status} ${error.message}`;
    if (error instanceof FolioErrors) return { errors: error.errors, ...error.options };
    throw error;
  }
  throw new Error("nothing was refused");
}

const violation = (constraint: string, message: string, key: string, value: string) => ({
  message,
  type: "1",
  code: `jakarta.validation.constraints.${constraint}.message`,
  parameters: [{ key, value }],
});
const notNull = (key: string) => violation("NotNull", "must not be null", key, "null");
const uuidRule =
  'must match "^[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-[1-5][a-fA-F0-9]{3}-[89abAB][a-fA-F0-9]{3}-[a-fA-F0-9]{12}$"';

describe("an upload definition in a request", () => {
  it("is read with everything that a server answers, without what is read-only", () => {
    expect(readUploadDefinition(whole)).toEqual(words);
  });

  it.each([[{}], [{ fileDefinitions: null, status: null, id: null, metadata: null }], [{ fileDefinitions: [] }]])(
    "may leave everything out: %j",
    (body) => {
      expect(readUploadDefinition(body)).toStrictEqual({ fileDefinitions: [] });
    },
  );

  it.each([[7], ["x"], [[{ loaded: true }]], [{ createdDate: 7 }]])(
    "may hold anything in what is read-only: %j",
    (anything) => {
      const body = { metadata: anything, fileDefinitions: [{ name: "a", sourcePath: anything }] };
      expect(readUploadDefinition(body)).toStrictEqual({ fileDefinitions: [{ name: "a" }] });
    },
  );

  it.each<[JsonValue, string]>([
    [null, "Cannot read the body: expected an object, not null"],
    [[], "Cannot read the body: expected an object, not an array"],
    ["{}", 'Cannot read the body: expected an object, not "{}"'],
    [{ status: "LOST" }, 'Cannot read status: expected one of NEW, IN_PROGRESS, LOADED, COMPLETED, ERROR, not "LOST"'],
    [{ status: 1 }, "Cannot read status: expected one of NEW, IN_PROGRESS, LOADED, COMPLETED, ERROR, not 1"],
    [{ id: {} }, "Cannot read id: expected a string, not an object"],
    [{ createDate: "today" }, 'Cannot read createDate: expected a date like 2019-03-21T15:36:49.583+0000, not "today"'],
    [{ fileDefinitions: {} }, "Cannot read fileDefinitions: expected an array, not an object"],
    [{ fileDefinitions: ["a"] }, 'Cannot read fileDefinitions[0]: expected an object, not "a"'],
    [
      { fileDefinitions: [{ name: "a" }, { name: true }] },
      "Cannot read fileDefinitions[1].name: expected a string, not true",
    ],
    [
      { fileDefinitions: [{ name: "a", status: "LOADED" }] },
      'Cannot read fileDefinitions[0].status: expected one of NEW, UPLOADING, UPLOADED, ERROR, not "LOADED"',
    ],
    [
      { fileDefinitions: [{ name: "a", uploadedDate: "2019-02-30" }] },
      'Cannot read fileDefinitions[0].uploadedDate: expected a date like 2019-03-21T15:36:49.583+0000, not "2019-02-30"',
    ],
  ])("is not %j", (body, refusal) => {
    expect(refusalOf(() => readUploadDefinition(body))).toBe(`400 ${refusal}`);
  });

  it.each<[JsonValue, string]>([
    [2147483648, "2147483648"],
    [-2147483649, "-2147483649"],
    [1.5, "1.5"],
    [JSON.parse("1e999"), "Infinity"],
    ["5", '"5"'],
  ])("has no file of %j KB", (size, shown) => {
    expect(refusalOf(() => readUploadDefinition({ fileDefinitions: [{ name: "a", size }] }))).toBe(
      `400 Cannot read fileDefinitions[0].size: expected a whole number from -2147483648 to 2147483647, not ${shown}`,
    );
  });

  it("shows only the beginning of what it refuses", () => {
    const refusal = refusalOf(() => readUploadDefinition({ status: "😀".repeat(1000) })) as string;
    expect(refusal.length).toBeLessThan(250);
    expect(refusal.isWellFormed()).toBe(true);
  });

  it.each<[JsonValue, string, string]>([
    [{ loaded: true }, "loaded", ""],
    [{ fileDefinitions: [{ name: "a", loaded: true }] }, "loaded", " in fileDefinitions[0]"],
    [JSON.parse('{"__proto__":{}}'), "__proto__", ""],
    [{ toString: 1 }, "toString", ""],
    [{ loaded: null, status: 7 }, "loaded", ""],
  ])("has no other members: %j", (body, name, where) => {
    const refusal = refusalOf(() => readUploadDefinition(body));
    const errors = [
      {
        message: expect.stringMatching(`^Unrecognized field "${name}"${where.replace(/[[\]]/g, "\\$&")}, known are `),
        type: "1",
        code: "-1",
        parameters: [{ key: "", value: "" }],
      },
    ];
    expect(refusal).toEqual({ errors });
  });

  it("is told every rule that it breaks, with the place and the value", () => {
    const body = {
      id: "7",
      fileDefinitions: [{}, { name: null, id: fileId }, null, { name: "", uploadDefinitionId: "" }],
    };
    expect(refusalOf(() => readUploadDefinition(body))).toEqual({
      errors: [
        violation("Pattern", uuidRule, "id", "7"),
        notNull("fileDefinitions[0].name"),
        notNull("fileDefinitions[1].name"),
        notNull("fileDefinitions[2]"),
        violation("Pattern", uuidRule, "fileDefinitions[3].uploadDefinitionId", ""),
      ],
    });
  });

  it.each([
    "71a43ec9-d923-6c44-8405-979af23b7cc9",
    "71a43ec9-d923-0c44-8405-979af23b7cc9",
    "71a43ec9-d923-4c44-c405-979af23b7cc9",
    "71a43ec9d9234c448405979af23b7cc9",
    ` ${id}`,
    `${id}\n`,
    `{${id}}`,
  ])("has ids of the versions 1 to 5 and the RFC's variant, unlike %j", (other) => {
    expect(refusalOf(() => readUploadDefinition({ id: other }))).toMatchObject({ errors: [{ message: uuidRule }] });
  });

  it.each(["name", "uiKey"])("has no %s that cannot be stored", (member) => {
    for (const [text, shown] of [
      ["a\0b", "a\ufffdb"],
      ["a\ud800", "a\ufffd"],
      ["\udc00a", "\ufffda"],
    ] as const) {
      const body = { fileDefinitions: [{ name: "a", [member]: text }] };
      const rule = "must not have a NUL character or half of a surrogate pair";
      const error = violation("Pattern", rule, `fileDefinitions[0].${member}`, shown);
      expect(refusalOf(() => readUploadDefinition(body))).toEqual({ errors: [error] });
    }
    const longest = { fileDefinitions: [{ name: "a", [member]: "\x01".repeat(4096) }] };
    expect(readUploadDefinition(longest)).toEqual(longest);
    const longer = { fileDefinitions: [{ name: "a", [member]: "x".repeat(4097) }] };
    const rule = "size must be between 0 and 4096";
    const error = violation("Size", rule, `fileDefinitions[0].${member}`, "x".repeat(80));
    expect(refusalOf(() => readUploadDefinition(longer))).toEqual({ errors: [error] });
  });

  it.each(["", " ", ".", "../../etc/passwd", "a\"'\\/{}[]()$.mrc", "x".repeat(300), "日本 😀", "a\nb"])(
    "may have a file named %j",
    (name) => {
      expect(readUploadDefinition({ fileDefinitions: [{ name }] })).toEqual({ fileDefinitions: [{ name }] });
    },
  );

  it("may have 10,000 files, and is told of at most 1,000 broken rules", () => {
    const fileDefinitions = Array.from({ length: 10_000 }, () => whole.fileDefinitions[0]!);
    expect(readUploadDefinition({ fileDefinitions }).fileDefinitions).toHaveLength(10_000);
    const bad = { fileDefinitions: Array.from({ length: 10_000 }, () => ({})) };
    expect(refusalOf(() => readUploadDefinition(bad))).toMatchObject({
      errors: { length: 1000, 999: notNull("fileDefinitions[999].name") },
    });
  });
});

describe("a file definition in a request", () => {
  it("is read, and needs a name", () => {
    expect(readFileDefinition({ name: "marc3.mrc", uploadDefinitionId: id })).toEqual({
      name: "marc3.mrc",
      uploadDefinitionId: id,
    });
    expect(readFileDefinition(whole.fileDefinitions[0]!)).toEqual(fileWords);
    expect(refusalOf(() => readFileDefinition({}))).toEqual({ errors: [notNull("name")] });
    expect(refusalOf(() => readFileDefinition({ name: "a", metadata }))).toMatchObject({ errors: [{ code: "-1" }] });
  });
});

describe("a request to process files", () => {
  const jobProfileInfo = { id, name: "Create instances", dataType: "MARC", hidden: false };

  it("is read with the whole of the answer that told the definition", () => {
    expect(readProcessFiles({ uploadDefinition: whole, jobProfileInfo })).toEqual({
      uploadDefinition: words,
      jobProfileInfo,
    });
    expect(readProcessFiles({ uploadDefinition: {}, jobProfileInfo: { id } })).toEqual({
      uploadDefinition: { fileDefinitions: [] },
      jobProfileInfo: { id },
    });
  });

  it("needs both, and the profile's id", () => {
    expect(refusalOf(() => readProcessFiles({}))).toEqual({
      errors: [notNull("uploadDefinition"), notNull("jobProfileInfo")],
    });
    const body = { uploadDefinition: { fileDefinitions: [{}] }, jobProfileInfo: {} };
    expect(refusalOf(() => readProcessFiles(body))).toEqual({
      errors: [notNull("uploadDefinition.fileDefinitions[0].name"), notNull("jobProfileInfo.id")],
    });
  });

  it.each([
    [{ dataType: "JSON" }, 'jobProfileInfo.dataType: expected one of Delimited, EDIFACT, MARC, not "JSON"'],
    [{ hidden: "no" }, 'jobProfileInfo.hidden: expected true or false, not "no"'],
  ])("has no profile with %j", (wrong, refusal) => {
    const body = { uploadDefinition: {}, jobProfileInfo: { id, ...wrong } };
    expect(refusalOf(() => readProcessFiles(body))).toBe(`400 Cannot read ${refusal}`);
  });
});

describe("a file extension in a request", () => {
  const body = {
    id: "any",
    description: "",
    extension: ".mrc",
    dataTypes: ["MARC", "EDIFACT"],
    importBlocked: false,
    userInfo: { firstName: "", lastName: "", userName: "System" },
  };

  it("is read with everything that a server answers, without what is read-only", () => {
    expect(readFileExtension({ ...body, metadata })).toEqual(body);
    expect(readFileExtension({ extension: "x", importBlocked: true })).toEqual({
      extension: "x",
      importBlocked: true,
      dataTypes: [],
    });
  });

  it("needs an extension, and to say whether it is blocked", () => {
    expect(refusalOf(() => readFileExtension({}))).toEqual({
      errors: [notNull("extension"), notNull("importBlocked")],
    });
  });

  it("has bounded texts", () => {
    const long = { ...body, description: "x".repeat(2001), extension: "x".repeat(256) };
    expect(refusalOf(() => readFileExtension(long))).toMatchObject({
      errors: [{ message: "size must be between 0 and 2000" }, { message: "size must be between 0 and 255" }],
    });
  });

  it.each([
    [{ dataTypes: ["MARC", "XML"] }, 'dataTypes[1]: expected one of Delimited, EDIFACT, MARC, not "XML"'],
    [{ dataTypes: "MARC" }, 'dataTypes: expected an array, not "MARC"'],
    [{ importBlocked: 0 }, "importBlocked: expected true or false, not 0"],
    [{ userInfo: { userName: 7 } }, "userInfo.userName: expected a string, not 7"],
  ])("is not one with %j", (wrong, refusal) => {
    expect(refusalOf(() => readFileExtension({ ...body, ...wrong }))).toBe(`400 Cannot read ${refusal}`);
  });
});
