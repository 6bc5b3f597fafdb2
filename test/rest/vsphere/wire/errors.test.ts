import { describe, expect, it } from "vitest";
import { UploadError } from "../../../../src/core/index.js";
import {
  invalidArgument,
  message,
  VapiError,
  type VapiErrorType,
  vapiError,
} from "../../../../src/rest/vsphere/errors.js";
import { openEcho } from "./echo-dialect.js";

const rest = "GET /rest/com/vmware/content/library/id:l";
const api = "GET /api/content/library/l";
const login = "/rest/com/vmware/cis/session";
const throwing = (error: unknown) =>
  openEcho(() => {
    throw error;
  });
const missing = new VapiError("not_found", [
  message("com.vmware.x", "no <such> library", ["l", "&"]),
  message("second", "look elsewhere"),
]);
const messages = [
  { default_message: "no <such> library", id: "com.vmware.x", args: ["l", "&"] },
  { default_message: "look elsewhere", id: "slipway.second", args: [] },
];

describe("an error", () => {
  it("has its type and messages in the words of 6.x", async () => {
    const { asked: _, ...answer } = await throwing(missing).ask(rest);
    expect(answer).toEqual({
      status: 404,
      headers: { "cache-control": "no-store", "content-type": "application/json" },
      body: JSON.stringify({ type: "com.vmware.vapi.std.errors.not_found", value: { messages } }),
    });
  });

  it("is not wrapped in the newer API", async () => {
    const { asked: _, ...answer } = await throwing(missing).ask(api);
    expect(answer).toEqual({
      status: 404,
      headers: { "cache-control": "no-store", "content-type": "application/json" },
      body: JSON.stringify({ error_type: "NOT_FOUND", messages }),
    });
  });

  it("is a document in XML", async () => {
    const { status, headers, body } = await throwing(missing).ask(rest, undefined, { accept: "application/xml" });
    expect([status, headers["content-type"]]).toEqual([404, "application/xml"]);
    expect(body).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<ns0:Error xmlns:ns0="http://vmware.com/vapi/std/errors">' +
        "<type>com.vmware.vapi.std.errors.not_found</type><value><messages-array>" +
        "<array-item><default_message>no &lt;such&gt; library</default_message><id>com.vmware.x</id>" +
        "<args-array><array-item>l</array-item><array-item>&amp;</array-item></args-array></array-item>" +
        "<array-item><default_message>look elsewhere</default_message><id>slipway.second</id>" +
        "<args-array></args-array></array-item></messages-array></value></ns0:Error>\n",
    );
  });

  it.each<[VapiErrorType, number, number]>([
    ["resource_busy", 400, 500],
    ["concurrent_change", 400, 409],
    ["invalid_argument", 400, 400],
    ["unauthorized", 403, 403],
    ["service_unavailable", 503, 503],
  ])("has the status of the generation: %s", async (type, older, newer) => {
    const { ask } = throwing(vapiError(type, "x", "x"));
    expect([(await ask(rest)).status, (await ask(api)).status]).toEqual([older, newer]);
  });

  it("of the core is said in these words", async () => {
    const { ask, logged } = throwing(new UploadError("busy", "it is busy", { reason: "SESSION_STATE" }));
    const { status, body } = await ask(api);
    expect([status, JSON.parse(body!), logged]).toEqual([
      500,
      {
        error_type: "RESOURCE_BUSY",
        messages: [{ id: "slipway.session_state", default_message: "it is busy", args: [] }],
      },
      [],
    ]);
  });

  it("keeps headers of its own", async () => {
    const error = new VapiError("invalid_request", [message("x", "x")], 416, { "content-range": "bytes */5" });
    const { status, headers } = await throwing(error).ask(rest);
    expect([status, headers["content-range"]]).toEqual([416, "bytes */5"]);
  });

  it("that nobody foresaw is logged, and reads the same for both generations", async () => {
    for (const line of [rest, api]) {
      const { ask, logged } = throwing(new Error("secret"));
      const { status, headers, body } = await ask(line);
      const told = JSON.parse(body!);
      expect([status, headers["cache-control"], logged.map(String)]).toEqual([500, "no-store", ["Error: secret"]]);
      expect(told.type).toBe("com.vmware.vapi.std.errors.internal_server_error");
      expect(told.error_type).toBe("INTERNAL_SERVER_ERROR");
      expect(told.messages).toEqual(told.value.messages);
      expect(body).not.toContain("secret");
    }
  });
});

describe("a refused login", () => {
  const { ask } = throwing(vapiError("unauthenticated", "x", "who are you"));
  const challengeOf = async (line: string) => (await ask(line)).headers["www-authenticate"];

  it.each([`POST ${login}`, `POST ${login}?~action=create`, "POST /com/vmware/cis/session", "POST /api/session"])(
    "names the scheme: %s",
    async (line) => {
      expect(await challengeOf(line)).toMatch(/^Basic realm="/);
    },
  );

  it.each([`GET ${login}`, `POST ${login}?~action=get`, `DELETE ${login}`, "GET /api/session", rest, api])(
    "is the only one that does: %s does not",
    async (line) => {
      expect([(await ask(line)).status, await challengeOf(line)]).toEqual([401, undefined]);
    },
  );
});

describe("a request that no operation is for", () => {
  const { ask } = openEcho();
  const told = async (line: string, headers = {}) => {
    const answer = await ask(line, undefined, headers);
    return { ...answer, body: JSON.parse(answer.body!) };
  };

  it.each([
    "GET /rest/com/vmware/content/nothing",
    "GET /com/vmware",
    "POST /rest/com/vmware/content/library/item/updatesession/file/id:u",
  ])("is not_found at an unknown URL: %s", async (line) => {
    const { status, body } = await told(line);
    const error = { id: "com.vmware.vapi.rest.operationsForUrlNotFound", args: [line.split(" ")[1]] };
    expect([status, body]).toEqual([
      404,
      {
        type: "com.vmware.vapi.std.errors.not_found",
        value: { messages: [{ ...error, default_message: "no operation is at this URL" }] },
      },
    ]);
  });

  it("is not_found in the words of the newer API", async () => {
    const { status, body } = await told("GET /api/content/library/item/updatesession/file/x/y");
    expect([status, body.error_type]).toEqual([404, "NOT_FOUND"]);
  });

  it("is an invalid_request by another method, and is told which there are", async () => {
    const { status, headers, body } = await told("PUT /rest/com/vmware/content/library/id:l");
    expect([status, headers.allow, body]).toEqual([
      405,
      "GET, PATCH, HEAD, OPTIONS",
      {
        type: "com.vmware.vapi.std.errors.invalid_request",
        value: {
          messages: [
            {
              id: "slipway.method_not_allowed",
              default_message: "PUT is not for this URL: it takes GET, PATCH, HEAD, OPTIONS",
              args: ["PUT", "GET, PATCH, HEAD, OPTIONS"],
            },
          ],
        },
      },
    ]);
  });

  it.each([
    "GET /rest/com/vmware/%zz",
    "GET /rest/com/vmware/content/library/id:l?%zz",
    "POST /rest/com/vmware/nothing?~action=%zz",
  ])("and that is not well encoded is an invalid_argument: %s", async (line) => {
    const { status, body } = await told(line);
    expect([status, body.type]).toEqual([400, "com.vmware.vapi.std.errors.invalid_argument"]);
  });

  it("is said in XML to who reads that", async () => {
    const { status, body } = await ask("GET /rest/com/vmware/x", undefined, { accept: "text/xml" });
    expect([status, body]).toEqual([404, expect.stringContaining("<type>com.vmware.vapi.std.errors.not_found</type>")]);
  });

  it("has a body that is too large refused with the setting's name", async () => {
    const { ask: send } = throwing(invalidArgument("x", "x"));
    const { status, body } = await send("POST /rest/com/vmware/content/library?~action=find", " ".repeat(2 ** 20 + 1));
    const [first] = JSON.parse(body!).value.messages;
    expect([status, first.default_message]).toEqual([
      413,
      "the body may have 1048576 bytes at most (SLIPWAY_MAX_JSON_BYTES)",
    ]);
  });
});
