import { constants } from "node:http2";
import type { ConnectRouter } from "@connectrpc/connect";
import type { NodeRequest } from "./node-http.js";

/**
 * A call that takes one message may not take for ever to send it: coming drop by drop, it would be alive and yet never
 * be there, before anyone was asked for credentials (P10). Streams are not bounded: an upload may take days.
 */
export function createMessageTimeout(timeoutMs: number): {
  /** To be told of all calls that there are. */
  read(router: ConnectRouter): void;
  watch(request: NodeRequest): void;
} {
  const single = new Set<string>();
  return {
    read(router) {
      for (const { method, requestPath } of router.handlers) {
        if (method.methodKind === "unary" || method.methodKind === "server_streaming") single.add(requestPath);
      }
    },
    watch(request) {
      if (!single.has((request.url ?? "").split("?")[0] ?? "")) return;
      const timer = setTimeout(() => letGo(request), timeoutMs).unref();
      const stop = () => clearTimeout(timer);
      request.once("end", stop).once("close", stop);
    },
  };
}

function letGo(request: NodeRequest): void {
  if ("stream" in request) request.stream.close(constants.NGHTTP2_CANCEL);
  else request.destroy();
}
