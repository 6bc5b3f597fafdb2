// The rows of the URLs that content is sent to and read from. The name in one is for whoever looks at it.
import { createRoute, type RoutedRequest, type WireResponse } from "../../kit/index.js";
import type { VsphereCall } from "../call.js";
import { dataPrefix } from "../data-urls.js";
import { message, VapiError } from "../errors.js";
import type { VsphereFacts } from "../operation.js";
import type { VsphereServices } from "../services.js";
import type { DataService } from "./service.js";

const route = createRoute<VsphereServices, VsphereFacts, VsphereCall>();
const facts: VsphereFacts = { family: "rest", admits: "nothing" };
const prefixes = [dataPrefix, dataPrefix.replace(/^\/rest/, "")];
const methods = ["PUT", "POST", "GET", "HEAD"] as const;

export function createDataRows() {
  return prefixes.flatMap((prefix) =>
    methods.map((method) =>
      route(`${method} ${prefix}/{token}/{name}`, {
        facts,
        read: (request) => request,
        run:
          ({ data }) =>
          (request: RoutedRequest, call) =>
            answer(data, method, request, call),
        write: (answered) => answered,
      }),
    ),
  );
}

function answer(
  { upload, download }: DataService,
  method: (typeof methods)[number],
  request: RoutedRequest,
  call: VsphereCall,
): Promise<WireResponse> {
  const { claim } = call;
  if (claim === undefined) throw new TypeError("somebody was let in without a URL of content");
  const reads = method === "GET" || method === "HEAD";
  if (claim.purpose === "upload") return (reads ? upload.standing : upload.send)(claim, request, call);
  if (reads) return download.read(claim, request, call);
  const text = "content is only read from this URL: where it is sent to, an update session says";
  throw new VapiError("invalid_request", [message("method_not_allowed", text, [method])], 405, {
    allow: "GET, HEAD, OPTIONS",
  });
}
