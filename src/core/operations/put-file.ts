import type { Content, Extent } from "../attempt.js";
import { createId, smallContentBytes } from "../blob.js";
import { assertPermission, type Call } from "../call.js";
import { assertChecksums, createHasher } from "../checksum.js";
import type { CoreDeps } from "../deps.js";
import { UploadError } from "../error.js";
import type { NewEvent } from "../event.js";
import { type FileSpec, type FileSpecInput, parseFileSpec, type SessionFile } from "../file.js";
import { assertFileSize } from "../limits.js";
import { assertNotBusy, buildSession, parseClientToken, parseSessionWords, type SessionInput } from "../new-session.js";
import type { Session } from "../session.js";
import { invalid } from "../values.js";
import { planCompletion } from "./complete-session.js";

export interface PutFileInput extends Omit<SessionInput, "access"> {
  readonly spec: FileSpecInput;
  /** The whole content; it must not be changed meanwhile. */
  readonly data: Uint8Array;
}

export interface PutFileResult {
  readonly session: Session;
  readonly file: SessionFile;
  /** False when the client token had stored it before. */
  readonly applied: boolean;
}

/**
 * A session with one whole file, completed: its bytes made durable first, then all of its rows in one commit. Nothing
 * of it is there when it throws: `denied`, `invalid`, `unsupported`, `too_large`, `checksum_mismatch`, `not_found` (the
 * item), `busy`, `conflict` (the token was used for another), `unavailable`.
 */
export async function putFile(deps: CoreDeps, input: PutFileInput, call: Call): Promise<PutFileResult> {
  const { caller, signal } = call;
  assertPermission(caller, "upload");
  const { observer } = deps;
  observer.received("file", input.data.length);
  const words = parseSessionWords({ ...input, access: "additive" }, deps.limits);
  const spec = parseFileSpec(input.spec, deps.limits);
  if (spec.source !== undefined) throw invalid("SOURCE_INVALID", "a file that is sent in one call has no source");
  const content = checkContent(input.data, spec, deps);
  const sha256 = content.checksums.find(({ algorithm }) => algorithm === "sha256")?.value;
  const repeated = { ...words.repeated, spec, sha256 };
  const token = input.clientToken;
  const clientToken =
    token === undefined ? {} : { clientToken: parseClientToken(token, `${words.origin}.put-file`, repeated) };
  signal?.throwIfAborted();
  const arrivedAt = performance.now();
  const extent = await storeContent(deps, input.data);
  const put = await deps.metadata.putFile({
    tenantId: caller.tenantId,
    ownerId: caller.userId,
    itemId: words.itemId,
    ...clientToken,
    extent,
    build({ now, item, open, itemFiles }) {
      if (words.itemId !== undefined) assertNotBusy(words.itemId, "additive", open, now);
      const started = { ...buildSession(words, caller, item, now), fileCount: 1 };
      const file = buildFile(started, spec, content, now);
      const completion = planCompletion({ session: started, files: [file], item, itemFiles }, now);
      if (completion === undefined) throw new TypeError("a session that was just begun had been completed");
      const named = { fileId: file.id, name: file.name };
      const events: readonly NewEvent[] = [
        { type: "session.created", details: {} },
        { type: "file.added", details: named },
        { type: "file.ready", details: { ...named, sizeBytes: content.sizeBytes } },
        ...completion.events,
      ];
      return { ...completion, file: { ...file, current: content }, events };
    },
  });
  if (put.applied) observer.appended("file", (performance.now() - arrivedAt) / 1000);
  else observer.resent(content.sizeBytes);
  return put;
}

/** Throws `invalid` (SIZE_DIFFERS), `too_large`, `checksum_mismatch`. */
function checkContent(data: Uint8Array, spec: FileSpec, deps: CoreDeps): Content {
  const sizeBytes = data.length;
  if (spec.sizeBytes !== undefined && spec.sizeBytes !== sizeBytes) {
    const sizes = { declared: String(spec.sizeBytes), actual: String(sizeBytes) };
    throw new UploadError("invalid", `${sizeBytes} bytes came, declared were ${spec.sizeBytes}`, {
      reason: "SIZE_DIFFERS",
      ...sizes,
    });
  }
  assertFileSize(deps.limits, sizeBytes);
  const hasher = createHasher(spec.checksums.map(({ algorithm }) => algorithm));
  hasher.update(data);
  const checksums = hasher.digests();
  assertChecksums(spec.checksums, checksums, `file ${JSON.stringify(spec.name)}`);
  return { id: createId(), sizeBytes, checksums };
}

async function storeContent(deps: CoreDeps, data: Uint8Array): Promise<Extent | undefined> {
  const place = { epoch: 1, offset: 0, length: data.length };
  if (data.length === 0) return undefined;
  if (data.length <= smallContentBytes) return { ...place, blobKey: await deps.blobs.putSmall([data]) };
  const writer = await deps.blobs.createExtent();
  try {
    await writer.write([data]);
    await writer.sync();
    return { ...place, blobKey: writer.key };
  } finally {
    await writer.close();
  }
}

function buildFile(session: Session, spec: FileSpec, content: Content, now: Date): SessionFile {
  return {
    ...spec,
    sizeBytes: content.sizeBytes,
    id: createId(),
    tenantId: session.tenantId,
    sessionId: session.id,
    state: "ready",
    failure: undefined,
    current: content,
    running: undefined,
    pull: undefined,
    attempts: 1,
    createdAt: now,
    modifiedAt: now,
  };
}
