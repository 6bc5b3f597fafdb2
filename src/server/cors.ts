// Whose scripts may call from a browser. Any origin may, without cookies; those that the settings name may send them.
import { cors } from "@connectrpc/connect";
import type { NodeHandler } from "./listen.js";
import { requestIdHeader } from "./node-http.js";

export interface CorsOptions {
  /** The origins that may use credentials. */
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  /** What a script may send, and see. */
  readonly allowedHeaders: readonly string[];
  readonly exposedHeaders: readonly string[];
}

/** What Connect and gRPC-Web need. */
export const rpcCors: Omit<CorsOptions, "origins"> = {
  methods: cors.allowedMethods,
  allowedHeaders: [...cors.allowedHeaders, "authorization", requestIdHeader],
  exposedHeaders: [...cors.exposedHeaders, requestIdHeader],
};

/** What a script needs to send a file to an address that is a capability, and to read it there. */
export const capabilityCors: Omit<CorsOptions, "origins"> = {
  methods: ["GET", "HEAD", "PUT", "POST", "PATCH"],
  allowedHeaders: [
    "content-type",
    "content-range",
    "content-digest",
    "repr-digest",
    "upload-offset",
    "upload-complete",
    "upload-length",
    "range",
    "if-range",
    requestIdHeader,
  ],
  exposedHeaders: [
    "upload-offset",
    "upload-complete",
    "upload-length",
    "etag",
    "content-range",
    "content-disposition",
    requestIdHeader,
  ],
};

const preflightSeconds = 7_200;

/** Says on the answer who may see it. Answers a preflight, which needs no credentials, itself, and says so. */
export function createCors(
  options: CorsOptions,
): (request: Parameters<NodeHandler>[0], response: Parameters<NodeHandler>[1]) => boolean {
  const named = new Set(options.origins);
  const list = (words: readonly string[]) => words.join(", ");
  return (request, response) => {
    const { origin } = request.headers;
    response.setHeader("vary", "Origin");
    if (origin === undefined) return false;
    if (named.has(origin)) {
      response.setHeader("access-control-allow-origin", origin);
      response.setHeader("access-control-allow-credentials", "true");
    } else response.setHeader("access-control-allow-origin", "*");
    if (request.method !== "OPTIONS" || request.headers["access-control-request-method"] === undefined) {
      response.setHeader("access-control-expose-headers", list(options.exposedHeaders));
      return false;
    }
    response.writeHead(204, {
      "access-control-allow-methods": list(options.methods),
      "access-control-allow-headers": list(options.allowedHeaders),
      "access-control-max-age": String(preflightSeconds),
    });
    response.end();
    return true;
  };
}
