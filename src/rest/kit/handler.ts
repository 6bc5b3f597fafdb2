// From a dialect's table to its answers.
import { type Call, isServerTrouble, isUploadError, noteOf, type RequestNote } from "../../core/index.js";
import { announcedLength } from "./announced-length.js";
import type { Dialect } from "./dialect.js";
import { parseJson } from "./json.js";
import { openRequestBody } from "./request-body.js";
import type { RoutedRequest } from "./route.js";
import { createRouteTable } from "./route-table.js";
import { createTextReader, type TextBody, type TextLimits } from "./text-body.js";
import { answerWhileUsed, whileUsed } from "./while-used.js";
import type { WireHandler, WireRequest, WireResponse } from "./wire.js";

export interface DialectHandler {
  readonly handle: WireHandler;
  /** The line of the row that a request is for; undefined for none. */
  lineOf(request: { readonly method: string; readonly url: string }): string | undefined;
  /** Whether a path, without its query, is one of the dialect's. */
  covers(path: string): boolean;
}

export interface DialectOptions extends TextLimits {
  /** Told of what nobody foresaw, and of what lies behind an answer that does not say it. */
  readonly logUnexpected: (error: unknown, request: WireRequest) => void;
}

/**
 * Answers by a dialect's table: the row is found, whoever asks is let in, the row answers, and what is left of the body
 * gets what the dialect's rule says before the answer goes out. A path's OPTIONS is answered by its methods, unless the
 * table has a row for it. An answer that needs the body must have read it when it is given.
 */
export function createDialectHandler<Services, Facts, C extends Call>(
  dialect: Dialect<Services, Facts, C>,
  services: Services,
  options: DialectOptions,
): DialectHandler {
  const table = createRouteTable(dialect.rows, dialect);
  const openText = createTextReader(options);

  async function answer(request: WireRequest, body: TextBody): Promise<WireResponse> {
    const found = table.find(request);
    if (found.row === undefined) return await lose(request, found.allow);
    const { row, params, query } = found;
    const admitted = await dialect.admit(request, row.facts);
    if (admitted.user !== undefined) request.note?.({ user: admitted.user });
    const wire = { ...request, body: whileUsed(request.body, admitted) };
    const text: RoutedRequest["text"] = (limit) => body.read(wire.body, limit?.mostBytes);
    const routed: RoutedRequest = {
      params,
      wire,
      query: query.get,
      text,
      json: async (limit) => parseJson(await text(limit)),
      raw() {
        const announced = announcedLength(wire);
        return { lengthBytes: announced === "none" ? 0 : announced, bytes: wire.body };
      },
    };
    return answerWhileUsed(await row.answer(services, routed, admitted.call), admitted);
  }

  async function lose(request: WireRequest, allowed: readonly string[]): Promise<WireResponse> {
    const allow = allowed.join(", ");
    if (request.method === "OPTIONS" && allow !== "") return { status: 204, headers: { allow } };
    const lost = await dialect.lose(request, allowed);
    // RFC 9110, 15.5.6.
    return lost.status === 405 ? { ...lost, headers: { allow, ...lost.headers } } : lost;
  }

  function refuse(error: unknown, request: WireRequest): WireResponse {
    const refused = dialect.refuse(error, request);
    if (refused !== undefined) {
      const core = isUploadError(error) ? error : undefined;
      request.note?.(core === undefined ? noteOfStatus(refused.status) : noteOf(core));
      if (core !== undefined && isServerTrouble(core)) options.logUnexpected(error, request);
      return refused;
    }
    if (request.signal.aborted || (error instanceof Error && error.name === "AbortError")) throw error;
    options.logUnexpected(error, request);
    request.note?.({ code: "internal" });
    return dialect.apology;
  }

  return {
    async handle(received) {
      const body = openRequestBody(received);
      const request = { ...received, body: body.bytes };
      const text = openText(request);
      try {
        const answered = await answer(request, text).then(
          (good) => {
            request.note?.(noteOfStatus(good.status));
            return good;
          },
          (error: unknown) => refuse(error, request),
        );
        if (dialect.unread !== "close") await body.drain(dialect.unread);
        return answered;
      } finally {
        body.close();
        text.close();
      }
    },
    lineOf({ method, url }) {
      const [path = "", ...query] = url.split("?");
      try {
        return table.find({ method, path, query: query.join("?") }).row?.line;
      } catch {
        return undefined;
      }
    },
    covers: (path) => dialect.prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)),
  };
}

const codes: Readonly<Record<number, RequestNote["code"]>> = {
  401: "unauthenticated",
  403: "denied",
  404: "not_found",
  413: "too_large",
  429: "too_many",
  503: "unavailable",
};

/** Of an answer that says by its status alone what became of the request. */
function noteOfStatus(status: number): RequestNote {
  if (status < 400) return { code: "ok" };
  return { code: codes[status] ?? (status < 500 ? "refused" : "internal") };
}
