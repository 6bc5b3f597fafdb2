import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import { AccessService } from "../../gen/slipway/upload/v1/access_service_pb.js";
import { FileService } from "../../gen/slipway/upload/v1/file_service_pb.js";
import { SessionService } from "../../gen/slipway/upload/v1/session_service_pb.js";
import type { Access, Deadlines, Uploads } from "../core/index.js";
import { createAccessService } from "./access-service.js";
import { createCallerInterceptor } from "./caller.js";
import { createErrorInterceptor } from "./errors.js";
import { createFileService } from "./file-service.js";
import { createSessionService } from "./session-service.js";

export interface RpcDeps {
  readonly uploads: Uploads;
  readonly deadlines: Deadlines;
  readonly access: Access;
  readonly logUnexpected: (error: unknown, method: string) => void;
}

/** Registers every service of the typed API. */
export function registerServices(router: ConnectRouter, deps: RpcDeps): ConnectRouter {
  return router
    .service(SessionService, createSessionService(deps.uploads, deps.deadlines))
    .service(FileService, createFileService(deps.uploads))
    .service(AccessService, createAccessService(deps.access));
}

/** What every call passes, outermost first. */
export function createInterceptors(deps: RpcDeps): Interceptor[] {
  return [createErrorInterceptor(deps.logUnexpected), createCallerInterceptor(deps.access)];
}

/** The largest message that is taken (bytes): refused by its length, before anything is allocated for it. */
export const maxMessageBytes = 4 * 2 ** 20;
