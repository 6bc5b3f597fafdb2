import { createHmac, randomBytes } from "node:crypto";
import type { Registry } from "prom-client";
import {
  type Access,
  assertPermission,
  isUploadError,
  noteOf,
  parseAuthorization,
  UploadError,
  type UploadErrorCode,
} from "../core/index.js";
import type { RpcRequest } from "../rpc/request.js";
import type { NodeHandler } from "./listen.js";
import type { NodeRequest } from "./node-http.js";

export const metricsPath = "/metrics";

const rememberMs = 15 * 60_000;
const mostAdmitted = 16;
const patienceMs = 3_000;

const statuses: Partial<Record<UploadErrorCode, number>> = {
  unauthenticated: 401,
  denied: 403,
  too_many: 429,
  unavailable: 503,
};
const challenge = 'Basic realm="slipway", charset="UTF-8", Bearer realm="slipway"';

/**
 * `/metrics`: to whoever is on this machine, and to others who show the credentials of somebody with the permission
 * `operate`, by password or by a token for the RPCs. While the database cannot be asked about credentials, those that
 * were good a short while ago are: it is then that an operator wants to see something.
 */
export function createMetricsHandler(deps: {
  readonly registry: Pick<Registry, "metrics" | "contentType">;
  readonly access: Pick<Access, "authenticate">;
  readonly isLocal: (request: NodeRequest) => boolean;
  readonly requestOf: (request: NodeRequest) => RpcRequest;
  readonly logUnexpected: (error: unknown, request: NodeRequest) => void;
}): NodeHandler {
  const { registry, access } = deps;
  const processKey = randomBytes(32);
  /** When whose credentials were good, by a digest of them. */
  const admitted = new Map<string, number>();

  async function admit(request: NodeRequest): Promise<void> {
    if (deps.isLocal(request)) return;
    const { peerAddress } = deps.requestOf(request);
    const { authorization = "" } = request.headers;
    const credentials = parseAuthorization(authorization === "" ? null : authorization);
    const key = createHmac("sha256", processKey).update(authorization).digest("base64");
    try {
      const { caller } = await soon(access.authenticate(credentials, "rpc", { address: peerAddress }));
      assertPermission(caller, "operate");
      admitted.delete(key);
      admitted.set(key, performance.now());
      for (const oldest of admitted.keys()) if (admitted.size > mostAdmitted) admitted.delete(oldest);
    } catch (error) {
      const isKnown = performance.now() - (admitted.get(key) ?? Number.NEGATIVE_INFINITY) < rememberMs;
      if (isUploadError(error, "unavailable") && isKnown) return;
      if (isUploadError(error, "unauthenticated", "denied")) admitted.delete(key);
      throw error;
    }
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

/** A database that hangs is as good as one that is away. */
async function soon<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const words = "nobody could be asked about the credentials in time";
    const error = new UploadError("unavailable", words, { reason: "DATABASE_UNAVAILABLE" });
    timer = setTimeout(() => reject(error), patienceMs);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
