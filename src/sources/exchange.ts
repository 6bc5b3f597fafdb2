import { type IncomingMessage, request } from "node:http";
import { SourceError, type Thumbprint } from "../core/index.js";
import type { AddressPolicy } from "./address-policy.js";
import { openConnection } from "./connect.js";
import { lateError, withDeadline } from "./deadline.js";
import { errorCode } from "./error-code.js";
import { findReachable, type LookUp } from "./reach.js";

/** How long each step may take. */
export interface HttpTimeouts {
  readonly lookUpMs: number;
  readonly connectMs: number;
  readonly tlsMs: number;
  readonly firstByteMs: number;
  /** How long nothing may come while it is waited for. */
  readonly stallMs: number;
  /** What has to come in so long a time of waiting: a source that drips is as good as one that stalls. */
  readonly stallBytes: number;
}

export interface ExchangeDeps {
  readonly policy: AddressPolicy;
  readonly lookUp: LookUp;
  readonly timeouts: HttpTimeouts;
  /** Told of every certificate (DER) that a server shows, before it is judged. */
  readonly onCertificate?: ((der: Uint8Array) => void) | undefined;
}

/** An answer of which only the head was taken, on a connection that it has for itself. */
export interface Answer {
  readonly status: number;
  /** The first value of a header, undefined where there is none or it is empty. */
  header(name: string): string | undefined;
  readonly body: IncomingMessage;
  /** Ends the connection. More than once does no harm. */
  close(): void;
}

/**
 * One GET to one address, on a connection of its own: nothing is kept, so nothing that was checked for one request
 * serves another. The signal ends the connection for as long as the answer is open.
 */
export async function ask(
  url: URL,
  headers: Readonly<Record<string, string>>,
  thumbprint: Thumbprint | undefined,
  deps: ExchangeDeps,
  signal: AbortSignal,
): Promise<Answer> {
  const { timeouts, onCertificate } = deps;
  signal.throwIfAborted();
  const addresses = await withDeadline(findReachable(url, deps), {
    ms: timeouts.lookUpMs,
    signal,
    late: () => lateError(url, `could not be looked up within ${timeouts.lookUpMs} ms`),
  });
  const socket = await openConnection(url, { addresses, thumbprint, ...timeouts, signal, onCertificate });
  const onAbort = () => socket.destroy();
  const close = () => {
    signal.removeEventListener("abort", onAbort);
    socket.destroy();
  };
  signal.addEventListener("abort", onAbort);
  socket.once("close", close);
  const head = new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request({
      createConnection: () => socket,
      method: "GET",
      path: `${url.pathname}${url.search}`,
      headers: { host: url.host, accept: "*/*", "accept-encoding": "identity", "user-agent": "slipway", ...headers },
    });
    asked.once("response", resolve);
    // Stays for the time after the answer: what breaks then is told by the body.
    asked.on("error", (cause) => reject(answerError(url, cause)));
    asked.end();
  });
  const body = await withDeadline(head, {
    ms: timeouts.firstByteMs,
    signal,
    late: () => lateError(url, `sent no answer within ${timeouts.firstByteMs} ms`),
    giveUp: close,
  });
  // Until somebody reads: an error that nobody listens to would end the process.
  body.on("error", () => undefined);
  return {
    status: body.statusCode ?? 0,
    header(name) {
      const value = body.headers[name];
      return (Array.isArray(value) ? value[0] : value)?.trim() || undefined;
    },
    body,
    close,
  };
}

function answerError(url: URL, cause: unknown): SourceError {
  const code = errorCode(cause) ?? "";
  if (code.startsWith("HPE_")) {
    return new SourceError("response_invalid", `${url.host} does not answer as HTTP/1.1 (${code}); check the port`, {
      cause,
    });
  }
  if (code.startsWith("ERR_SSL_")) {
    return new SourceError("tls_failed", `${url.host} ended the TLS connection (${code})`, { cause });
  }
  return new SourceError("unreachable", `${url.host} closed the connection without an answer; try again later`, {
    cause,
  });
}
