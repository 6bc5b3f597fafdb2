import { describe, expect, it } from "vitest";
import { formatBar, formatPlain, type Standing } from "../../../src/cli/transfer/progress-line.js";

const mib = 2 ** 20;
const midway: Standing = {
  bytes: 126 * mib,
  totalBytes: 300 * mib,
  files: 3,
  totalFiles: 7,
  moved: { bytes: 90 * mib, ms: 2000 },
};

describe("the bar", () => {
  it.each([
    [200, `[${"#".repeat(13)}>${" ".repeat(19)}]   42%  126 MiB of 300 MiB  45 MiB/s  3.9 s left  3 of 7 files`],
    [80, "[#####>       ]   42%  126 MiB of 300 MiB  45 MiB/s  3.9 s left  3 of 7 files"],
    [70, "[####>      ]   42%  126 MiB of 300 MiB  45 MiB/s  3.9 s left"],
    [40, "[###>    ]   42%  45 MiB/s  3.9 s left"],
    [30, "[###>    ]   42%  3.9 s left"],
    [20, "[###>    ]   42%"],
    [10, "42%"],
    [3, "42"],
  ])("leaves out parts where %i columns do not hold them", (columns, line) => {
    expect(formatBar(midway, columns)).toBe(line);
  });

  it("never fills the last column, however wide the terminal and whatever the numbers", () => {
    for (let columns = 1; columns <= 250; columns += 1) {
      for (const bytes of [0, 1, 1023.6 * 1024, 299 * mib, 300 * mib, 400 * mib]) {
        expect(formatBar({ ...midway, bytes }, columns).length).toBeLessThan(columns);
      }
    }
  });

  it("is full at the end, without time left", () => {
    const end = { ...midway, bytes: 300 * mib, files: 1, totalFiles: 1 };
    expect(formatBar(end, 80)).toBe("[#############]  100%  300 MiB of 300 MiB  45 MiB/s");
    expect(formatBar({ ...end, bytes: 0, totalBytes: 0 }, 80)).toMatch(/^\[#+\] {2}100% /);
  });

  it("is none while nobody knows how much there is", () => {
    expect(formatBar({ ...midway, totalBytes: undefined }, 80)).toBe("126 MiB  45 MiB/s  3 of 7 files");
  });
});

it("the line for a log says all of it, without a bar", () => {
  expect(formatPlain(midway)).toBe("42%  126 MiB of 300 MiB, 45 MiB/s, 3.9 s left, 3 of 7 files");
  expect(formatPlain({ ...midway, totalBytes: undefined })).toBe("126 MiB, 45 MiB/s, 3 of 7 files");
});
