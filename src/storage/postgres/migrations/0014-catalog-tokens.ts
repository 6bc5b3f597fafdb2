import type { Migration } from "./migration.js";

// Client tokens make libraries and items too, and things are found by a name whatever the case of its letters. What is
// compared has its letters lowered by the one collation and is ordered byte by byte, so that no other order of letters
// than that of the index can come up; the dates let a page be read off the index.
export const catalogTokens: Migration = {
  name: "0014-catalog-tokens",
  statements: [
    "alter table client_tokens add column subject_id uuid",
    "create index client_tokens_of_subject on client_tokens (subject_id) where subject_id is not null",
    `create index libraries_any_case on libraries
       (tenant_id, (lower(name collate any_case) collate "C"), created_at desc, id desc)`,
    `create index items_any_case on items
       (tenant_id, (lower(name collate any_case) collate "C"), created_at desc, id desc)`,
  ],
};
