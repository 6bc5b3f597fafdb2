import type { Migration } from "./migration.js";

// Where a blob's bytes lie is a key of its own or content that files have too; the blob of no bytes has neither.
export const blobs: Migration = {
  name: "0008-blobs",
  statements: [
    `create table blobs (
       tenant_id uuid not null,
       ref text collate "C" not null,
       size_bytes bigint not null check (size_bytes >= 0),
       blob_key text collate "C" constraint blobs_blob_key unique,
       content_id uuid references attempts (id) on delete restrict,
       created_at timestamptz(3) not null,
       primary key (tenant_id, ref),
       constraint blobs_place check (num_nonnulls(blob_key, content_id) = least(size_bytes, 1))
     )`,
    "create index blobs_content on blobs (content_id) where content_id is not null",
  ],
};
