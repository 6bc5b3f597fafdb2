import type { Registry } from "prom-client";
import { type Access, assertPermission, isUploadError, noteOf, type UploadErrorCode } from "../core/index.js";
import { parseAuthorization } from "../rpc/authorization.js";
import type { RpcRequest } from "../rpc/request.js";
import type { NodeHandler } from "./listen.js";
import type { NodeRequest } from "./node-http.js";

export const metricsPath = "/metrics";

const statuses: Partial<Record<UploadErrorCode, number>> = {
  unauthenticated: 401,
  denied: 403,
  too_many: 429,
  unavailable: 503,
};
const challenge = 'Basic realm="slipway", charset="UTF-8", Bearer realm="slipway"';

/**
 * `/metrics`: to whoever is on this machine, and to others who show the credentials of somebody with the permission
 * `operate`, by password or by a token for the RPCs.
 */
export function createMetricsHandler(deps: {
  readonly registry: Pick<Registry, "metrics" | "contentType">;
  readonly access: Pick<Access, "authenticate">;
  readonly isLocal: (request: NodeRequest) => boolean;
  readonly requestOf: (request: NodeRequest) => RpcRequest;
  readonly logUnexpected: (error: unknown, request: NodeRequest) => void;
}): NodeHandler {
  const { registry, access } = deps;

  async function admit(request: NodeRequest): Promise<void> {
    if (deps.isLocal(request)) return;
    const { peerAddress } = deps.requestOf(request);
    const credentials = parseAuthorization(request.headers.authorization ?? null);
    const { caller } = await access.authenticate(credentials, "rpc", { address: peerAddress });
    assertPermission(caller, "operate");
  }
  return (request, response) => {
    const answer = (status: number, headers: Readonly<Record<string, string>>, text: string) => {
      response.writeHead(status, {
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "no-store",
        ...headers,
      });
      response.end(request.method === "HEAD" ? "" : text);
    };
    async function serve(): Promise<void> {
      if (request.method !== "GET" && request.method !== "HEAD") {
        return answer(405, { allow: "GET, HEAD" }, "only GET and HEAD\n");
      }
      await admit(request);
      const text = request.method === "HEAD" ? "" : await registry.metrics();
      answer(200, { "content-type": registry.contentType }, text);
    }
    serve().catch((error: unknown) => {
      const status = isUploadError(error) ? (statuses[error.code] ?? 500) : 500;
      deps.requestOf(request).note?.(isUploadError(error) ? noteOf(error) : { code: "internal" });
      if (status === 500) deps.logUnexpected(error, request);
      const headers = status === 401 ? { "www-authenticate": challenge } : {};
      answer(status, headers, `${isUploadError(error) ? error.message : "internal error"}\n`);
    });
  };
}
