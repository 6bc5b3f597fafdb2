// How texts are compared: neither case nor accents count.
import { type CqlPiece, type CqlRelation, type CqlTerm, literalOf } from "./query.js";

type Token = string | typeof anyText | typeof anyCharacter;

const anyText = Symbol("any text");
const anyCharacter = Symbol("any character");
const wordCharacter = /[\p{L}\p{M}\p{N}]/u;
const words = /[\p{L}\p{M}\p{N}]+/gu;

/** The text without what does not count. Upper case first, which some letters have only one of (ß, ς). */
export function foldText(text: string): string {
  return text
    .toUpperCase()
    .toLowerCase()
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .replaceAll("ς", "σ");
}

export function hasWildcard(term: CqlTerm): boolean {
  return term.some((piece) => typeof piece !== "string");
}

/** True where all that is asked for is that there is a value: `=""`, `=*` and `==*`. */
export function asksForAny(relation: CqlRelation, term: CqlTerm): boolean {
  const looksAtWords = relation === "=" || relation === "any" || relation === "all";
  if (!looksAtWords && relation !== "==") return false;
  const given = term.filter((piece) => typeof piece === "string" || piece.any === "character");
  return looksAtWords
    ? given.every((piece) => typeof piece === "string" && piece.trim() === "")
    : term.length > 0 && given.length === 0;
}

/** The words of a term, in the sense of `any` and `all`. */
export function splitTerm(term: CqlTerm): readonly CqlTerm[] {
  const parts: CqlPiece[][] = [[]];
  for (const piece of term) {
    const [first = "", ...others] = typeof piece === "string" ? piece.split(/\s+/) : [piece];
    if (first !== "") parts.at(-1)?.push(first);
    for (const other of others) parts.push(other === "" ? [] : [other]);
  }
  return parts.filter(({ length }) => length > 0);
}

/** Whether a value is to the term as the relation says. A value that is not there is for the caller to deny. */
export function createTextTest(relation: CqlRelation, term: CqlTerm): (value: string) => boolean {
  if (asksForAny(relation, term)) return () => true;
  switch (relation) {
    case "==":
      return createWholeTest(term);
    case "<>": {
      const isSame = createWholeTest(term);
      return (value) => !isSame(value);
    }
    case "=":
    case "any":
    case "all":
      return createWordTest(relation, term);
    default:
      return createOrderTest(relation, foldText(literalOf(term)));
  }
}

function createWholeTest(term: CqlTerm): (value: string) => boolean {
  if (!hasWildcard(term)) {
    const same = foldText(literalOf(term));
    return (value) => foldText(value) === same;
  }
  const pattern = tokensOf(term);
  return (value) => matches(pattern, [...foldText(value)]);
}

function createWordTest(relation: "=" | "any" | "all", term: CqlTerm): (value: string) => boolean {
  const asked = wordsOf(tokensOf(term));
  if (asked.length === 0) return () => false;
  return (value) => {
    const found = (foldText(value).match(words) ?? []).map((word) => [...word]);
    const isFound = (pattern: readonly Token[]) => found.some((word) => matches(pattern, word));
    if (relation === "any") return asked.some(isFound);
    if (relation === "all") return asked.every(isFound);
    return found.some((_, start) => asked.every((pattern, place) => matches(pattern, found[start + place] ?? [])));
  };
}

function createOrderTest(relation: "<" | ">" | "<=" | ">=", bound: string): (value: string) => boolean {
  switch (relation) {
    case "<":
      return (value) => foldText(value) < bound;
    case ">":
      return (value) => foldText(value) > bound;
    case "<=":
      return (value) => foldText(value) <= bound;
    case ">=":
      return (value) => foldText(value) >= bound;
  }
}

function tokensOf(term: CqlTerm): readonly Token[] {
  return term.flatMap((piece): readonly Token[] => {
    if (typeof piece === "string") return [...foldText(piece)];
    return [piece.any === "text" ? anyText : anyCharacter];
  });
}

/** A word of nothing but `*` asks for nothing. */
function wordsOf(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const found: Token[][] = [[]];
  for (const token of tokens) {
    if (typeof token !== "string" || wordCharacter.test(token)) found.at(-1)?.push(token);
    else found.push([]);
  }
  return found.filter((word) => word.some((token) => token !== anyText));
}

/** Goes on from the last `*` alone where it fails, so the time is at most the one length times the other. */
function matches(pattern: readonly Token[], text: readonly string[]): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let place = 0; place < text.length; ) {
    const token = pattern[at];
    if (token === anyText) {
      star = at++;
      resume = place;
    } else if (token !== undefined && (token === anyCharacter || token === text[place])) {
      at++;
      place++;
    } else if (star >= 0) {
      at = star + 1;
      place = ++resume;
    } else {
      return false;
    }
  }
  return pattern.slice(at).every((token) => token === anyText);
}
