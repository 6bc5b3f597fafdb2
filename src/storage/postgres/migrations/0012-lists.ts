import type { Migration } from "./migration.js";

// A face that lists its own sessions with the newest first, and counts them: without those that are canceled or failed,
// which do not exist for it, and without the other faces' sessions beside. Of each user's by one status; and of those
// which the user has not yet had processed, in whichever of three statuses they are: one order over several values is
// what the second index cannot give, and what no statistics of a value's share have to be trusted for.
export const lists: Migration = {
  name: "0012-lists",
  statements: [
    `create index sessions_folio on sessions (tenant_id, created_at desc, id desc)
     where origin = 'folio' and state in ('active', 'completing', 'done')`,
    `create index sessions_folio_status
       on sessions (tenant_id, owner_id, (attributes ->> 'status'), created_at desc, id desc)
     where origin = 'folio' and state in ('active', 'completing', 'done')`,
    `create index sessions_folio_drafts on sessions (tenant_id, owner_id, created_at desc, id desc)
     where origin = 'folio' and state in ('active', 'completing', 'done')
       and attributes ->> 'status' in ('NEW', 'IN_PROGRESS', 'LOADED')`,
  ],
};
