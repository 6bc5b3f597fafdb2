// Predicate trees as SQL. Values and attribute names are bindings, always; what is spliced is column names from fixed
// tables. Every condition is true or false, never null, so that `not` is the plain opposite.
import type { Knex } from "knex";
import type { Comparison, PageQuery, Predicate, PredicateValue } from "../../core/index.js";

/** The columns that a noun's fields are. */
export type FieldTable<Field extends string> = {
  readonly [Name in Field]: Column;
};

interface Column {
  readonly column: string;
  readonly kind: FieldKind;
}

type FieldKind = "id" | "text" | "time";

export interface Sql {
  readonly text: string;
  readonly bindings: readonly Knex.RawBinding[];
}

type Value = PredicateValue | readonly PredicateValue[];

const types: Record<FieldKind, string> = { id: "uuid", text: "text", time: "timestamptz" };
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function compilePredicate<Field extends string>(predicate: Predicate<Field>, fields: FieldTable<Field>): Sql {
  if ("all" in predicate) return join(predicate.all, "and", fields);
  if ("any" in predicate) return join(predicate.any, "or", fields);
  if ("not" in predicate) return negate(compilePredicate(predicate.not, fields));
  const { is, value } = predicate;
  const compare =
    "field" in predicate
      ? (how: Comparison, to: Value) => compareField(fields[predicate.field], how, to)
      : (how: Comparison, to: Value) => compareAttribute(predicate.attribute, how, to);
  return is === "ne" ? negate(compare("eq", value)) : compare(is, value);
}

/** One thing more than the page holds, newest first. */
export async function selectPage<Field extends string, Row>(
  db: Knex,
  table: string,
  query: { tenantId: string; predicate: Predicate<Field>; fields: FieldTable<Field>; page: PageQuery },
  columns = "*",
): Promise<Row[]> {
  const { text, bindings } = compilePredicate(query.predicate, query.fields);
  const { limit, after } = query.page;
  const { rows } = await db.raw(
    `select ${columns} from ${table} where tenant_id = ? and ${text}
     ${after ? "and (created_at, id) < (?::timestamptz, ?::uuid)" : ""}
     order by created_at desc, id desc limit ?`,
    [query.tenantId, ...bindings, ...(after ? [after.createdAt, after.id] : []), limit + 1],
  );
  return rows;
}

/** A pattern for LIKE that stands for this text alone. */
export function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, "\\$&");
}

function join<Field extends string>(
  parts: readonly Predicate<Field>[],
  word: "and" | "or",
  fields: FieldTable<Field>,
): Sql {
  return combine(
    parts.map((part) => compilePredicate(part, fields)),
    word,
  );
}

function combine(conditions: readonly Sql[], word: "and" | "or"): Sql {
  if (conditions.length === 0) return word === "and" ? always : never;
  const text = conditions.map((condition) => condition.text).join(` ${word} `);
  return sql(`(${text})`, ...conditions.flatMap((condition) => condition.bindings));
}

function compareField({ column, kind }: Column, is: Comparison, value: Value): Sql {
  const known = `${column} is not null`;
  if (is === "in") {
    const values = asList(value);
    const texts = values.map((one) => comparable(kind, one)).filter((one) => one !== undefined);
    const listed = `(${known} and ${column} = any(?::${types[kind]}[]))`;
    return sql(values.includes(null) ? `(${listed} or ${column} is null)` : listed, texts);
  }
  if (value === null) return is === "eq" ? sql(`${column} is null`) : never;
  const exact = comparable(kind, value);
  if (is === "eq") return exact === undefined ? never : sql(`(${known} and ${column} = ?::${types[kind]})`, exact);
  if (kind === "time") {
    if (exact === undefined || is === "matches" || is === "same") return never;
    return sql(`(${known} and ${column} ${operatorOf(is)} ?::timestamptz)`, exact);
  }
  if (!isStorable(value)) return never;
  if (is === "same") return sql(`(${known} and ${sameText(`${column}::text`)})`, value);
  if (is === "matches") return sql(`(${known} and ${column}::text collate any_case ilike ?::text)`, patternOf(value));
  return sql(`(${known} and ${column}::text collate "C" ${operatorOf(is)} ?::text)`, value);
}

/** Compares as JSON, so 1 is 1.0 and never "1"; a time stands for its ISO 8601 text, which sorts as time does. */
function compareAttribute(path: readonly string[], is: Comparison, value: Value): Sql {
  if (!path.every(isStorable)) return never;
  if (is === "in") return equalsAny(path, asList(value).map(asStored));
  const given = asStored(value as PredicateValue);
  if (is === "eq") return equalsAny(path, [given]);
  const at = pathOf(path);
  const ofKind = `coalesce(jsonb_typeof(attributes #> ${at}) = '${typeof given}', false)`;
  if (isStorable(given)) {
    const text = `(attributes #>> ${at})`;
    const condition =
      is === "same"
        ? sameText(text)
        : is === "matches"
          ? `${text} collate any_case ilike ?::text`
          : `${text} collate "C" ${operatorOf(is)} ?::text`;
    return sql(`(${ofKind} and ${condition})`, ...path, ...path, is === "matches" ? patternOf(given) : given);
  }
  const json = jsonOf(given);
  if (typeof given !== "number" || json === undefined || is === "matches" || is === "same") return never;
  return sql(`(${ofKind} and attributes #> ${at} ${operatorOf(is)} ?::jsonb)`, ...path, ...path, json);
}

function equalsAny(path: readonly string[], values: readonly PredicateValue[]): Sql {
  const [name, ...deeper] = path;
  const texts = name !== undefined && deeper.length === 0 ? values.filter(isStorable) : [];
  const others = values.filter((value) => !texts.includes(value as string)).map(jsonOf);
  const listed = others.filter((json) => json !== undefined);
  const conditions: Sql[] = [];
  if (name !== undefined && texts.length > 0) conditions.push(equalsText(name, texts));
  if (listed.length > 0) {
    const condition = `coalesce(attributes #> ${pathOf(path)} = any(?::jsonb[]), false)`;
    conditions.push(sql(condition, ...path, listed));
  }
  return combine(conditions, "or");
}

/**
 * As text, which an index over `attributes ->> name` serves; that is why nothing stands around the comparison that makes
 * its null false. Where it is null, the kind is not that of a text: then all is false, whatever the comparison is.
 */
function equalsText(name: string, texts: readonly string[]): Sql {
  const ofKind = "coalesce(jsonb_typeof(attributes -> ?::text) = 'string', false)";
  const [only, ...more] = texts;
  return more.length === 0
    ? sql(`(${ofKind} and attributes ->> ?::text = ?::text)`, name, name, only!)
    : sql(`(${ofKind} and attributes ->> ?::text = any(?::text[]))`, name, name, [...texts]);
}

function pathOf(path: readonly string[]): string {
  return `array[${path.map(() => "?").join(", ")}]::text[]`;
}

/** The value as text that a column of this kind may be compared with; undefined when it equals nothing of the kind. */
function comparable(kind: FieldKind, value: Value): string | undefined {
  if (kind === "time") return isTime(value) ? value.toISOString() : undefined;
  return isStorable(value) && (kind === "text" || uuid.test(value)) ? value : undefined;
}

/** The value as JSON text; undefined when no JSON equals it. */
function jsonOf(value: PredicateValue): string | undefined {
  if (typeof value === "number" && !Number.isFinite(value)) return undefined;
  if (typeof value === "string" && !isStorable(value)) return undefined;
  if (value instanceof Date && !isTime(value)) return undefined;
  return JSON.stringify(value);
}

/** What JSON has in place of a time. */
function asStored(value: PredicateValue): PredicateValue {
  return isTime(value) ? value.toISOString() : value;
}

function asList(value: Value): readonly PredicateValue[] {
  return Array.isArray(value) ? value : [];
}

function operatorOf(is: Comparison): string {
  if (is === "lt") return "<";
  if (is === "le") return "<=";
  if (is === "gt") return ">";
  if (is === "ge") return ">=";
  throw new TypeError(`${is} is not an order`);
}

/** Written as the indexes over names are, or they would not be used. */
function sameText(text: string): string {
  return `lower(${text} collate any_case) collate "C" = lower(?::text collate any_case) collate "C"`;
}

function negate(condition: Sql): Sql {
  return sql(`not (${condition.text})`, ...condition.bindings);
}

function patternOf(value: string): string {
  return escapeLike(value).replaceAll("*", "%");
}

function isTime(value: Value): value is Date {
  return value instanceof Date && !Number.isNaN(value.getTime());
}

/** Text that PostgreSQL can hold at all; other text equals nothing that is stored. */
function isStorable(value: Value): value is string {
  return typeof value === "string" && !value.includes("\0") && value.isWellFormed();
}

function sql(text: string, ...bindings: readonly Knex.RawBinding[]): Sql {
  return { text, bindings };
}

const always = sql("true");
const never = sql("false");
