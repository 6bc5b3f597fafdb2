import type { RawBody, WireRequest, WireResponse } from "../../kit/index.js";
import type { ImisCall } from "../call.js";

export interface NewStagedObject {
  readonly archive: string;
  readonly contentType: string;
  readonly externalId: string | undefined;
  readonly reason: string | undefined;
  readonly stage: string | undefined;
  readonly checksums: readonly { readonly algorithm: string; readonly value: string }[];
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
  readonly stream: string;
}

/** Objects of no entity: theirs who made them, until they delete them. */
export interface StagedObjects {
  create(input: NewStagedObject, call: ImisCall): Promise<StagedObject>;
  read(input: StagedPlace & { readonly wire: WireRequest }, call: ImisCall): Promise<WireResponse>;
  delete(place: StagedPlace, call: ImisCall): Promise<void>;
  openStream(place: StagedPlace, call: ImisCall): Promise<{ readonly handle: string }>;
  readStream(input: StagedStreamPlace & { readonly wire: WireRequest }, call: ImisCall): Promise<WireResponse>;
  closeStream(place: StagedStreamPlace, call: ImisCall): Promise<void>;
}
