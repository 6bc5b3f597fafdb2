// From the headers of a request to the end of its answer: how many are under way, how long they took, how they ended.
import type { RequestNote } from "../core/index.js";
import type { Log } from "./log.js";
import type { Metrics, RequestName } from "./metrics.js";
import type { NodeRequest, OpenAccount } from "./node-http.js";

export function createAccounts(deps: {
  readonly metrics: Pick<Metrics, "requestBegan">;
  readonly log: Log;
  /** Names a request, from closed lists. */
  readonly nameOf: (request: NodeRequest) => RequestName;
}): OpenAccount {
  const { metrics, log } = deps;
  return (request, response, { id, peerAddress }) => {
    const name = deps.nameOf(request);
    const settle = metrics.requestBegan(name);
    const since = performance.now();
    const bytesIn = countBytes(request);
    let noted: RequestNote = {};
    let settled = false;

    function close(isWhole: boolean): void {
      if (settled) return;
      settled = true;
      const { user, reason } = noted;
      const end = noted.code ?? codeOf(name, request.method, response.statusCode);
      const code = isWhole || end !== "ok" ? end : "canceled";
      settle({ code, ...(reason !== undefined && { reason }) });
      const level = name.face === "operations" ? "trace" : "debug";
      if (!log.isLevelEnabled(level)) return;
      const ms = Math.round(performance.now() - since);
      log[level](
        { requestId: id, ...name, code, reason, ms, bytesIn: bytesIn(), user, address: peerAddress },
        "answered",
      );
    }
    // An HTTP/2 answer calls itself finished only when its stream has closed; and one that is reset ends by itself.
    if ("stream" in response) response.stream.once("finish", () => close(!response.stream.aborted));
    else response.once("finish", () => close(true));
    // Of an HTTP/2 answer to HEAD the stream has finished before there is one.
    response.once("close", () => close("stream" in response && request.method === "HEAD" && response.headersSent));
    return (note) => {
      // A new word on how it ended takes the reason of the old one with it.
      noted = note.code === undefined ? { ...noted, ...note } : ({ user: noted.user, ...note } as RequestNote);
    };
  };
}

/** Of what nobody noted anything: an RPC was refused by its protocol; others say it by their status. */
function codeOf({ face }: RequestName, method: string | undefined, status: number) {
  if (face === "rpc" && method !== "OPTIONS") return "refused";
  if (status === 503) return "unavailable";
  return status < 400 ? "ok" : "refused";
}

/** Of the body, as it was read so far; every chunk of one passes here in either HTTP version. */
function countBytes(request: NodeRequest): () => number {
  let bytes = 0;
  const push = request.push;
  request.push = (chunk: Uint8Array | null, encoding?: BufferEncoding) => {
    bytes += chunk?.length ?? 0;
    return push.call(request, chunk, encoding);
  };
  return () => bytes;
}
