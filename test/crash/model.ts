// What a client knows: what it asked for, and what of it was acknowledged. The truth that a server has to live up to
// after a crash.
import { createHash } from "node:crypto";
import { pseudoRandom } from "../support/bodies.js";

export interface FileModel {
  readonly name: string;
  readonly sizeBytes: number;
  readonly seed: number;
  /** Whether the spec says the size and the checksum. */
  readonly declared: boolean;
  readonly sha256: string;
  /** Undefined until AddFile was answered. */
  id: string | undefined;
  /** The highest offset that any answer told. */
  committed: number;
  /** An answer said READY. */
  ready: boolean;
}

export interface SessionModel {
  readonly clientToken: string;
  readonly round: number;
  /** Undefined until CreateSession was answered. */
  id: string | undefined;
  readonly files: FileModel[];
  completeAsked: boolean;
  completed: boolean;
}

/** Numbers that are the same for the same seed. */
export interface Dice {
  /** From 0 up to, but not with, 1. */
  next(): number;
  below(most: number): number;
  chance(probability: number): boolean;
  /** Dice of their own, so that what one client throws does not depend on how fast another is. */
  split(): Dice;
}

export function createDice(seed: number): Dice {
  let state = seed >>> 0;
  // mulberry32
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const below = (most: number) => Math.floor(next() * most);
  return { next, below, chance: (probability) => next() < probability, split: () => createDice(below(2 ** 32)) };
}

export function planSession(dice: Dice, round: number): SessionModel {
  const uuid = Array.from({ length: 4 }, () => dice.below(2 ** 32).toString(16)).join("-");
  const files = Array.from({ length: 1 + dice.below(3) }, (_, i) => planFile(dice, `file ${i}`));
  return { clientToken: uuid, round, id: undefined, files, completeAsked: false, completed: false };
}

const sizes = [0, 1, 5_000, 131_072, 131_073, 400_000, 1_200_000, 2_200_000];

function planFile(dice: Dice, name: string): FileModel {
  const sizeBytes = sizes[dice.below(sizes.length)]!;
  const seed = 1 + dice.below(2 ** 31);
  const sha256 = createHash("sha256").update(pseudoRandom(sizeBytes, seed)).digest("hex");
  return { name, sizeBytes, seed, declared: dice.chance(0.5), sha256, id: undefined, committed: 0, ready: false };
}

export function contentOf(file: FileModel): Uint8Array {
  return pseudoRandom(file.sizeBytes, file.seed);
}
