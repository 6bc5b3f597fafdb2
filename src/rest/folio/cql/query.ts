/** How a clause compares. `=` (and its other name, `adj`), `any` and `all` look at words, the others at whole values. */
export type CqlRelation = "==" | "=" | "<>" | "<" | ">" | "<=" | ">=" | "any" | "all";

/** A query as its author wrote it: whatever its fields are, it is well-formed. */
export interface CqlQuery {
  readonly where: CqlNode;
  /** Empty where the query says nothing of an order. */
  readonly sortBy: readonly CqlSortKey[];
}

export type CqlNode = CqlClause | CqlBoolean;

export interface CqlClause {
  /** The name of a field with dots between its parts, or one of the names that begin with `cql.`. */
  readonly index: string;
  readonly relation: CqlRelation;
  readonly term: CqlTerm;
}

/** `not` is what the language has: the left without the right. */
export interface CqlBoolean {
  readonly operator: "and" | "or" | "not";
  readonly left: CqlNode;
  readonly right: CqlNode;
}

/** What a field is compared with: texts that stand for themselves, and wildcards. The empty term has no pieces. */
export type CqlTerm = readonly CqlPiece[];

export type CqlPiece = string | CqlWildcard;

/** `*` stands for any text, `?` for any one character. */
export interface CqlWildcard {
  readonly any: "text" | "character";
}

export interface CqlSortKey {
  readonly index: string;
  readonly descending: boolean;
}

/** A query that cannot be read, or not be answered, in a sentence for its author. */
export class CqlError extends Error {
  override readonly name = "CqlError";
  /** The beginning of the part of the query that is wrong; empty where it is the whole. */
  readonly near: string;
  constructor(message: string, near = "") {
    super(message);
    this.near = shorten(near);
  }
}

/** A part of the query as a message may repeat it. */
export function shorten(text: string): string {
  return text.slice(0, 80).toWellFormed();
}

/** True for an index that every record has, whatever it is compared with. */
export function isAllRecords(clause: CqlClause): boolean {
  return clause.index.toLowerCase() === "cql.allrecords";
}

/** The term with its wildcards as the characters they are written with. */
export function literalOf(term: CqlTerm): string {
  return term.map((piece) => (typeof piece === "string" ? piece : piece.any === "text" ? "*" : "?")).join("");
}
