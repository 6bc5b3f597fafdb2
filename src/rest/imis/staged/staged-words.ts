// What requests about staged objects say, and what they are answered.
import type { RoutedRequest } from "../../kit/index.js";
import { parseContentType } from "../content-type.js";
import { ImisError } from "../errors.js";
import { extensionOf } from "../extension.js";
import { hasSuffix } from "../objects/object-words.js";
import type { ObjectManners } from "../objects/object-wire.js";
import { readBodyDigests } from "../uploads/digests.js";
import { isExternalId } from "./staged-id.js";
import type { NewStagedObject, StagedObject, StagedPlace } from "./staged-objects.js";

const mostReason = 1_000;
const mostStage = 255;

/** Throws `request_invalid`, `content_type_invalid`, `digest_invalid`; and what `raw` throws. */
export function readNewStaged(request: RoutedRequest<"archive">): NewStagedObject {
  const { params, wire } = request;
  const externalId = request.query("external_id") || undefined;
  if (externalId !== undefined && !isExternalId(externalId)) {
    throw new ImisError("request_invalid", "external_id has 1 to 255 characters, none of which is a control character");
  }
  return {
    archive: params.archive,
    contentType: parseContentType(wire.headers["content-type"]),
    externalId,
    reason: parseText(request.query("reason"), "reason", mostReason),
    stage: parseText(request.query("stage"), "stage", mostStage),
    checksums: readBodyDigests(wire.headers),
    body: request.raw(),
  };
}

function parseText(text: string | undefined, name: string, most: number): string | undefined {
  if (text === undefined || text === "") return undefined;
  if (text.length <= most && text.isWellFormed() && !/\p{Cc}/u.test(text)) return text;
  throw new ImisError(
    "request_invalid",
    `${name} has at most ${most} characters, none of which is a control character`,
  );
}

/** An external id is all that stands there: what it ends with is its own, and no suffix. */
export function readStagedPlace({
  params,
  wire,
}: Pick<RoutedRequest<"archive" | "object">, "params" | "wire">): StagedPlace {
  const { archive, object } = params;
  const isWhole = !object.startsWith("E:") || !hasSuffix(wire);
  return { archive, object: isWhole ? object : `${object}.json` };
}

export function wireStaged({ id, sizeBytes, contentType }: StagedObject, manners: ObjectManners) {
  return { id, size: sizeBytes, content_type: contentType, extension: extensionOf(contentType, manners) };
}
