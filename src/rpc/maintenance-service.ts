import { durationMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { MaintenanceService } from "../../gen/slipway/upload/v1/maintenance_service_pb.js";
import type { Uploads } from "../core/index.js";
import { callOf } from "./caller.js";
import { formatNews } from "./maintenance-messages.js";

/**
 * `keepUnreferencedMs`: after which time the server collects bytes that nothing names. `stopping` aborts when the server
 * begins to stop: a check would never let it.
 */
export function createMaintenanceService(
  uploads: Uploads,
  keepUnreferencedMs: number,
  stopping: AbortSignal,
): ServiceImpl<typeof MaintenanceService> {
  return {
    async *checkStore(request, context) {
      const { repair, skipContent, cursor, unreferencedAfter } = request;
      const unreferencedAfterMs = unreferencedAfter && durationMs(unreferencedAfter);
      const signal = AbortSignal.any([context.signal, stopping]);
      const input = { repair, skipContent, cursor, unreferencedAfterMs, keepUnreferencedMs };
      for await (const news of uploads.checkStore(input, { ...callOf(context), signal }))
        yield { news: formatNews(news) };
    },
  };
}
