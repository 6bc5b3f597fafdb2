import type { Migration } from "./migration.js";

// Users from before this step have no password; the only administrator among them is the one that every server made.
export const identity: Migration = {
  name: "0007-identity",
  statements: [
    "alter table tenants add column created_at timestamptz(3) not null default clock_timestamp()",
    "create index tenants_list on tenants (created_at desc, id desc)",
    `alter table users
       add column role text not null default 'uploader' check (role in ('reader', 'uploader', 'admin')),
       add column password text,
       add column created_at timestamptz(3) not null default clock_timestamp(),
       add column modified_at timestamptz(3) not null default clock_timestamp()`,
    `update users set role = 'admin'
     where name = 'admin' and tenant_id = (select id from tenants where name = 'default')`,
    "alter table users alter column role drop default",
    "create index users_list on users (tenant_id, created_at desc, id desc)",
    `create table tokens (
       id uuid primary key,
       tenant_id uuid not null,
       user_id uuid not null references users (id) on delete cascade,
       digest bytea not null constraint tokens_digest unique,
       audience text not null,
       label text not null,
       idle_ttl_ms bigint not null,
       created_at timestamptz(3) not null,
       last_used_at timestamptz(3) not null,
       ends_at timestamptz(3),
       expires_at timestamptz(3) not null
     )`,
    "create index tokens_list on tokens (user_id, created_at desc, id desc)",
    "create index tokens_expired on tokens (expires_at)",
  ],
};
