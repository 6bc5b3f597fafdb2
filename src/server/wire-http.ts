// Node's requests and answers, of either HTTP version, as the plain values that REST faces are written over.
import type { ServerResponse } from "node:http";
import type { WireHandler, WireRequest, WireResponse } from "../rest/kit/index.js";
import type { NodeHandler } from "./listen.js";

type NodeRequest = Parameters<NodeHandler>[0];
type NodeResponse = Parameters<NodeHandler>[1];

export interface WireDeps {
  readonly handle: WireHandler;
  /** What the port knows of the request before any protocol does. */
  readonly describe: (request: NodeRequest) => Pick<WireRequest, "id" | "origin">;
  /** Lets a stop wait for the work. */
  readonly track: <T>(work: () => Promise<T>) => Promise<T>;
  /** Aborts when the server waits no longer for what is under way. */
  readonly cut: AbortSignal;
  readonly logUnexpected: (error: unknown, request: WireRequest) => void;
}

export function createWireHandler(deps: WireDeps): NodeHandler {
  return (request, response) => void deps.track(() => serve(deps, request, response));
}

/** Never rejects. */
async function serve(deps: WireDeps, request: NodeRequest, response: NodeResponse): Promise<void> {
  const controller = new AbortController();
  let finished = false;
  response.once("finish", () => {
    finished = true;
    letGoOfBody(request);
  });
  response.once("close", () => {
    if (!finished) controller.abort(new DOMException("the client has gone", "AbortError"));
  });
  // It goes by `close`, which tells the rest.
  response.on("error", () => undefined);
  const onCut = () => controller.abort(deps.cut.reason);
  deps.cut.addEventListener("abort", onCut);
  const wired = readRequest(deps, request, controller.signal);
  try {
    await respond(request, response, await deps.handle(wired), controller.signal);
  } catch (error) {
    const foreseen = controller.signal.aborted || (error as Error).name === "AbortError";
    if (!foreseen) deps.logUnexpected(error, wired);
    // An answer that has begun cannot be taken back: that it was cut has to show.
    if (response.headersSent) response.destroy();
    else await respond(request, response, apology(deps.cut.aborted), controller.signal).catch(() => undefined);
  } finally {
    deps.cut.removeEventListener("abort", onCut);
  }
}

function readRequest(deps: WireDeps, request: NodeRequest, signal: AbortSignal): WireRequest {
  const [path = "", ...query] = (request.url ?? "").split("?");
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (!name.startsWith(":")) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  const httpVersion = request.httpVersionMajor === 2 ? "2" : request.httpVersion === "1.0" ? "1.0" : "1.1";
  const body = readBody(request);
  return {
    method: request.method ?? "",
    path,
    query: query.join("?"),
    headers,
    httpVersion,
    body,
    signal,
    ...deps.describe(request),
  };
}

/** Pulls: what nobody takes is not read. A reader that stops early leaves the connection whole, for the answer. */
async function* readBody(request: NodeRequest): AsyncGenerator<Uint8Array, void> {
  yield* request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  // A cancelled HTTP/2 stream ends like a whole one.
  if ("stream" in request && request.stream.aborted) throw new DOMException("the client has gone", "AbortError");
}

async function respond(
  request: NodeRequest,
  response: NodeResponse,
  answer: WireResponse,
  signal: AbortSignal,
): Promise<void> {
  const { status, body } = answer;
  const bytes = typeof body === "string" ? Buffer.from(body) : body instanceof Uint8Array ? body : undefined;
  const bodiless = status === 204 || status === 304;
  const known = bytes ?? (body === undefined && !bodiless ? Buffer.alloc(0) : undefined);
  const length = known && { "content-length": String(known.length) };
  // The two responses have the same methods, and no common type that says so.
  const out = response as ServerResponse;
  out.writeHead(status, { ...answer.headers, ...length });
  const silent = bodiless || request.method === "HEAD";
  if (!silent && body !== undefined && bytes === undefined) await pump(body as AsyncIterable<Uint8Array>, out, signal);
  const over = firstOf(out, "finish", "close");
  out.end(silent ? undefined : bytes);
  await over;
}

async function pump(body: AsyncIterable<Uint8Array>, out: ServerResponse, signal: AbortSignal): Promise<void> {
  for await (const chunk of body) {
    signal.throwIfAborted();
    if (!out.write(chunk)) await firstOf(out, "drain", "close");
  }
  signal.throwIfAborted();
}

function firstOf(out: ServerResponse, ...events: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of events) out.off(event, done);
      resolve();
    };
    for (const event of events) out.on(event, done);
  });
}

/**
 * The answer is out, and nobody reads the rest of the request. HTTP/1.1: it has to flow on for the next request on the
 * connection, as far as the port lets it. HTTP/2: the client is told to send no more (RFC 9113, 8.1).
 */
function letGoOfBody(request: NodeRequest): void {
  if ("stream" in request) {
    if (!request.stream.readableEnded) request.stream.close();
  } else if (!request.complete) {
    request.removeAllListeners("readable");
    request.resume();
  }
}

function apology(stopping: boolean): WireResponse {
  const [status, title] = stopping ? [503, "Service Unavailable"] : [500, "Internal Server Error"];
  const detail = stopping ? "the server is stopping" : "internal error";
  const headers = { "content-type": "application/problem+json", "cache-control": "no-store" };
  return { status, headers, body: `${JSON.stringify({ type: "about:blank", title, status, detail })}\n` };
}
