// The subset of the Contextual Query Language that the API's lists take, by recursive descent over tokens: it looks one
// token ahead and never goes back, so the time it takes grows as the query does.
import { type CqlToken, readTokens } from "./lexer.js";
import {
  type CqlBoolean,
  CqlError,
  type CqlNode,
  type CqlQuery,
  type CqlRelation,
  type CqlSortKey,
  type CqlTerm,
  literalOf,
  shorten,
} from "./query.js";

const longestQuery = 8192;
const deepest = 32;
const mostConditions = 200;

const relations: Readonly<Record<string, CqlRelation>> = {
  "==": "==",
  "=": "=",
  "<>": "<>",
  "<": "<",
  ">": ">",
  "<=": "<=",
  ">=": ">=",
  any: "any",
  all: "all",
  adj: "=",
};
const unsupportedRelations: readonly string[] = ["exact", "within", "encloses"];

/** What a clause without an index and a relation of its own has, which those before a parenthesis hand into it. */
interface Scope {
  readonly index: string;
  readonly relation: CqlRelation;
}

/**
 * Reads a query of at most 8,192 characters with 200 conditions (and as many sort keys) and 32 levels of parentheses.
 * `and`, `or` and `not` are equals and taken from left to right; relation modifiers are passed over. Throws `CqlError`,
 * and nothing else.
 */
export function parseCql(text: string): CqlQuery {
  if (text.length > longestQuery) {
    throw new CqlError(`the query has ${text.length} characters, at most ${longestQuery} are allowed`);
  }
  const tokens = readTokens(text);
  let next = 0;
  let conditions = 0;

  const peek = (): CqlToken => tokens[next]!;
  /** The end is never passed over. */
  const take = (): CqlToken => tokens[next < tokens.length - 1 ? next++ : next]!;
  const isAt = (symbol: string): boolean => peek().kind === "symbol" && peek().text === symbol;

  function readQuery(scope: Scope, depth: number): CqlNode {
    let node = readOperand(scope, depth);
    while (isBoolean(peek())) {
      const { text: operator } = take();
      if (operator === "prox") throw new CqlError("the operator prox is not supported", operator);
      passModifiers();
      node = { operator: operator as CqlBoolean["operator"], left: node, right: readOperand(scope, depth) };
    }
    return node;
  }

  function readOperand(scope: Scope, depth: number): CqlNode {
    if (isAt("(")) return readParenthesis(scope, depth);
    const before = peek();
    const term = readTerm("a search clause");
    const relation = readRelation();
    if (relation === undefined) return makeClause(scope, term);
    const own: Scope = { index: literalOf(term), relation };
    if (own.index === "") throw new CqlError("the name of an index is empty", before.text);
    return isAt("(") ? readParenthesis(own, depth) : makeClause(own, readTerm(`a term after the relation ${relation}`));
  }

  function readParenthesis(scope: Scope, depth: number): CqlNode {
    if (depth === deepest) throw new CqlError(`parentheses are deeper than ${deepest} levels`, "(");
    take();
    const node = readQuery(scope, depth + 1);
    if (!isAt(")")) throw unexpected("and, or, not or a closing parenthesis");
    take();
    return node;
  }

  /** A quoted text, or words with one blank between them. */
  function readTerm(expected: string): CqlTerm {
    const first = peek();
    if (first.kind !== "word" && first.kind !== "string") throw unexpected(expected);
    take();
    const pieces = [...first.term];
    while (first.kind === "word" && peek().kind === "word" && !isRelationName(peek().text)) {
      pieces.push(" ", ...take().term);
    }
    return pieces;
  }

  function readRelation(): CqlRelation | undefined {
    const { kind, text: written } = peek();
    const name = written.toLowerCase();
    if (kind === "word" && unsupportedRelations.includes(name)) {
      throw new CqlError(`the relation ${name} is not supported`, written);
    }
    const isRelation = (kind === "symbol" || kind === "word") && Object.hasOwn(relations, name);
    if (!isRelation) return undefined;
    take();
    passModifiers();
    return relations[name];
  }

  /** The names of the modifiers; what they are compared with is passed over. */
  function passModifiers(): readonly string[] {
    const names: string[] = [];
    while (isAt("/")) {
      take();
      names.push(readName("the name of a modifier").toLowerCase());
      if (peek().kind === "symbol" && Object.hasOwn(relations, peek().text)) {
        take();
        readName("the value of a modifier");
      }
    }
    return names;
  }

  function readName(expected: string): string {
    if (peek().kind !== "word" && peek().kind !== "string") throw unexpected(expected);
    return literalOf(take().term);
  }

  function readSortKeys(): readonly CqlSortKey[] {
    const keys: CqlSortKey[] = [];
    do {
      const index = readName("a sort key");
      keys.push({ index, descending: passModifiers().findLast(isDirection) === "sort.descending" });
    } while (peek().kind !== "end");
    if (keys.length > mostConditions) throw new CqlError(`the query has more than ${mostConditions} sort keys`);
    return keys;
  }

  function makeClause(scope: Scope, term: CqlTerm): CqlNode {
    if (++conditions > mostConditions) throw new CqlError(`the query has more than ${mostConditions} conditions`);
    return { ...scope, term };
  }

  function unexpected(expected: string): CqlError {
    const { kind, text: found } = peek();
    if (kind === "end") return new CqlError(`expected ${expected}, but the query ends`);
    const hint = kind === "keyword" ? " (a keyword that is meant as a text stands in quotation marks)" : "";
    return new CqlError(`expected ${expected}, found ${shorten(found)}${hint}`, found);
  }

  const where = readQuery({ index: "cql.serverChoice", relation: "=" }, 0);
  let sortBy: readonly CqlSortKey[] = [];
  if (peek().kind === "keyword" && peek().text === "sortby") {
    take();
    sortBy = readSortKeys();
  }
  if (peek().kind !== "end") throw unexpected("and, or, not, sortBy or the end of the query");
  return { where, sortBy };
}

function isBoolean({ kind, text }: CqlToken): boolean {
  return kind === "keyword" && text !== "sortby";
}

function isRelationName(text: string): boolean {
  const name = text.toLowerCase();
  return Object.hasOwn(relations, name) || unsupportedRelations.includes(name);
}

function isDirection(modifier: string): boolean {
  return modifier === "sort.ascending" || modifier === "sort.descending";
}
