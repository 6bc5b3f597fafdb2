import type { FileState, SettleAttempt } from "../../core/index.js";
import { definitionAttributes, fileAttributes, storedAttributes } from "./attributes.js";
import type { DefinitionStatus, FileStatus } from "./schema.js";

export const statusOfFile: Record<FileState, FileStatus> = {
  waiting: "NEW",
  transferring: "UPLOADING",
  validating: "UPLOADING",
  ready: "UPLOADED",
  failed: "ERROR",
};

/**
 * What the end of an upload makes of its definition: LOADED when all files are uploaded, ERROR when all have failed;
 * else IN_PROGRESS after a success, and what it was after a failure.
 */
export function statusAfterUpload(
  before: DefinitionStatus,
  ended: FileStatus,
  others: readonly FileStatus[],
): DefinitionStatus {
  if (others.every((status) => status === ended)) return ended === "UPLOADED" ? "LOADED" : "ERROR";
  return ended === "UPLOADED" ? "IN_PROGRESS" : before;
}

/** That, in the transaction that ends the upload. */
export const settleUpload: SettleAttempt = ({ session, file, others }, now) => {
  const definition = definitionAttributes(session);
  const statuses = Object.entries(others).flatMap(([state, files]) =>
    files > 0 ? [statusOfFile[state as FileState]] : [],
  );
  const status = statusAfterUpload(definition.status, statusOfFile[file.state], statuses);
  const uploaded = file.state === "ready" ? { uploadedDate: now } : {};
  return {
    session: storedAttributes({ ...definition, status }),
    file: storedAttributes({ ...fileAttributes(file), ...uploaded }),
  };
};
