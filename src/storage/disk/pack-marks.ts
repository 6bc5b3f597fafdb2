import type { PackRecord } from "./pack-reader.js";

/**
 * Which records of which packs were named for a purpose (to be trashed, to be deleted), until all of a pack's are.
 * Memory only, and bounded: what is forgotten, by a restart or for want of room, the next sweep names again.
 */
export interface PackMarks {
  add(packId: string, records: readonly PackRecord[]): void;
  remove(packId: string, records: readonly PackRecord[]): void;
  forget(packId: string): void;
  /** Whether every record that `scan` finds in the pack is marked. The pack must not grow any more. */
  cover(packId: string, scan: () => AsyncIterable<PackRecord>): Promise<boolean>;
}

interface MarkedPack {
  readonly lengths: Map<number, number>;
  /** How many records the pack has, once it was scanned. */
  recordCount: number;
}

export function createPackMarks(maxMarks = 1_000_000): PackMarks {
  const packs = new Map<string, MarkedPack>();
  let total = 0;

  function forget(packId: string): void {
    total -= packs.get(packId)?.lengths.size ?? 0;
    packs.delete(packId);
  }

  function makeRoom(): void {
    for (const packId of packs.keys()) {
      if (total <= maxMarks || packs.size === 1) return;
      forget(packId);
    }
  }

  return {
    add(packId, records) {
      const pack = packs.get(packId) ?? { lengths: new Map<number, number>(), recordCount: 0 };
      const before = pack.lengths.size;
      for (const { offset, length } of records) pack.lengths.set(offset, length);
      total += pack.lengths.size - before;
      packs.delete(packId);
      packs.set(packId, pack);
      makeRoom();
    },
    remove(packId, records) {
      for (const { offset } of records) {
        if (packs.get(packId)?.lengths.delete(offset) === true) total--;
      }
    },
    forget,
    async cover(packId, scan) {
      const pack = packs.get(packId);
      if (pack === undefined || pack.lengths.size < pack.recordCount) return false;
      let recordCount = 0;
      let covered = true;
      for await (const record of scan()) {
        recordCount++;
        covered &&= pack.lengths.get(record.offset) === record.length;
      }
      pack.recordCount = recordCount;
      return covered;
    },
  };
}
