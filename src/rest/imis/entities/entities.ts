import { assertPermission, type Deadlines, type Uploads } from "../../../core/index.js";
import { askOnce } from "../ask-once.js";
import type { ImisCall } from "../call.js";
import { ImisError } from "../errors.js";
import type { ImisLimits } from "../limits.js";
import { findArchive } from "./archives.js";
import { endSessions } from "./end-sessions.js";
import { findEntity } from "./entity-id.js";
import { createHandleStore, type Handle } from "./handle-store.js";

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

export interface EntityDeps {
  readonly uploads: Pick<
    Uploads,
    | "getLibrary"
    | "listLibraries"
    | "getItem"
    | "findItemByAlias"
    | "findRecord"
    | "changeRecords"
    | "listRecords"
    | "listSessions"
    | "cancelSession"
  >;
  readonly limits: ImisLimits;
  /** Those of upload sessions. */
  readonly deadlines: Deadlines;
  readonly now: () => Date;
}

export function createEntities(deps: EntityDeps): Entities {
  const { uploads } = deps;
  const handles = createHandleStore(deps);

  async function nameHandle({ archive, handle: id }: HandlePlace, call: ImisCall) {
    return { id, libraryId: (await findArchive(uploads, archive, call)).id };
  }
  return {
    async open({ archive, entity, mode: asked }, call) {
      const mode = parseMode(asked, call);
      const library = await findArchive(uploads, archive, call);
      const { id: itemId } = await findEntity(uploads, { library, entity }, call);
      const { id: handle } = await handles.create({ libraryId: library.id, itemId, mode }, call);
      return { handle };
    },

    async close(place, call) {
      // That it is closed is known before any session ends: from then on nobody can use what is left of them.
      const handle = await handles.close(await nameHandle(place, call), call);
      if (handle === undefined) return;
      const { id, itemId } = handle;
      const where = [
        { field: "itemId", is: "eq", value: itemId },
        { attribute: ["handle"], is: "eq", value: id },
      ] as const;
      await endSessions(uploads, { where, isOver: async (of) => of === id }, call);
    },

    async closeAllOf(loginId, call) {
      await handles.closeLogin(loginId, call);
      const isOver = askOnce((handle) => handles.isClosed(handle, call));
      await endSessions(uploads, { where: [], isOver }, call);
    },

    async use(place, call) {
      const used = await handles.use(await nameHandle(place, call), call);
      if (used === undefined) {
        const shown = JSON.stringify(place.handle.slice(0, 80));
        throw new ImisError("handle_not_found", `there is no open entity with the handle ${shown}`);
      }
      if (used === "closed")
        throw new ImisError("handle_closed", `the entity with the handle ${place.handle} was closed`);
      const { id: handle, libraryId, itemId, mode } = used;
      return { handle, libraryId, itemId, mode };
    },

    isClosed: (handle, call) => handles.isClosed(handle, call),
  };
}

/** Throws `request_invalid`, and `denied` where it is more than the caller may do. */
function parseMode(mode: string | undefined, { caller }: ImisCall): Handle["mode"] {
  if (mode === undefined) return caller.permissions.has("upload") ? "write" : "read";
  if (mode === "write") assertPermission(caller, "upload");
  if (mode === "read" || mode === "write") return mode;
  throw new ImisError("request_invalid", `mode is "read" or "write", not ${JSON.stringify(mode.slice(0, 80))}`);
}
