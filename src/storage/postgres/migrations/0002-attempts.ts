import type { Migration } from "./migration.js";

// An attempt outlives its file when an item names its content, so nothing but the sweep deletes it (released_at says
// that it may look).
export const attempts: Migration = {
  name: "0002-attempts",
  statements: [
    `create table attempts (
       id uuid primary key,
       tenant_id uuid not null,
       number bigint not null,
       epoch bigint not null,
       offset_bytes bigint not null check (offset_bytes >= 0),
       checksums jsonb,
       released_at timestamptz(3)
     )`,
    "create index attempts_released on attempts (released_at) where released_at is not null",
    `create table extents (
       tenant_id uuid not null,
       attempt_id uuid not null references attempts (id) on delete cascade,
       epoch bigint not null,
       offset_bytes bigint not null check (offset_bytes >= 0),
       length_bytes bigint not null check (length_bytes > 0),
       blob_key text collate "C" not null constraint extents_blob_key unique,
       primary key (attempt_id, epoch)
     )`,
  ],
};
