import { createId, type Deadlines, isUploadError, type Session, type Uploads } from "../../../core/index.js";
import { type ImisCall, imisOrigin } from "../call.js";
import type { Entities, OpenEntity } from "../entities/entities.js";
import { ImisError } from "../errors.js";
import { type ImisLimits, overLimit } from "../limits.js";
import { endedAttributes, newAttributes, uploadAttributes } from "./attributes.js";
import { handleReadOnly } from "./refusals.js";
import type { SessionCounts } from "./session-counts.js";
import type { NewUpload, UploadSession } from "./upload-sessions.js";

export interface NewSessionDeps {
  readonly uploads: Pick<Uploads, "createSession" | "cancelSession">;
  readonly entities: Pick<Entities, "use" | "isClosed">;
  readonly limits: ImisLimits;
  readonly deadlines: Deadlines;
  readonly counts: SessionCounts;
}

export async function createUpload(deps: NewSessionDeps, input: NewUpload, call: ImisCall): Promise<UploadSession> {
  const { limits, entities } = deps;
  const { sizeBytes, contentType } = input;
  if (sizeBytes !== undefined && sizeBytes > limits.maxObjectBytes) {
    const text = `an object has at most ${limits.maxObjectBytes} bytes, not ${sizeBytes}`;
    throw overLimit(limits, "maxObjectBytes", "object_too_large", text);
  }
  const entity = await entities.use(input, call);
  if (entity.mode !== "write") throw handleReadOnly();
  const { id, expiresAt } = await deps.counts.admit(() => createOn(deps, entity, input, call), call);
  if (await entities.isClosed(entity.handle, call)) {
    // Whoever closed it has looked for its sessions before this one was there.
    await endOf(deps, id, call);
    throw new ImisError("handle_closed", `the entity with the handle ${entity.handle} was closed meanwhile`);
  }
  return { id, state: "open", offset: 0, sizeBytes, contentType, expiresAt, parts: 0, objectId: undefined };
}

async function createOn(
  { uploads, limits, deadlines }: NewSessionDeps,
  { handle, itemId }: OpenEntity,
  { contentType, sizeBytes, checksums }: NewUpload,
  call: ImisCall,
): Promise<Session> {
  const objectId = createId();
  const check = (running: readonly Session[]) => {
    const own = running.filter((session) => uploadAttributes(session)?.handle === handle);
    if (own.length < limits.maxHandleSessions) return;
    const text = `an open entity has at most ${limits.maxHandleSessions} upload sessions; save or cancel some of them`;
    throw overLimit(limits, "maxHandleSessions", "too_many_sessions", text);
  };
  const { session } = await uploads.createSession(
    {
      itemId,
      origin: imisOrigin,
      access: "additive",
      visibility: "owner",
      deadlines,
      attributes: newAttributes(handle, objectId),
      files: [{ name: objectId, mediaType: contentType, sizeBytes, checksums }],
      check,
    },
    call,
  );
  return session;
}

async function endOf({ uploads }: NewSessionDeps, sessionId: string, call: ImisCall): Promise<void> {
  const attributes = (session: Session) => endedAttributes(session, "entity_closed");
  await uploads.cancelSession({ sessionId, attributes }, call).catch((error: unknown) => {
    if (!isUploadError(error, "wrong_state", "expired", "not_found")) throw error;
  });
}
