import type { Database } from "../../../src/storage/postgres/connect.js";

/** A step of a plan. */
export interface Scan {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly Filter?: string;
  readonly "Index Name"?: string;
  readonly "Index Cond"?: string;
  readonly Plans?: readonly Scan[];
  readonly "Actual Rows"?: number;
  readonly "Actual Loops"?: number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Index Recheck"?: number;
}

/** The plans of all that a deed asks the database. With `analyze` it is asked once more, and counted what is read. */
export async function plansOf(
  { knex }: Database,
  deed: () => Promise<unknown>,
  options: { readonly analyze?: boolean } = {},
): Promise<readonly Scan[]> {
  const seen: { readonly sql: string; readonly bindings: readonly never[] }[] = [];
  const see = (query: (typeof seen)[number]) => seen.push(query);
  knex.on("query", see);
  await deed();
  knex.removeListener("query", see);
  const plans: Scan[] = [];
  for (const { sql, bindings } of seen) {
    if (!/^(?:select|with|update|delete)/i.test(sql.trim())) continue;
    const { rows } = await knex.raw(
      `explain (format json, analyze ${options.analyze ?? false}) ${sql.replace(/\$\d+/g, "?")}`,
      bindings,
    );
    plans.push(...rows[0]["QUERY PLAN"].map(({ Plan }: { Plan: Scan }) => Plan));
  }
  return plans;
}

/** All steps of a plan, however deep. */
export function scansOf(plan: Scan): readonly Scan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(scansOf)];
}

/** How many rows of a table a measured plan has looked at, whether they were wanted or not. */
export function rowsReadOf(plan: Scan, table: string): number {
  return scansOf(plan)
    .filter((scan) => scan["Relation Name"] === table)
    .reduce((sum, scan) => {
      const { "Actual Rows": rows = Number.NaN, "Actual Loops": loops = Number.NaN } = scan;
      const removed = (scan["Rows Removed by Filter"] ?? 0) + (scan["Rows Removed by Index Recheck"] ?? 0);
      return sum + (rows + removed) * loops;
    }, 0);
}
