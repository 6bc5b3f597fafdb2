// What the clients of a crash test send: known by its size and a number, so that it can be made again to be compared.
import { setTimeout as sleep } from "node:timers/promises";
import { pseudoRandom, slices } from "../support/bodies.js";
import type { Dice } from "./model.js";

export interface Content {
  readonly sizeBytes: number;
  readonly seed: number;
}

const sizes = [0, 1, 5_000, 131_072, 131_073, 400_000, 1_200_000, 4_500_000];

export function planContent(dice: Dice, sizeBytes = sizes[dice.below(sizes.length)]!): Content {
  return { sizeBytes, seed: 1 + dice.below(2 ** 31) };
}

export function bytesOf({ sizeBytes, seed }: Content): Uint8Array {
  return pseudoRandom(sizeBytes, seed);
}

export function isSame(a: Content, b: Content): boolean {
  return a.sizeBytes === b.sizeBytes && a.seed === b.seed;
}

/** In chunks of some length, with pauses between some of them. */
export async function* sendSlowly(bytes: Uint8Array, dice: Dice): AsyncGenerator<Uint8Array> {
  for (const chunk of slices(bytes, 1 + dice.below(400_000))) {
    yield chunk;
    if (dice.chance(0.3)) await sleep(dice.below(20));
  }
}

export function anyOf<T>(things: readonly T[], dice: Dice): T {
  return things[dice.below(things.length)]!;
}
