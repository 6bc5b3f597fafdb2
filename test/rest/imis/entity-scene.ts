// Upload sessions as the face makes them, straight from the core: what closing an entity has to end.
import { createId, type Session, type Uploads } from "../../../src/core/index.js";
import type { ImisCall } from "../../../src/rest/imis/call.js";
import type { OpenEntity } from "../../../src/rest/imis/entities/entities.js";
import { usualDeadlines } from "./face-scene.js";

export interface StartedUpload {
  readonly sessionId: string;
  readonly fileId: string;
}

export async function startUpload(
  uploads: Uploads,
  entity: Pick<OpenEntity, "handle" | "itemId">,
  call: ImisCall,
): Promise<StartedUpload> {
  const { session } = await uploads.createSession(
    {
      itemId: entity.itemId,
      access: "additive",
      visibility: "owner",
      origin: "imis",
      attributes: { handle: entity.handle },
      deadlines: usualDeadlines,
      files: [{ name: createId() }],
    },
    call,
  );
  const { things } = await uploads.listFiles({ sessionId: session.id, page: {} }, call);
  return { sessionId: session.id, fileId: things[0]!.id };
}

/** How far an upload is, in one word: `active`, `done`, or `canceled` and by what. */
export async function standingOf(uploads: Uploads, { sessionId }: StartedUpload, call: ImisCall): Promise<string> {
  return wordOf(await uploads.getSession({ sessionId }, call));
}

function wordOf({ state, attributes }: Session): string {
  return typeof attributes.endedBy === "string" ? `${state} ${attributes.endedBy}` : state;
}
