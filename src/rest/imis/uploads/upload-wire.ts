// What requests about upload sessions say, and how they are answered.
import type { RawBody, RoutedRequest, WireResponse } from "../../kit/index.js";
import { ImisError } from "../errors.js";
import { parseContentType } from "../content-type.js";
import { readMembers } from "../json-body.js";
import { jsonAnswer } from "../route-forms.js";
import { readSha256, readWholeDigests } from "./digests.js";
import { type ContentPart, readPart } from "./part-headers.js";
import type { NewUpload, SaveInput, UploadLimits, UploadSession } from "./upload-sessions.js";

/** Throws `request_invalid`, `content_type_invalid`, `digest_invalid`. */
export async function readNewUpload(request: RoutedRequest<"archive" | "handle">): Promise<NewUpload> {
  const members = await readMembers(request);
  return {
    ...request.params,
    contentType: parseContentType(members.text("content_type")),
    sizeBytes: members.count("size"),
    checksums: readWholeDigests(request.wire.headers, members.text("sha256")),
  };
}

/** Throws what `readPart` throws. */
export function readPartInput(request: RoutedRequest<"archive" | "handle" | "sessionId">) {
  const part: ContentPart = readPart(request.wire);
  const nothing: RawBody = { lengthBytes: 0, bytes: noBytes() };
  return { ...request.params, part, body: part.kind === "probe" ? nothing : request.raw() };
}

/** Throws `request_invalid`, `digest_invalid`. */
export async function readSave(request: RoutedRequest<"archive" | "handle" | "sessionId">): Promise<SaveInput> {
  const members = await readMembers(request);
  return {
    ...request.params,
    description: parseDescription(members.text("description") ?? ""),
    containerId: members.text("container_id") ?? "",
    sha256: readSha256(members.text("sha256")),
    allowEmpty: members.flag("allow_empty") ?? false,
  };
}

const mostDescription = 1_000;

function parseDescription(text: string): string {
  const { length } = [...text];
  if (length > mostDescription) {
    const told = `description has ${length} characters, at most ${mostDescription} are allowed`;
    throw new ImisError("request_invalid", told);
  }
  const control = /\p{Cc}/u.exec(text);
  if (control === null) return text;
  const told = `description has a control character, ${JSON.stringify(control[0])}, at ${control.index}`;
  throw new ImisError("request_invalid", told);
}

/** What seed clients read, and how far the content is. */
export function sessionAnswer({ id, offset, expiresAt }: UploadSession): WireResponse {
  return jsonAnswer(
    { session: { id, offset, expires: expiresAt?.toISOString() } },
    { "upload-offset": String(offset) },
  );
}

export function seenAnswer(session: UploadSession): WireResponse {
  const { offset, sizeBytes } = session;
  return jsonAnswer(
    { session: wireSession(session) },
    {
      "upload-offset": String(offset),
      ...(sizeBytes !== undefined && { "upload-length": String(sizeBytes) }),
    },
  );
}

export function listAnswer(sessions: readonly UploadSession[]): WireResponse {
  return jsonAnswer({ sessions: sessions.map(wireSession) });
}

function wireSession({ id, offset, state, contentType, sizeBytes, expiresAt, parts, objectId }: UploadSession) {
  return {
    id,
    offset,
    state,
    content_type: contentType,
    size: sizeBytes,
    expires: expiresAt?.toISOString(),
    parts,
    object: objectId === undefined ? undefined : { id: objectId },
  };
}

/** The largest integer of a structured field (RFC 9651, 3.3.1). */
const mostTold = 999_999_999_999_999;

/** `Upload-Limit` of "Resumable Uploads for HTTP". */
export function limitsAnswer({ maxObjectBytes, maxPartBytes, minPartBytes, maxAgeMs }: UploadLimits): WireResponse {
  const told = {
    "max-size": maxObjectBytes,
    "max-append-size": maxPartBytes,
    "min-append-size": minPartBytes,
    ...(maxAgeMs !== undefined && { "max-age": Math.floor(maxAgeMs / 1000) }),
  };
  const members = Object.entries(told).map(([name, value]) => `${name}=${Math.min(value, mostTold)}`);
  const headers = {
    allow: "GET, HEAD, POST, OPTIONS",
    "upload-limit": members.join(", "),
    "cache-control": "no-store",
  };
  return { status: 204, headers };
}

async function* noBytes(): AsyncGenerator<Uint8Array, void> {}
