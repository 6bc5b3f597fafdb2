// How a staged object comes in: with one request, all of it or nothing.
import { type Call, type Deadlines, isUploadError, type Uploads } from "../../../core/index.js";
import type { RawBody } from "../../kit/index.js";
import { type ImisCall, imisOrigin } from "../call.js";
import { ImisError } from "../errors.js";
import { type ImisLimits, overLimit } from "../limits.js";
import type { NewStagedObject, StagedObject } from "./staged-objects.js";
import type { StagedNames } from "./staged-names.js";
import { attributesOfStaged, stagedFileName } from "./staged-sessions.js";

export interface TakeInDeps {
  readonly uploads: Pick<
    Uploads,
    "createSession" | "findFile" | "writePart" | "completeSession" | "cancelSession" | "deleteSession"
  >;
  readonly names: StagedNames;
  readonly limits: ImisLimits;
  readonly deadlines: Deadlines;
  readonly now: () => Date;
}

const hour = 3_600_000;
const week = 7 * 24 * hour;

/** Nothing is left of a body that is cut, too long, or not what its digests say. */
export function createTakeIn({ uploads, names, limits, deadlines, now }: TakeInDeps) {
  const { absoluteTtlMs = week } = deadlines;
  // Only a server that died leaves one that nobody continues.
  const idleTtlMs = Math.min(deadlines.idleTtlMs, hour);
  const unfinished: Deadlines = { idleTtlMs, absoluteTtlMs, keepTerminalMs: idleTtlMs };

  return async (libraryId: string, input: NewStagedObject, call: ImisCall): Promise<StagedObject> => {
    const { contentType, externalId, reason, stage, checksums, body } = input;
    const { lengthBytes } = body;
    if (lengthBytes !== undefined && lengthBytes > limits.maxObjectBytes) throw tooLarge(limits);
    const name = externalId === undefined ? undefined : { libraryId, externalId };
    const created = await uploads.createSession(
      {
        access: "additive",
        visibility: "owner",
        origin: imisOrigin,
        attributes: attributesOfStaged({ libraryId, externalId, reason, stage }),
        deadlines: unfinished,
        files: [{ name: stagedFileName, mediaType: contentType, sizeBytes: lengthBytes, checksums }],
      },
      call,
    );
    const { id } = created.session;
    const ref = { sessionId: id };

    async function bringIn(): Promise<number> {
      const until = new Date(now().getTime() + absoluteTtlMs);
      const claim = name && (await names.claim(name, id, until, call));
      const { file } = await uploads.findFile({ ...ref, name: stagedFileName }, call);
      const part = { ...ref, fileId: file.id, offset: 0, lengthBytes, body: bounded(body, limits) };
      const ending = () => ({ finish: true });
      const { offset } = await uploads.writePart({ ...part, ending, onInterrupt: "fail" }, call);
      // First: an object whose name lapsed while it lives could not be found by it.
      if (name !== undefined && claim !== undefined) await names.keep(name, id, claim, call);
      await uploads.completeSession(ref, call);
      return offset;
    }
    /** What goes wrong here is not told: the error that led here is, and the session ends by itself. */
    async function leaveNothing(after: Call): Promise<void> {
      await uploads.cancelSession(ref, after).catch(() => undefined);
      await uploads.deleteSession(ref, after).catch(() => undefined);
      if (name !== undefined) await names.release(name, id, after).catch(() => undefined);
    }
    try {
      return { id, sizeBytes: await bringIn(), contentType };
    } catch (error) {
      // The client may have gone.
      await leaveNothing({ caller: call.caller });
      throw refusalFrom(error);
    }
  };
}

/** The largest object counts where a body does not say how long it is, too. */
function bounded({ bytes, lengthBytes }: RawBody, limits: ImisLimits): AsyncIterable<Uint8Array> {
  return lengthBytes === undefined ? countBytes(bytes, limits) : bytes;
}

async function* countBytes(bytes: AsyncIterable<Uint8Array>, limits: ImisLimits): AsyncGenerator<Uint8Array, void> {
  let sizeBytes = 0;
  for await (const chunk of bytes) {
    sizeBytes += chunk.length;
    if (sizeBytes > limits.maxObjectBytes) throw tooLarge(limits);
    yield chunk;
  }
}

function tooLarge(limits: ImisLimits): ImisError {
  const text = `an object has at most ${limits.maxObjectBytes} bytes`;
  return overLimit(limits, "maxObjectBytes", "object_too_large", text);
}

function refusalFrom(error: unknown): unknown {
  if (isUploadError(error, "checksum_mismatch")) {
    const { declared, actual } = error.details;
    return new ImisError("digest_mismatch", error.message, { declared, actual }, { status: 400 });
  }
  if (!isUploadError(error, "wrong_state")) return error;
  return new ImisError("superseded", "the object was given up before it was whole, for a newer request or by hand");
}
