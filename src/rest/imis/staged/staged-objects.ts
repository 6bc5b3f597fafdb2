import { type Checksum, type Content, type Deadlines, isUploadError, type Uploads } from "../../../core/index.js";
import type { RawBody, WireRequest, WireResponse } from "../../kit/index.js";
import type { ImisCall } from "../call.js";
import { findArchive } from "../entities/archives.js";
import { extensionOf } from "../extension.js";
import type { ImisLimits } from "../limits.js";
import { noSuchObject } from "../objects/objects.js";
import { createOpenStreams, noSuchStream } from "../objects/open-streams.js";
import { answerRange } from "../objects/range-answer.js";
import { streamGone } from "../objects/streams.js";
import { parseStagedId } from "./staged-id.js";
import { createStagedNames } from "./staged-names.js";
import { findStaged, type StagedSession } from "./staged-sessions.js";
import { createTakeIn } from "./take-in.js";

export interface NewStagedObject {
  readonly archive: string;
  readonly contentType: string;
  /** Unique among the caller's own in the archive. */
  readonly externalId: string | undefined;
  readonly reason: string | undefined;
  readonly stage: string | undefined;
  readonly checksums: readonly Checksum[];
  readonly body: RawBody;
}

export interface StagedObject {
  readonly id: string;
  readonly sizeBytes: number;
  readonly contentType: string;
}

/** `object`: a plain id, `I:` and an id, or `E:` and an external one. */
export interface StagedPlace {
  readonly archive: string;
  readonly object: string;
}

export interface StagedStreamPlace {
  readonly archive: string;
  /** Where the path names it, too. */
  readonly object?: string | undefined;
  readonly stream: string;
}

/** Objects of no entity: theirs who made them, until they delete them. Each throws `archive_not_found`. */
export interface StagedObjects {
  /**
   * All of it or nothing. Throws `name_taken`, `object_too_large`, `digest_mismatch`, `access_denied`, and `superseded` where
   * a newer request brings an object with the same external id.
   */
  create(input: NewStagedObject, call: ImisCall): Promise<StagedObject>;
  /** Throws `object_not_found`, `range_not_satisfiable`. */
  read(input: StagedPlace & { readonly wire: WireRequest }, call: ImisCall): Promise<WireResponse>;
  /** Throws `object_not_found`. */
  delete(place: StagedPlace, call: ImisCall): Promise<void>;
  /** Throws `object_not_found`, `too_many_streams`. */
  openStream(place: StagedPlace, call: ImisCall): Promise<{ readonly handle: string }>;
  /** Throws `stream_not_found`, `stream_gone`, `range_not_satisfiable`. */
  readStream(input: StagedStreamPlace & { readonly wire: WireRequest }, call: ImisCall): Promise<WireResponse>;
  /** However often it is asked. */
  closeStream(place: StagedStreamPlace, call: ImisCall): Promise<void>;
}

export interface StagedObjectsDeps {
  readonly uploads: Pick<
    Uploads,
    | "findRecord"
    | "changeRecords"
    | "listRecords"
    | "getLibrary"
    | "listLibraries"
    | "createSession"
    | "findFile"
    | "writePart"
    | "completeSession"
    | "cancelSession"
    | "deleteSession"
    | "readFile"
  >;
  readonly limits: ImisLimits;
  readonly deadlines: Deadlines;
  readonly now: () => Date;
}

type WholeObject = StagedSession & { readonly content: Content };

function isWhole(staged: StagedSession | undefined): staged is WholeObject {
  return staged?.content !== undefined;
}

export function createStagedObjects(deps: StagedObjectsDeps): StagedObjects {
  const { uploads, now } = deps;
  const names = createStagedNames(deps);
  const takeIn = createTakeIn({ ...deps, names });
  const streams = createOpenStreams(deps);
  const ownStreams = ({ caller }: ImisCall) => `staged/${caller.userId}`;

  async function idOf(object: string, libraryId: string, call: ImisCall): Promise<string | undefined> {
    const { id, externalId } = parseStagedId(object);
    return externalId === undefined ? id : names.find({ libraryId, externalId }, call);
  }
  const find = (id: string, call: ImisCall) => findStaged(uploads, id, { call, now: now() });
  async function getWhole({ archive, object }: StagedPlace, call: ImisCall): Promise<WholeObject> {
    const library = await findArchive(uploads, archive, call);
    const id = await idOf(object, library.id, call);
    const found = id === undefined ? undefined : await find(id, call);
    if (!isWhole(found) || found.words.libraryId !== library.id) throw noSuchObject(object);
    return found;
  }
  /** `gone` is what is thrown when it is deleted meanwhile. */
  const answer = (wire: WireRequest, of: WholeObject, gone: () => Error, call: ImisCall) =>
    answerRange(wire, async (choose) => {
      const { id: sessionId, fileId, contentType: mediaType } = of;
      const read = await uploads.readFile({ sessionId, fileId, choose }, call).catch((error: unknown) => {
        throw isUploadError(error, "not_found") ? gone() : error;
      });
      return { ...read, file: { name: sessionId + extensionOf(mediaType, { dot: true }), mediaType } };
    });

  return {
    async create(input, call) {
      const library = await findArchive(uploads, input.archive, call);
      return takeIn(library.id, input, call);
    },

    async read({ wire, ...place }, call) {
      return answer(wire, await getWhole(place, call), () => noSuchObject(place.object), call);
    },

    async delete(place, call) {
      const { id, words } = await getWhole(place, call);
      await uploads.deleteSession({ sessionId: id }, call).catch((error: unknown) => {
        throw isUploadError(error, "not_found") ? noSuchObject(place.object) : error;
      });
      const { libraryId, externalId } = words;
      if (externalId !== undefined) await names.release({ libraryId, externalId }, id, call);
    },

    async openStream(place, call) {
      const { id, content } = await getWhole(place, call);
      return { handle: await streams.open(ownStreams(call), { name: id, contentId: content.id }, call) };
    },

    async readStream({ wire, archive, object, stream }, call) {
      const library = await findArchive(uploads, archive, call);
      const opened = await streams.use(ownStreams(call), stream, call);
      const gone = () => streamGone("removed");
      const found = await find(opened.name, call);
      if (!isWhole(found)) throw gone();
      const isOther = object !== undefined && (await idOf(object, library.id, call)) !== found.id;
      if (isOther || found.words.libraryId !== library.id) throw noSuchStream(stream);
      return answer(wire, found, gone, call);
    },

    async closeStream({ archive, stream }, call) {
      await findArchive(uploads, archive, call);
      await streams.close(ownStreams(call), stream, call);
    },
  };
}
