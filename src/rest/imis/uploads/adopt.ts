import type { Uploads } from "../../../core/index.js";
import type { ImisCall } from "../call.js";
import { adoptedAttributes } from "./attributes.js";
import type { FoundUpload } from "./see-session.js";

/** A session goes with the handle through which it is written: another one than before becomes its own. */
export async function adoptUpload(
  { uploads }: { readonly uploads: Pick<Uploads, "changeAttributes"> },
  { session, attributes, entity: { handle } }: FoundUpload,
  call: ImisCall,
): Promise<void> {
  if (attributes.handle === handle) return;
  await uploads.changeAttributes(
    {
      sessionId: session.id,
      isApart: true,
      change: (before) => ({ attributes: adoptedAttributes(before, handle), details: { change: "adopted" } }),
    },
    call,
  );
}
