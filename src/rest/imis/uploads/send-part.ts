import {
  isUploadError,
  type PartResult,
  type SessionFile,
  type UploadError,
  type Uploads,
} from "../../../core/index.js";
import type { RawBody } from "../../kit/index.js";
import type { ImisCall } from "../call.js";
import { ImisError } from "../errors.js";
import { type ImisLimits, overLimit } from "../limits.js";
import { adoptUpload } from "./adopt.js";
import type { ContentPart } from "./part-headers.js";
import { alreadySaved, lengthInconsistent, rangeUnexpected, sessionGone, withOffset } from "./refusals.js";
import {
  expiryAfterUse,
  findForChange,
  findUpload,
  type FoundUpload,
  type SeeDeps,
  seenUpload,
  storedBytes,
} from "./see-session.js";
import type { SessionPlace, UploadSession } from "./upload-sessions.js";

export interface SendDeps extends SeeDeps {
  readonly uploads: Pick<Uploads, "viewSession" | "changeAttributes" | "cancelSession" | "writePart" | "limits">;
  readonly limits: ImisLimits;
  /** Bytes that are stored already: compared with what comes, or refused. */
  readonly overlap: "verify" | "reject";
}

type Part = Extract<ContentPart, { readonly kind: "part" }>;

export async function sendPart(
  deps: SendDeps,
  { part, body, ...place }: SessionPlace & { readonly part: ContentPart; readonly body: RawBody },
  call: ImisCall,
): Promise<UploadSession> {
  if (part.kind === "probe") return probe(deps, part.sizeBytes, place, call);
  assertWithinLimits(part, deps);
  const found = await findForChange(deps, place, call);
  const startedAt = deps.now();
  try {
    if (found.standing === "open") assertFits(part, found.file, deps.limits);
    else if (deps.overlap === "reject") throw alreadySaved(found.attributes.objectId);
    if (found.standing === "open") await adoptUpload(deps, found, call);
    const { file, offset } = await write(deps, found, part, body, call);
    const seen = seenUpload({ ...found, file });
    const expiresAt = seen.state === "open" ? expiryAfterUse(found.session, startedAt) : seen.expiresAt;
    return { ...seen, offset, expiresAt };
  } catch (error) {
    if (!isWorthALook(error)) throw error;
    // What it was refused for may be that it is over by now.
    throw tellRefusal(error, part, await findUpload(deps, place, call));
  }
}

async function probe(deps: SendDeps, total: number, place: SessionPlace, call: ImisCall): Promise<UploadSession> {
  const found = await findUpload(deps, place, call);
  assertTotal(total, found.file);
  return seenUpload(found);
}

async function write(
  { uploads, overlap }: SendDeps,
  { session, file }: FoundUpload,
  { kind: _, ...part }: Part,
  body: RawBody,
  call: ImisCall,
): Promise<PartResult> {
  const { offset, lengthBytes } = part;
  const check = (locked: SessionFile) => {
    const stored = storedBytes(locked);
    if (overlap === "reject" && offset < stored) throw rangeUnexpected(stored, offset);
  };
  const place = { sessionId: session.id, fileId: file.id };
  const manners = { whenWhole: "wait", onExcess: "drop", afterDone: "compare" } as const;
  const counted = countBytes(body);
  const written = await uploads.writePart({ ...part, ...place, ...manners, check, body: counted.bytes }, call);
  // What goes on behind a repeated part is compared, too, and may repeat what is stored.
  if (counted.count() > lengthBytes) throw longerThanRange(lengthBytes, written.offset);
  return written;
}

/** Of a body whose length is not known before; every other one is as long as its range. */
function countBytes({ lengthBytes, bytes }: RawBody): {
  readonly bytes: AsyncIterable<Uint8Array>;
  count(): number;
} {
  if (lengthBytes !== undefined) return { bytes, count: () => lengthBytes };
  let count = 0;
  async function* counted(): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of bytes) {
      count += chunk.length;
      yield chunk;
    }
  }
  return { bytes: counted(), count: () => count };
}

/** By its head alone. */
function assertWithinLimits(
  { offset, lengthBytes, sizeBytes = 0, checksum }: Part,
  { limits, uploads }: SendDeps,
): void {
  if (lengthBytes > limits.maxPartBytes) {
    const text = `a part has at most ${limits.maxPartBytes} bytes, not ${lengthBytes}`;
    throw overLimit(limits, "maxPartBytes", "part_too_large", text);
  }
  const mostChecked = uploads.limits.maxPartBytes;
  if (checksum !== undefined && lengthBytes > mostChecked) {
    const text = `a part with a digest of its own has at most ${mostChecked} bytes, not ${lengthBytes}`;
    throw new ImisError("part_too_large", text, { limit: mostChecked, setting: "SLIPWAY_MAX_PART_BYTES" });
  }
  const end = Math.max(offset + lengthBytes, sizeBytes);
  if (end > limits.maxObjectBytes) {
    const text = `an object has at most ${limits.maxObjectBytes} bytes, not ${end}`;
    throw overLimit(limits, "maxObjectBytes", "object_too_large", text);
  }
}

/** Beside what is stored and declared. */
function assertFits({ offset, lengthBytes, sizeBytes }: Part, file: SessionFile, limits: ImisLimits): void {
  if (sizeBytes !== undefined) assertTotal(sizeBytes, file);
  const end = offset + lengthBytes;
  const total = file.sizeBytes ?? sizeBytes;
  if (total !== undefined && end > total) {
    throw lengthInconsistent(`the part ends at ${end}, the whole was declared with ${total} bytes`, {
      declared: total,
    });
  }
  if (lengthBytes < limits.minPartBytes && end !== total) {
    const text = `a part but the last has at least ${limits.minPartBytes} bytes, not ${lengthBytes}; the last one's range tells the total`;
    throw overLimit(limits, "minPartBytes", "part_too_small", text);
  }
}

function assertTotal(total: number, file: SessionFile): void {
  const known = file.current?.sizeBytes ?? file.sizeBytes;
  if (known !== undefined && known !== total) {
    throw lengthInconsistent(`the whole has ${known} bytes, as was said before, not ${total}`, { declared: known });
  }
  const stored = storedBytes(file);
  if (total < stored) {
    throw lengthInconsistent(`${stored} bytes are stored, the whole cannot have ${total}`, { expected_offset: stored });
  }
}

/** Whether a refusal means something else where the session is over meanwhile. */
function isWorthALook(error: unknown): error is ImisError | UploadError {
  if (error instanceof ImisError) return error.code === "range_not_satisfiable";
  return isUploadError(error) && !isUploadError(error, "denied", "unavailable", "damaged", "too_many");
}

function tellRefusal(error: ImisError | UploadError, part: Part, found: FoundUpload): unknown {
  if (error instanceof ImisError) return error;
  const { code, details, message } = error;
  const stored = storedBytes(found.file);
  if (code === "expired") return sessionGone("expired");
  if (code === "checksum_mismatch") {
    const { declared, actual } = details;
    return new ImisError("digest_mismatch", message, { declared, actual }, { status: 400 });
  }
  if (code === "incomplete") {
    const details = { expected_offset: stored, range_length: part.lengthBytes };
    return withOffset("content_length_mismatch", `${message}; ${stored} bytes are stored`, stored, details);
  }
  const isLonger = code === "too_large" && details.limit === undefined && part.offset + part.lengthBytes <= stored;
  if (found.standing === "saved" && code !== "superseded" && !isLonger) {
    return alreadySaved(found.attributes.objectId, message);
  }
  if (code === "offset_mismatch") return rangeUnexpected(details.expectedOffset ?? stored, part.offset);
  if (code === "too_large" && details.limit === undefined) return longerThanRange(part.lengthBytes, stored);
  if (code === "invalid" && details.reason === "SIZE_DIFFERS") {
    return lengthInconsistent(message, { declared: details.declared, actual: details.actual });
  }
  if (code === "wrong_state") {
    const text = "a save that did not come to its end has said that this is all; save it again";
    return withOffset("state_conflict", text, stored, { expected_offset: stored });
  }
  return error;
}

function longerThanRange(lengthBytes: number, stored: number): ImisError {
  const details = { expected_offset: stored, range_length: lengthBytes };
  return withOffset("content_length_mismatch", "the body is longer than its Content-Range", stored, details);
}
