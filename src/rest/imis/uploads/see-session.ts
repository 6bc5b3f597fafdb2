// An upload session as whoever asks sees it, and where it stands.
import {
  deadlineFrom,
  isId,
  isUploadError,
  type Session,
  type SessionFile,
  type SessionView,
  type Uploads,
} from "../../../core/index.js";
import type { ImisCall } from "../call.js";
import type { Entities, HandlePlace, OpenEntity } from "../entities/entities.js";
import { ImisError } from "../errors.js";
import { type UploadAttributes, uploadAttributes } from "./attributes.js";
import { type GoneReason, handleReadOnly, sessionGone, sessionNotFound } from "./refusals.js";
import type { SessionPlace, UploadSession } from "./upload-sessions.js";

export interface SeeDeps {
  readonly uploads: Pick<Uploads, "viewSession">;
  readonly entities: Pick<Entities, "use" | "isClosed">;
  readonly now: () => Date;
}

/** A session of this face that uploads to an entity, with the file that is its content. */
export interface Upload {
  readonly session: Session;
  readonly itemId: string;
  readonly file: SessionFile;
  readonly attributes: UploadAttributes;
}

/** One that somebody asked for, by the handle that they asked through. */
export interface FoundUpload extends Upload {
  readonly entity: Pick<OpenEntity, "handle" | "mode">;
  readonly standing: "open" | "saved" | GoneReason;
}

/**
 * The session, wherever it stands, for its owner; for administrators, too, where that is said. Everybody else finds
 * none, nor does anybody at another entity (P9). Throws `session_not_found` and what `Entities.use` throws.
 */
export async function lookUp(
  deps: SeeDeps,
  place: SessionPlace,
  call: ImisCall,
  who: "owner" | "owner or administrator" = "owner",
): Promise<FoundUpload> {
  const entity = await useEntity(deps, place, call);
  if ("refusal" in entity) return lookUpOwn(deps, entity, { place, call });
  const upload = await viewUpload(deps, place.sessionId, call);
  const { session, itemId, attributes } = upload;
  const isTheirs = session.ownerId === call.caller.userId || who !== "owner";
  if (!isTheirs || itemId !== entity.itemId) throw sessionNotFound(place.sessionId);
  const standing = standingOf(upload, deps.now());
  const isOver = standing === "open" && (await isClosedFor(deps, attributes, entity, call));
  return { ...upload, entity, standing: isOver ? "entity_closed" : standing };
}

/** Through a closed handle: of its own sessions it is known that they ended with it, of others nothing at all. */
async function lookUpOwn(
  deps: SeeDeps,
  entity: ClosedEntity,
  { place, call }: { readonly place: SessionPlace; readonly call: ImisCall },
): Promise<FoundUpload> {
  const upload = await viewUpload(deps, place.sessionId, call).catch((error: unknown) => {
    throw error instanceof ImisError ? entity.refusal : error;
  });
  const standing = standingOf(upload, deps.now());
  const isOwn = upload.attributes.handle === entity.handle && upload.session.ownerId === call.caller.userId;
  if (!isOwn || standing === "saved") throw entity.refusal;
  return { ...upload, entity, standing: standing === "open" ? "entity_closed" : standing };
}

/** The same for one that is open or saved: throws `session_gone` for every other one. */
export async function findUpload(deps: SeeDeps, place: SessionPlace, call: ImisCall): Promise<FoundUpload> {
  const found = await lookUp(deps, place, call);
  if (found.standing !== "open" && found.standing !== "saved") throw sessionGone(found.standing);
  return found;
}

/** And by a handle that is good for changes: throws `handle_read_only`. */
export async function findForChange(deps: SeeDeps, place: SessionPlace, call: ImisCall): Promise<FoundUpload> {
  const found = await findUpload(deps, place, call);
  if (found.entity.mode !== "write") throw handleReadOnly();
  return found;
}

/** Undefined for a session that is none: what is staged has no entity, and other faces may take files away. */
export function uploadFrom({ session, files }: SessionView): Upload | undefined {
  const { itemId } = session;
  const attributes = uploadAttributes(session);
  const file = files.find(({ name }) => name === attributes?.objectId);
  if (itemId === undefined || attributes === undefined || file === undefined) return undefined;
  return { session, itemId, file, attributes };
}

/** But for the handle that it belongs to. */
export function standingOf({ session, attributes }: Upload, now: Date): FoundUpload["standing"] {
  const { state, expiresAt, failure } = session;
  if (state === "done") return "saved";
  if (state === "canceled") return attributes.endedBy ?? "cancelled";
  if (state === "failed") return failure?.reason === "expired" ? "expired" : "cancelled";
  return expiresAt !== undefined && expiresAt <= now ? "expired" : "open";
}

export function seenUpload({ session, file, attributes }: Upload): UploadSession {
  const isSaved = session.state === "done";
  const { current, running } = file;
  return {
    id: session.id,
    state: isSaved ? "saved" : "open",
    offset: storedBytes(file),
    sizeBytes: current?.sizeBytes ?? file.sizeBytes,
    contentType: file.mediaType,
    expiresAt: session.expiresAt,
    parts: running?.epoch ?? attributes.saved?.parts ?? file.attempts,
    objectId: isSaved ? attributes.objectId : undefined,
  };
}

/** Bytes of the content that are stored, from its beginning. */
export function storedBytes({ state, current, running }: SessionFile): number {
  return (state === "ready" ? current?.sizeBytes : running?.offset) ?? 0;
}

/** What the store may leave out of a deadline that it puts off (milliseconds): nobody is promised more than it keeps. */
const mostLatenessMs = 15_000;

/** Until when a session lives that was used at `at`. */
export function expiryAfterUse(session: Session, at: Date): Date {
  const latenessMs = Math.min(mostLatenessMs, session.deadlines.idleTtlMs / 10);
  const putOff = deadlineFrom(session, at).getTime() - latenessMs;
  return new Date(Math.max(putOff, session.expiresAt?.getTime() ?? 0));
}

interface ClosedEntity extends Pick<OpenEntity, "handle" | "mode"> {
  readonly refusal: ImisError;
}

async function useEntity(deps: SeeDeps, place: HandlePlace, call: ImisCall): Promise<OpenEntity | ClosedEntity> {
  try {
    return await deps.entities.use(place, call);
  } catch (error) {
    if (!(error instanceof ImisError) || error.code !== "handle_closed") throw error;
    return { handle: place.handle.toLowerCase(), mode: "write", refusal: error };
  }
}

async function viewUpload(deps: SeeDeps, sessionId: string, call: ImisCall): Promise<Upload> {
  if (!isId(sessionId.toLowerCase())) throw sessionNotFound(sessionId);
  const view = await deps.uploads.viewSession({ sessionId }, call).catch((error: unknown) => {
    throw isUploadError(error, "not_found") ? sessionNotFound(sessionId) : error;
  });
  const upload = uploadFrom(view);
  if (upload === undefined || isForgotten(view.session, deps.now())) throw sessionNotFound(sessionId);
  return upload;
}

/** Nobody has to have swept it away first. */
function isForgotten({ endedAt, expiresAt }: Session, now: Date): boolean {
  return endedAt !== undefined && expiresAt !== undefined && expiresAt <= now;
}

/** A session whose own handle is closed has ended with it, whether or not anybody has come by to end it. */
async function isClosedFor(
  { entities }: SeeDeps,
  { handle }: UploadAttributes,
  entity: OpenEntity,
  call: ImisCall,
): Promise<boolean> {
  return handle !== entity.handle && (await entities.isClosed(handle, call));
}
