// What the port knows of a request before any face sees it: its id, who sent it, and how the sender reaches us.
import { randomUUID } from "node:crypto";
import { isIP } from "node:net";
import type { TLSSocket } from "node:tls";
import type { TakeNote } from "../core/index.js";
import type { RpcRequest } from "../rpc/request.js";
import type { NodeHandler } from "./listen.js";

export type NodeRequest = Parameters<NodeHandler>[0];

export interface OutsideOptions {
  /** How the outside reaches this server, whatever a request says; undefined to ask the request. */
  readonly publicUrl: string | undefined;
  /** A proxy in front of this server tells the sender's address, scheme and host. */
  readonly trustProxy: boolean;
}

/** Told of every request as it comes; what it answers takes down what becomes of it. */
export type OpenAccount = (request: NodeRequest, response: Parameters<NodeHandler>[1], known: RpcRequest) => TakeNote;

export interface RequestReader {
  /** What is known of a request that came through `identify`. */
  requestOf(request: NodeRequest): RpcRequest;
  /** Knows every request before the handler does: its id is in the answer, be it a refusal. */
  identify(handler: NodeHandler): NodeHandler;
  /** Both ends are on this machine, and so is whoever a proxy in between speaks for, if it is to be believed. */
  isLocal(request: NodeRequest): boolean;
}

export const requestIdHeader = "x-request-id";

export function createRequestReader(options: OutsideOptions, open?: OpenAccount): RequestReader {
  const known = new WeakMap<NodeRequest, RpcRequest>();
  return {
    requestOf(request) {
      const found = known.get(request);
      if (found === undefined) throw new TypeError("the request did not come through the port");
      return found;
    },
    identify: (handler) => (request, response) => {
      const read = readRequest(request, options);
      const note = open?.(request, response, read);
      known.set(request, note === undefined ? read : { ...read, note });
      response.setHeader(requestIdHeader, read.id);
      handler(request, response);
    },
    isLocal({ headers, socket }) {
      const ends = [socket.localAddress ?? "", socket.remoteAddress ?? ""].map(withoutMapping);
      if (!ends.every(isLoopback)) return false;
      if (![...forwardedNames, "forwarded"].some((name) => headers[name] !== undefined)) return true;
      // It came through a proxy, and one that says nothing of the sender, or is not to be believed, vouches for nobody.
      return options.trustProxy && isLoopback(readForwarded(headers).address ?? "");
    },
  };
}

/** An address of this machine alone, or its usual name. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

const forwardedNames = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"];

function readRequest(request: NodeRequest, options: OutsideOptions): RpcRequest {
  const { headers, socket } = request;
  const asked = headers[requestIdHeader];
  const id = typeof asked === "string" && /^[A-Za-z0-9._-]{1,128}$/.test(asked) ? asked : randomUUID();
  const told = options.trustProxy ? readForwarded(headers) : {};
  const scheme = told.scheme ?? ((socket as Partial<TLSSocket>).encrypted === true ? "https" : "http");
  const authority = "authority" in request && request.authority !== "" ? request.authority : headers.host;
  const host = told.host ?? parseHost(authority) ?? formatLocal(socket);
  return {
    id,
    peerAddress: told.address ?? withoutMapping(socket.remoteAddress ?? ""),
    origin: options.publicUrl ?? `${scheme}://${host}`,
  };
}

interface Forwarded {
  readonly address?: string | undefined;
  readonly scheme?: string | undefined;
  readonly host?: string | undefined;
}

/**
 * Every proxy appends to what it was given, so the right-most entry is the one that our own proxy wrote; all to its left
 * is what a client may have made up. RFC 7239's header counts where there is none of the older ones: most proxies set
 * those, and let the other pass as the client sent it.
 */
function readForwarded(headers: NodeRequest["headers"]): Forwarded {
  const older = forwardedNames.map((name) => lastOf(headers[name]));
  if (older.some((value) => value !== undefined)) return forwardedFrom(older[0], older[1], older[2]);
  const pairs = new Map<string, string>();
  for (const pair of splitOutsideQuotes(lastOf(headers.forwarded) ?? "", ";")) {
    const [, name, value] = /^\s*([a-z]+)=(.*?)\s*$/i.exec(pair) ?? [];
    if (name !== undefined && value !== undefined) pairs.set(name.toLowerCase(), unquote(value));
  }
  return forwardedFrom(pairs.get("for"), pairs.get("proto"), pairs.get("host"));
}

function forwardedFrom(address?: string, scheme?: string, host?: string): Forwarded {
  return {
    address: address === undefined ? undefined : parseAddress(address),
    scheme: /^https?$/i.test(scheme ?? "") ? scheme?.toLowerCase() : undefined,
    host: parseHost(host),
  };
}

/** The last element of a list header. */
function lastOf(header: string | string[] | undefined): string | undefined {
  const text = typeof header === "object" ? header.join(",") : header;
  return text === undefined ? undefined : splitOutsideQuotes(text, ",").at(-1)?.trim();
}

function splitOutsideQuotes(text: string, separator: "," | ";"): readonly string[] {
  const parts: string[] = [""];
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === '"') quoted = !quoted;
    if (char === separator && !quoted) parts.push("");
    else parts[parts.length - 1] += quoted && char === "\\" ? char + (text[++at] ?? "") : char;
  }
  return parts;
}

function unquote(text: string): string {
  const [, inner] = /^"(.*)"$/s.exec(text) ?? [];
  return inner === undefined ? text : inner.replaceAll(/\\(.)/gs, "$1");
}

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`; undefined for `unknown` and names. */
function parseAddress(text: string): string | undefined {
  if (isIP(text) !== 0) return withoutMapping(text);
  const [, bracketed, plain] = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? "";
  return isIP(address) === 0 ? undefined : withoutMapping(address);
}

/** A host that may stand in a URL, with its port if it has one. */
function parseHost(text: string | undefined): string | undefined {
  const wellFormed = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._~-]+)(?::\d{1,5})?$/i.test(text ?? "");
  return wellFormed && URL.canParse(`http://${text}`) ? text : undefined;
}

/** For a request that names no host: the address it came to. */
function formatLocal({ localAddress = "", localPort = 0 }: NodeRequest["socket"]): string {
  const address = withoutMapping(localAddress);
  return `${isIP(address) === 6 ? `[${address}]` : address}:${localPort}`;
}

/** An IPv4 address as a socket for both versions shows it. */
function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}
