import type { Migration } from "./migration.js";

export const records: Migration = {
  name: "0005-records",
  statements: [
    `create table records (
       tenant_id uuid not null,
       namespace text collate "C" not null,
       key text collate "C" not null,
       value jsonb not null,
       version bigint not null,
       expires_at timestamptz(3),
       primary key (tenant_id, namespace, key)
     )`,
    "create index records_expired on records (expires_at) where expires_at is not null",
  ],
};
