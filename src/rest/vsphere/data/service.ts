import type { CapabilityClaim } from "../../../core/index.js";
import type { RoutedRequest, WireResponse } from "../../kit/index.js";
import type { VsphereCall } from "../call.js";

type Answer = (claim: CapabilityClaim, request: RoutedRequest, call: VsphereCall) => Promise<WireResponse>;

/** What a URL does that content is sent to. */
export interface UploadContent {
  /** PUT and POST. */
  readonly send: Answer;
  /** GET and HEAD: how far it is. */
  readonly standing: Answer;
}

/** What a URL does that content is read from. */
export interface DownloadContent {
  /** GET and HEAD. */
  readonly read: Answer;
}

export interface DataService {
  readonly upload: UploadContent;
  readonly download: DownloadContent;
}
