import type { Migration } from "./migration.js";

/** Attempts that nobody can continue once they have broken off: whoever starts fails them. */
export const once: Migration = {
  name: "0013-once",
  statements: [
    "alter table attempts add column once boolean not null default false",
    "create index attempts_once on attempts (id) where once",
  ],
};
