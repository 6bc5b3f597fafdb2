// A span a call, by the OpenTelemetry API alone: without an SDK in the process its calls do nothing.

import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { type Context, context, propagation, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { requestKey } from "../rpc/request.js";

/** The codes that are this server's failure, and not its client's (semantic conventions of gRPC's server spans). */
const failures = new Set([
  Code.Unknown,
  Code.DeadlineExceeded,
  Code.Unimplemented,
  Code.Internal,
  Code.Unavailable,
  Code.DataLoss,
]);

const headerGetter = {
  get: (headers: Headers, name: string) => headers.get(name) ?? undefined,
  keys: (headers: Headers) => [...headers.keys()],
};

/** A span begins where the headers say that the caller's is, and ends when the last message has gone. */
export function createTracing(): Interceptor {
  const tracer = trace.getTracer("slipway");
  return (next) => async (request) => {
    const { id, peerAddress } = request.contextValues.get(requestKey);
    const { typeName } = request.service;
    const system = systemOf(request.header.get("content-type") ?? "");
    const parent = propagation.extract(context.active(), request.header, headerGetter);
    const attributes = {
      "rpc.system": system,
      "rpc.service": typeName,
      "rpc.method": request.method.name,
      "client.address": peerAddress,
      "slipway.request_id": id,
    };
    const span = tracer.startSpan(`${typeName}/${request.method.name}`, { kind: SpanKind.SERVER, attributes }, parent);
    const inside = trace.setSpan(parent, span);
    try {
      const response = await context.with(inside, () => next(request));
      if (response.stream) return { ...response, message: traceStream(response.message, inside, span, system) };
      end(span, system);
      return response;
    } catch (error) {
      end(span, system, error);
      throw error;
    }
  };
}

async function* traceStream<T>(messages: AsyncIterable<T>, inside: Context, span: Span, system: System) {
  const iterator = messages[Symbol.asyncIterator]();
  let failed: { readonly error: unknown } | undefined;
  let done = false;
  try {
    for (;;) {
      const result = await context.with(inside, () => iterator.next());
      if (result.done === true) {
        done = true;
        return;
      }
      yield result.value;
    }
  } catch (error) {
    failed = { error };
    throw error;
  } finally {
    // A client that has gone reads no further: the writer says so by an end or by an error, which the source never saw.
    if (!done) await iterator.return?.();
    end(span, system, failed?.error);
  }
}

type System = "grpc" | "grpc_web" | "connect_rpc";

function systemOf(contentType: string): System {
  if (contentType.startsWith("application/grpc-web")) return "grpc_web";
  return contentType.startsWith("application/grpc") ? "grpc" : "connect_rpc";
}

function end(span: Span, system: System, error?: unknown): void {
  const failed = error === undefined ? undefined : ConnectError.from(error);
  if (system !== "connect_rpc") span.setAttribute("rpc.grpc.status_code", failed?.code ?? 0);
  else if (failed !== undefined) span.setAttribute("rpc.connect_rpc.error_code", nameOf(failed.code));
  if (failed !== undefined) {
    span.setAttribute("error.type", nameOf(failed.code));
    if (failures.has(failed.code)) span.setStatus({ code: SpanStatusCode.ERROR, message: failed.rawMessage });
  }
  span.end();
}

/** `not_found`, as Connect spells it. */
function nameOf(code: Code): string {
  return Code[code].replaceAll(/(?<!^)([A-Z])/g, "_$1").toLowerCase();
}
