import type { Predicate, SessionField, Uploads } from "../../../core/index.js";
import { askOnce } from "../ask-once.js";
import type { ImisCall } from "../call.js";
import type { HandlePlace } from "../entities/entities.js";
import { type SeeDeps, seenUpload, standingOf, uploadFrom } from "./see-session.js";
import type { UploadSession } from "./upload-sessions.js";

export interface ListDeps extends Omit<SeeDeps, "uploads"> {
  readonly uploads: Pick<Uploads, "listSessionViews">;
}

/** Whoever has more of them open has them on other entities, too: nobody needs them all at once. */
const mostListed = 1_000;

export async function listUploads(
  { uploads, entities, now }: ListDeps,
  place: HandlePlace,
  call: ImisCall,
): Promise<readonly UploadSession[]> {
  const { itemId } = await entities.use(place, call);
  const where: Predicate<SessionField> = {
    all: [
      { field: "itemId", is: "eq", value: itemId },
      { field: "state", is: "in", value: ["active", "completing"] },
    ],
  };
  const isClosed = askOnce((handle) => entities.isClosed(handle, call));
  const listed: UploadSession[] = [];
  const views = uploads.listSessionViews({ where, order: "newest", offset: 0, limit: mostListed }, call);
  for await (const view of views) {
    const upload = uploadFrom(view);
    const isOpen = upload !== undefined && standingOf(upload, now()) === "open";
    if (isOpen && !(await isClosed(upload.attributes.handle))) listed.push(seenUpload(upload));
  }
  return listed;
}
