import { type Deadlines, isUploadError, type Uploads } from "../../../core/index.js";
import type { WireRequest, WireResponse } from "../../kit/index.js";
import type { ImisCall } from "../call.js";
import type { Entities } from "../entities/entities.js";
import { ImisError } from "../errors.js";
import type { ImisLimits } from "../limits.js";
import { findObject, noSuchObject, type ObjectPlace } from "./objects.js";
import { createOpenStreams, noSuchStream } from "./open-streams.js";
import { answerRange } from "./range-answer.js";

export interface StreamPlace extends ObjectPlace {
  readonly stream: string;
}

/**
 * Reading an object's content by ranges. A stream is of the content that the object had when it was opened. Each throws
 * what `Entities.use` throws.
 */
export interface Streams {
  /** Throws `object_not_found`, `too_many_streams`. */
  open(place: ObjectPlace, call: ImisCall): Promise<{ readonly handle: string }>;
  /** Throws `stream_not_found`, `stream_gone`, `range_not_satisfiable`. */
  read(input: StreamPlace & { readonly wire: WireRequest }, call: ImisCall): Promise<WireResponse>;
  /** However often it is asked. */
  close(place: StreamPlace, call: ImisCall): Promise<void>;
}

export interface StreamsDeps {
  readonly uploads: Pick<Uploads, "findRecord" | "changeRecords" | "listRecords" | "getItemFile" | "readItemFile">;
  readonly entities: Pick<Entities, "use">;
  readonly limits: ImisLimits;
  readonly deadlines: Deadlines;
  readonly now: () => Date;
}

export function createStreams(deps: StreamsDeps): Streams {
  const { uploads, entities } = deps;
  const streams = createOpenStreams(deps);
  return {
    async open({ objectId: name, ...place }, call) {
      const { itemId, handle } = await entities.use(place, call);
      const file = await findObject(uploads, { itemId, name }, call);
      if (file === undefined) throw noSuchObject(name);
      return { handle: await streams.open(handle, { name, contentId: file.content.id }, call) };
    },

    async read({ wire, objectId: name, stream, ...place }, call) {
      const { itemId, handle } = await entities.use(place, call);
      const { contentId, ...opened } = await streams.use(handle, stream, call);
      if (opened.name !== name) throw noSuchStream(stream);
      return answerRange(wire, (choose) =>
        uploads
          .readItemFile(
            {
              itemId,
              name,
              choose(content) {
                if (content.id !== contentId) throw streamGone("replaced");
                return choose(content);
              },
            },
            call,
          )
          .catch((error: unknown) => {
            throw isUploadError(error, "not_found") ? streamGone("removed") : error;
          }),
      );
    },

    async close({ objectId: _, stream, ...place }, call) {
      const { handle } = await entities.use(place, call);
      await streams.close(handle, stream, call);
    },
  };
}

/** Of content that is not the object's any more. */
export function streamGone(reason: "replaced" | "removed"): ImisError {
  return new ImisError("stream_gone", `the content was ${reason} since the stream was opened`, { reason });
}
