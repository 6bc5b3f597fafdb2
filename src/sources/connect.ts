import { once } from "node:events";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { computeThumbprint, formatThumbprint, SourceError, type Thumbprint } from "../core/index.js";
import { lateError, withDeadline } from "./deadline.js";
import { errorCode } from "./error-code.js";
import { hostOf } from "./reach.js";

export interface ConnectOptions {
  /** Checked already; the name in `url` is not looked up again. */
  readonly addresses: readonly string[];
  readonly thumbprint?: Thumbprint | undefined;
  readonly connectMs: number;
  readonly tlsMs: number;
  readonly signal: AbortSignal;
  /** Told of the certificate (DER) that a server shows, before it is judged. */
  readonly onCertificate?: ((der: Uint8Array) => void) | undefined;
}

/**
 * A connection that may carry a request: to one of the addresses and, for https, to a server that is trusted by its
 * thumbprint or, where none is given, by the system's roots. Not a byte of a request has been sent.
 */
export async function openConnection(url: URL, options: ConnectOptions): Promise<Socket> {
  const socket = await connectSocket(url, options);
  if (url.protocol !== "https:") return socket;
  try {
    const secured = await secure(socket, url, options);
    const der = secured.getPeerX509Certificate()?.raw;
    if (der === undefined) throw new SourceError("tls_failed", `${url.host} showed no certificate`);
    options.onCertificate?.(der);
    assertTrusted(secured, der, url, options.thumbprint);
    return secured;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function connectSocket(url: URL, { addresses, connectMs, signal }: ConnectOptions): Promise<Socket> {
  const pinned = addresses.map((address) => ({ address, family: isIP(address) }));
  const [first] = pinned;
  if (first === undefined) throw new TypeError("a connection needs an address");
  const socket = connectTcp({
    host: hostOf(url),
    port: Number(url.port || (url.protocol === "https:" ? 443 : 80)),
    // Node's own 250 ms would give up each of several far addresses.
    autoSelectFamilyAttemptTimeout: Math.max(250, Math.floor(connectMs / pinned.length)),
    lookup: (_host, { all }, callback) => {
      if (all) callback(null, pinned);
      else callback(null, first.address, first.family);
    },
  });
  socket.on("error", () => undefined);
  return await withDeadline(
    once(socket, "connect").then(
      () => socket,
      (cause) => {
        throw new SourceError("unreachable", `${url.host} could not be connected to; check it, or try again later`, {
          cause,
        });
      },
    ),
    {
      ms: connectMs,
      signal,
      late: () => lateError(url, `took no connection within ${connectMs} ms`),
      giveUp: () => socket.destroy(),
    },
  );
}

async function secure(socket: Socket, url: URL, { tlsMs, signal }: ConnectOptions): Promise<TLSSocket> {
  const host = hostOf(url);
  const secured = connectTls({
    socket,
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ALPNProtocols: ["http/1.1"],
    // `assertTrusted` decides: it can tell what to do about a certificate, and knows of thumbprints.
    rejectUnauthorized: false,
  });
  secured.on("error", () => undefined);
  await withDeadline(
    once(secured, "secureConnect").catch((cause) => {
      throw handshakeError(url, cause);
    }),
    { ms: tlsMs, signal, late: () => lateError(url, `did not finish the TLS handshake within ${tlsMs} ms`) },
  );
  return secured;
}

/** A thumbprint that matches is all the trust there is to have; without one the usual verification must have passed. */
function assertTrusted(socket: TLSSocket, der: Uint8Array, url: URL, thumbprint: Thumbprint | undefined): void {
  if (thumbprint === undefined) {
    if (socket.authorized) return;
    // Its type says that it is an error; it is the error's code.
    const why: unknown = socket.authorizationError;
    const shown = formatThumbprint(computeThumbprint(der, "sha256"));
    throw new SourceError(
      "certificate_untrusted",
      `the certificate of ${url.host} is not trusted (${why}); if it is the right one, declare its thumbprint ${shown}`,
    );
  }
  const shown = computeThumbprint(der, thumbprint.algorithm);
  if (shown.hex === thumbprint.hex) return;
  throw new SourceError(
    "thumbprint_differs",
    `the certificate of ${url.host} has the thumbprint ${formatThumbprint(shown)}, not ${formatThumbprint(thumbprint)}; declare the right one if the server's certificate was changed`,
  );
}

function handshakeError(url: URL, cause: unknown): SourceError {
  const code = errorCode(cause) ?? "";
  if (code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_") || code === "EPROTO") {
    return new SourceError("tls_failed", `${url.host} does not speak TLS as https needs it (${code}); check the port`, {
      cause,
    });
  }
  return new SourceError("unreachable", `${url.host} broke the TLS handshake off; try again later`, { cause });
}
