// Sessions with all their files, for faces that show both as one thing.
import type { Knex } from "knex";
import {
  type Predicate,
  type SessionField,
  type SessionOrder,
  type SessionRef,
  type SessionView,
  type SessionWindow,
  sessionNotFound,
} from "../../core/index.js";
import { attemptsOfFile, fileColumns } from "./files.js";
import { compilePredicate, type Sql } from "./predicate.js";
import { type FileRow, fileFromRow, type SessionJson, sessionFromJson } from "./rows.js";
import { sessionFields } from "./sessions.js";

export async function viewSession(db: Knex, ref: SessionRef): Promise<SessionView> {
  const [view] = await selectViews(db, {
    text: "select s.*, 1 as place from sessions s where s.id = ? and s.tenant_id = ?",
    bindings: [ref.sessionId, ref.tenantId],
  });
  if (view === undefined) throw sessionNotFound(ref.sessionId);
  return view;
}

// What follows the position, and in which order: written as the indexes are, which are also walked backwards.
const orders: Record<SessionOrder, { readonly by: string; readonly follows: string }> = {
  newest: { by: "created_at desc, id desc", follows: "<" },
  oldest: { by: "created_at, id", follows: ">" },
};

export async function listSessionViews(
  db: Knex,
  tenantId: string,
  predicate: Predicate<SessionField>,
  window: SessionWindow,
): Promise<readonly SessionView[]> {
  const { by, follows } = orders[window.order];
  const { after } = window;
  const { text, bindings } = compilePredicate(predicate, sessionFields);
  const listed = `
    select * from sessions where tenant_id = ? and ${text}
    ${after ? `and (created_at, id) ${follows} (?::timestamptz, ?::uuid)` : ""}
    order by ${by} offset ? limit ?`;
  const place = `row_number() over (order by ${by})`;
  const filesBefore = `sum(file_count) over (order by ${by}) - file_count`;
  return selectViews(db, {
    text: `select * from (select *, ${place} as place, ${filesBefore} as files_before from (${listed}) listed) placed
      where files_before < ?`,
    bindings: [
      tenantId,
      ...bindings,
      ...(after ? [after.createdAt, after.id] : []),
      window.offset,
      window.limit,
      window.fileLimit,
    ],
  });
}

export async function countSessions(db: Knex, tenantId: string, predicate: Predicate<SessionField>): Promise<number> {
  const { text, bindings } = compilePredicate(predicate, sessionFields);
  const { rows } = await db.raw(`select count(*) as counted from sessions where tenant_id = ? and ${text}`, [
    tenantId,
    ...bindings,
  ]);
  return rows[0].counted;
}

/** In one statement, so that sessions and files are of one moment. A session comes along with its first file only. */
async function selectViews(db: Knex, sessions: Sql): Promise<readonly SessionView[]> {
  const { rows } = await db.raw(
    `with s as materialized (${sessions.text})
     select ${fileColumns},
       case when row_number() over (partition by s.place order by f.created_at, f.id) = 1 then to_jsonb(s) end as session
     from s left join files f on f.session_id = s.id ${attemptsOfFile}
     order by s.place, f.created_at, f.id`,
    [...sessions.bindings],
  );
  const views: { session: SessionView["session"]; files: SessionView["files"][number][] }[] = [];
  for (const row of rows as (ViewRow & FileRow)[]) {
    if (row.session !== null) views.push({ session: sessionFromJson(row.session), files: [] });
    if (row.id !== null) views.at(-1)?.files.push(fileFromRow(row));
  }
  return views;
}

/** A session without files has a row of its own, in which there is no file. */
interface ViewRow {
  readonly id: string | null;
  readonly session: SessionJson | null;
}
