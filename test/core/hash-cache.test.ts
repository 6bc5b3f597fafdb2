import { describe, expect, it } from "vitest";
import { createHasher } from "../../src/core/checksum.js";
import { createHashCache } from "../../src/core/hash-cache.js";

function hasherOf(length: number, ...algorithms: Parameters<typeof createHasher>[0]) {
  const hasher = createHasher(algorithms);
  hasher.update(new Uint8Array(length));
  return hasher;
}

describe("the cache of hash states", () => {
  it("gives back the newest state of an attempt", () => {
    const cache = createHashCache();
    expect(cache.take("a", 10, [])).toBeUndefined();
    cache.put("a", hasherOf(5));
    cache.put("a", hasherOf(7));
    expect(cache.take("a", 10, [])?.offset).toBe(7);
    expect(cache.take("b", 10, [])).toBeUndefined();
  });

  it("gives a state up to the offset, which may be 0, and none that is past it (P2)", () => {
    const cache = createHashCache();
    cache.put("a", hasherOf(5));
    expect(cache.take("a", 5, [])?.offset).toBe(5);
    expect(cache.take("a", 4, [])).toBeUndefined();
    cache.put("b", hasherOf(0));
    expect(cache.take("b", 0, [])?.offset).toBe(0);
  });

  it("gives no state that lacks an algorithm which is asked for", () => {
    const cache = createHashCache();
    cache.put("a", hasherOf(5, "md5"));
    expect(cache.take("a", 5, ["md5"])?.algorithms).toContain("md5");
    expect(cache.take("a", 5, ["sha256"])).toBeDefined();
    expect(cache.take("a", 5, ["md5", "crc32c"])).toBeUndefined();
  });

  it("gives copies: whoever goes on hashing changes nobody else's state", () => {
    const cache = createHashCache();
    cache.put("a", hasherOf(5));
    cache.take("a", 5, [])!.update(new Uint8Array(3));
    expect(cache.take("a", 5, [])?.digests()).toEqual(hasherOf(5).digests());
  });

  it("forgets what is dropped", () => {
    const cache = createHashCache();
    cache.put("a", hasherOf(5));
    cache.drop("a");
    cache.drop("a");
    expect(cache.take("a", 5, [])).toBeUndefined();
  });

  it("keeps at most 4096 states and forgets the longest unused ones (P10)", () => {
    const cache = createHashCache();
    for (let i = 0; i < 4096; i++) cache.put(`a${i}`, hasherOf(1));
    cache.put("a0", hasherOf(2));
    cache.put("new", hasherOf(1));
    const kept = (id: string) => cache.take(id, 9, []) !== undefined;
    expect([kept("a0"), kept("a1"), kept("a2"), kept("new")]).toEqual([true, false, true, true]);
  });
});
