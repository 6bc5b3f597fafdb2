// What is the same for every row: who asks, of which types things are, and where there is nothing.
import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { type Exchange, type Json, tell } from "./exchanges.js";
import { ann, definitionsPath, okapi, useFolioServer } from "./folio-server.js";
import {
  addFile,
  at,
  bytes,
  create,
  definition,
  file,
  json,
  put,
  read,
  refused,
  remove,
  upload,
  uploaded,
} from "./shown.js";

const scene = useFolioServer({ env: { SLIPWAY_DURABILITY: "os", SLIPWAY_FOLIO_MAX_FILE_BYTES: "1GiB" } });
const open = () => scene.http["1.1"];
const profile = { id: "e34d7b92-9b83-11eb-a8b3-0242ac130003" };

const get = (name: string, path: string, headers: Record<string, string>, expected: Exchange["expect"]): Exchange => ({
  name,
  send: { method: "GET", path, headers },
  expect: expected,
});
const entries = (...errors: readonly (readonly [message: string, code: string])[]): Json => ({
  errors: errors.map(([message, code]) => ({ message, code, parameters: [] })),
  total_records: errors.length,
});

describe("whoever asks", () => {
  tell(open, [
    get("names a tenant", definitionsPath, {}, { status: 400, body: "Unable to process request Tenant must be set" }),
    get("names a tenant that is there", definitionsPath, okapi(ann, "nowhere"), {
      status: 400,
      body: "No such Tenant nowhere",
    }),
    get("need not name one to learn that the server is well", "/admin/health", {}, { status: 200, body: "OK" }),
    get(
      "may be known from a token alone, which nobody verifies here",
      `${definitionsPath}?query=cql.allRecords=1`,
      {
        "x-okapi-tenant": "diku",
        "x-okapi-token": `eyJhbGciOiJub25lIn0=.${Buffer.from(JSON.stringify({ user_id: ann, tenant: "diku" })).toString("base64")}.`,
      },
      { status: 200, headers: { "content-length": undefined }, body: { uploadDefinitions: [], totalRecords: 0 } },
    ),
  ]);
});

describe("the type of an answer", () => {
  const offer = '["application/json","text/plain"]';
  const status = { status: 200, body: { splitStatus: false } };
  const splitStatus = (name: string, accept: string, expected: Exchange["expect"]) =>
    get(name, "/data-import/splitStatus", { ...okapi(), accept }, expected);
  const refusedTo = (accept: string) => ({
    status: 400,
    body: `Accept header must be ${offer} for this request, but it is "${accept}", can not send */*`,
  });

  tell(open, [
    splitStatus("may be asked for as JSON", "application/json", status),
    splitStatus(
      "may be asked for as JSON in capital letters, with parameters",
      "text/html, Application/JSON;q=0.1",
      status,
    ),
    splitStatus("may be asked for as text, which is what an error has", "text/plain", status),
    splitStatus("may be anything", "text/html, */*;q=0.8", status),
    splitStatus("may not be another one", "text/html", refusedTo("text/html")),
    splitStatus("may not be part of a name", "application/*", refusedTo("application/*")),
    get("is not asked for without the header", "/data-import/splitStatus", okapi(), status),
  ]);
});

describe("a path", () => {
  tell(open, [
    get("may end with a slash", "/data-import/splitStatus/", okapi(), { status: 200, body: { splitStatus: false } }),
    get("may have parameters that nobody knows", "/data-import/splitStatus?lang=en&x", okapi(), {
      status: 200,
      body: { splitStatus: false },
    }),
    get("that there is none of answers 404", "/data-import/nope", okapi(), {
      status: 404,
      headers: { "content-type": "text/html; charset=utf-8" },
      body: "<html><body><h1>Resource not found</h1></body></html>",
    }),
    {
      name: "with another method answers 405",
      send: { method: "PATCH", path: definitionsPath, headers: okapi() },
      expect: { status: 405, headers: { allow: "POST,GET,HEAD,OPTIONS", "content-type": undefined }, body: "" },
    },
  ]);
});

describe("a new definition", () => {
  const one = [{ name: "a.mrc" }];
  tell(open, [
    create(
      "of files that are too large or blocked answers 422 with an entry for each, sizes first",
      {
        fileDefinitions: [
          { name: "a.PNG" },
          { name: "b.mrc", size: 2147483647 },
          { name: "c.zip", size: 2147483647 },
          { name: "d.mrc", size: 1 },
        ],
      },
      {
        status: 422,
        body: entries(
          ["upload.fileSize.invalid", "b.mrc"],
          ["upload.fileSize.invalid", "c.zip"],
          ["upload.fileSize.invalid", "d.mrc"],
          ["validation.uploadDefinition.fileExtension.blocked", "a.PNG"],
          ["validation.uploadDefinition.fileExtension.blocked", "c.zip"],
        ),
      },
    ),
    ...[{}, { fileDefinitions: [] }].map((body) =>
      create(`of no files answers 422: ${JSON.stringify(body)}`, body, {
        status: 422,
        body: {
          errors: [
            {
              message: "must not be empty",
              type: "1",
              code: "jakarta.validation.constraints.NotEmpty.message",
              parameters: [{ key: "fileDefinitions", value: "[]" }],
            },
          ],
          total_records: 1,
        },
      }),
    ),
    refused(
      {
        ...create("is JSON", "", { status: 400 }),
        send: {
          method: "POST",
          path: definitionsPath,
          headers: { ...okapi(), "content-type": "text/plain" },
          body: "{}",
        },
      },
      400,
      'Content-type header must be ["application/json"] but it is "text/plain"',
    ),
    {
      ...create("is JSON without a word, too, and of whoever asks where that is nobody", "", {
        status: 201,
        body: definition("NEW", [file("a", "a.mrc", { jobExecutionId: "<job>" })], {
          metadata: { createdDate: "<at:created>", updatedDate: "<at:created>" },
        }),
      }),
      send: {
        method: "POST",
        path: definitionsPath,
        headers: { "x-okapi-tenant": "diku" },
        body: JSON.stringify({ fileDefinitions: one }),
      },
    },
    {
      ...create("drops what a server sets: ids, dates, statuses", "", {
        status: 201,
        body: definition("NEW", [file("b", "b.json", { jobExecutionId: "<other>", uploadDefinitionId: "<second>" })], {
          id: "<second>",
          metaJobExecutionId: "<other>",
        }),
      }),
      anew: ["at:asked", "at:created"],
      send: {
        method: "POST",
        path: definitionsPath,
        headers: { ...okapi(), "content-type": "application/json; charset=utf-8" },
        body: {
          id: profile.id,
          metaJobExecutionId: profile.id,
          status: "COMPLETED",
          createDate: 1553182609583,
          metadata: { createdDate: "yesterday" },
          fileDefinitions: [
            {
              id: profile.id,
              name: "b.json",
              status: "UPLOADED",
              sourcePath: "../../etc/passwd",
              jobExecutionId: profile.id,
              uploadDefinitionId: profile.id,
              createDate: "2019-03-21T15:36:49.583Z",
              uploadedDate: "2019-03-21T15:36:49.583+00:00",
            },
          ],
        },
      },
    },
  ]);
});

describe("another tenant", () => {
  const there = okapi(ann, "elsewhere");
  const notFound = "Upload Definition was not found. ID: <definition>";
  const marc = file("marc", "marc.mrc", { jobExecutionId: "<job>" });
  const content = Buffer.from("content");
  tell(open, [
    create(
      "has a definition",
      { fileDefinitions: [{ name: "marc.mrc" }] },
      { status: 201, body: definition("NEW", [marc]) },
    ),
    refused(read("and one cannot read it", "", there), 404, "Upload Definition with id '<definition>' not found"),
    refused(put("nor change it", {}, { status: 404 }, there), 404, notFound),
    refused(
      remove("nor delete it", "/<definition>", there),
      404,
      "UploadDefinition with id '<definition>' was not found",
    ),
    refused(addFile("nor add a file", { name: "a.mrc" }, { status: 404 }, there), 404, notFound),
    refused(upload("nor upload one", "marc", content, "", there), 404, notFound),
    refused(remove("nor delete one", "/<definition>/files/<marc>", there), 404, notFound),
    {
      name: "nor hand it over",
      send: {
        method: "POST",
        path: at("/<definition>/processFiles"),
        headers: { ...there, ...json },
        body: { uploadDefinition: { id: "<definition>" }, jobProfileInfo: profile },
      },
      expect: { status: 404, body: "Upload definition not found by id: <definition>" },
    },
    read("which all left it as it was", definition("NEW", [marc])),
    upload(
      "whose own can, any of them",
      "marc",
      content,
      definition("LOADED", [file("marc", "marc.mrc", { jobExecutionId: "<job>", ...uploaded("marc") })]),
      okapi("11111111-2222-4333-8444-555555555555"),
    ),
  ]);
});

describe("a client that waits to be asked for its body", () => {
  const content = "content";

  async function begin(path: string, type: Record<string, string>) {
    const socket = connect(scene.server.port, "127.0.0.1").setEncoding("utf8");
    await once(socket, "connect");
    let text = "";
    socket.on("data", (more) => {
      text += String(more);
    });
    const length = { "content-length": String(content.length), expect: "100-continue" };
    const lines = Object.entries({ host: "localhost", ...okapi(), ...type, ...length }).map((line) => line.join(": "));
    socket.write(`POST ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    const hears = (lines: RegExp) => vi.waitFor(() => expect(text).toMatch(lines), { timeout: 20_000, interval: 10 });
    return { socket, hears };
  }

  it("is asked, and answered when it has sent it", async () => {
    const body = Buffer.from('{"fileDefinitions":[{"name":"a.mrc"}]}');
    const made = await open().ask({ method: "POST", path: definitionsPath, headers: { ...okapi(), ...json }, body });
    const { id, fileDefinitions } = JSON.parse(made.body.toString("utf8")) as {
      id: string;
      fileDefinitions: { id: string }[];
    };
    const { socket, hears } = await begin(at(`/${id}/files/${fileDefinitions[0]!.id}`), bytes);
    await hears(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    socket.write(content);
    await hears(/\r\n\r\nHTTP\/1\.1 200 OK\r\n.*"status" : "LOADED"/s);
    socket.destroy();
  });

  it.each([
    ["for a definition that is not there", at("/x/files/y"), bytes, /^HTTP\/1\.1 404 Not Found\r\n/],
    ["of another media type", at("/x/files/y"), json, /^HTTP\/1\.1 400 Bad Request\r\n/],
    [
      "which is JSON for a tenant that is not there",
      definitionsPath,
      { ...json, "x-okapi-tenant": "nowhere" },
      /^HTTP\/1\.1 400/,
    ],
  ])("%s, is answered at once and not asked for it", async (_what, path, type, line) => {
    const { socket, hears } = await begin(path, type);
    await hears(line);
    socket.destroy();
  });
});
