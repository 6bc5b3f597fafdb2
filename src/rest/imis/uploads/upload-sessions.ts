import type { RawBody } from "../../kit/index.js";
import type { ImisCall } from "../call.js";
import type { HandlePlace } from "../entities/entities.js";
import type { ImisObject } from "../objects/imis-object.js";
import type { ContentPart } from "./part-headers.js";

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
  /** How many requests have brought content so far, broken ones among them. */
  readonly parts: number;
  /** Of the object that it was saved as. */
  readonly objectId: string | undefined;
}

/**
 * Upload sessions of an open entity. Each throws what `Entities.use` throws, and beside what it names
 * `session_not_found` for one that is not the caller's or of another entity, and `session_gone` for one that is over.
 */
export interface UploadSessions {
  /** Throws `handle_read_only`, `access_denied`, `too_many_sessions`, `object_too_large`, `entity_busy`. */
  create(input: NewUpload, call: ImisCall): Promise<UploadSession>;
  /** The caller's open ones on the entity (an administrator's: everybody's), newest first. */
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
}
