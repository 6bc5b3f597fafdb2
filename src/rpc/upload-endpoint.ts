import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import type { TransferEndpointSchema } from "../../gen/slipway/upload/v1/endpoint_pb.js";
import type { Caller, FileView, SessionFile } from "../core/index.js";
import { callOf } from "./caller.js";
import { requestOf } from "./request.js";

/** Where the bytes of a file may be sent without credentials, as this caller: a path on this server, and until when. */
export type OfferUpload = (file: SessionFile, caller: Caller) => { readonly path: string; readonly expiresAt: Date };

/**
 * The field `upload_endpoint` of an answer. It is absent where nothing could be sent to it, and where it is not known
 * how the client reaches this server.
 */
export function formatEndpoint(
  offerUpload: OfferUpload,
  { session, file }: FileView,
  context: HandlerContext,
): { uploadEndpoint?: MessageInitShape<typeof TransferEndpointSchema> } {
  const { caller } = callOf(context);
  const { origin } = requestOf(context);
  if (origin === "" || session.state !== "active" || file.source !== undefined || !caller.permissions.has("upload"))
    return {};
  const { path, expiresAt } = offerUpload(file, caller);
  return { uploadEndpoint: { uri: origin + path, expireTime: timestampFromDate(expiresAt) } };
}
