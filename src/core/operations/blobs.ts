import type { Extent } from "../attempt.js";
import { type Blob, type BlobRefInput, blobNotFound, formatBlobRef, parseBlobRef, parseBlobRefText } from "../blob.js";
import { parseReadRange } from "../byte-range.js";
import { assertPermission, type Call } from "../call.js";
import type { CoreDeps } from "../deps.js";
import { UploadError } from "../error.js";
import { assertBlobCount } from "../limits.js";
import { type Page, parsePage } from "../paging.js";
import type { BlobPlace, StoredBlob } from "../ports/blob-index.js";
import { readContent } from "../read-content.js";
import { assertVisible } from "../session.js";
import { moveSession } from "../session-state.js";
import { tellSent } from "../tell-observer.js";
import { invalid } from "../values.js";
import { parseFileRef } from "./plan-part.js";
import type { ReadRangeInput, ReadResult } from "./read-file.js";
import { orHidden } from "./view-file.js";

/**
 * Those of some blobs that are stored, each once. Throws `denied`, `too_many` (TOO_MANY_BLOBS), `unsupported`,
 * `invalid`.
 */
export async function statBlobs(
  deps: CoreDeps,
  input: { readonly refs: readonly BlobRefInput[] },
  call: Call,
): Promise<readonly Blob[]> {
  assertPermission(call.caller, "read");
  const { tenantId } = call.caller;
  const refs = parseRefs(deps, input.refs);
  if (refs.length === 0) return [];
  const found = await deps.metadata.findBlobs(refs.map((ref) => ({ tenantId, ref })));
  return found.filter((blob) => blob !== undefined);
}

/** Throws `denied`, `unsupported`, `invalid`, `not_found` (BLOB_NOT_FOUND), `offset_mismatch` past its end. */
export async function readBlob(
  deps: CoreDeps,
  input: { readonly ref: BlobRefInput } & ReadRangeInput,
  call: Call,
): Promise<Omit<ReadResult<never>, "file"> & { readonly blob: Blob }> {
  assertPermission(call.caller, "read");
  const ref = parseBlobRef(input.ref);
  const { blob, place } = await deps.metadata.getBlob({ tenantId: call.caller.tenantId, ref });
  const { from, to } = parseReadRange(input, blob.sizeBytes);
  const extents = from === to ? [] : await extentsAt(deps, blob, place);
  const body = readContent(deps.blobs, extents, from, to, call.signal);
  return { blob, from, to, body: tellSent(body, deps.observer) };
}

async function extentsAt(deps: CoreDeps, blob: Blob, place: BlobPlace): Promise<readonly Extent[]> {
  if (place.kind === "nowhere") return [];
  if (place.kind === "key") return [{ epoch: 1, offset: 0, length: blob.sizeBytes, blobKey: place.blobKey }];
  const extents = await deps.metadata.listExtents(place.contentId);
  // It was removed, and its content with it, since it was looked up.
  if (extents.length === 0) throw blobNotFound(blob.ref);
  return extents;
}

/**
 * The tenant's blobs in the byte order of their refs as texts: strictly after `after`, which may be any text, or after
 * the page before. Throws `denied`, `invalid` (PAGE_INVALID).
 */
export async function listBlobs(
  deps: CoreDeps,
  input: { readonly after?: string; readonly page: { readonly size?: number; readonly cursor?: string } },
  call: Call,
): Promise<Page<Blob>> {
  assertPermission(call.caller, "read");
  const { size, cursor = "" } = input.page;
  const { limit } = parsePage(size === undefined ? {} : { size });
  const after = cursor === "" ? cutAfter(input.after ?? "") : parseCursor(cursor);
  const found = await deps.metadata.listBlobs(call.caller.tenantId, { after, limit: limit + 1 });
  const things = found.slice(0, limit);
  const last = things.at(-1);
  return { things, nextCursor: found.length > limit && last ? btoa(formatBlobRef(last.ref)) : undefined };
}

/** The same place in the order of refs, in few characters and without NUL: no ref is as long, none holds one. */
function cutAfter(text: string): string {
  return text.slice(0, 100).split("\0", 1)[0]!.toWellFormed();
}

function parseCursor(cursor: string): string {
  try {
    return formatBlobRef(parseBlobRefText(atob(cursor)));
  } catch {
    throw invalid("PAGE_INVALID", "page token was not made by this server");
  }
}

/**
 * Takes blobs away and answers how many of them there were. Throws `denied`, `too_many` (TOO_MANY_BLOBS),
 * `unsupported`, `invalid`.
 */
export async function removeBlobs(
  deps: CoreDeps,
  input: { readonly refs: readonly BlobRefInput[] },
  call: Call,
): Promise<{ readonly removed: number }> {
  assertPermission(call.caller, "administer");
  const refs = parseRefs(deps, input.refs);
  return { removed: refs.length === 0 ? 0 : await deps.metadata.removeBlobs(call.caller.tenantId, refs) };
}

/** Each once. */
function parseRefs(deps: CoreDeps, inputs: readonly BlobRefInput[]) {
  assertBlobCount(deps.limits, "maxBlobRefs", inputs.length);
  return [...new Map(inputs.map(parseBlobRef).map((ref) => [formatBlobRef(ref), ref])).values()];
}

/**
 * Makes the content of a done session's file a blob under its SHA-256, without copying a byte. Throws `denied`,
 * `invalid`, `not_found`, `wrong_state`, `expired`.
 */
export async function publishFile(
  deps: CoreDeps,
  input: { readonly sessionId: string; readonly fileId: string },
  call: Call,
): Promise<StoredBlob> {
  assertPermission(call.caller, "upload");
  const ref = parseFileRef(input, call.caller);
  return orHidden(deps, ref, call, () =>
    deps.metadata.publishFile(ref, ({ session, file }, now) => {
      assertVisible(session, call.caller);
      moveSession(session, "complete", now);
      if (session.state !== "done") {
        throw new UploadError("wrong_state", `session ${session.id} is ${session.state}, not done`, {
          reason: "SESSION_STATE",
        });
      }
      const { current } = file;
      const digest = current?.checksums.find(({ algorithm }) => algorithm === "sha256")?.value;
      if (current === undefined || digest === undefined) throw new TypeError(`file ${file.id} is done without content`);
      return { ref: { algorithm: "sha256", digest }, content: current };
    }),
  );
}
