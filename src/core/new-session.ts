import { createHash } from "node:crypto";
import { createId } from "./blob.js";
import type { Caller } from "./call.js";
import type { Item } from "./catalog.js";
import { UploadError } from "./error.js";
import { type FileSpec, type FileSpecInput, parseFileSpec, wordsOfSpec } from "./file.js";
import { assertFileCount, type Limits } from "./limits.js";
import {
  type Deadlines,
  deadlineFrom,
  parseDeadlines,
  type Session,
  type SessionAccess,
  type SessionVisibility,
} from "./session.js";
import { type Attributes, canonicalJson, invalid, parseAttributes, parseId, parseText } from "./values.js";

/** What a face sets when it creates a session, so that the core needs no rule per dialect. */
export interface SessionInput {
  /** Makes creation repeatable: the same token and the same words give the same session (P4). */
  readonly clientToken?: string | undefined;
  readonly itemId?: string | undefined;
  readonly access: SessionAccess;
  readonly visibility: SessionVisibility;
  readonly origin: string;
  readonly label?: string;
  readonly attributes?: Attributes;
  /** The face's own, a setting. */
  readonly deadlines: Deadlines;
  /** What the client asks for instead. */
  readonly askedDeadlines?: Partial<Deadlines>;
  /** Files that it begins with, declared in the same transaction; their names differ. */
  readonly files?: readonly FileSpecInput[];
  /**
   * Asked under the item's lock, maybe more than once, with the sessions that run on it; what it throws comes out, and
   * none is created.
   */
  readonly check?: (running: readonly Session[]) => void;
}

/** The words of a session to come, checked. */
export interface SessionWords {
  readonly itemId: string | undefined;
  readonly access: SessionAccess;
  readonly visibility: SessionVisibility;
  readonly origin: string;
  readonly label: string;
  readonly attributes: Attributes;
  readonly deadlines: Deadlines;
  readonly files: readonly FileSpec[];
  /** What a repeat with the same client token must say again. */
  readonly repeated: object;
}

/** Throws `invalid`; and for its files `unsupported`, `too_large`, `too_many`, `already_exists` (a name twice). */
export function parseSessionWords(input: SessionInput, limits: Limits): SessionWords {
  const itemId = input.itemId === undefined ? undefined : parseId(input.itemId, "item id");
  const label = parseText(input.label ?? "", "label", 256);
  const attributes = parseAttributes(input.attributes ?? {}, limits);
  const { access, visibility, origin, askedDeadlines = {} } = input;
  const deadlines = parseDeadlines({ ...input.deadlines, ...askedDeadlines });
  const files = (input.files ?? []).map((file) => parseFileSpec(file, limits));
  assertFileCount(limits, files.length);
  assertNamesDiffer(files);
  const named = files.length === 0 ? {} : { files: files.map(wordsOfSpec) };
  const repeated = { itemId, access, visibility, label, attributes, askedDeadlines, ...named };
  return { itemId, access, visibility, origin, label, attributes, deadlines, files, repeated };
}

function assertNamesDiffer(files: readonly FileSpec[]): void {
  const names = new Set<string>();
  for (const { name } of files) {
    if (names.has(name)) {
      throw new UploadError("already_exists", `two files have the name ${JSON.stringify(name)}`, {
        reason: "FILE_EXISTS",
      });
    }
    names.add(name);
  }
}

/** Throws `invalid` (TEXT_INVALID). `words`: what the same token must come with again. */
export function parseClientToken(text: string, operation: string, words: object) {
  const token = parseText(text, "client token", 128);
  if (token === "") throw invalid("TEXT_INVALID", "client token is empty");
  const fingerprint = createHash("sha256").update(canonicalJson(words)).digest("hex");
  return { operation, token, fingerprint };
}

/** An active session as it begins. */
export function buildSession(words: SessionWords, caller: Caller, item: Item | undefined, now: Date): Session {
  const { itemId, access, visibility, origin, label, attributes, deadlines } = words;
  return {
    id: createId(),
    tenantId: caller.tenantId,
    ownerId: caller.userId,
    state: "active",
    access,
    visibility,
    origin,
    label,
    itemId,
    baseContentVersion: item?.contentVersion,
    removals: [],
    attributes,
    clientProgress: 0,
    failure: undefined,
    deadlines,
    expiresAt: deadlineFrom({ deadlines, createdAt: now }, now),
    fileCount: words.files.length,
    lastEvent: 0,
    createdAt: now,
    modifiedAt: now,
    endedAt: undefined,
  };
}

/** Those whose deadline has not passed, whether or not the sweeper has come by. */
export function runningAt(open: readonly Session[], now: Date): readonly Session[] {
  return open.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now);
}

/**
 * Throws `busy` (ITEM_BUSY). Sessions whose deadline has passed hold nothing any more, whether or not the sweeper has
 * come by.
 */
export function assertNotBusy(itemId: string, access: SessionAccess, open: readonly Session[], now: Date): void {
  const running = runningAt(open, now);
  const blocking = access === "exclusive" ? running : running.filter((session) => session.access === "exclusive");
  if (blocking.length > 0) {
    throw new UploadError("busy", `item ${itemId} has an open session that excludes this one`, {
      reason: "ITEM_BUSY",
      subject: itemId,
    });
  }
}
