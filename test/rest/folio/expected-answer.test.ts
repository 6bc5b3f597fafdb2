import { describe, expect, it } from "vitest";
import { createPrintouts, type Printed } from "./expected-answer.js";

const [one, other] = ["776c7413-7ad9-467b-a686-775a434d2505", "8076b8ea-b04f-46b7-b793-0347d994c2be"];
const date = "2019-03-21T15:36:49.583+0000";
const told: Printed = { id: "{a}", createDate: "{a date}", files: [{ id: "{b}", path: "./{a}/{b}", of: "{a}" }] };
const answered = { id: one, createDate: date, files: [{ id: other, path: `./${one}/${other}`, of: one }] };

describe("a printed answer", () => {
  it("is met by what differs in ids and dates alone", () => {
    const printouts = createPrintouts();
    printouts.expectBody(JSON.stringify(answered), told);
    expect([printouts.valueOf("a"), printouts.valueOf("b")]).toEqual([one, other]);
  });

  it.each<[string, unknown]>([
    ["a member more", { ...answered, more: 1 }],
    ["a member less", { id: one, createDate: date }],
    ["another order of members", { createDate: date, id: one, files: answered.files }],
    ["a file more", { ...answered, files: [...answered.files, ...answered.files] }],
    ["an id where another was", { ...answered, files: [{ ...answered.files[0], of: other }] }],
    ["one id for two things", { ...answered, files: [{ id: one, path: `./${one}/${one}`, of: one }] }],
    ["another path", { ...answered, files: [{ ...answered.files[0], path: `./${one}/${one}` }] }],
    ["another form of dates", { ...answered, createDate: "2019-03-21T15:36:49.583Z" }],
    ["no id", { ...answered, id: "1" }],
  ])("is not met with %s", (_difference, body) => {
    expect(() => createPrintouts().expectBody(JSON.stringify(body), told)).toThrow();
  });
});
