import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createHasher } from "../../src/core/checksum.js";
import { createHashFollower } from "../../src/core/hash-follower.js";
import { pseudoRandom } from "../support/bodies.js";

function hashOf(bytes: Uint8Array) {
  const hasher = createHasher(["crc32c"]);
  hasher.update(bytes);
  return hasher;
}

/** Reads back in small chunks with turns of the event loop between them, and never past what is written. */
function slowReader(content: Uint8Array, written: () => number, chunkBytes: number) {
  return async function* (from: number, to: number, signal: AbortSignal) {
    if (to > written()) throw new Error(`read to ${to}, only ${written()} written`);
    for (let at = from; at < to; at += chunkBytes) {
      await nextTurn();
      signal.throwIfAborted();
      yield content.subarray(at, Math.min(to, at + chunkBytes));
    }
  };
}

const never = async function* (): AsyncGenerator<Uint8Array> {
  yield* [];
  throw new Error("read back for nothing");
};

describe("following content with a hash", () => {
  it("hashes what arrives and reads nothing back when it is not behind", async () => {
    const follower = createHashFollower(createHasher([]), 0, never);
    follower.take(new Uint8Array([1, 2]), 0);
    follower.wrote(2);
    follower.take(new Uint8Array([3]), 2);
    await follower.settle(3);
    expect(follower.offset).toBe(3);
    expect(follower.snapshot(3)?.digests()).toEqual(follower.hasher.digests());
    expect(follower.snapshot(2)).toBeUndefined();
  });

  it("reads back what was stored before it began", async () => {
    const content = pseudoRandom(1000);
    const follower = createHashFollower(
      createHasher(["crc32c"]),
      1000,
      slowReader(content, () => 1000, 64),
    );
    follower.wrote(1000);
    expect(follower.snapshot(0)).toBeUndefined();
    await follower.settle(1000);
    expect(follower.hasher.digests()).toEqual(hashOf(content).digests());
  });

  it("tells what failed while reading back, and does not try again", async () => {
    let reads = 0;
    const follower = createHashFollower(createHasher([]), 10, () => {
      reads++;
      throw new Error("bytes are damaged");
    });
    follower.wrote(10);
    await expect(follower.settle(10)).rejects.toThrow("bytes are damaged");
    follower.wrote(20);
    await expect(follower.settle(20)).rejects.toThrow("bytes are damaged");
    expect(reads).toBe(1);
  });

  it("stops reading back when told, and says so to whoever waits", async () => {
    const content = pseudoRandom(100_000);
    const follower = createHashFollower(
      createHasher([]),
      100_000,
      slowReader(content, () => 100_000, 10),
    );
    follower.wrote(100_000);
    const waiting = expect(follower.settle(100_000)).rejects.toThrow(/abort/i);
    await nextTurn();
    follower.stop();
    await waiting;
    expect(follower.offset).toBeLessThan(100_000);
  });

  it("waiting for bytes that nobody has said can be read back rejects and does not spin", async () => {
    const follower = createHashFollower(createHasher([]), 0, never);
    await expect(follower.settle(10)).rejects.toThrow(TypeError);
  });

  it("gives snapshots that are not changed by what comes later", () => {
    const follower = createHashFollower(createHasher([]), 0, never);
    follower.take(new Uint8Array([1]), 0);
    const snapshot = follower.snapshot(1)!;
    follower.take(new Uint8Array([2]), 1);
    const direct = createHasher([]);
    direct.update(new Uint8Array([1]));
    expect(snapshot.digests()).toEqual(direct.digests());
  });

  it("equals a direct hash however arrivals, writes, waits and read-backs interleave (P6)", async () => {
    const step = fc.record({
      length: fc.integer({ min: 1, max: 400 }),
      /** How many turns of the event loop pass before the next chunk. */
      turns: fc.nat(3),
      writeAll: fc.boolean(),
      settle: fc.boolean(),
    });
    const property = fc.asyncProperty(
      fc.nat(2000),
      fc.nat(2000),
      fc.array(step, { maxLength: 20 }),
      fc.integer({ min: 1, max: 500 }),
      async (stored, cached, steps, chunkBytes) => {
        const total = steps.reduce((sum, { length }) => sum + length, stored);
        const content = pseudoRandom(total);
        let written = stored;
        let received = stored;
        const start = hashOf(content.subarray(0, Math.min(stored, cached)));
        const follower = createHashFollower(
          start,
          stored,
          slowReader(content, () => written, chunkBytes),
        );
        follower.wrote(stored);
        for (const { length, turns, writeAll, settle } of steps) {
          follower.take(content.subarray(received, received + length), received);
          received += length;
          if (writeAll || settle) {
            written = received;
            follower.wrote(written);
          }
          for (let i = 0; i < turns; i++) await nextTurn();
          if (settle) await follower.settle(received);
          const { offset } = follower;
          expect(follower.hasher.digests()).toEqual(hashOf(content.subarray(0, offset)).digests());
        }
        written = received;
        follower.wrote(written);
        await follower.settle(received);
        expect(follower.snapshot(total)?.digests()).toEqual(hashOf(content).digests());
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });
});
