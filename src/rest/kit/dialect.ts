import type { Call } from "../../core/index.js";
import type { Row } from "./route.js";
import type { WireRequest, WireResponse } from "./wire.js";

/** A REST API as data: its rows, and the manners that they share. */
export interface Dialect<Services, Facts, C extends Call> {
  /** The face, as the log and the metrics call it. */
  readonly name: string;
  /** The paths that are its own, and all below them: `/data-import`. */
  readonly prefixes: readonly string[];
  readonly rows: readonly Row<Services, Facts, C>[];
  /** Whether `/a/` is `/a`. */
  readonly trailingSlash: "optional" | "significant";
  /** Whether the case of a query's names counts. */
  readonly queryNames: "exact" | "any case";
  readonly unread: UnreadRule;
  /** Lets in whoever asks, before anything of the body is read; throws what `refuse` answers. */
  admit(request: WireRequest, facts: Facts): Promise<Admitted<C>>;
  /** The answer to a path that no row has (`allow` is empty), or that has none with this method. */
  lose(request: WireRequest, allow: readonly string[]): Promise<WireResponse> | WireResponse;
  /** The answer to an error that somebody foresaw; undefined for every other one. */
  refuse(error: unknown, request: WireRequest): WireResponse | undefined;
  /** The answer to those. */
  readonly apology: WireResponse;
}

/** Who was let in. */
export interface Admitted<C extends Call> {
  readonly call: C;
  /** `tenant/name`, for the log. */
  readonly user?: string;
  /** Told of every chunk of a body: throws when the credentials have ended meanwhile. */
  use(): void;
}

/**
 * What becomes of a body that nobody has read when the answer is known. `close`: the answer goes out at once. `drain`:
 * it waits for the rest, within these bounds, for clients that read nothing before they have sent everything.
 */
export type UnreadRule = "close" | { readonly drainBytes: number; readonly drainMs: number };
