import { describe, expect, it } from "vitest";
import { openEcho } from "./echo-dialect.js";

const { ask, logged } = openEcho();
const add = "POST /rest/com/vmware/content/library/item/updatesession/file?~action=add";
const update = "PATCH /rest/com/vmware/content/library/item/update-session/id:u";
const headers = { "content-type": "application/xml", accept: "application/json" };
const files = "http://vmware.com/content/library/item/updatesession/file";
const updates = "http://vmware.com/content/library/item/update_session";

async function taken(line: string, body: string) {
  const { status, asked, body: answer } = await ask(line, body, headers);
  expect([status, answer]).toEqual([200, answer]);
  return asked?.input;
}

async function refused(line: string, body: string) {
  const { status, asked, body: answer } = await ask(line, body, headers);
  expect([status, asked, logged]).toEqual([400, undefined, []]);
  const { type, value } = JSON.parse(answer!);
  expect(type).toBe("com.vmware.vapi.std.errors.invalid_argument");
  return value.messages.map(({ default_message }: { default_message: string }) => default_message).join("; ");
}

const inSpec = (content: string, root = "<Update-Input>") =>
  `${root}<update_spec>${content}</update_spec></Update-Input>`;
const spec = (update_spec: object) => ({ update_session_id: "u", update_spec });

describe("an input in XML", () => {
  it("is read as the documents print it", async () => {
    const body = `<?xml version="1.0" ?>
<ns0:Add-Input xmlns:ns0="${files}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <update_session_id>obj-103</update_session_id>
  <file_spec>
    <source_endpoint>
      <ssl_certificate_thumbprint>string</ssl_certificate_thumbprint>
      <uri>http://myurl.com</uri>
    </source_endpoint>
    <name>string</name>
    <source_type>NONE</source_type>
    <checksum_info>
      <checksum>string</checksum>
      <algorithm>SH_a1</algorithm>
    </checksum_info>
    <size>10</size>
  </file_spec>
</ns0:Add-Input>`;
    expect(await taken(add, body)).toStrictEqual({
      update_session_id: "obj-103",
      file_spec: {
        name: "string",
        source_type: "NONE",
        source_endpoint: { uri: "http://myurl.com", ssl_certificate_thumbprint: "string" },
        size: 10,
        checksum_info: { algorithm: "SHA1", checksum: "string" },
      },
    });
  });

  it("has lists as arrays of items, of texts and of structures, that may be empty", async () => {
    const message = "<error_message><id>i</id><default_message/>";
    const args = "<args-array><array-item>a</array-item> <array-item> b\n</array-item><array-item/></args-array>";
    const warning = "<array-item><ignored> true </ignored><type>\nexpired_certificate</type></array-item>";
    expect(
      await taken(
        update,
        inSpec(`${message}${args}</error_message><warning_behavior-array>${warning}</warning_behavior-array>`),
      ),
    ).toStrictEqual(
      spec({
        error_message: { id: "i", default_message: "", args: ["a", " b\n", ""] },
        warning_behavior: [{ type: "EXPIRED_CERTIFICATE", ignored: true }],
      }),
    );
    expect(await taken(update, inSpec("<warning_behavior-array/>"))).toStrictEqual(spec({ warning_behavior: [] }));
  });

  it.each([
    ["another prefix", `<x:Update-Input xmlns:x="${updates}"><update_spec/></x:Update-Input>`],
    ["no namespace", "<Update-Input><update_spec/></Update-Input>"],
    [
      "a default namespace, which its elements then have",
      `<Update-Input xmlns="${updates}"><update_spec/></Update-Input>`,
    ],
    [
      "a prolog, comments and instructions",
      `<?xml version="1.0" encoding="UTF-8"?><!-- - --><?p?><Update-Input><!----><update_spec><?q x?></update_spec></Update-Input><!---->`,
    ],
    ["a byte order mark", "\ufeff<Update-Input><update_spec/></Update-Input>"],
    [
      "elements that nobody knows, with all in them",
      inSpec("<more><id>x</id><id>y</id></more><x:id xmlns:x='urn:x'>z</x:id>"),
    ],
    ["unset elements", inSpec('<id xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true">x</id>')],
    ["elements called as parts of every object", inSpec("<__proto__><id>x</id></__proto__><constructor/><toString/>")],
  ])("may have %s", async (_what, body) => {
    expect(await taken(update, body)).toStrictEqual(spec({}));
  });

  it("has text with the five entities, references, CDATA, and space as it is", async () => {
    const text = "&amp;&lt;&gt;&quot;&apos;&#252;&#x1F600;<![CDATA[<&]]> \t\n";
    expect(await taken(update, inSpec(`<id>${text}</id>`))).toStrictEqual(spec({ id: `&<>"'ü😀<& \t\n` }));
  });

  it.each([
    [
      "another operation's root",
      "<Create-Input/>",
      `the root has to be Update-Input of ${updates}, and is "Create-Input"`,
    ],
    [
      "a root in another case",
      "<update-input/>",
      `the root has to be Update-Input of ${updates}, and is "update-input"`,
    ],
    [
      "another service's namespace",
      `<x:Update-Input xmlns:x="${files}"/>`,
      `the root has to be Update-Input of ${updates}, and is "{${files}}Update-Input"`,
    ],
    [
      "a result",
      `<x:Update-Result xmlns:x="${updates}"/>`,
      `the root has to be Update-Input of ${updates}, and is "{${updates}}Update-Result"`,
    ],
    ["two of an element", inSpec("<id>a</id><id>a</id>"), "update_spec.id is there twice"],
    [
      "two arrays",
      inSpec("<warning_behavior-array/><warning_behavior-array/>"),
      "update_spec.warning_behavior is there twice",
    ],
    [
      "a list that is no array",
      inSpec("<warning_behavior/>"),
      "update_spec.warning_behavior has to be an element warning_behavior-array",
    ],
    ["an array that is no list", inSpec("<id-array/>"), "update_spec.id has to be an element id"],
    ["elements in a text", inSpec("<id>a<b/></id>"), "update_spec.id has elements where text belongs"],
    ["text among elements", inSpec("<id>a</id>b"), "update_spec has text where elements belong"],
    [
      "text among items",
      inSpec("<warning_behavior-array>x</warning_behavior-array>"),
      "update_spec.warning_behavior has text beside its array-item elements",
    ],
    [
      "an unset item",
      inSpec(
        '<warning_behavior-array><array-item xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="1"/></warning_behavior-array>',
      ),
      "update_spec.warning_behavior.1 is nil in a list",
    ],
    [
      "an empty number",
      inSpec("<client_progress/>"),
      'update_spec.client_progress has to be a whole number from -(2^53-1) to 2^53-1, and is ""',
    ],
    [
      "a huge number",
      inSpec(`<client_progress>${"9".repeat(400)}</client_progress>`),
      `update_spec.client_progress has to be a whole number from -(2^53-1) to 2^53-1, and is "${"9".repeat(80)}..."`,
    ],
    ["nothing that is needed", "<Update-Input/>", "update_spec is missing"],
  ])("must not have %s", async (_what, body, sentence) => {
    expect(await refused(update, body)).toBe(sentence);
  });
});

const laughs = `<!DOCTYPE lolz [<!ENTITY lol "lol">${Array.from({ length: 9 }, (_, at) => {
  return `<!ENTITY lol${at + 1} "${`&lol${at || ""};`.repeat(10)}">`;
}).join("")}]>${inSpec("<id>&lol9;</id>")}`;

describe("hostile XML", () => {
  const no = "the body is no XML that is taken";
  it.each([
    ["entities that multiply", laughs, `${no}: a document type is not taken`],
    [
      "an external entity",
      `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${inSpec("<id>&e;</id>")}`,
      `${no}: a document type is not taken`,
    ],
    [
      "an external document type",
      `<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">${inSpec("")}`,
      `${no}: a document type is not taken`,
    ],
    ["a document type that never ends", `<!DOCTYPE x [${"<!ENTITY a 'a'>".repeat(1_000)}`, expect.stringContaining(no)],
    ["a document type after the root", `${inSpec("")}<!DOCTYPE x>`, expect.stringContaining(no)],
    ["an unknown entity", inSpec("<id>&e;</id>"), expect.stringContaining("undefined entity")],
    [
      "an entity called as a part of every object",
      inSpec("<id>&constructor;&__proto__;</id>"),
      expect.stringContaining("undefined entity"),
    ],
    ["a reference to no character", inSpec("<id>&#0;</id>"), expect.stringContaining("malformed character entity")],
    [
      "a reference beyond all characters",
      inSpec("<id>&#x110000;</id>"),
      expect.stringContaining("malformed character entity"),
    ],
    ["a control character", inSpec("<id>\u0001</id>"), expect.stringContaining("disallowed character")],
    [
      "XML 1.1 for control characters",
      `<?xml version="1.1"?>${inSpec("<id>&#1;</id>")}`,
      expect.stringContaining("malformed character entity"),
    ],
    ["deep nesting", inSpec("<a>".repeat(31) + "</a>".repeat(31)), `${no}: elements are nested deeper than 32 levels`],
    ["deep nesting that never ends", "<a>".repeat(100_000), `${no}: elements are nested deeper than 32 levels`],
    ["too many elements", inSpec("<a/>".repeat(10_000)), `${no}: there are more than 10000 elements`],
    [
      "too many attributes",
      `<Update-Input ${Array.from({ length: 10_001 }, (_, at) => `a${at}=""`).join(" ")}/>`,
      `${no}: there are more than 10000 attributes`,
    ],
    ["an unknown prefix", "<x:Update-Input/>", expect.stringContaining("unbound namespace prefix")],
    [
      "a prefix called as a part of every object",
      "<constructor:Update-Input/>",
      expect.stringContaining("unbound namespace prefix"),
    ],
    ["an attribute twice", '<Update-Input a="1" a="2"/>', expect.stringContaining("duplicate attribute")],
    [
      "an attribute that only looks like unset",
      inSpec('<id nil="true">a</id><id>b</id>'),
      "update_spec.id is there twice",
    ],
    ["no end", "<Update-Input>", expect.stringContaining("unclosed tag")],
    ["another end", "<Update-Input></Updated-Input>", expect.stringContaining("unexpected close tag")],
    ["two roots", "<Update-Input/><Update-Input/>", expect.stringContaining(no)],
    ["text alone", "hello", expect.stringContaining(no)],
    ["a comment alone", "<!-- x -->", expect.stringContaining(no)],
    ["JSON", '{"update_spec":{}}', expect.stringContaining(no)],
  ])("is refused: %s", async (_what, body, sentence) => {
    const told = await refused(update, body);
    expect(told).toEqual(sentence);
    expect(told).not.toMatch(/[\n\p{C}]/u);
  });

  it("that is large is read whole, and others have their turn meanwhile", async () => {
    const id = "a\r\n\u{1f600}&amp;".repeat(60_000);
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const input = await taken(update, inSpec(`<id>${id}</id>`));
    clearInterval(timer);
    expect(input).toStrictEqual(spec({ id: "a\n\u{1f600}&".repeat(60_000) }));
    expect(turns).toBeGreaterThan(0);
  });

  it("may be nested as deep and be as much as allowed", async () => {
    expect(await taken(update, inSpec("<a>".repeat(30) + "</a>".repeat(30)))).toStrictEqual(spec({}));
    expect(await taken(update, inSpec("<a/>".repeat(9_998)))).toStrictEqual(spec({}));
  });
});
