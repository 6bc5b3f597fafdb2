import { expect, it } from "vitest";
import type { JsonValue, RecordChange } from "../../../src/core/index.js";
import { codeOf, type OpenStore, refusal, useWorld, wait } from "./world.js";

export function describeRecords(open: OpenStore): void {
  const world = useWorld(open);

  const change = (...changes: RecordChange[]) => world.store.changeRecords(world.tenantId, changes);
  const find = (key: string, namespace = "n") => world.store.findRecord(world.tenantId, namespace, key);
  const keys = async (prefix: string, options: { afterKey?: string; limit?: number } = {}) =>
    (await world.store.listRecords(world.tenantId, "n", { limit: 100, ...options, prefix })).map(({ key }) => key);
  const record = (key: string, value: JsonValue | undefined = 1, expect?: number): RecordChange => ({
    namespace: "n",
    key,
    value,
    ...(expect !== undefined && { expect }),
  });

  it("a record begins at version 1, grows by one with every change and keeps any JSON value", async () => {
    expect(await find("k")).toBeUndefined();
    const values: JsonValue[] = [{ a: [1, "x", null, { b: true }] }, "text ' ? \\", 0, false, null, [], 1.5e300];
    for (const [n, value] of values.entries()) {
      await change(record("k", value, n));
      expect(await find("k")).toEqual({
        tenantId: world.tenantId,
        namespace: "n",
        key: "k",
        value,
        version: n + 1,
        expiresAt: undefined,
      });
    }
  });

  it("a change that expects another version is a conflict: 0 for one that is there, any for one that is not", async () => {
    await change(record("k", "first"));
    for (const expected of [0, 2, 99]) {
      await expect(change(record("k", "no", expected))).rejects.toEqual(refusal("conflict", "RECORD_CHANGED"));
      await expect(change({ ...record("k", undefined, expected), value: undefined })).rejects.toEqual(
        refusal("conflict", "RECORD_CHANGED"),
      );
    }
    await expect(change(record("absent", "no", 1))).rejects.toEqual(refusal("conflict", "RECORD_CHANGED"));
    expect(await find("k")).toMatchObject({ value: "first", version: 1 });
    expect(await find("absent")).toBeUndefined();
  });

  it("a change that expects nothing writes over whatever there is", async () => {
    await change(record("k", 1));
    await change(record("k", 2));
    expect(await find("k")).toMatchObject({ value: 2, version: 2 });
  });

  it("a deleted record is gone and begins at version 1 again", async () => {
    await change(record("k", 1), record("other", 1));
    await change(record("k", 2, 1));
    await change({ namespace: "n", key: "k", value: undefined, expect: 2 });
    expect(await find("k")).toBeUndefined();
    expect(await find("other")).toBeDefined();
    await change({ namespace: "n", key: "never", value: undefined });
    await change(record("k", 3, 0));
    expect(await find("k")).toMatchObject({ value: 3, version: 1 });
  });

  it("all changes of one deed happen together or none does", async () => {
    await change(record("b", "old"), record("d", "old"));
    const mixed = [
      record("a", "new", 0),
      record("b", "new", 1),
      { namespace: "n", key: "d", value: undefined },
      record("c", "new", 7),
    ];
    await expect(change(...mixed)).rejects.toEqual(refusal("conflict", "RECORD_CHANGED"));
    expect(await keys("")).toEqual(["b", "d"]);
    expect(await find("b")).toMatchObject({ value: "old", version: 1 });
    await change(...mixed.slice(0, 3));
    expect(await keys("")).toEqual(["a", "b"]);
  });

  it("no changes are no conflict", async () => {
    await expect(change()).resolves.toBeUndefined();
  });

  it("the same key in another namespace or tenant is another record (P9)", async () => {
    await change(record("k", "mine"));
    expect(await find("k", "m")).toBeUndefined();
    expect(await world.store.findRecord(world.stranger.tenantId, "n", "k")).toBeUndefined();
    await world.store.changeRecords(world.stranger.tenantId, [record("k", "theirs", 0)]);
    await change({ namespace: "m", key: "k", value: "other", expect: 0 });
    expect(await find("k")).toMatchObject({ value: "mine", version: 1 });
    expect(await world.store.listRecords(world.stranger.tenantId, "n", { prefix: "", limit: 10 })).toHaveLength(1);
  });

  it("listing gives keys with the prefix in code point order, after the given key and up to the limit", async () => {
    const all = ["a", "a%", "a%b", "aX", "a\\", "a_", "a_b", "ab", "aé", "b", "é", "🐘"];
    await change(...[...all].reverse().map((key) => record(key)));
    expect(await keys("")).toEqual(all);
    expect(await keys("a")).toEqual(all.slice(0, 9));
    expect(await keys("a%")).toEqual(["a%", "a%b"]);
    expect(await keys("a_")).toEqual(["a_", "a_b"]);
    expect(await keys("a\\")).toEqual(["a\\"]);
    expect(await keys("A")).toEqual([]);
    expect(await keys("🐘")).toEqual(["🐘"]);
    expect(await keys("a", { afterKey: "aX", limit: 2 })).toEqual(["a\\", "a_"]);
    expect(await keys("", { afterKey: "aZ", limit: 1 })).toEqual(["a\\"]);
    expect(await keys("", { limit: 3 })).toEqual(all.slice(0, 3));
  });

  it("an expired record is not there: not found, not listed, and free to be made anew", async () => {
    const soon = new Date(Date.now() + 40);
    await change(
      { ...record("gone"), expiresAt: soon },
      { ...record("renewed"), expiresAt: soon },
      { ...record("late"), expiresAt: new Date(Date.now() + 3_600_000) },
    );
    expect(await find("late")).toMatchObject({ expiresAt: expect.any(Date) });
    await change(record("renewed", 2, 1));
    await wait(80);
    expect(await find("gone")).toBeUndefined();
    expect(await keys("")).toEqual(["late", "renewed"]);
    expect(await find("renewed")).toMatchObject({ expiresAt: undefined, version: 2 });
    expect(await codeOf(change(record("gone", 2, 1)))).toBe("conflict");
    await change(record("gone", "anew", 0));
    expect(await find("gone")).toMatchObject({ value: "anew", version: 1 });
  });

  it("sweeping removes expired records, at most as many as asked for, and no others", async () => {
    await change(record("d"), { ...record("e"), expiresAt: new Date(Date.now() + 3_600_000) });
    expect(await world.store.deleteExpiredRecords(10)).toBe(0);
    const past = new Date(Date.now() - 1_000);
    await change(...["a", "b", "c"].map((key) => ({ ...record(key), expiresAt: past })));
    expect(await world.store.deleteExpiredRecords(2)).toBe(2);
    expect(await world.store.deleteExpiredRecords(2)).toBe(1);
    expect(await world.store.deleteExpiredRecords(2)).toBe(0);
    expect(await keys("")).toEqual(["d", "e"]);
  });
}
