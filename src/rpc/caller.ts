import type { DescMethod } from "@bufbuild/protobuf";
import { createContextKey, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { Health } from "../../gen/grpc/health/v1/health_pb.js";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as ServerReflectionAlpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.js";
import { AccessService } from "../../gen/slipway/upload/v1/access_service_pb.js";
import { type Access, type Call, type Peer, type Principal, UploadError } from "../core/index.js";
import { parseAuthorization } from "./authorization.js";
import { requestKey, requestOf } from "./request.js";

/** What everyone may call, without credentials; those that come all the same are not looked at. */
const openMethods: ReadonlySet<string> = new Set(
  [
    AccessService.method.login,
    ...[Health, ServerReflection, ServerReflectionAlpha].flatMap((service): readonly DescMethod[] => service.methods),
  ].map(nameOf),
);

const principalKey = createContextKey<Principal | undefined>(undefined, { description: "principal" });

/** Nothing else runs without somebody who was let in. */
export function createCallerInterceptor(access: Pick<Access, "authenticate">): Interceptor {
  return (next) => async (request) => {
    if (openMethods.has(nameOf(request.method))) return next(request);
    const credentials = parseAuthorization(request.header.get("authorization"));
    const peer = { address: request.contextValues.get(requestKey).peerAddress };
    request.contextValues.set(principalKey, await access.authenticate(credentials, "rpc", peer));
    return next(request);
  };
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
