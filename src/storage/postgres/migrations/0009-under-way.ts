import type { Migration } from "./migration.js";

// Of a session with very many files those few that are being sent, in an order that a limit can cut.
export const underWay: Migration = {
  name: "0009-under-way",
  statements: ["create index files_under_way on files (session_id, id) where running_attempt_id is not null"],
};
