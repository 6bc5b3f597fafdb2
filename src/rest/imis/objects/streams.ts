import type { WireRequest, WireResponse } from "../../kit/index.js";
import type { ImisCall } from "../call.js";
import type { HandlePlace } from "../entities/entities.js";

export interface ObjectPlace extends HandlePlace {
  readonly objectId: string;
}

export interface StreamPlace extends ObjectPlace {
  readonly stream: string;
}

/** Reading an object's content by ranges. A stream is of the content that the object had when it was opened. */
export interface Streams {
  /** Throws `object_not_found`, `too_many_streams`. */
  open(place: ObjectPlace, call: ImisCall): Promise<{ readonly handle: string }>;
  /** Throws `stream_not_found`, `stream_gone`, `range_not_satisfiable`. */
  read(input: StreamPlace & { readonly wire: WireRequest }, call: ImisCall): Promise<WireResponse>;
  /** However often it is asked. */
  close(place: StreamPlace, call: ImisCall): Promise<void>;
}
