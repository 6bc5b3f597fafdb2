import type { Database } from "../../../src/storage/postgres/connect.js";

/** A step of a plan. */
export interface Scan {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly Filter?: string;
  readonly "Index Name"?: string;
  readonly "Index Cond"?: string;
  readonly Plans?: readonly Scan[];
}

/** The plans of all that a deed asks the database. */
export async function plansOf({ knex }: Database, deed: () => Promise<unknown>): Promise<readonly Scan[]> {
  const seen: { readonly sql: string; readonly bindings: readonly never[] }[] = [];
  const see = (query: (typeof seen)[number]) => seen.push(query);
  knex.on("query", see);
  await deed();
  knex.removeListener("query", see);
  const plans: Scan[] = [];
  for (const { sql, bindings } of seen) {
    if (!/^(?:select|with|update|delete)/i.test(sql.trim())) continue;
    const { rows } = await knex.raw(`explain (format json) ${sql.replace(/\$\d+/g, "?")}`, bindings);
    plans.push(...rows[0]["QUERY PLAN"].map(({ Plan }: { Plan: Scan }) => Plan));
  }
  return plans;
}

/** All steps of a plan, however deep. */
export function scansOf(plan: Scan): readonly Scan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(scansOf)];
}
