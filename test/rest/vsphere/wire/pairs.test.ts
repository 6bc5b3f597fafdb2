import { describe, expect, it } from "vitest";
import { openEcho } from "./echo-dialect.js";

const { ask, logged } = openEcho();
const create = "POST /rest/com/vmware/content/local-library";
const update = "PATCH /com/vmware/content/library/item/update-session/id:u";
const form = { "content-type": "application/x-www-form-urlencoded" };

/** The same in the query and in a form. */
async function sendBoth(line: string, pairs: string) {
  const inQuery = await ask(`${line}?${pairs}`);
  const inForm = await ask(line, pairs, form);
  expect([inForm.status, inForm.asked, inForm.body]).toEqual([inQuery.status, inQuery.asked, inQuery.body]);
  return inForm;
}

const refused = async (line: string, pairs: string) => {
  const { status, asked, body } = await sendBoth(line, pairs);
  expect([status, asked, logged]).toEqual([400, undefined, []]);
  const { type, value } = JSON.parse(body!);
  expect(type).toBe("com.vmware.vapi.std.errors.invalid_argument");
  return value.messages.map(({ default_message }: { default_message: string }) => default_message);
};

describe("parameters as pairs", () => {
  it("are leaves with their paths, lists numbered from 1 in whatever order", async () => {
    const pairs = [
      "create_spec.storage_backings.2.type=other",
      "create_spec.storage_backings.1.type=DATASTORE",
      "create_spec.storage_backings.2.storage_uri=nfs%3A%2F%2Fh%2Fa+b",
      "create_spec.storage_backings.1.datastore_id=d",
      "create_spec.name=%C3%BC%2B+%26%3D",
      "create_spec.publish_info.published=true",
      "create_spec.creation_time=2013-06-06T22%3A13%3A05",
      "client_token=",
    ];
    expect((await sendBoth(create, pairs.join("&"))).asked?.input).toStrictEqual({
      client_token: "",
      create_spec: {
        storage_backings: [
          { type: "DATASTORE", datastore_id: "d" },
          { type: "OTHER", storage_uri: "nfs://h/a b" },
        ],
        name: "ü+ &=",
        publish_info: { published: true },
        creation_time: new Date("2013-06-06T22:13:05Z"),
      },
    });
  });

  it.each([
    ["with numbers", "update_spec.error_message.args.1=a&update_spec.error_message.args.2=b"],
    ["repeated without", "update_spec.error_message.args=a&update_spec.error_message.args=b"],
  ])("make a list of texts: %s", async (_what, pairs) => {
    const more = "update_spec.error_message.id=i&update_spec.error_message.default_message=m";
    expect((await sendBoth(update, `${more}&${pairs}`)).asked?.input).toStrictEqual({
      update_session_id: "u",
      update_spec: { error_message: { id: "i", default_message: "m", args: ["a", "b"] } },
    });
  });

  const list = "update_spec.error_message.args";
  const rule = "is a list: its numbers begin at 1 and have no gap";
  it.each([
    [`${list}.0=a`, `${list} ${rule}`],
    [`${list}.0=a&${list}.1=b`, `${list} ${rule}`],
    [`${list}.1=a&${list}.3=b`, `${list} ${rule}`],
    [`${list}.01=a`, `${list} ${rule}`],
    [`${list}.999999999=a`, `${list} ${rule}`],
    ["update_spec.warning_behavior.2.ignored=true", `update_spec.warning_behavior ${rule}`],
    [`${list}.1=a&${list}=b`, `${list} is there with numbers and without`],
    [`${list}.1=a&${list}.1=b`, `${list}.1 is there twice`],
    ["update_spec.id=a&update_spec.id=a", "update_spec.id is there twice"],
    [
      "update_spec.client_progress=1.5",
      'update_spec.client_progress has to be a whole number from -(2^53-1) to 2^53-1, and is "1.5"',
    ],
    [
      "update_spec.client_progress=99999999999999999999",
      'update_spec.client_progress has to be a whole number from -(2^53-1) to 2^53-1, and is "99999999999999999999"',
    ],
    [
      "update_spec.client_progress=9007199254740992",
      'update_spec.client_progress has to be a whole number from -(2^53-1) to 2^53-1, and is "9007199254740992"',
    ],
    [
      "update_spec.client_progress=",
      'update_spec.client_progress has to be a whole number from -(2^53-1) to 2^53-1, and is ""',
    ],
    [
      "update_spec.warning_behavior.1.ignored=True",
      'update_spec.warning_behavior.1.ignored has to be true or false, and is "True"',
    ],
    [
      "update_spec.id=a%00",
      'update_spec.id has to be a text of Unicode characters other than U+0000, and is "a\\u0000"',
    ],
  ])("are refused: %s", async (pairs, sentence) => {
    expect(await refused(update, pairs)).toEqual([sentence]);
  });

  it.each([
    "bogus",
    "update_spec",
    "update_spec.bogus",
    "update_spec.id.x",
    "update_spec.",
    ".update_spec.id",
    "update_spec.error_message",
    "update_spec.error_message.args.x",
    "update_spec.error_message.args.-1",
    "update_spec.error_message.args.1.x",
    "update_spec.error_message.args.1e0",
    "update_spec.error_message.args.9999999999",
    "update_spec.warning_behavior",
    "update_spec.warning_behavior.1",
    "update_spec.warning_behavior.type",
    "__proto__",
    "__proto__.polluted",
    "constructor",
    "constructor.prototype.polluted",
    "update_spec.__proto__.polluted",
    "update_spec.toString",
    "~methods",
  ])("name leaves that the operation has: %s is none", async (name) => {
    const sentence = `${JSON.stringify(name)} is no parameter of this operation, or of a part of it`;
    expect(await refused(update, `${name}=true`)).toEqual([sentence]);
    const { body } = await ask(update, `${name}=true`, form);
    expect(JSON.parse(body!).value.messages[0]).toMatchObject({ id: "slipway.parameter_unknown", args: [name] });
    expect(({} as { polluted?: string }).polluted).toBeUndefined();
  });

  it("with very long or very many words are refused as others", async () => {
    const [deep] = await refused(update, `${"update_spec.".repeat(5_000)}id=x`);
    expect(deep).toMatch(/^"(?:update_spec\.)+.*\.\.\." is no parameter/);
  });

  it("are 10,000 at most", async () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, at) => `update_spec.error_message.args.${at + 1}=`);
    const more = "update_spec.error_message.id=i&update_spec.error_message.default_message=m&";
    expect((await sendBoth(update, more + many(9_998).join("&"))).status).toBe(200);
    expect(await refused(update, more + many(9_999).join("&"))).toEqual(["there are more than 10000 parameters"]);
  });

  it.each(["update_spec.id=%zz", "%e4=1"])("have escapes that mean something: %s has not", async (pairs) => {
    const { status, body } = await ask(update, pairs, form);
    expect([status, JSON.parse(body!).value.messages[0].default_message]).toEqual([
      400,
      expect.stringContaining("a percent-escape in the form means nothing"),
    ]);
    expect((await ask(`${update}?${pairs}`)).status).toBe(400);
  });
});

describe("a reserved word of the query", () => {
  it("is part of no input", async () => {
    const line = "GET /rest/com/vmware/content/library/item/update-session/id:u?~action=get&~method=GET";
    expect((await ask(line)).asked?.input).toStrictEqual({ update_session_id: "u" });
  });

  it("is called action in the newer API alone", async () => {
    const { status, asked } = await ask("POST /api/content/library/item/update-session/u?action=complete");
    expect([status, asked?.input]).toStrictEqual([204, { update_session_id: "u" }]);
    const older = await ask("GET /rest/com/vmware/content/library/item/update-session/id:u?action=get");
    expect([older.status, older.asked]).toEqual([400, undefined]);
  });

  it("means nothing in a form", async () => {
    const { status, asked } = await ask(update, "~action=delete", form);
    expect([status, asked]).toEqual([400, undefined]);
  });
});
