// Content of any length that is made as it is sent.
import { createHash } from "node:crypto";
import { pseudoRandom } from "./bodies.js";

export const blockBytes = 2 ** 20;

/** No two blocks are the same, so nothing can be lost, doubled or put elsewhere without being noticed. */
const noise = Buffer.from(pseudoRandom(blockBytes));
export function blockAt(number: number): Buffer {
  const block = Buffer.from(noise);
  block.writeUInt32BE(number, 0);
  block.writeUInt32BE(number, blockBytes - 4);
  return block;
}

/** So many blocks, and what all that has been sent of them hashes to. */
export function makeBlocks(blocks: number) {
  const hash = createHash("sha256");
  function* bytes() {
    for (let number = 0; number < blocks; number++) {
      const block = blockAt(number);
      hash.update(block);
      yield block;
    }
  }
  return { bytes: bytes(), digest: () => hash.digest("hex") };
}
