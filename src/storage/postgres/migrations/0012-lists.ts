import type { Migration } from "./migration.js";

// A face that lists its own sessions with the newest first, and counts them: without those that are canceled or failed,
// which do not exist for it, and without the other faces' sessions beside. And of each user what they have not yet had
// processed, which is next to nothing of all that there is: no statistics of a value's share are needed to see that.
export const lists: Migration = {
  name: "0012-lists",
  statements: [
    `create index sessions_folio on sessions (tenant_id, created_at desc, id desc)
     where origin = 'folio' and state in ('active', 'completing', 'done')`,
    `create index sessions_folio_drafts on sessions (tenant_id, owner_id, created_at desc, id desc)
     where origin = 'folio' and state in ('active', 'completing', 'done')
       and attributes ->> 'status' in ('NEW', 'IN_PROGRESS', 'LOADED')`,
  ],
};
