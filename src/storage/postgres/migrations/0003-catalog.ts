import type { Migration } from "./migration.js";

// Names that lists are ordered by are compared byte by byte, so that every database orders them alike.
export const catalog: Migration = {
  name: "0003-catalog",
  statements: [
    `create table libraries (
       id uuid primary key,
       tenant_id uuid not null,
       name text not null,
       description text not null,
       version bigint not null,
       attributes jsonb not null,
       created_at timestamptz(3) not null,
       modified_at timestamptz(3) not null,
       constraint libraries_name unique (tenant_id, name)
     )`,
    "create index libraries_list on libraries (tenant_id, created_at desc, id desc)",
    `create table items (
       id uuid primary key,
       tenant_id uuid not null,
       library_id uuid not null references libraries (id),
       name text not null,
       description text not null,
       type text not null,
       content_version bigint not null,
       version bigint not null,
       attributes jsonb not null,
       created_at timestamptz(3) not null,
       modified_at timestamptz(3) not null,
       constraint items_name unique (library_id, name)
     )`,
    "create index items_list on items (tenant_id, created_at desc, id desc)",
    "create index items_list_of_library on items (library_id, created_at desc, id desc)",
    "create index items_by_name on items (tenant_id, name)",
    `create table item_aliases (
       tenant_id uuid not null,
       item_id uuid not null references items (id) on delete cascade,
       kind text not null,
       value text not null,
       ordinal bigint not null,
       constraint item_aliases_value unique (tenant_id, kind, value)
     )`,
    "create index item_aliases_of_item on item_aliases (item_id, ordinal)",
    `create table item_files (
       tenant_id uuid not null,
       item_id uuid not null references items (id) on delete cascade,
       name text collate "C" not null,
       version bigint not null,
       media_type text not null,
       content_id uuid not null references attempts (id) on delete restrict,
       attributes jsonb not null,
       created_at timestamptz(3) not null,
       modified_at timestamptz(3) not null,
       primary key (item_id, name)
     )`,
    "create index item_files_content on item_files (content_id)",
  ],
};
