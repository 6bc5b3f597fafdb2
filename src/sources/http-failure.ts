import { SourceError, type SourceFailure } from "../core/index.js";

const longestWaitMs = 86_400_000;

/** What a status without content means, and what to do about it. `where` is the address as people may see it. */
export function readFailure(status: number, where: string, retryAfter: string | undefined): SourceError {
  const [failure, sentence] = describe(status);
  return new SourceError(failure, `${where} ${sentence}`, {
    retryAfterMs: failure === "not_ready" ? parseRetryAfter(retryAfter, Date.now()) : undefined,
  });
}

/** A `Retry-After` as seconds or as a date, at most a day; undefined for none and for nonsense. */
export function parseRetryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), longestWaitMs);
}

function describe(status: number): readonly [SourceFailure, string] {
  switch (status) {
    case 401:
      return ["refused", "asks for a login (401); give an address that can be read without one, such as a signed one"];
    case 403:
      return [
        "refused",
        "may not be read (403); let this server read it, or give a signed address that is still valid",
      ];
    case 404:
      return ["not_found", "does not exist (404); check the address"];
    case 410:
      return ["not_found", "is gone for good (410); give another address"];
    case 408:
      return ["not_ready", "took too long to be asked (408); try again later"];
    case 429:
      return ["not_ready", "is asked too often (429); try again later"];
    default:
  }
  if (status >= 500) return ["not_ready", `failed on its own side (${status}); try again later`];
  if (status >= 400) return ["refused", `refused the request (${status}); check that it can be read with a plain GET`];
  return [
    "response_invalid",
    `answered ${status}, which brings no content; check that it can be read with a plain GET`,
  ];
}
