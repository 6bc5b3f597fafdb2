import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import { AccessService } from "../../gen/slipway/upload/v1/access_service_pb.js";
import { BlobService } from "../../gen/slipway/upload/v1/blob_service_pb.js";
import { CatalogService } from "../../gen/slipway/upload/v1/catalog_service_pb.js";
import { FileService } from "../../gen/slipway/upload/v1/file_service_pb.js";
import { MaintenanceService } from "../../gen/slipway/upload/v1/maintenance_service_pb.js";
import { SessionService } from "../../gen/slipway/upload/v1/session_service_pb.js";
import type { Access, Deadlines, Uploads } from "../core/index.js";
import { createAccessService } from "./access-service.js";
import { createBlobService } from "./blob-service.js";
import { createCallerInterceptor } from "./caller.js";
import { createCatalogService } from "./catalog-service.js";
import { createErrorInterceptor, type LogUnexpected } from "./errors.js";
import { createFileService } from "./file-service.js";
import { createMaintenanceService } from "./maintenance-service.js";
import { noteRead } from "./malformed.js";
import { createSessionService } from "./session-service.js";
import type { OfferUpload } from "./upload-endpoint.js";

export interface RpcDeps {
  readonly uploads: Uploads;
  readonly deadlines: Deadlines;
  /** After which time bytes that nothing names are collected. */
  readonly keepUnreferencedMs: number;
  readonly access: Access;
  /** Aborts when the server begins to stop, with the error that those who wait for news get. */
  readonly stopping: AbortSignal;
  readonly offerUpload: OfferUpload;
  readonly logUnexpected: LogUnexpected;
}

/** Registers every service of the typed API. */
export function registerServices(router: ConnectRouter, deps: RpcDeps): ConnectRouter {
  return router
    .service(SessionService, createSessionService(deps.uploads, deps.deadlines, deps.stopping))
    .service(FileService, createFileService(deps.uploads, deps.deadlines, deps.offerUpload))
    .service(CatalogService, createCatalogService(deps.uploads))
    .service(BlobService, createBlobService(deps.uploads))
    .service(AccessService, createAccessService(deps.access))
    .service(MaintenanceService, createMaintenanceService(deps.uploads, deps.keepUnreferencedMs, deps.stopping));
}

/** What every call passes, outermost first. */
export function createInterceptors(deps: RpcDeps): Interceptor[] {
  return [noteRead, createErrorInterceptor(deps.logUnexpected), createCallerInterceptor(deps.access)];
}
