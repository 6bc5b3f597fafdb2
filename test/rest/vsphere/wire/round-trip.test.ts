// Any value that an operation takes or gives comes through, in each of the formats.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Operation } from "../../../../src/rest/vsphere/operation.js";
import type { Type } from "../../../../src/rest/vsphere/schema.js";
import { readDocument } from "../../../../src/rest/vsphere/wire/from-xml.js";
import { readJson } from "../../../../src/rest/vsphere/wire/from-json.js";
import { actionOf, namespaceOf, pathOf, rootOf } from "../../../../src/rest/vsphere/wire/names.js";
import { createProblems } from "../../../../src/rest/vsphere/wire/problems.js";
import { openEcho, operations } from "./echo-dialect.js";

/** Of all of Unicode, with what each of the formats has a meaning for. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 4 }),
      fc.constantFrom(..."&<>\"'+%= .\r\n\t{}[]\\;/?#", "]]>", "\r\n"),
    ),
    { maxLength: 6 },
  )
  .map((pieces) => pieces.join("").replaceAll(/[^\t\n\r\u0020-\ufffd\u{10000}-\u{10ffff}]/gu, "x"))
  .filter((text) => text.isWellFormed());

/** `least` where a list cannot be empty, and a structure without members cannot be seen. */
function valuesOf(type: Type, least = 0): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case "optional":
      return valuesOf(type.type, least);
    case "text":
      return anyText;
    case "integer":
      return fc.maxSafeInteger();
    case "boolean":
      return fc.boolean();
    case "instant":
      return fc.date({
        min: new Date("0000-01-01T00:00:00Z"),
        max: new Date("9999-12-31T23:59:59.999Z"),
        noInvalidDate: true,
      });
    case "enum":
      return fc.constantFrom(...type.words);
    case "list":
      return fc.array(valuesOf(type.element, least), { minLength: least, maxLength: 4 });
    case "struct": {
      const fields = Object.entries(type.fields);
      const requiredKeys = fields.filter(([, field]) => field.kind !== "optional").map(([name]) => name);
      return fc
        .record(Object.fromEntries(fields.map(([name, field]) => [name, valuesOf(field, least)])), { requiredKeys })
        .map((members) => ({ ...members }))
        .filter((members) => Object.keys(members).length >= Math.min(least, fields.length));
    }
  }
}

function leavesOf(value: unknown, path = ""): readonly string[] {
  if (typeof value !== "object" || value === null || value instanceof Date) {
    const text = value instanceof Date ? value.toISOString() : String(value);
    return [`${path}=${encodeURIComponent(text)}`];
  }
  const parts = Array.isArray(value) ? value.map((item, at) => [String(at + 1), item] as const) : Object.entries(value);
  return parts.flatMap(([name, part]) => leavesOf(part, path === "" ? name : `${path}.${name}`));
}

/** A writer of its own: what is read must not depend on how this server writes. */
function elementsOf(type: Type, value: unknown): string {
  const bare = type.kind === "optional" ? type.type : type;
  if (bare.kind === "struct") {
    return Object.entries(value as object)
      .map(([name, part]) => {
        const field = bare.fields[name]!;
        const isList = field.kind === "list" || (field.kind === "optional" && field.type.kind === "list");
        const tag = isList ? `${name}-array` : name;
        return `<${tag}>${elementsOf(field, part)}</${tag}>`;
      })
      .reverse()
      .join("\n");
  }
  if (bare.kind === "list") {
    const items = value as readonly unknown[];
    return items.map((item) => `<array-item>${elementsOf(bare.element, item)}</array-item>`).join("");
  }
  const text = value instanceof Date ? value.toISOString() : String(value);
  return text.replaceAll(/[&<>\r]/g, (char) => `&#${char.codePointAt(0)};`);
}

const documentOf = (operation: Operation, value: unknown) => {
  const root = `v:${rootOf(operation, "Input")}`;
  return `<${root} xmlns:v="${namespaceOf(operation)}">${elementsOf(operation.input, value)}</${root}>`;
};

const runs = { numRuns: 40 };

describe.each([...operations])("%s", (name, operation) => {
  const { ask } = openEcho();
  const line = `POST /rest${pathOf(operation.service)}?~action=${actionOf(operation.name)}`;

  it("takes any input in JSON and in XML", async () => {
    const check = async (input: unknown) => {
      const json = await ask(line, JSON.stringify(input), { "content-type": "application/json" });
      expect([json.body, json.asked]).toStrictEqual([json.body, { operation: name, input }]);
      const xml = await ask(line, documentOf(operation, input), { "content-type": "application/xml" });
      expect([xml.body, xml.asked]).toStrictEqual([xml.body, { operation: name, input }]);
    };
    await fc.assert(fc.asyncProperty(valuesOf(operation.input), check), runs);
  });

  it("takes any input as a form and in the query", async () => {
    const check = async (input: unknown) => {
      const pairs = leavesOf(input).join("&");
      const form = await ask(line, pairs, { "content-type": "application/x-www-form-urlencoded" });
      expect([form.body, form.asked]).toStrictEqual([form.body, { operation: name, input }]);
      const query = await ask(`${line}&${pairs}`);
      expect([query.body, query.asked]).toStrictEqual([query.body, { operation: name, input }]);
    };
    await fc.assert(fc.asyncProperty(valuesOf(operation.input, 1), check), runs);
  });
});

const giving = [...operations].filter(([, { output }]) => output !== undefined);

describe.each(giving)("%s", (_name, operation) => {
  const { output } = operation;

  it("gives any result in JSON and in XML", async () => {
    let given: unknown;
    const echo = openEcho(() => given);
    const own = `POST ${pathOf(operation.service)}?~action=${actionOf(operation.name)}`;
    const required = fc.sample(valuesOf(operation.input, 1), 1)[0];
    const check = async (result: unknown) => {
      given = result;
      const problems = createProblems();
      const json = await echo.ask(own, JSON.stringify(required));
      expect(readJson(output!, JSON.parse(json.body!).value, "", problems)).toStrictEqual(result);
      const xml = await echo.ask(own, JSON.stringify(required), { accept: "text/xml" });
      // A result is a document whose root has one member.
      const asInput = { ...operation, input: { kind: "struct", fields: { value: output! } } } as Operation;
      const document = xml.body!.replaceAll("-Result", "-Input");
      expect(await readDocument(asInput, document, problems)).toStrictEqual({ value: result });
      expect(problems.assertNone).not.toThrow();
    };
    await fc.assert(fc.asyncProperty(valuesOf(output!), check), runs);
  });
});

describe("whatever is sent", () => {
  const { ask, logged } = openEcho();
  const lines = [...operations.values()].map(
    ({ service, name }) => `POST /rest${pathOf(service)}?~action=${actionOf(name)}`,
  );
  const types = ["application/json", "text/xml", "application/x-www-form-urlencoded", "text/plain", ""];
  const junk = fc.oneof(
    fc.json(),
    fc.string({ unit: "binary" }),
    fc.webQueryParameters(),
    fc.string().map((text) => `<Create-Input>${text}</Create-Input>`),
    fc.object().map((value) => JSON.stringify({ create_spec: value, file_spec: value, spec: value })),
  );

  it("is taken or refused, and never a surprise", async () => {
    const property = fc.asyncProperty(
      fc.constantFrom(...lines),
      fc.constantFrom(...types),
      junk,
      fc.webQueryParameters(),
      async (line, type, body, query) => {
        const { status } = await ask(`${line}&${query}`, body, { "content-type": type });
        expect([200, 400, 404, 415]).toContain(status);
        expect(logged).toEqual([]);
      },
    );
    await fc.assert(property, { numRuns: 2_000 });
  });
});
