import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import { FileService } from "../../gen/slipway/upload/v1/file_service_pb.js";
import { SessionService } from "../../gen/slipway/upload/v1/session_service_pb.js";
import type { Deadlines, Uploads } from "../core/index.js";
import { type Authenticate, createCallerInterceptor } from "./caller.js";
import { createErrorInterceptor, type LogUnexpected } from "./errors.js";
import { createFileService } from "./file-service.js";
import { noteRead } from "./malformed.js";
import { createSessionService } from "./session-service.js";

export interface RpcDeps {
  readonly uploads: Uploads;
  readonly deadlines: Deadlines;
  readonly authenticate: Authenticate;
  readonly logUnexpected: LogUnexpected;
}

/** Registers every service of the typed API. */
export function registerServices(router: ConnectRouter, deps: RpcDeps): ConnectRouter {
  return router
    .service(SessionService, createSessionService(deps.uploads, deps.deadlines))
    .service(FileService, createFileService(deps.uploads));
}

/** What every call passes, outermost first. */
export function createInterceptors(deps: RpcDeps): Interceptor[] {
  return [noteRead, createErrorInterceptor(deps.logUnexpected), createCallerInterceptor(deps.authenticate)];
}

/** The largest message that is taken (bytes): refused by its length, before anything is allocated for it. */
export const maxMessageBytes = 4 * 2 ** 20;
