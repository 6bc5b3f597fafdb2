// Staged objects lie in sessions without an item, each of which holds one file.
import {
  type Attributes,
  type Call,
  type Content,
  isId,
  isUploadError,
  type Session,
  type SessionFile,
  type Uploads,
} from "../../../core/index.js";

/** What the file is called, whatever is in it. */
export const stagedFileName = "content";

/** What is kept of a staged object beside its content. */
export interface StagedWords {
  readonly libraryId: string;
  readonly externalId: string | undefined;
  readonly reason: string | undefined;
  readonly stage: string | undefined;
}

/** One of the caller's own, however far it has come. */
export interface StagedSession {
  readonly id: string;
  readonly words: StagedWords;
  readonly fileId: string;
  readonly contentType: string;
  /** `unfinished`: it is being sent. `over`: it has come to nothing. */
  readonly state: "unfinished" | "whole" | "over";
  /** Of a whole one. */
  readonly content: Content | undefined;
}

export function attributesOfStaged({ libraryId, externalId, reason, stage }: StagedWords): Attributes {
  const words = { externalId: externalId ?? null, reason: reason ?? null, stage: stage ?? null };
  return { staged: true, libraryId, ...words };
}

/** Undefined for what is nobody's, somebody else's, or no staged object at all. */
export async function findStaged(
  uploads: Pick<Uploads, "findFile">,
  id: string,
  { call, now }: { readonly call: Call; readonly now: Date },
): Promise<StagedSession | undefined> {
  if (!isId(id)) return undefined;
  try {
    const { session, file } = await uploads.findFile({ sessionId: id, name: stagedFileName }, call);
    const isOwn = session.ownerId === call.caller.userId && session.itemId === undefined;
    return isOwn && session.attributes.staged === true ? stagedFrom(session, file, now) : undefined;
  } catch (error) {
    if (isUploadError(error, "not_found")) return undefined;
    throw error;
  }
}

function stagedFrom(session: Session, file: SessionFile, now: Date): StagedSession {
  const { id, state, expiresAt } = session;
  const isRunning = state === "active" && (expiresAt === undefined || expiresAt > now);
  return {
    id,
    words: wordsFrom(session.attributes),
    fileId: file.id,
    contentType: file.mediaType,
    state: state === "done" ? "whole" : isRunning ? "unfinished" : "over",
    content: state === "done" ? file.current : undefined,
  };
}

function wordsFrom({ libraryId, externalId, reason, stage }: Attributes): StagedWords {
  const textIn = (value: unknown) => (typeof value === "string" ? value : undefined);
  return {
    libraryId: textIn(libraryId) ?? "",
    externalId: textIn(externalId),
    reason: textIn(reason),
    stage: textIn(stage),
  };
}
