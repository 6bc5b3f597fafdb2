import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDate, parseDate } from "../../../src/rest/folio/dates.js";

const date = new Date("2019-03-21T15:36:49.583Z");

describe("a date", () => {
  it("is printed in UTC with milliseconds and +0000", () => {
    expect(formatDate(date)).toBe("2019-03-21T15:36:49.583+0000");
  });

  it("that was printed is read as the same one", () => {
    const range = {
      min: new Date("0000-01-01T00:00:00Z"),
      max: new Date("9999-12-31T23:59:59.999Z"),
      noInvalidDate: true,
    };
    fc.assert(
      fc.property(fc.date(range), (any) => {
        expect(parseDate(formatDate(any))).toEqual(any);
        expect(parseDate(any.toISOString())).toEqual(any);
        expect(parseDate(any.getTime())).toEqual(any);
      }),
    );
  });

  it.each([
    ["2019-03-21T15:36:49.583+00:00", "2019-03-21T15:36:49.583Z"],
    ["2019-03-21T15:36:49.583Z", "2019-03-21T15:36:49.583Z"],
    ["2019-03-21T17:06:49.583+01:30", "2019-03-21T15:36:49.583Z"],
    ["2019-03-21T08:36:49.583-0700", "2019-03-21T15:36:49.583Z"],
    ["2019-03-21T16:36:49+01", "2019-03-21T15:36:49.000Z"],
    ["2019-03-21T15:36:49Z", "2019-03-21T15:36:49.000Z"],
    ["2019-03-21T15:36:49.5Z", "2019-03-21T15:36:49.500Z"],
    ["2019-03-21T15:36:49.583999999Z", "2019-03-21T15:36:49.583Z"],
    ["2019-03-21T15:36Z", "2019-03-21T15:36:00.000Z"],
    ["2019-03-21T15:36:49", "2019-03-21T15:36:49.000Z"],
    ["2019-03-21", "2019-03-21T00:00:00.000Z"],
    ["2020-02-29T00:00:00Z", "2020-02-29T00:00:00.000Z"],
    [1553182609583, "2019-03-21T15:36:49.583Z"],
    [0, "1970-01-01T00:00:00.000Z"],
  ])("may be sent as %j", (sent, iso) => {
    expect(parseDate(sent)?.toISOString()).toBe(iso);
  });

  it.each([
    ["2019-02-30T00:00:00Z"],
    ["2019-13-01T00:00:00Z"],
    ["2019-03-21T24:00:00Z"],
    ["2019-03-21T15:60:00Z"],
    ["2019-03-21T15:36:49+24:00"],
    ["2019-03-21T15:36:49+01:60"],
    ["0000-01-01T00:00:00+01:00"],
    ["12019-03-21T15:36:49Z"],
    ["2019-03-21 15:36:49"],
    ["21 March 2019"],
    ["today"],
    [""],
    ["2019-03-21\n"],
    [1.5],
    [1e18],
    [true],
    [null],
    [[]],
    [{}],
  ])("is not %j", (sent) => {
    expect(parseDate(sent)).toBeUndefined();
  });
});
