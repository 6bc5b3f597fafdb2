// Node's requests and answers, of either HTTP version, as the plain values that REST faces are written over.
import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import { constants } from "node:http2";
import type { Writable } from "node:stream";
import type { WireHandler, WireRequest, WireResponse } from "../rest/kit/index.js";
import { compressAnswer } from "./compress-answer.js";
import type { NodeHandler } from "./listen.js";

type NodeRequest = Parameters<NodeHandler>[0];
type NodeResponse = Parameters<NodeHandler>[1];

export interface WireDeps {
  readonly handle: WireHandler;
  /** What the port knows of the request before any protocol does. */
  readonly describe: (request: NodeRequest) => Pick<WireRequest, "id" | "origin" | "peerAddress" | "note">;
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
  const out = openAnswer(request, response, () => controller.abort(clientGone()));
  const onCut = () => controller.abort(deps.cut.reason);
  deps.cut.addEventListener("abort", onCut);
  const wired = readRequest(deps, request, controller.signal);
  try {
    await out.send(await deps.handle(wired));
  } catch (error) {
    const foreseen = controller.signal.aborted || (error as Error).name === "AbortError";
    if (!foreseen) deps.logUnexpected(error, wired);
    wired.note?.({ code: deps.cut.aborted ? "unavailable" : foreseen ? "canceled" : "internal" });
    // An answer that has begun cannot be taken back: that it was cut has to show.
    if (response.headersSent) breakOff(response);
    else await out.send(apology(deps.cut.aborted)).catch(() => breakOff(response));
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
  return {
    method: request.method ?? "",
    path,
    query: query.join("?"),
    headers,
    httpVersion: request.httpVersionMajor === 2 ? "2" : request.httpVersion === "1.0" ? "1.0" : "1.1",
    body: readBody(request),
    signal,
    ...deps.describe(request),
  };
}

/** Pulls: what nobody takes is not read. A reader that stops early leaves the connection whole, for the answer. */
async function* readBody(request: NodeRequest): AsyncGenerator<Uint8Array, void> {
  try {
    yield* request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw clientGone(error);
  }
  // A cancelled HTTP/2 stream ends like a whole one.
  if ("stream" in request && request.stream.aborted) throw clientGone();
}

function clientGone(cause?: unknown): Error {
  const gone = new Error("the client has gone", { cause });
  gone.name = "AbortError";
  return gone;
}

/** A destroyed HTTP/2 answer would end like a whole one. */
function breakOff(response: NodeResponse): void {
  if ("stream" in response) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else response.destroy();
}

interface Answer {
  /** Resolves when it is out, or has nowhere to go any more; throws what its body throws. */
  send(answer: WireResponse): Promise<void>;
}

function openAnswer(request: NodeRequest, response: NodeResponse, onGone: () => void): Answer {
  // The two responses have the same methods, and no common type that says so.
  const out = response as ServerResponse;
  // An HTTP/2 answer calls itself finished only when its stream has closed.
  const end: Writable = "stream" in response ? response.stream : out;
  let closed = false;
  let finished = false;
  end.once("finish", () => {
    finished = true;
  });
  out.once("close", () => {
    closed = true;
    // Of an HTTP/2 answer to HEAD the stream has finished before there is one.
    const isWhole = finished || ("stream" in response && request.method === "HEAD" && out.headersSent);
    if (!isWhole) onGone();
  });
  // Whatever goes wrong with it ends in `close`.
  out.on("error", () => undefined);

  const untilClosedOr = (event: "drain" | "finish", from: Writable) =>
    new Promise<void>((resolve) => {
      const done = () => {
        from.off(event, done);
        out.off("close", done);
        resolve();
      };
      if (closed) return resolve();
      from.on(event, done);
      out.on("close", done);
    });

  return {
    async send(given) {
      if (closed) return;
      const { status, headers, body } = compressAnswer(given, readHeader(request, "accept-encoding"));
      const silent = request.method === "HEAD" || status === 204 || status === 304;
      const bytes = body === undefined ? Buffer.alloc(0) : typeof body === "string" ? Buffer.from(body) : body;
      const whole = bytes instanceof Uint8Array;
      const tellsLength = whole && status !== 204 && status !== 304;
      // What others have said that the answer varies by stays true.
      const vary = new Set([...listOf(out.getHeader("vary")), ...listOf(headers.vary)]);
      const lines = {
        ...headers,
        ...(tellsLength && { "content-length": String(bytes.length) }),
        ...(vary.size > 0 && { vary: [...vary].join(", ") }),
      };
      out.writeHead(status, lines as OutgoingHttpHeaders);
      if (silent) await letGo(given.body);
      if (!silent && !whole) {
        for await (const chunk of bytes) {
          if (closed) return;
          if (!out.write(chunk)) await untilClosedOr("drain", out);
        }
      }
      const over = untilClosedOr("finish", end);
      out.end(whole && !silent ? bytes : undefined);
      await over;
    },
  };
}

/** Of a stream that nobody will read. */
async function letGo(body: WireResponse["body"]): Promise<void> {
  if (typeof body === "object" && Symbol.asyncIterator in body) await body[Symbol.asyncIterator]().return?.();
}

function readHeader({ headers }: NodeRequest, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

function listOf(header: number | string | readonly string[] | undefined): readonly string[] {
  return header === undefined ? [] : String(header).split(/\s*,\s*/);
}

function apology(stopping: boolean): WireResponse {
  const [status, title] = stopping ? [503, "Service Unavailable"] : [500, "Internal Server Error"];
  const detail = stopping ? "the server is stopping" : "internal error";
  const headers = { "content-type": "application/problem+json", "cache-control": "no-store" };
  return { status, headers, body: `${JSON.stringify({ type: "about:blank", title, status, detail })}\n` };
}
