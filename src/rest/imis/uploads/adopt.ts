import type { Uploads } from "../../../core/index.js";
import type { ImisCall } from "../call.js";
import type { Entities } from "../entities/entities.js";
import { adoptedAttributes } from "./attributes.js";
import { endWithEntity } from "./end-with-entity.js";
import { sessionGone } from "./refusals.js";
import type { FoundUpload } from "./see-session.js";

export interface AdoptDeps {
  readonly uploads: Pick<Uploads, "changeAttributes" | "cancelSession">;
  readonly entities: Pick<Entities, "isClosed">;
}

/**
 * A session goes with the handle through which it is written: another one than before becomes its own. Throws
 * `session_gone` where that was closed meanwhile.
 */
export async function adoptUpload(
  deps: AdoptDeps,
  { session, attributes, entity: { handle } }: FoundUpload,
  call: ImisCall,
): Promise<void> {
  if (attributes.handle === handle) return;
  await deps.uploads.changeAttributes(
    {
      sessionId: session.id,
      isApart: true,
      change: (before) => ({ attributes: adoptedAttributes(before, handle), details: { change: "adopted" } }),
    },
    call,
  );
  if (!(await deps.entities.isClosed(handle, call))) return;
  await endWithEntity(deps, session.id, call);
  throw sessionGone("entity_closed");
}
