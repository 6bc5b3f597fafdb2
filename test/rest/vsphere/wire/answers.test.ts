import { describe, expect, it } from "vitest";
import { openEcho } from "./echo-dialect.js";

const path = "/com/vmware/content/library/item/update-session";
const updates = "http://vmware.com/content/library/item/update_session";
const prolog = '<?xml version="1.0" encoding="UTF-8"?>\n';
const noStore = { "cache-control": "no-store" };

const session = {
  id: "u:1",
  library_item_id: "i",
  library_item_content_version: "2",
  error_message: { default_message: `<a> & "b"\r\n\0\ufffe😀`, id: "x", args: [] },
  client_progress: 0,
  state: "ACTIVE",
  expiration_time: new Date("2013-06-06T22:13:05Z"),
  preview_info: undefined,
  warning_behavior: [{ type: "EXPIRED_CERTIFICATE", ignored: false }],
  secret: "nobody's business",
};

const inJson = {
  id: "u:1",
  library_item_id: "i",
  library_item_content_version: "2",
  error_message: { default_message: `<a> & "b"\r\n\0\ufffe😀`, id: "x", args: [] },
  client_progress: 0,
  state: "ACTIVE",
  expiration_time: "2013-06-06T22:13:05.000Z",
  warning_behavior: [{ type: "EXPIRED_CERTIFICATE", ignored: false }],
};

const inXml =
  "<value><id>u:1</id><library_item_id>i</library_item_id><library_item_content_version>2</library_item_content_version>" +
  "<error_message><default_message>&lt;a&gt; &amp; &quot;b&quot;&#13;\n\ufffd\ufffd😀</default_message><id>x</id>" +
  "<args-array></args-array></error_message><client_progress>0</client_progress><state>ACTIVE</state>" +
  "<expiration_time>2013-06-06T22:13:05.000Z</expiration_time><warning_behavior-array><array-item>" +
  "<type>EXPIRED_CERTIFICATE</type><ignored>false</ignored></array-item></warning_behavior-array></value>";

describe("a result", () => {
  const { ask } = openEcho(({ name }) => (name === "get" ? session : name === "list" ? ["a", "b"] : "obj-103"));

  it("is wrapped in JSON, with what its description has and nothing else", async () => {
    const { asked: _, ...answer } = await ask(`GET /rest${path}/id:u`);
    expect(answer).toEqual({
      status: 200,
      headers: { ...noStore, "content-type": "application/json" },
      body: JSON.stringify({ value: inJson }),
    });
  });

  it("is bare in the newer API", async () => {
    const { asked: _, ...answer } = await ask("GET /api/content/library/item/update-session/u");
    expect(answer).toEqual({
      status: 200,
      headers: { ...noStore, "content-type": "application/json" },
      body: JSON.stringify(inJson),
    });
    const created = await ask("POST /api/content/library/item/update-session", '{"library_item_id":"i"}');
    expect([created.status, created.body]).toEqual([201, '"obj-103"']);
  });

  it("is a document in XML, where characters that it cannot have are replaced", async () => {
    const { asked: _, ...answer } = await ask(`GET ${path}/id:u`, undefined, { accept: "application/xml" });
    expect(answer).toEqual({
      status: 200,
      headers: { ...noStore, "content-type": "application/xml" },
      body: `${prolog}<ns0:Get-Result xmlns:ns0="${updates}">${inXml}</ns0:Get-Result>\n`,
    });
  });

  it("that is a list is an array in XML", async () => {
    const { body } = await ask(`GET ${path}`, undefined, { accept: "text/xml" });
    const items = "<value-array><array-item>a</array-item><array-item>b</array-item></value-array>";
    expect(body).toBe(`${prolog}<ns0:List-Result xmlns:ns0="${updates}">${items}</ns0:List-Result>\n`);
  });

  it("that is none is an empty 200, and a 204 in the newer API", async () => {
    for (const accept of ["application/json", "application/xml"]) {
      const { asked: _, ...answer } = await ask(`POST /rest${path}/id:u?~action=keep-alive`, "", { accept });
      expect(answer).toEqual({ status: 200, headers: noStore, body: undefined });
    }
    const { asked: _, ...answer } = await ask("DELETE /api/content/library/item/update-session/u");
    expect(answer).toEqual({ status: 204, headers: noStore, body: undefined });
  });

  it.each([
    ["nothing", () => undefined],
    ["something without a member that it has to have", () => ({ ...session, state: undefined })],
    ["a moment that is none", () => ({ ...session, expiration_time: new Date(Number.NaN) })],
  ])("that its operation must not give is answered as a slip of the server: %s", async (_what, give) => {
    const echo = openEcho(give);
    const { status, body } = await echo.ask(`GET ${path}/id:u`);
    expect([status, JSON.parse(body!).error_type, echo.logged.length]).toEqual([500, "INTERNAL_SERVER_ERROR", 1]);
  });
});

describe("the format of an answer", () => {
  const { ask } = openEcho();
  const find = "POST /rest/com/vmware/content/library?~action=find";

  it.each([
    [undefined, "application/json"],
    ["*/*", "application/json"],
    ["application/json", "application/json"],
    ["application/xml", "application/xml"],
    ["Text/XML; charset=utf-8", "text/xml"],
    ["application/xml, application/json", "application/json"],
    ["application/xml, */*", "application/xml"],
    ["application/json;q=0.5, application/xml", "application/xml"],
    ["application/xml;q=0.5, application/json;q=0.4", "application/xml"],
    ["application/xml;q=0, */*", "application/json"],
    ["application/json;q=0, */*;q=0.1", "application/xml"],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/xml"],
    ["text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "application/json"],
    ["text/html", "application/json"],
    ["", "application/json"],
  ])("is what is preferred: %s is answered with %s", async (accept, type) => {
    const headers = accept === undefined ? {} : { accept };
    const { headers: answered } = await ask(find, '{"spec":{}}', headers);
    expect(answered["content-type"]).toBe(type);
    const refused = await ask(find, '{"spec":5}', headers);
    expect([refused.status, refused.headers["content-type"]]).toEqual([400, type]);
  });

  it("is the request's where nothing is said", async () => {
    const body = "<Find-Input><spec/></Find-Input>";
    const typeOf = async (headers: Record<string, string>) => (await ask(find, body, headers)).headers["content-type"];
    expect(await typeOf({ "content-type": "application/xml" })).toBe("application/xml");
    expect(await typeOf({ "content-type": "text/xml; charset=utf-8" })).toBe("text/xml");
    expect(await typeOf({ "content-type": "application/xml", accept: "*/*" })).toBe("application/json");
  });

  it("is JSON in the newer API", async () => {
    const { headers } = await ask("GET /api/content/library", undefined, { accept: "application/xml" });
    expect(headers["content-type"]).toBe("application/json");
  });
});
