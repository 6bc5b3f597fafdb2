import { UploadError } from "./error.js";

/** What can go wrong with a source, and whether the same try may do better later (`retry`) or cannot (`final`). */
const failures = {
  /** Wrong as it was declared; found before anything is asked. */
  uri_malformed: "final",
  scheme_unsupported: "final",
  credentials_in_uri: "final",
  thumbprint_malformed: "final",
  thumbprint_unusable: "final",
  /** Not to be reached from here: an address that is not public, a path outside of the folders that may be read. */
  address_forbidden: "final",
  outside_roots: "final",
  /** Asked, and the answer does not lead to content. */
  not_found: "final",
  refused: "final",
  not_ready: "retry",
  unreachable: "retry",
  timed_out: "retry",
  response_invalid: "final",
  redirect_invalid: "final",
  redirect_loop: "final",
  too_many_redirects: "final",
  tls_failed: "final",
  certificate_untrusted: "final",
  thumbprint_differs: "final",
  not_regular_file: "final",
  unreadable: "final",
  /** It has content, but not what was declared or what may be stored. */
  size_differs: "final",
  too_large: "final",
  /** Begun, and not brought to its end. */
  changed: "retry",
  ended_early: "retry",
} as const satisfies Record<string, "final" | "retry">;

export type SourceFailure = keyof typeof failures;

/** The closed list of what can go wrong with a source. */
export const sourceFailures = Object.keys(failures) as readonly SourceFailure[];

/**
 * Why content could not be had from its source. Who pulls decides by `failure`; the message says what failed, where
 * (never with credentials or a query), and what to do. It is for whoever declared the source; `cause` is for the log.
 */
export class SourceError extends Error {
  override readonly name = "SourceError";
  /** How long the source asked to be left alone; undefined when it did not say. */
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly failure: SourceFailure,
    message: string,
    details: { readonly retryAfterMs?: number | undefined; readonly cause?: unknown } = {},
  ) {
    // Long addresses are cut, maybe within a character: half of one could neither be stored nor be told.
    super(message.toWellFormed(), details.cause === undefined ? undefined : { cause: details.cause });
    this.retryAfterMs = details.retryAfterMs;
  }

  /** True when no retry helps before someone changes something. */
  get isFinal(): boolean {
    return failures[this.failure] === "final";
  }
}

export function isSourceError(error: unknown): error is SourceError {
  return error instanceof SourceError;
}

/** The refusal of a declaration whose source cannot be used. */
export function refuseSource(error: SourceError): UploadError {
  return new UploadError("invalid", error.message, { reason: "SOURCE_INVALID" }, error);
}
