import { isUploadError } from "../core/index.js";
import type { NodeHandler } from "./listen.js";

/** Throws, or rejects, with what is wrong. */
export type ReadinessCheck = () => Promise<void>;

/**
 * What is on the port beside the RPCs: `/healthz` (the process answers), `/readyz` (database and blob store do too; 503
 * with a reason otherwise, and from the moment that the server stops), and 404 for the rest.
 */
export function createHealthHandler(checkReady: ReadinessCheck, leaving?: AbortSignal): NodeHandler {
  return (request, response) => {
    const answer = (status: number, body: object) => {
      response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
      response.end(request.method === "HEAD" ? "" : `${JSON.stringify(body)}\n`);
    };
    const path = (request.url ?? "").split("?")[0];
    if (path !== "/healthz" && path !== "/readyz") return answer(404, { error: "no such path" });
    if (request.method !== "GET" && request.method !== "HEAD") return answer(405, { error: "only GET and HEAD" });
    if (path === "/healthz") return answer(200, { status: "ok" });
    const notReady = (reason: string) => answer(503, { status: "not ready", reason });
    if (leaving?.aborted === true) return notReady("the server is stopping");
    checkReady().then(
      () => answer(200, { status: "ready" }),
      // Nobody has to log in to read this: what a driver says of hosts and names is for the log.
      (error: unknown) => notReady(isUploadError(error) ? error.message : "internal error"),
    );
  };
}
