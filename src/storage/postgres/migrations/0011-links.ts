import type { Migration } from "./migration.js";

// What lies in a library's own folder is moved: content remembers the file that it shares its bytes with, and a done
// session leaves a note for each original to remove. The note outlives the session and all that it was of.
export const links: Migration = {
  name: "0011-links",
  statements: [
    "alter table libraries add column backing_folder text",
    "alter table files add column linked jsonb",
    `create table original_removals (
       id uuid primary key,
       tenant_id uuid not null,
       uri text not null,
       validator text not null,
       tries bigint not null,
       due_at timestamptz(3) not null
     )`,
    "create index original_removals_due on original_removals (due_at)",
  ],
};
