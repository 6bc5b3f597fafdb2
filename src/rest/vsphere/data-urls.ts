// URLs under which content is sent and read back: whoever has one needs nothing else.
import { type Capabilities, type CapabilityClaim, endOfWeekAhead, type SessionFile } from "../../core/index.js";
import type { VsphereCall } from "./call.js";
import { type VapiError, vapiError } from "./errors.js";

export const dataPrefix = "/rest/com/vmware/cis/data";

export interface DataUrls {
  /** Where the content of a declared file is sent; another one as soon as the file is declared anew. */
  forUpload(file: SessionFile, declaration: number, call: VsphereCall): string;
  /** Where one content of one file is read, for as long as the download session is there. */
  forDownload(
    content: { readonly downloadSessionId: string; readonly contentId: string; readonly name: string },
    call: VsphereCall,
  ): string;
  /** What a token of such a URL is for; undefined for one that was not made here, or is over. */
  verify(token: string): CapabilityClaim | undefined;
}

/** `capabilities` have a key of their own, so that their tokens are of use nowhere else. */
export function createDataUrls(deps: { readonly capabilities: Capabilities; readonly now: () => Date }): DataUrls {
  const { capabilities, now } = deps;
  const urlOf = (claim: Omit<CapabilityClaim, "deadline">, name: string, call: VsphereCall) => {
    const token = capabilities.sign({ ...claim, deadline: endOfWeekAhead(now()) });
    return `${call.wire.origin}${dataPrefix}/${token}/${encodeURIComponent(name)}`;
  };
  return {
    forUpload({ tenantId, sessionId, id: fileId, name }, declaration, call) {
      const { userId } = call.caller;
      return urlOf({ tenantId, userId, sessionId, fileId, attempt: declaration, purpose: "upload" }, name, call);
    },
    forDownload({ downloadSessionId, contentId, name }, call) {
      const { tenantId, userId } = call.caller;
      const ids = { tenantId, userId, sessionId: downloadSessionId, fileId: contentId };
      return urlOf({ ...ids, attempt: 0, purpose: "download" }, name, call);
    },
    verify: (token) => capabilities.verify(token, now()),
  };
}

/** The one answer to every URL of content that is of no use (any more). */
export function noSuchUrl(): VapiError {
  const text = "this URL leads nowhere, or no longer; whoever gave it may have another one";
  return vapiError("not_found", "no_such_url", text);
}
