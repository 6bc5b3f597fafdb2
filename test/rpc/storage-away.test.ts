import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pseudoRandom } from "../support/bodies.js";
import { refusalOf, wires } from "../support/client.js";
import { damage } from "./damage.js";
import { type StorageDeed, storageReads, storageRepeats, storageWrites } from "./refusals/storage.js";
import { useServer } from "./scene.js";

const server = useServer();
let seed = 0;
const fresh = (length: number) => pseudoRandom(length, 40_000 + seed++) as Uint8Array<ArrayBuffer>;
/** A file of its own, and a place in a file with others. */
const sizes = { extents: 300_000, packs: 1000 };

/** Calls while this folder is away. */
async function assertRefused({ call, unchanged }: StorageDeed, folder: keyof typeof sizes): Promise<void> {
  const path = join(server.get().dataDir, folder);
  await rename(path, `${path}-away`);
  try {
    const { code, reason } = await refusalOf(call());
    expect([code, reason]).toEqual(["UNAVAILABLE", "STORAGE_UNAVAILABLE"]);
    await unchanged?.();
  } finally {
    await rename(`${path}-away`, path);
  }
}

// Once the server has begun a pack it goes on with it, wherever its folder is: all of these come before that.
describe("small content", () => {
  const refused: StorageDeed[] = [];

  for (const wire of wires.slice(0, 3)) {
    it.each(Object.entries(storageWrites))(
      `of %s over ${wire} is refused with STORAGE_UNAVAILABLE where packs are away, and changes nothing`,
      async (_rpc, prepare) => {
        const deed = await prepare(server.client(wire), fresh(sizes.packs));
        await assertRefused(deed, "packs");
        refused.push(deed);
      },
    );
  }

  it("that was refused is stored when the same is called again", async () => {
    for (const { call } of refused) await call();
  });
});

describe.each(wires.slice(0, 3))("over %s", (wire) => {
  it.each(Object.entries(storageWrites))(
    "large content of %s is refused with STORAGE_UNAVAILABLE where extents are away, changes nothing, and is stored later",
    async (_rpc, prepare) => {
      const deed = await prepare(server.client(wire), fresh(sizes.extents));
      await assertRefused(deed, "extents");
      await deed.call();
    },
  );

  it.each(Object.entries(storageReads))(
    "%s of large content is refused with STORAGE_UNAVAILABLE where extents are away, and answers when they are back",
    async (_rpc, prepare) => {
      const deed = await prepare(server.client(wire), fresh(sizes.extents));
      await assertRefused(deed, "extents");
      await deed.call();
    },
  );

  it.each(Object.entries({ ...storageReads, ...storageRepeats }))(
    "%s of small content is refused with CONTENT_DAMAGED where a bit of it is wrong, and of that content alone",
    async (_rpc, prepare) => {
      const [content, neighbour] = [fresh(sizes.packs), fresh(sizes.packs)];
      const deeds = [
        await prepare(server.client(wire), content),
        await prepare(server.client(wire), neighbour),
      ] as const;
      await damage(server.get().dataDir, content, async (path, at) => {
        const file = await open(path, "r+");
        await file.write(Uint8Array.of(content[500]! ^ 1), 0, 1, at + 500);
        await file.close();
      });
      const { code, reason } = await refusalOf(deeds[0].call());
      expect([code, reason]).toEqual(["DATA_LOSS", "CONTENT_DAMAGED"]);
      await deeds[1].call();
    },
  );
});
