// Which face a request is for, by its path.
import type { ConnectRouter } from "@connectrpc/connect";
import { capabilityPrefix } from "../rest/kit/index.js";
import { findDialect, type MountedDialect, pathOf } from "./dialects.js";
import type { RequestName } from "./metrics.js";
import type { NodeRequest } from "./node-http.js";

/** `/package.Service/Method`, whether it is there or not. */
const rpcPath = /^\/[a-z0-9_]+(\.[a-z0-9_]+)*\.[A-Z]\w*\/\w+(\?|$)/;
const operationPaths = new Set(["/healthz", "/readyz", "/metrics"]);
const httpMethods = new Set(["GET", "HEAD", "PUT", "POST", "PATCH", "OPTIONS"]);

export function isRpc(url: string | undefined): boolean {
  return rpcPath.test(url ?? "");
}

export function isCapability(url: string | undefined): boolean {
  return url?.startsWith(capabilityPrefix) === true;
}

/**
 * Names requests for the log and the metrics. What is not in the closed lists is `other`: nobody makes up names by
 * asking for what is not there.
 */
export function createRequestNames(dialects: readonly MountedDialect[]): {
  /** To be told of all RPCs that there are. */
  read(router: ConnectRouter): void;
  nameOf(request: NodeRequest): RequestName;
} {
  const rpcs = new Map<string, string>();
  return {
    read(router) {
      for (const { method, requestPath } of router.handlers) {
        rpcs.set(requestPath, `${method.parent.name}/${method.name}`);
      }
    },
    nameOf({ url, method = "" }) {
      const path = pathOf(url);
      const rpc = rpcs.get(path);
      if (rpc !== undefined || isRpc(url)) return { face: "rpc", method: rpc ?? "other" };
      if (isCapability(url)) return { face: "url", method: httpMethods.has(method) ? method : "other" };
      const dialect = findDialect(dialects, url);
      if (dialect !== undefined) {
        return { face: dialect.name, method: dialect.handler.lineOf({ method, url: url ?? "" }) ?? "other" };
      }
      if (operationPaths.has(path)) return { face: "operations", method: path };
      return { face: "other", method: "other" };
    },
  };
}
