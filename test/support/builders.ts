// Valid nouns with everything filled in; a test names only what it is about.
import {
  type BlobKey,
  type Content,
  createId,
  deadlineFrom,
  type Item,
  type Library,
  type Session,
  type SessionFile,
} from "../../src/core/index.js";

const epoch = new Date("2026-01-02T03:04:05.678Z");

export function buildSession(of: Partial<Session> & Pick<Session, "tenantId" | "ownerId">): Session {
  const createdAt = of.createdAt ?? epoch;
  const deadlines = of.deadlines ?? { idleTtlMs: 3_600_000, absoluteTtlMs: undefined, keepTerminalMs: 3_600_000 };
  return {
    id: createId(),
    state: "active",
    access: "additive",
    visibility: "owner",
    origin: "rpc",
    label: "",
    itemId: undefined,
    baseContentVersion: undefined,
    removals: [],
    attributes: {},
    clientProgress: 0,
    failure: undefined,
    deadlines,
    expiresAt: deadlineFrom({ deadlines, createdAt }, createdAt),
    fileCount: 0,
    lastEvent: 0,
    createdAt,
    modifiedAt: createdAt,
    endedAt: undefined,
    ...of,
  };
}

export function buildFile(of: Partial<SessionFile> & Pick<SessionFile, "tenantId" | "sessionId">): SessionFile {
  const createdAt = of.createdAt ?? epoch;
  return {
    id: createId(),
    name: "a.bin",
    sizeBytes: undefined,
    checksums: [],
    mediaType: "",
    onFailure: "file",
    source: undefined,
    attributes: {},
    state: "waiting",
    failure: undefined,
    current: undefined,
    running: undefined,
    pull: undefined,
    attempts: 0,
    createdAt,
    modifiedAt: createdAt,
    ...of,
  };
}

export function buildContent(of: Partial<Content> & Pick<Content, "id">): Content {
  return { sizeBytes: 10, checksums: [{ algorithm: "sha256", value: "5f".repeat(32) }], ...of };
}

export function buildLibrary(
  of: Partial<Library> & Pick<Library, "tenantId">,
): Omit<Library, "createdAt" | "modifiedAt"> {
  const id = createId();
  return { id, name: `library ${id}`, description: "", version: 1, attributes: {}, ...of };
}

export function buildItem(
  of: Partial<Item> & Pick<Item, "tenantId" | "libraryId">,
): Omit<Item, "createdAt" | "modifiedAt"> {
  const id = createId();
  return {
    id,
    name: `item ${id}`,
    description: "",
    type: "",
    contentVersion: 1,
    version: 1,
    aliases: [],
    attributes: {},
    ...of,
  };
}

/** A key that nobody else has. */
export function buildKey(): BlobKey {
  return `extent/${createId()}` as BlobKey;
}
