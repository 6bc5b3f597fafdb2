// The RPC library answers a message that it cannot read with `internal`, before any interceptor runs. It is the sender's
// mistake, and is answered so.
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ContextValues,
  createContextKey,
  createContextValues,
  type Interceptor,
} from "@connectrpc/connect";
import { createAsyncIterable, type UniversalServerResponse } from "@connectrpc/connect/protocol";
import { requestKey } from "./request.js";
import { wrapHandlers } from "./wrap-handlers.js";

const readKey = createContextKey(false, { description: "the request's message has been read" });

export function malformed(): ConnectError {
  return new ConnectError("the message cannot be read", Code.InvalidArgument);
}

/** A unary call that comes here has a message; what may refuse it comes after. */
export const noteRead: Interceptor = (next) => (request) => {
  request.contextValues.get(requestKey).note?.({ code: "ok" });
  noteJudged(request.contextValues);
  return next(request);
};

/** The call's answer is about something else than a message that cannot be read. */
export function noteJudged(values: ContextValues): void {
  values.set(readKey, true);
}

/**
 * Lets the library say it in the call's own protocol: the call is repeated with a body that fails as it should have.
 * Streams need none of this, for their messages are read while the method runs.
 */
export function refuseMalformed(router: ConnectRouter): void {
  wrapHandlers(router, (handler) => {
    if (handler.method.methodKind !== "unary") return undefined;
    return async (request) => {
      const contextValues = request.contextValues ?? createContextValues();
      const response = await handler({ ...request, contextValues });
      if (contextValues.get(readKey)) return response;
      const { isInternal, answer } = await examine(response);
      if (!isInternal) return answer;
      contextValues.get(requestKey).note?.({ code: "invalid" });
      // A message in a URL is none in a body.
      const asPost = { method: "POST", header: new Headers({ "content-type": "application/proto" }) };
      return handler({ ...request, ...(request.method === "GET" && asPost), body: failing });
    };
  });
}

const failing: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(malformed()) }),
};

/** Finds the code where each protocol has it: Connect in the status, gRPC in the trailers, gRPC-Web in the body. */
async function examine(
  answer: UniversalServerResponse,
): Promise<{ readonly isInternal: boolean; readonly answer: UniversalServerResponse }> {
  const { status, header, trailer, body } = answer;
  const inBody = header?.get("content-type")?.startsWith("application/grpc-web") === true;
  if (!inBody || body === undefined) {
    return { isInternal: status === 500 || trailer?.get("grpc-status") === String(Code.Internal), answer };
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const text = new TextDecoder("latin1").decode(chunks[0]);
  const isInternal = new RegExp(`grpc-status: ?${Code.Internal}\\r\\n`).test(text);
  return { isInternal, answer: { ...answer, body: createAsyncIterable(chunks) } };
}
