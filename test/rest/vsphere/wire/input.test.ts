import { describe, expect, it } from "vitest";
import { openEcho, type Told } from "./echo-dialect.js";

const { ask, logged } = openEcho();
const updates = "/rest/com/vmware/content/library/item/update-session";
const files = "/rest/com/vmware/content/library/item/updatesession/file";
const apiFiles = "/api/content/library/item/update-session/u/file";
const json = { "content-type": "application/json" };
const xml = { "content-type": "application/xml" };
const asXml = { ...xml, accept: "application/json" };
const form = { "content-type": "application/x-www-form-urlencoded" };

/** The status, and what was said about it: the ids of the messages with what they are about. */
function problemsOf({ status, body, asked }: Told) {
  expect([asked, logged]).toEqual([undefined, []]);
  const told = JSON.parse(body!);
  const { messages } = told.value ?? told;
  return [status, ...messages.map(({ id, args }: { id: string; args: string[] }) => `${id} ${args.join(" ")}`)];
}

describe("an empty body", () => {
  it.each([
    ["nothing of a body", undefined, {}],
    ["a chunked JSON of no bytes, as govmomi sends", "", json],
    ["white space", " \r\n", json],
    ["an XML of no bytes", "", xml],
    ["a form of no bytes", "", form],
    ["a type that is not taken, of no bytes", "", { "content-type": "multipart/form-data; boundary=x" }],
    ["an empty object", "{}", json],
    ["null", "null", json],
  ])("is one without parameters, and the query has them all: %s", async (_what, body, headers) => {
    const { asked } = await ask(`POST ${updates}?create_spec.library_item_id=i&client_token=t`, body, headers);
    expect(asked?.input).toEqual({ client_token: "t", create_spec: { library_item_id: "i" } });
    expect((await ask(`POST ${updates}/id:u?~action=complete`, body, headers)).asked?.input).toEqual({
      update_session_id: "u",
    });
  });
});

describe("the media type of a body", () => {
  const spec = '{"spec":{"name":"n"}}';
  const find = "POST /rest/com/vmware/content/library?~action=find";

  it.each([undefined, "application/json", "Application/JSON; charset=utf-8", "text/plain", "application/octet-stream"])(
    "may be anything where the body is JSON: %s",
    async (type) => {
      const { asked } = await ask(find, spec, type === undefined ? {} : { "content-type": type });
      expect(asked?.input).toEqual({ spec: { name: "n" } });
    },
  );

  it.each(["application/xml", "text/xml", "Text/XML;charset=UTF-8"])("tells XML: %s", async (type) => {
    const body = "<Find-Input><spec><name>n</name></spec></Find-Input>";
    expect((await ask(find, body, { "content-type": type })).asked?.input).toEqual({ spec: { name: "n" } });
  });

  it.each(["application/x-www-form-urlencoded", "application/X-WWW-Form-Urlencoded; charset=utf-8"])(
    "tells a form: %s",
    async (type) => {
      const { asked } = await ask(find, "spec.name=a+b%2Bc", { "content-type": type });
      expect(asked?.input).toEqual({ spec: { name: "a b+c" } });
    },
  );

  it.each([
    ["the older", "POST /rest/com/vmware/content/library?~action=find"],
    ["the newer", "POST /api/content/library?action=find"],
  ])(
    "may be a form's, as curl says of all it sends, where the body is an object of JSON: %s API",
    async (_api, line) => {
      expect((await ask(line, ` \r\n${spec}`, form)).asked?.input).toEqual({ spec: { name: "n" } });
      expect(problemsOf(await ask(line, '{"spec":', form))).toEqual([400, "slipway.http 400"]);
    },
  );

  it.each(["multipart/form-data; boundary=x", "text/csv", "application/octet-stream"])(
    "is refused with 415 where the body is no JSON either: %s",
    async (type) => {
      const told = await ask(find, "--x", { "content-type": type });
      expect(problemsOf(told)).toEqual([415, "slipway.http 415"]);
      expect(JSON.parse(told.body!).type).toBe("com.vmware.vapi.std.errors.invalid_request");
    },
  );

  it.each([undefined, "application/json"])(
    "is said to be JSON, or not at all, and the body is none: %s",
    async (type) => {
      const told = await ask(find, "{", type === undefined ? {} : { "content-type": type });
      expect(problemsOf(told)).toEqual([400, "slipway.http 400"]);
      expect(JSON.parse(told.body!).type).toBe("com.vmware.vapi.std.errors.invalid_argument");
    },
  );

  it.each([
    ["application/xml", "<Add-Input><name>x</name></Add-Input>"],
    ["application/x-www-form-urlencoded", "name=x&source_type=PUSH"],
  ])("is JSON alone in the newer API: %s is 415", async (type, body) => {
    expect(problemsOf(await ask(`POST ${apiFiles}`, body, { "content-type": type }))).toEqual([
      415,
      "slipway.http 415",
    ]);
  });

  it("is of bytes as they are: a content coding is refused", async () => {
    expect(problemsOf(await ask(find, spec, { ...json, "content-encoding": "gzip" }))).toEqual([
      415,
      "slipway.http 415",
    ]);
  });
});

describe("parts of an input", () => {
  const get = "content.library.item.updatesession.file.get";

  it("come together from path, query and body", async () => {
    const { asked } = await ask(`POST ${files}/id:u?~action=get`, '{"file_name":"f","update_session_id":"u"}', json);
    expect(asked).toEqual({ operation: get, input: { update_session_id: "u", file_name: "f" } });
    const line = `POST ${files}?~action=add&file_spec.size=5&file_spec.checksum_info.algorithm=md5`;
    const body =
      '{"file_spec":{"name":"f","source_type":"PUSH","checksum_info":{"checksum":"x"}},"update_session_id":"u"}';
    expect((await ask(line, body, json)).asked?.input).toEqual({
      update_session_id: "u",
      file_spec: { name: "f", source_type: "PUSH", size: 5, checksum_info: { checksum: "x", algorithm: "MD5" } },
    });
    const document = "<Add-Input><file_spec><name>f</name><source_type>PUSH</source_type></file_spec></Add-Input>";
    expect((await ask(`POST ${files}?~action=add&update_session_id=u`, document, xml)).asked?.input).toEqual({
      update_session_id: "u",
      file_spec: { name: "f", source_type: "PUSH" },
    });
  });

  it.each([
    ["JSON", '{"update_session_id":"v"}', json],
    ["XML", "<Complete-Input><update_session_id>v</update_session_id></Complete-Input>", asXml],
    ["a form", "update_session_id=v", form],
  ])("must not contradict the path: %s", async (_what, body, headers) => {
    const told = await ask(`POST ${updates}/id:u?~action=complete`, body, headers);
    expect(problemsOf(told)).toEqual([400, "slipway.value_contradicted update_session_id"]);
  });

  it("name the same id in the path and elsewhere, whatever the case of a UUID's letters", async () => {
    const [lower, upper] = ["0b0bf5f4-4f5a-4b1c-8c9e-2a6f1d3e5c7a", "0B0BF5F4-4F5A-4B1C-8C9E-2A6F1D3E5C7A"];
    for (const [path, other] of [
      [lower, upper],
      [upper, lower],
    ] as const) {
      const line = `${updates}/id:${path}`;
      const input = { update_session_id: path };
      const inBody = await ask(`POST ${line}?~action=complete`, `{"update_session_id":"${other}"}`, json);
      expect(inBody.asked?.input).toEqual(input);
      expect((await ask(`GET ${line}?update_session_id=${other}`)).asked?.input).toEqual(input);
    }
    const another = `${updates}/id:${lower}?update_session_id=${upper.replace("0B", "0C")}`;
    expect(problemsOf(await ask(`GET ${another}`))).toEqual([400, "slipway.value_contradicted update_session_id"]);
    // What is no UUID, or names no thing of the server, is the text that it is.
    const short = await ask(`GET ${updates}/id:u?update_session_id=U`);
    expect(problemsOf(short)).toEqual([400, "slipway.value_contradicted update_session_id"]);
    const name = await ask(`GET ${apiFiles}/${lower}?file_name=${upper}`);
    expect(problemsOf(name)).toEqual([400, "slipway.value_contradicted file_name"]);
  });

  it("must not contradict the path in the query", async () => {
    const line = `GET ${updates}/id:u?update_session_id=`;
    expect((await ask(`${line}u`)).asked?.input).toEqual({ update_session_id: "u" });
    expect(problemsOf(await ask(`${line}v`))).toEqual([400, "slipway.value_contradicted update_session_id"]);
  });

  it("are each in one place: the query or the body", async () => {
    const told = await ask(
      `POST ${updates}?create_spec.library_item_id=i&client_token=t`,
      '{"create_spec":{"library_item_id":"i"}}',
    );
    expect(problemsOf(told)).toEqual([400, "slipway.value_repeated create_spec.library_item_id"]);
    const line = `POST ${updates}?create_spec.warning_behavior.1.ignored=true&create_spec.warning_behavior.1.type=EXPIRED_CERTIFICATE`;
    const body = '{"create_spec":{"library_item_id":"i","warning_behavior":[]}}';
    expect(problemsOf(await ask(line, body))).toEqual([400, "slipway.value_repeated create_spec.warning_behavior"]);
  });

  it("that are missing are named together, with all that is above them", async () => {
    expect(problemsOf(await ask(`POST ${updates}`))).toEqual([400, "slipway.value_missing create_spec"]);
    expect(problemsOf(await ask(`POST ${files}?~action=get`))).toEqual([
      400,
      "slipway.value_missing update_session_id",
      "slipway.value_missing file_name",
    ]);
    const spec = { name: "f", checksum_info: {}, source_endpoint: null, source_type: null };
    expect(problemsOf(await ask(`POST ${files}?~action=add`, JSON.stringify({ file_spec: spec })))).toEqual([
      400,
      "slipway.value_missing update_session_id",
      "slipway.value_missing file_spec.source_type",
      "slipway.value_missing file_spec.checksum_info.checksum",
    ]);
  });

  it("of a path are texts that can be kept", async () => {
    expect(problemsOf(await ask(`GET ${updates}/id:%00`))).toEqual([400, "slipway.value_invalid update_session_id"]);
    expect(problemsOf(await ask(`GET ${apiFiles}/a%00b`))).toEqual([400, "slipway.value_invalid file_name"]);
  });

  it("are told of in ten messages at most", async () => {
    const warnings = Array.from({ length: 50 }, () => ({ type: "x", ignored: 1 }));
    const body = JSON.stringify({ update_spec: { warning_behavior: warnings } });
    expect(problemsOf(await ask(`PATCH ${updates}/id:u`, body))).toHaveLength(11);
  });
});

describe("the newer API", () => {
  const spec = { name: "f", source_type: "PUSH" };
  const input = { update_session_id: "u", file_spec: spec };

  it.each([
    ["bare", spec],
    ["wrapped", { file_spec: spec }],
    ["wrapped with the id beside it", { file_spec: spec, update_session_id: "u" }],
  ])("takes a parameter as the body: %s", async (_what, body) => {
    expect((await ask(`POST ${apiFiles}`, JSON.stringify(body), json)).asked?.input).toEqual(input);
    expect((await ask(`POST ${apiFiles}?action=add`, JSON.stringify(body), json)).asked?.input).toEqual(input);
  });

  it("takes the members of the body for the parameters where it is none of them", async () => {
    const keepAlive = "POST /api/content/library/item/update-session/u?action=keep-alive";
    const asked = { update_session_id: "u", client_progress: 5 };
    expect((await ask(keepAlive, '{"client_progress":5}', json)).asked?.input).toEqual(asked);
    expect((await ask(`${keepAlive}&client_progress=5`, "", json)).asked?.input).toEqual(asked);
  });

  const create = "POST /api/content/library/item/update-session";
  it("takes a client token from a header, or from the query", async () => {
    const created = { client_token: "t", create_spec: { library_item_id: "i" } };
    const body = '{"library_item_id":"i"}';
    expect((await ask(create, body, { "client-token": "t" })).asked?.input).toEqual(created);
    expect((await ask(`${create}?client_token=t`, body)).asked?.input).toEqual(created);
    expect((await ask(`${create}?client_token=t`, body, { "client-token": "t" })).asked?.input).toEqual(created);
    const contradicted = await ask(`${create}?client_token=t`, body, { "client-token": "s" });
    expect(problemsOf(contradicted)).toEqual([400, "slipway.value_contradicted client_token"]);
  });

  it("passes over a client token where nothing is created, and in the older API", async () => {
    const headers = { "client-token": "t" };
    expect((await ask("GET /api/content/library/l", undefined, headers)).asked?.input).toEqual({ library_id: "l" });
    const { asked } = await ask(`POST ${updates}?create_spec.library_item_id=i`, undefined, headers);
    expect(asked?.input).toEqual({ create_spec: { library_item_id: "i" } });
  });

  it("names what is wrong in the body by its parameter", async () => {
    expect(problemsOf(await ask(`POST ${apiFiles}`, '{"name":5,"source_type":"PUSH"}'))).toEqual([
      400,
      "slipway.value_invalid file_spec.name",
    ]);
    expect(problemsOf(await ask(`POST ${apiFiles}`, "[]"))).toEqual([400, "slipway.value_invalid file_spec"]);
    expect(problemsOf(await ask(`POST ${apiFiles}`))).toEqual([400, "slipway.value_missing file_spec"]);
  });
});
