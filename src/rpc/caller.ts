import type { DescMethod } from "@bufbuild/protobuf";
import { type ContextValues, createContextKey, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { Health } from "../../gen/grpc/health/v1/health_pb.js";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as ServerReflectionAlpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.js";
import { AccessService } from "../../gen/slipway/upload/v1/access_service_pb.js";
import { type Access, type Call, type Peer, type Principal, parseAuthorization, UploadError } from "../core/index.js";
import { requestKey, requestOf } from "./request.js";

/** What everyone may call, without credentials; those that come all the same are not looked at. */
const openMethods: ReadonlySet<string> = new Set(
  [
    AccessService.method.login,
    ...[Health, ServerReflection, ServerReflectionAlpha].flatMap((service): readonly DescMethod[] => service.methods),
  ].map(nameOf),
);

const principalKey = createContextKey<Principal | undefined>(undefined, { description: "principal" });

export function isOpen(method: DescMethod): boolean {
  return openMethods.has(nameOf(method));
}

/** Lets in whoever sends these headers, once a call. Throws what `authenticate` throws. */
export async function admit(
  access: Pick<Access, "authenticate">,
  header: Headers,
  values: ContextValues,
): Promise<void> {
  if (values.get(principalKey) !== undefined) return;
  const credentials = parseAuthorization(header.get("authorization"));
  const { peerAddress, note } = values.get(requestKey);
  const principal = await access.authenticate(credentials, "rpc", { address: peerAddress });
  note?.({ user: `${principal.tenant.name}/${principal.user.name}` });
  values.set(principalKey, principal);
}

/**
 * Nothing else runs without somebody who was let in, and what is read or watched ends when the credentials do. (An upload
 * looks at them itself, before it takes a chunk.)
 */
export function createCallerInterceptor(access: Pick<Access, "authenticate">): Interceptor {
  return (next) => async (request) => {
    if (isOpen(request.method)) return next(request);
    const { contextValues } = request;
    await admit(access, request.header, contextValues);
    const response = await next(request);
    const principal = contextValues.get(principalKey);
    if (!response.stream || principal === undefined || request.method.methodKind !== "server_streaming")
      return response;
    return { ...response, message: whileGood(response.message, principal) };
  };
}

async function* whileGood<T>(messages: AsyncIterable<T>, principal: Principal): AsyncGenerator<T> {
  for await (const message of messages) {
    principal.use();
    yield message;
  }
}

export function principalOf(context: HandlerContext): Principal {
  const principal = context.values.get(principalKey);
  if (principal === undefined) throw new UploadError("unauthenticated", "no credentials", { reason: "TOKEN_INVALID" });
  return principal;
}

/** The second parameter of every core operation. */
export function callOf(context: HandlerContext): Call {
  return { caller: principalOf(context).caller, signal: context.signal };
}

export function peerOf(context: HandlerContext): Peer {
  return { address: requestOf(context).peerAddress };
}

function nameOf(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}
