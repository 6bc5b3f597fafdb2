import type { ImisCall } from "../call.js";

/** An entity that somebody has opened. */
export interface OpenEntity {
  readonly handle: string;
  readonly libraryId: string;
  readonly itemId: string;
  /** What the handle is good for; who may do what is decided anew each time. */
  readonly mode: "read" | "write";
}

/** Where an entity's operations are asked for. */
export interface HandlePlace {
  readonly archive: string;
  readonly handle: string;
}

/** Entities, which are items of a library, and the handles under which they are open. */
export interface Entities {
  /**
   * `entity`: `KIND:ID` or a plain id. Throws `archive_not_found`, `entity_not_found`, `access_denied`,
   * `too_many_handles`, `request_invalid`.
   */
  open(
    input: { readonly archive: string; readonly entity: string; readonly mode: string | undefined },
    call: ImisCall,
  ): Promise<{ readonly handle: string }>;
  /** Closes the entity and deletes the upload sessions of the handle, however often it is asked. */
  close(place: HandlePlace, call: ImisCall): Promise<void>;
  /** Closes what was opened under a login, as `close` does. */
  closeAllOf(loginId: string, call: ImisCall): Promise<void>;
  /**
   * The entity under a handle of the caller, which is kept open by it. Throws `archive_not_found`, `handle_not_found`,
   * `handle_closed`.
   */
  use(place: HandlePlace, call: ImisCall): Promise<OpenEntity>;
  /** Whether the entity was closed by one of the caller's own, as far back as that is known. */
  isClosed(handle: string, call: ImisCall): Promise<boolean>;
}
