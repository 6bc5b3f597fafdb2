import type { Migration } from "./migration.js";

// A pull's row says when its next try is due; whoever leases it puts that off. What else is known of it is the file's.
export const pulls: Migration = {
  name: "0010-pulls",
  statements: [
    "alter table files add column source jsonb, add column pull jsonb",
    `create table pulls (
       file_id uuid primary key references files (id) on delete cascade,
       tenant_id uuid not null,
       session_id uuid not null references sessions (id) on delete cascade,
       due_at timestamptz(3) not null,
       lease bigint not null
     )`,
    "create index pulls_due on pulls (due_at)",
    "create index pulls_of_tenant on pulls (tenant_id, due_at)",
    "create index pulls_of_session on pulls (session_id)",
    "create index sessions_completing on sessions (id) where state = 'completing'",
  ],
};
