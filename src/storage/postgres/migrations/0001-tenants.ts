import type { Migration } from "./migration.js";

// Rows elsewhere carry tenant_id and owner_id without a foreign key: every insert would lock the same few rows.
export const tenants: Migration = {
  name: "0001-tenants",
  statements: [
    `create table store (
       singleton boolean primary key default true check (singleton),
       store_id uuid not null
     )`,
    `create table tenants (
       id uuid primary key,
       name text not null unique
     )`,
    `create table users (
       id uuid primary key,
       tenant_id uuid not null references tenants (id),
       name text not null,
       constraint users_name unique (tenant_id, name)
     )`,
  ],
};
