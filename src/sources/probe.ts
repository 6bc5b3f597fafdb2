import { type ContentSource, formatSourceAddress, SourceError, type SourceProber } from "../core/index.js";
import { withDeadline } from "./deadline.js";
import { createHttpSource, type HttpSourceDeps } from "./http.js";

const longestMs = 30_000;

/**
 * Opens a source as a fetch would, by the same request, and closes it before a byte is read: what it finds is what the
 * fetch would. Somebody waits for the answer, so all of its steps together have 30 seconds.
 */
export function createSourceProber(deps: {
  readonly http: Omit<HttpSourceDeps, "onCertificate">;
  readonly file: ContentSource;
  readonly longestMs?: number;
}): SourceProber {
  const ms = deps.longestMs ?? longestMs;
  return {
    async probe(source, signal) {
      const { scheme } = source.address;
      let certificate: Uint8Array | undefined;
      const onCertificate = (der: Uint8Array) => {
        // The first is that of the address itself; the others are of servers that it redirects to.
        if (scheme === "https") certificate ??= der;
      };
      const isWeb = scheme === "http" || scheme === "https";
      const opener = isWeb ? createHttpSource({ ...deps.http, onCertificate }) : deps.file;
      const giveUp = new AbortController();
      try {
        const content = await withDeadline(opener.open(source, AbortSignal.any([signal, giveUp.signal])), {
          ms,
          signal,
          late: () =>
            new SourceError("timed_out", `${formatSourceAddress(source.address)} gave no answer within ${ms} ms`),
          giveUp: () => giveUp.abort(),
        });
        content.close();
        return { problem: undefined, certificate };
      } catch (error) {
        if (!(error instanceof SourceError)) throw error;
        return { problem: error, certificate };
      }
    },
  };
}
