import { createId, type Deadlines, type Session, type Uploads } from "../../../core/index.js";
import { type ImisCall, imisOrigin } from "../call.js";
import type { Entities, OpenEntity } from "../entities/entities.js";
import { ImisError } from "../errors.js";
import { type ImisLimits, overLimit } from "../limits.js";
import { newAttributes, uploadAttributes } from "./attributes.js";
import { endWithEntity } from "./end-with-entity.js";
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
    await endWithEntity(deps, id, call);
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
