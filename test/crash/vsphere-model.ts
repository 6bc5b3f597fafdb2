// What a client of VMware's face knows of its items, and what a server may show of them after a crash.
import { type Content, isSame } from "./content.js";
import type { Dice } from "./model.js";

/** A file that a session declares. */
export interface SentFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** Of a file that is fetched: what its source gives. */
  readonly fetched: Content | undefined;
  /** Where its content goes, without the address of the server; undefined until the declaration was answered. */
  path: string | undefined;
  /** What the last 200 was for. */
  whole: Content | undefined;
  /** What broke off, and how much of it the server has told to be there. */
  partial: { readonly content: Content; readonly offset: number } | undefined;
  /** Being sent, without an answer. */
  sending: Content | undefined;
}

export type Asked = "no" | "asked" | "answered";

export interface SessionModel {
  readonly token: string;
  /** Undefined until its creation was answered. */
  id: string | undefined;
  readonly files: Map<string, SentFile>;
  /** Names of the item's files that go; those of which the removal was answered are true. */
  readonly removals: Map<string, boolean>;
  completion: Asked;
  cancellation: Asked;
}

export interface ItemModel {
  readonly round: number;
  readonly token: string;
  readonly name: string;
  id: string | undefined;
  /** The last that was answered. */
  version: number;
  /** By content version, what the item may show; the one behind the last is there once a completion was asked for. */
  readonly sets: Map<number, ReadonlyMap<string, Content>>;
  session: SessionModel | undefined;
  readonly downloads: DownloadModel[];
}

/** What was prepared to be read; good for as long as the item is as it was. */
export interface DownloadModel {
  readonly token: string;
  readonly version: number;
  readonly name: string;
  id: string | undefined;
  path: string | undefined;
}

export const emptySet: ReadonlyMap<string, Content> = new Map();

export function planItem(dice: Dice, round: number): ItemModel {
  const token = uuidOf(dice);
  const sets = new Map([[1, emptySet]]);
  return { round, token, name: `item ${token}`, id: undefined, version: 1, sets, session: undefined, downloads: [] };
}

export function planSession(dice: Dice): SessionModel {
  return {
    token: uuidOf(dice),
    id: undefined,
    files: new Map(),
    removals: new Map(),
    completion: "no",
    cancellation: "no",
  };
}

export function uuidOf(dice: Dice): string {
  const hex = Array.from({ length: 8 }, () =>
    dice
      .below(2 ** 16)
      .toString(16)
      .padStart(4, "0"),
  ).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** What everyone sees of the item, as far as it was answered. */
export function setOf({ sets, version }: ItemModel): ReadonlyMap<string, Content> {
  return sets.get(version)!;
}

/** What the item is once its session is complete. */
export function nextSet(item: ItemModel, session: SessionModel): ReadonlyMap<string, Content> {
  const next = new Map(setOf(item));
  for (const name of session.removals.keys()) next.delete(name);
  for (const [name, { fetched, whole }] of session.files) next.set(name, (fetched ?? whole)!);
  return next;
}

export function isSameSet(shown: ReadonlyMap<string, number>, set: ReadonlyMap<string, Content>): boolean {
  return shown.size === set.size && [...set].every(([name, { sizeBytes }]) => shown.get(name) === sizeBytes);
}

/** How much of `content` a server has to have of a file: as much as it has told. */
export function toldOf({ partial }: SentFile, content: Content): number {
  return partial !== undefined && isSame(partial.content, content) ? partial.offset : 0;
}
