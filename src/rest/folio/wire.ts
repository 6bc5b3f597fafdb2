// The core's sessions and files in the API's words: an upload definition is a session, a file definition a file of it.
import type { Session, SessionFile } from "../../core/index.js";
import { definitionAttributes, fileAttributes } from "./attributes.js";
import { statusOfFile } from "./status.js";

/** A definition with its files, as of one moment. */
export interface Definition {
  readonly session: Session;
  readonly files: readonly SessionFile[];
}

/** Who changed a definition, and when. */
export interface Metadata {
  readonly createdDate: Date;
  readonly createdByUserId: string | undefined;
  readonly updatedDate: Date;
  readonly updatedByUserId: string | undefined;
}

/** Members in the order of the API; what is undefined is left out when it is written. */
export function wireDefinition({ session, files }: Definition, metadata = metadataOf(session)) {
  const { status, metaJobExecutionId, createDate } = definitionAttributes(session);
  return {
    id: session.id,
    metaJobExecutionId,
    status,
    createDate,
    fileDefinitions: [...files].sort(byLastWrite).map(wireFile),
    metadata: {
      createdDate: metadata.createdDate,
      createdByUserId: metadata.createdByUserId,
      updatedDate: metadata.updatedDate,
      updatedByUserId: metadata.updatedByUserId,
    },
  };
}

function metadataOf(session: Session): Metadata {
  const { createdByUserId, updatedDate, updatedByUserId } = definitionAttributes(session);
  const { createdAt: createdDate } = session;
  // Of two clocks: nothing is changed before it is there.
  const latest = updatedDate < createdDate ? createdDate : updatedDate;
  return { createdDate, createdByUserId, updatedDate: latest, updatedByUserId };
}

function wireFile(file: SessionFile) {
  const { name, uiKey, sizeKb, jobExecutionId, uploadedDate } = fileAttributes(file);
  return {
    id: file.id,
    sourcePath: file.current && `./storage/upload/${file.sessionId}/${file.id}/${name}`,
    name,
    status: statusOfFile[file.state],
    jobExecutionId,
    uploadDefinitionId: file.sessionId,
    createDate: file.createdAt,
    uploadedDate,
    size: sizeKb,
    uiKey,
  };
}

/**
 * A file that is written, or begun to be, goes to the end; those that were declared at once keep their order, for the core
 * gives them ascending ids.
 */
function byLastWrite(a: SessionFile, b: SessionFile): number {
  return a.modifiedAt.getTime() - b.modifiedAt.getTime() || a.createdAt.getTime() - b.createdAt.getTime() || byId(a, b);
}

function byId(a: SessionFile, b: SessionFile): number {
  return a.id < b.id ? -1 : 1;
}
