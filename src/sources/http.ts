import {
  assertThumbprintUsable,
  type ContentSource,
  formatSourceAddress,
  type OpenedContent,
  parseSourceAddress,
  type SourceAddress,
  SourceError,
  type SourcePosition,
  type SourceRequest,
} from "../core/index.js";
import type { AddressPolicy } from "./address-policy.js";
import { type Answer, ask, type ExchangeDeps, type HttpTimeouts } from "./exchange.js";
import { readBody } from "./http-body.js";
import { type Announced, readRange, readWhole } from "./http-content.js";
import { readFailure } from "./http-failure.js";
import { type LookUp, lookUpBySystem } from "./reach.js";

const maxRedirects = 10;
const redirects = [301, 302, 303, 307, 308];

export const defaultHttpTimeouts: HttpTimeouts = {
  lookUpMs: 10_000,
  connectMs: 10_000,
  tlsMs: 10_000,
  firstByteMs: 60_000,
  stallMs: 60_000,
  stallBytes: 65_536,
};

export interface HttpSourceDeps {
  readonly policy: AddressPolicy;
  readonly lookUp?: LookUp;
  readonly timeouts?: HttpTimeouts;
  readonly onCertificate?: ExchangeDeps["onCertificate"];
}

/**
 * http and https: a GET on a connection of its own, to addresses that the policy lets be reached. Redirects are followed
 * and judged like the first address. Content goes on by Range where an ETag or a Last-Modified proves it to be the same.
 */
export function createHttpSource({
  policy,
  lookUp = lookUpBySystem,
  timeouts = defaultHttpTimeouts,
  onCertificate,
}: HttpSourceDeps): ContentSource {
  const deps = { policy, lookUp, timeouts, onCertificate };
  return {
    async open(request, signal) {
      assertThumbprintUsable(request);
      const { from } = request;
      const resumed = from && from.offset > 0 ? await resume(request, from, deps, signal) : undefined;
      return resumed ?? (await begin(request, deps, signal));
    },
  };
}

async function begin(request: SourceRequest, deps: ExchangeDeps, signal: AbortSignal): Promise<OpenedContent> {
  const { answer, where } = await follow(request, {}, deps, signal);
  return orClose(answer, () => {
    if (answer.status !== 200) throw readFailure(answer.status, where, answer.header("retry-after"));
    return openBody(answer, { ...readWhole(answer, where), where, skipBytes: 0 }, deps, signal);
  });
}

/** Undefined where the content has to be begun anew, and the server did not begin by itself. */
async function resume(
  request: SourceRequest,
  from: SourcePosition,
  deps: ExchangeDeps,
  signal: AbortSignal,
): Promise<OpenedContent | undefined> {
  // Content that was read to its end has no byte left to ask for, and a server would refuse the range.
  const skipBytes = from.offset === from.sizeBytes ? 1 : 0;
  const asked = from.offset - skipBytes;
  const headers = { range: `bytes=${asked}-`, "if-range": from.validator };
  const { answer, where } = await follow(request, headers, deps, signal);
  return orClose(answer, () => {
    if (answer.status === 200) {
      return openBody(answer, { ...readWhole(answer, where), where, skipBytes: 0 }, deps, signal);
    }
    const announced = answer.status === 206 ? readRange(answer, asked, from, where) : undefined;
    if (announced !== undefined) return openBody(answer, { ...announced, where, skipBytes }, deps, signal);
    if (answer.status !== 206 && answer.status !== 416) {
      throw readFailure(answer.status, where, answer.header("retry-after"));
    }
    answer.close();
    return undefined;
  });
}

/** Asks, and asks where it is sent to. The answer is no redirect. */
async function follow(
  request: SourceRequest,
  headers: Readonly<Record<string, string>>,
  deps: ExchangeDeps,
  signal: AbortSignal,
): Promise<{ readonly answer: Answer; readonly where: string }> {
  let { address } = request;
  const seen = new Set([address.uri]);
  for (;;) {
    const where = formatSourceAddress(address);
    const answer = await ask(new URL(address.uri), headers, request.thumbprint, deps, signal);
    if (!redirects.includes(answer.status)) return { answer: ofPinned(answer, address, request), where };
    answer.close();
    const next = readRedirect(address, answer.header("location"), where);
    if (request.thumbprint !== undefined && address.scheme === "https" && next.scheme !== "https") {
      throw redirectError(where, "leads from https to http, where the thumbprint could not be checked");
    }
    address = next;
    if (seen.has(address.uri)) {
      throw new SourceError("redirect_loop", `${where} redirects in a loop; give the address of the content itself`);
    }
    if (seen.size > maxRedirects) {
      const first = formatSourceAddress(request.address);
      throw new SourceError(
        "too_many_redirects",
        `${first} redirects more than ${maxRedirects} times; give the address of the content itself`,
      );
    }
    seen.add(address.uri);
  }
}

/** Who declares whose certificate is good takes content from nobody who showed none. */
function ofPinned(answer: Answer, address: SourceAddress, { thumbprint }: SourceRequest): Answer {
  if (thumbprint === undefined || address.scheme === "https") return answer;
  answer.close();
  throw new SourceError(
    "thumbprint_unusable",
    `${formatSourceAddress(address)} is http and leads to no https server, so that nobody's certificate could be compared with the thumbprint; leave it out or use https`,
  );
}

function readRedirect(current: SourceAddress, location: string | undefined, where: string): SourceAddress {
  // A header is read as Latin-1, and what is not ASCII in it is UTF-8 by now.
  const text = Buffer.from(location ?? "", "latin1").toString();
  if (text === "" || !URL.canParse(text, current.uri)) throw redirectError(where, "leads nowhere: it has no address");
  let next: SourceAddress;
  try {
    next = parseSourceAddress(new URL(text, current.uri).href);
  } catch (error) {
    if (error instanceof SourceError) throw redirectError(where, `cannot be followed: ${error.message}`, error);
    throw error;
  }
  if (next.scheme === "http" || next.scheme === "https") return next;
  throw redirectError(where, `leads to ${next.scheme}, and only http and https may be redirected to`);
}

function redirectError(where: string, what: string, cause?: unknown): SourceError {
  return new SourceError("redirect_invalid", `the redirect of ${where} ${what}`, { cause });
}

function openBody(
  answer: Answer,
  announced: Announced & { readonly where: string; readonly skipBytes: number },
  { timeouts }: ExchangeDeps,
  signal: AbortSignal,
): OpenedContent {
  const { offset, sizeBytes, lengthBytes, hasEnd, validator, where, skipBytes } = announced;
  const isLast = sizeBytes === undefined || lengthBytes === undefined || offset + lengthBytes === sizeBytes;
  return {
    offset: offset + skipBytes,
    sizeBytes,
    validator,
    hasEnd,
    bytes: readBody(answer, { ...timeouts, lengthBytes, skipBytes, isLast, where }, signal),
    close: answer.close,
  };
}

/** An answer that does not become content is not left open. */
function orClose<T>(answer: Answer, read: () => T): T {
  try {
    return read();
  } catch (error) {
    answer.close();
    throw error;
  }
}
