import type { Deadlines, Uploads } from "../../../core/index.js";
import type { RawBody } from "../../kit/index.js";
import type { ImisCall } from "../call.js";
import type { Entities, HandlePlace } from "../entities/entities.js";
import type { ImisLimits } from "../limits.js";
import type { ImisObject } from "../objects/imis-object.js";
import { cancelUpload } from "./cancel-session.js";
import { listUploads } from "./list-sessions.js";
import { createUpload } from "./new-session.js";
import type { ContentPart } from "./part-headers.js";
import { saveSession } from "./save-session.js";
import { findUpload, seenUpload } from "./see-session.js";
import { sendPart } from "./send-part.js";
import { createSessionCounts } from "./session-counts.js";

/** Where an upload session's operations are asked for. */
export interface SessionPlace extends HandlePlace {
  readonly sessionId: string;
}

export interface NewUpload extends HandlePlace {
  readonly contentType: string;
  /** What the whole is said to be, by those who know it before. */
  readonly sizeBytes: number | undefined;
  readonly checksums: readonly { readonly algorithm: string; readonly value: string }[];
}

export interface SaveInput extends SessionPlace {
  readonly description: string;
  /** Empty: the entity's own. */
  readonly containerId: string;
  readonly sha256: string | undefined;
  readonly allowEmpty: boolean;
}

/** An upload session as its owner sees it. */
export interface UploadSession {
  readonly id: string;
  readonly state: "open" | "saved";
  /** Bytes that are stored, from the beginning. */
  readonly offset: number;
  readonly sizeBytes: number | undefined;
  readonly contentType: string;
  readonly expiresAt: Date | undefined;
  /** How many requests have come to write so far: repeats, broken ones, and saves that were refused among them. */
  readonly parts: number;
  /** Of the object that it was saved as. */
  readonly objectId: string | undefined;
}

/** What sessions are held to, for those who want to know it before. */
export interface UploadLimits {
  readonly maxObjectBytes: number;
  readonly maxPartBytes: number;
  readonly minPartBytes: number;
  /** How long a session lives whatever is done with it; undefined for no such end. */
  readonly maxAgeMs: number | undefined;
}

/**
 * Upload sessions of an open entity. Each throws what `Entities.use` throws, and beside what it names
 * `session_not_found` for one that is not the caller's or of another entity, and `session_gone` for one that is over.
 */
export interface UploadSessions {
  /** Throws `handle_read_only`, `access_denied`, `too_many_sessions`, `object_too_large`, `entity_busy`. */
  create(input: NewUpload, call: ImisCall): Promise<UploadSession>;
  /** The caller's open ones on the entity (an administrator's: everybody's), newest first, at most 1,000. */
  list(place: HandlePlace, call: ImisCall): Promise<readonly UploadSession[]>;
  /** Takes no seat and disturbs nobody (P7). */
  see(place: SessionPlace, call: ImisCall): Promise<UploadSession>;
  /**
   * Throws `range_not_satisfiable`, `part_conflict`, `length_inconsistent`, `content_length_mismatch`, `digest_mismatch`,
   * `superseded`, `already_saved`, `object_too_large`.
   */
  send(
    input: SessionPlace & { readonly part: ContentPart; readonly body: RawBody },
    call: ImisCall,
  ): Promise<UploadSession>;
  /**
   * Makes the object, all of it at once, and answers the same one however often it is asked. Throws `session_empty`,
   * `incomplete`, `digest_mismatch`, `container_not_found`, `already_saved`.
   */
  save(input: SaveInput, call: ImisCall): Promise<ImisObject>;
  /** Throws `already_saved`: a saved object is never touched. */
  cancel(place: SessionPlace, call: ImisCall): Promise<void>;
  /** The same for everybody, whatever the entity. */
  limits(input: unknown, call: ImisCall): Promise<UploadLimits>;
}

export interface UploadSessionDeps {
  readonly uploads: Uploads;
  readonly entities: Pick<Entities, "use" | "isClosed">;
  readonly limits: ImisLimits;
  readonly deadlines: Deadlines;
  /** What becomes of bytes that are stored already: they are compared, or refused. */
  readonly overlap: "verify" | "reject";
  readonly now: () => Date;
}

export function createUploadSessions(deps: UploadSessionDeps): UploadSessions {
  const counts = createSessionCounts(deps);
  const { limits, deadlines, uploads } = deps;
  const maxObjectBytes = Math.min(limits.maxObjectBytes, uploads.limits.maxFileBytes);
  return {
    create: (input, call) => createUpload({ ...deps, counts }, input, call),
    list: (place, call) => listUploads(deps, place, call),
    see: async (place, call) => seenUpload(await findUpload(deps, place, call)),
    send: (input, call) => sendPart(deps, input, call),
    save: (input, call) => saveSession(deps, input, call),
    cancel: (place, call) => cancelUpload(deps, place, call),
    limits: async () => ({ ...limits, maxObjectBytes, maxAgeMs: deadlines.absoluteTtlMs }),
  };
}
