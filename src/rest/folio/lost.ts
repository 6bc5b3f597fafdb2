// What the API says of definitions and files that are not there, or not any more.
import { isId, isUploadError, UploadError } from "../../core/index.js";
import { FolioRefusal } from "./errors.js";

/** What `ask` answers; `text` as 404 where it finds no definition, or one that has ended. */
export async function lostAs<T>(text: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (isLost(error)) throw new FolioRefusal(404, text);
    throw error;
  }
}

/** The same for a file of a definition, which `find` throws for if that is what is not there. */
export async function lostFile<T>(
  fileId: string,
  { ask, find }: { ask(): Promise<T>; find(): Promise<unknown> },
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const isMissing = isUploadError(error, "not_found") && error.details.reason === "FILE_NOT_FOUND";
    const isNone = isUploadError(error, "invalid") && !isId(fileId.toLowerCase());
    if (!isMissing && !isNone) throw error;
    await find();
    throw fileGone(fileId);
  }
}

export function fileGone(fileId: string): FolioRefusal {
  return new FolioRefusal(404, `FileDefinition not found. FileDefinition ID: ${fileId}`);
}

export function lostDefinition(): UploadError {
  return new UploadError("not_found", "the definition has ended", { reason: "SESSION_NOT_FOUND" });
}

/** An id that is none is nobody's; and a session that runs no more takes nothing in. */
function isLost(error: unknown): boolean {
  if (!isUploadError(error, "not_found", "invalid", "wrong_state", "expired")) return false;
  const { reason } = error.details;
  return (
    reason === "SESSION_NOT_FOUND" ||
    reason === "SESSION_STATE" ||
    reason === "SESSION_EXPIRED" ||
    reason === "ID_MALFORMED"
  );
}
