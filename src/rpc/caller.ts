import { createContextKey, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { type Call, type Caller, UploadError } from "../core/index.js";

/**
 * Finds out who asks; throws `unauthenticated` for a token that is not good, and `unavailable` when it cannot be told.
 */
export type Authenticate = (authorization: string | null) => Promise<Caller>;

const callerKey = createContextKey<Caller | undefined>(undefined, { description: "caller" });

/** Services that tell nothing of what is stored: anyone may ask them. */
const open = /^grpc\.(health|reflection)\./;

/** Nothing else runs without a caller. */
export function createCallerInterceptor(authenticate: Authenticate): Interceptor {
  return (next) => async (request) => {
    if (open.test(request.service.typeName)) return next(request);
    request.contextValues.set(callerKey, await authenticate(request.header.get("authorization")));
    return next(request);
  };
}

/** The second parameter of every core operation. */
export function callOf(context: HandlerContext): Call {
  const caller = context.values.get(callerKey);
  if (caller === undefined) throw new UploadError("unauthenticated", "no credentials", { reason: "TOKEN_INVALID" });
  return { caller, signal: context.signal };
}
