import { isUploadError, type SessionFile, type UploadError, type Uploads } from "../../../core/index.js";
import type { ImisCall } from "../call.js";
import { ImisError } from "../errors.js";
import { attributesOfObject, defaultContainerId, type ImisObject, objectOfSession } from "../objects/imis-object.js";
import { adoptUpload } from "./adopt.js";
import { savedAttributes, uploadAttributes } from "./attributes.js";
import { alreadySaved, sessionGone, withOffset } from "./refusals.js";
import {
  findForChange,
  findUpload,
  type FoundUpload,
  type SeeDeps,
  seenUpload,
  storedBytes,
  type Upload,
} from "./see-session.js";
import type { SaveInput, SessionPlace } from "./upload-sessions.js";

export interface SaveDeps extends SeeDeps {
  readonly uploads: Pick<
    Uploads,
    "viewSession" | "changeAttributes" | "cancelSession" | "finishFile" | "completeSession"
  >;
}

/** The words of a save, without where it is asked for; the container is named. */
interface Words extends Omit<SaveInput, keyof SessionPlace> {}

export async function saveSession(
  deps: SaveDeps,
  { archive, handle, sessionId, ...input }: SaveInput,
  call: ImisCall,
): Promise<ImisObject> {
  const place = { archive, handle, sessionId };
  const found = await findForChange(deps, place, call);
  const container = defaultContainerId(found.itemId);
  const words = { ...input, containerId: input.containerId.toLowerCase() || container };
  if (found.standing === "saved") return repeatSave(found, words, call);
  if (words.containerId !== container) throw containerNotFound(input.containerId);
  try {
    await adoptUpload(deps, found, call);
    return await finish(deps, found, words, call);
  } catch (error) {
    if (!isWorthALook(error)) throw error;
    // Somebody else may have saved it first, or ended it.
    const now = await findUpload(deps, place, call);
    if (now.standing === "saved") return repeatSave(now, words, call);
    throw isUploadError(error, "expired") ? sessionGone("expired") : error;
  }
}

/** Two steps, of which the second is the save: a death in between leaves a session whose content nobody adds to. */
async function finish({ uploads }: SaveDeps, found: FoundUpload, words: Words, call: ImisCall): Promise<ImisObject> {
  const { id: sessionId } = found.session;
  const { description, containerId, sha256 } = words;
  const checksums = sha256 === undefined ? [] : [{ algorithm: "sha256", value: sha256 }];
  const check = (file: SessionFile) => assertSavable(file, words.allowEmpty);
  const { file } = await uploads.finishFile({ sessionId, fileId: found.file.id, checksums, check }, call);
  const { parts } = seenUpload(found);
  const { session, applied } = await uploads.completeSession(
    {
      sessionId,
      change(view) {
        // Completion would wait for them, and a save that is answered has made its object.
        if (view.files.some(({ pull }) => pull !== undefined)) throw stillFetched();
        return {
          session: savedAttributes(view.session, { description, containerId, parts }),
          file: ({ name, attributes }) => {
            const own = name === found.attributes.objectId ? attributesOfObject({ description, containerId }) : {};
            return { ...attributes, ...own };
          },
        };
      },
    },
    call,
  );
  // Another face may have asked for completion a moment before.
  if (session.state !== "done") throw stillFetched();
  return applied ? objectOfSession(session, file, call.caller) : repeatSave({ ...found, session, file }, words, call);
}

/** The same object for the same words, from the session's own rows. */
function repeatSave({ session, itemId, file, attributes }: Upload, words: Words, call: ImisCall): ImisObject {
  // Of one that another face has completed nobody said anything.
  const { description, containerId } = uploadAttributes(session)?.saved ?? {
    description: "",
    containerId: defaultContainerId(itemId),
  };
  if (words.description !== description || words.containerId !== containerId) {
    throw alreadySaved(attributes.objectId, "with another description, or in another container");
  }
  const object = objectOfSession(session, file, call.caller);
  if (words.sha256 === undefined || words.sha256 === object.sha256) return object;
  const text = `sha256 of the object ${object.id} is ${object.sha256}, not ${words.sha256}`;
  throw new ImisError("digest_mismatch", text, { declared: words.sha256, actual: object.sha256 });
}

/** Throws `incomplete`, `session_empty`. */
function assertSavable(file: SessionFile, allowEmpty: boolean): void {
  const offset = storedBytes(file);
  const { sizeBytes: size } = file;
  if (size !== undefined && offset < size) {
    const text = `${offset} of ${size} bytes are stored; send the bytes from ${offset} on`;
    throw withOffset("incomplete", text, offset, { offset, size });
  }
  if (offset > 0 || size === 0 || allowEmpty) return;
  const text = "nothing was sent; an object without content is saved by allow_empty, or by a session of size 0";
  throw withOffset("session_empty", text, offset, { offset });
}

function isWorthALook(error: unknown): error is ImisError | UploadError {
  if (error instanceof ImisError) return error.code === "incomplete" || error.code === "session_empty";
  return isUploadError(error) && !isUploadError(error, "denied", "unavailable", "damaged", "checksum_mismatch");
}

function stillFetched(): ImisError {
  const text =
    "another face has files fetched into this upload session, and it is saved with them; save it again later";
  return new ImisError("state_conflict", text);
}

function containerNotFound(id: string): ImisError {
  const shown = JSON.stringify(id.slice(0, 80));
  return new ImisError("container_not_found", `this entity has no container ${shown}; the upload session stays open`);
}
