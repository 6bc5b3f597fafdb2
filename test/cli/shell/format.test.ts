import { describe, expect, it } from "vitest";
import {
  formatBytes,
  formatDuration,
  formatForeign,
  formatRate,
  formatSeconds,
  formatShellWord,
  formatTable,
  formatTime,
  parseBytes,
  parseDuration,
} from "../../../src/cli/shell/format.js";

const mib = 2 ** 20;

describe("sizes", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1 KiB"],
    [1536, "1.5 KiB"],
    [123 * mib, "123 MiB"],
    [mib - 1, "1 MiB"],
    [99.96 * mib, "100 MiB"],
    [100 * mib, "100 MiB"],
    [5 * 2 ** 30, "5 GiB"],
    [2 ** 50, "1024 TiB"],
  ])("prints %d as %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    ["4096", 4096],
    ["1MiB", mib],
    ["64 KiB", 65_536],
    ["1.5m", 1.5 * mib],
    ["2GB", 2 ** 31],
    ["7B", 7],
  ])("reads %s as %d", (text, bytes) => {
    expect(parseBytes(text, "--size")).toBe(bytes);
  });

  it.each(["", "MiB", "-1", "1.5", "1 XiB", "99999999999TiB"])("refuses %j as wrong use", (text) => {
    expect(() => parseBytes(text, "--size")).toThrow(expect.objectContaining({ exitCode: 2 }));
  });

  it("prints a rate, and none for no time", () => {
    expect(formatRate(3 * mib, 2000)).toBe("1.5 MiB/s");
    expect(formatRate(3 * mib, 0)).toBe("0 B/s");
  });
});

describe("times", () => {
  it.each([
    [0, "0.0 s"],
    [400, "0.4 s"],
    [9949, "9.9 s"],
    [9951, "10 s"],
    [119_000, "119 s"],
    [200_000, "3 min 20 s"],
    [7_500_000, "2 h 05 min"],
  ])("prints %d ms as %s", (ms, text) => {
    expect(formatSeconds(ms)).toBe(text);
  });

  it.each([
    [7, "7ms"],
    [1500, "1500ms"],
    [90_000, "90s"],
    [5_400_000, "90m"],
    [86_400_000, "1d"],
    [7 * 86_400_000, "7d"],
  ])("prints %d ms as %s, which is read as that again", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
    expect(parseDuration(text, "--retry-for")).toBe(ms);
  });

  it.each([
    ["500ms", 500],
    ["90s", 90_000],
    ["10m", 600_000],
    ["1.5h", 5_400_000],
    ["7d", 604_800_000],
    ["30", 30_000],
  ])("reads %s as %d ms", (text, ms) => {
    expect(parseDuration(text, "--retry-for")).toBe(ms);
  });

  it.each(["", "m", "-1s", "1y", "1 m 2 s"])("refuses %j as wrong use", (text) => {
    expect(() => parseDuration(text, "--retry-for")).toThrow(expect.objectContaining({ exitCode: 2 }));
  });

  it("prints a time from the wire, and an absent one as nothing", () => {
    expect(formatTime({ seconds: 1_767_323_045n, nanos: 678_000_000 })).toBe("2026-01-02T03:04:05.678Z");
    expect(formatTime(undefined)).toBe("");
  });
});

describe("words", () => {
  it.each([
    ["photos/a.jpg", "photos/a.jpg"],
    ["two words", "'two words'"],
    ["it's", "'it'\\''s'"],
    ["", "''"],
    ["$(x)", "'$(x)'"],
  ])("quotes %j for a shell as %j", (word, quoted) => {
    expect(formatShellWord(word)).toBe(quoted);
  });

  it("keeps control characters of others from the terminal", () => {
    expect(formatForeign("a\u001b[31mb\nc")).toBe("a\\x1b[31mb\\x0ac");
  });

  it("lines columns up and leaves the last one as it is", () => {
    const rows = [
      ["A", "B"],
      ["long", "x"],
    ];
    expect(formatTable(rows)).toBe("A     B\nlong  x\n");
  });
});
