import type { TakeNote } from "../../core/index.js";

/** An HTTP request as every dialect reads it, whatever server and version it came through. */
export interface WireRequest {
  readonly method: string;
  /** As it was sent, without the query; nothing is decoded. */
  readonly path: string;
  /** As it was sent, without the `?`. */
  readonly query: string;
  /** By lower-case names; of several with one name, the values joined by a comma. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly httpVersion: "1.0" | "1.1" | "2";
  /** May be read once. Throws when it is cut; its end is the message's end. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Aborts when the client has gone, and when the server stops waiting. */
  readonly signal: AbortSignal;
  /** How the sender reaches this server, without a slash at the end; empty when that is not known. */
  readonly origin: string;
  /** Where it came from, by which failed logins are slowed. */
  readonly peerAddress: string;
  /** Names the request in the log. */
  readonly id: string;
  /** Told what becomes of it: whoever answers says `ok`, and `problemFrom` what was wrong. */
  readonly note?: TakeNote | undefined;
}

/** The answer to it. What the request still has to say is not waited for. */
export interface WireResponse {
  readonly status: number;
  /** Several values are several lines, as cookies must be. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Text and bytes get their `content-length`; a stream brings its own, if it has one. HEAD sends none. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** It may go out compressed, to clients that take that: it is worth it, and no secret is beside what others chose. */
  readonly compressible?: true;
}

/** Answers a request. What it throws is no answer that anyone foresaw, or the signal's reason. */
export type WireHandler = (request: WireRequest) => Promise<WireResponse>;
