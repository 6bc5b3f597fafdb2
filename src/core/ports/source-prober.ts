import type { Source } from "../source.js";
import type { SourceError } from "../source-error.js";

/** Port: what a fetch from a source would meet, found out without taking any of its content. */
export interface SourceProber {
  /**
   * Goes as far as a fetch would go before its first byte, by the same rules. What is wrong with the source is its
   * answer and not thrown; when the signal aborts, its reason passes through.
   */
  probe(source: Source, signal: AbortSignal): Promise<SourceFinding>;
}

export interface SourceFinding {
  /** Why content could not be fetched; undefined where it could be. */
  readonly problem: SourceError | undefined;
  /**
   * The certificate (DER) that the server at an https address shows, trusted or not; whoever is redirected to another
   * server does not learn that one's. Undefined where none was shown.
   */
  readonly certificate: Uint8Array | undefined;
}
