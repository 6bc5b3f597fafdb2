import { describe, expect, test } from "vitest";
import { createPackMarks } from "../../../src/storage/disk/pack-marks.js";
import type { PackRecord } from "../../../src/storage/disk/pack-reader.js";

const records: readonly PackRecord[] = [0, 30, 60].map((offset) => ({ offset, length: 10 }));

function countedScan() {
  const scan = { times: 0, run };
  async function* run(): AsyncGenerator<PackRecord> {
    scan.times++;
    yield* records;
  }
  return scan;
}

describe("the marks of packs", () => {
  test("a pack is covered once every record is marked, at its offset and with its length", async () => {
    const marks = createPackMarks();
    marks.add("a", [records[0]!, records[1]!, { offset: 60, length: 9 }]);
    expect(await marks.cover("a", countedScan().run)).toBe(false);
    marks.add("a", [records[2]!]);
    expect(await marks.cover("a", countedScan().run)).toBe(true);
  });

  test("marks that match no record cover nothing", async () => {
    const marks = createPackMarks();
    marks.add(
      "a",
      [1, 2, 3, 4, 5].map((offset) => ({ offset, length: 10 })),
    );
    expect(await marks.cover("a", countedScan().run)).toBe(false);
  });

  test("a pack that nobody marked, or that was forgotten, is not covered", async () => {
    const marks = createPackMarks();
    expect(await marks.cover("a", countedScan().run)).toBe(false);
    marks.add("a", records);
    marks.forget("a");
    expect(await marks.cover("a", countedScan().run)).toBe(false);
  });

  test("a mark that is taken back uncovers the pack", async () => {
    const marks = createPackMarks();
    marks.add("a", records);
    marks.remove("a", [records[1]!]);
    expect(await marks.cover("a", countedScan().run)).toBe(false);
  });

  test("a pack is scanned once, and again only when enough of it is marked", async () => {
    const marks = createPackMarks();
    const scan = countedScan();
    for (const record of records) {
      marks.add("a", [record]);
      await marks.cover("a", scan.run);
    }
    expect(scan.times).toBe(2);
  });

  test("P10: beyond the limit the pack that was marked longest ago is forgotten, never the one being marked", async () => {
    const marks = createPackMarks(6);
    marks.add("a", records);
    marks.add("b", records);
    marks.add("a", records);
    marks.add("c", records);
    expect(await marks.cover("b", countedScan().run)).toBe(false);
    expect(await marks.cover("a", countedScan().run)).toBe(true);
    expect(await marks.cover("c", countedScan().run)).toBe(true);
    const tiny = createPackMarks(1);
    tiny.add("a", records);
    expect(await tiny.cover("a", countedScan().run)).toBe(true);
  });
});
