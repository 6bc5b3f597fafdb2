import {
  assertPermission,
  computeThumbprint,
  formatThumbprint,
  refuseSource,
  type SourceError,
  type SourceFailure,
  type Uploads,
} from "../../core/index.js";
import { sourceOf } from "./endpoint.js";
import { type LocalizableMessage, message } from "./errors.js";
import type { Handler } from "./operation.js";
import type { sessionFile } from "./operations/session-file.js";
import { pemFromDer } from "./pem.js";

/**
 * What a source would be like. That it cannot be fetched from is an answer and no error; only words that declare no
 * source at all (a thumbprint that is none) are refused.
 */
export function createProbe(uploads: Pick<Uploads, "probeSource">): Handler<typeof sessionFile.probe> {
  return async ({ source_endpoint: endpoint }, call) => {
    // The core asks for it, too, but only once the endpoint was read.
    assertPermission(call.caller, "upload");
    const { problem, certificate } = await uploads.probeSource(sourceOf(endpoint), call);
    const shown = certificate && {
      ssl_certificate: pemFromDer(certificate),
      ssl_thumbprint: formatThumbprint(computeThumbprint(certificate, "sha1")),
    };
    if (problem === undefined) return { status: "SUCCESS", ...shown };
    return { ...tell(problem, endpoint.uri), ...shown };
  };
}

function tell(problem: SourceError, uri: string) {
  const kind = kinds[problem.failure] ?? "request";
  switch (kind) {
    case "declaration":
      throw refuseSource(problem);
    case "format":
      return answer("INVALID_URL", "invalid_url_format", problem, withoutCredentials(uri));
    case "scheme":
      return answer("INVALID_URL", "file_probe_unsupported_uri_scheme", problem, withoutCredentials(uri));
    case "certificate":
      return answer("CERTIFICATE_ERROR", "http_request_error_peer_not_authenticated", problem, problem.message);
    case "request":
      return answer("INVALID_URL", "http_request_error", problem, problem.message);
  }
}

/** What there are words for; everything else came of asking. */
const kinds: Partial<Record<SourceFailure, "declaration" | "format" | "scheme" | "certificate">> = {
  thumbprint_malformed: "declaration",
  thumbprint_unusable: "declaration",
  uri_malformed: "format",
  credentials_in_uri: "format",
  scheme_unsupported: "scheme",
  certificate_untrusted: "certificate",
  thumbprint_differs: "certificate",
};

function answer<Status extends string>(
  status: Status,
  id: string,
  problem: SourceError,
  arg: string,
): { readonly status: Status; readonly error_messages: readonly LocalizableMessage[] } {
  return { status, error_messages: [message(`com.vmware.vdcs.cls-main.${id}`, problem.message, [arg])] };
}

function withoutCredentials(uri: string): string {
  return uri.replace(/\/\/[^/?#\\]*@/, "//").slice(0, 200);
}
