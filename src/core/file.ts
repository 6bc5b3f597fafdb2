import type { Attempt, Content } from "./attempt.js";
import { assertPermission, type Caller } from "./call.js";
import { type Checksum, parseChecksums } from "./checksum.js";
import { UploadError } from "./error.js";
import type { Failure } from "./failure.js";
import type { FileState } from "./file-state.js";
import { assertFileSize, type Limits } from "./limits.js";
import { beginPull, type Pull } from "./pull.js";
import { parseSource, type Source } from "./source.js";
import { isSourceError, refuseSource } from "./source-error.js";
import { formatThumbprint } from "./thumbprint.js";
import { type Attributes, canonicalJson, parseAttributes, parseCount, parseName, parseText } from "./values.js";

/** The member of a file's attributes that is for its session alone. */
export const sessionMember = "$session";

/** What a client declares of a file before it sends it. */
export interface FileSpec {
  readonly name: string;
  /** Undefined until someone knows it; then it stays. */
  readonly sizeBytes: number | undefined;
  /** What the content must hash to. */
  readonly checksums: readonly Checksum[];
  readonly mediaType: string;
  /** What a failed transfer fails: the file alone, or its whole session. */
  readonly onFailure: "file" | "session";
  /** Where the server fetches the content from; undefined for a file that clients send. */
  readonly source: Source | undefined;
  /** What stands in `sessionMember` means nothing once the session is over: no item file gets it. */
  readonly attributes: Attributes;
}

/** One file in a session. */
export interface SessionFile extends FileSpec {
  readonly id: string;
  readonly tenantId: string;
  readonly sessionId: string;
  readonly state: FileState;
  readonly failure: Failure | undefined;
  /** Content that is whole, visible in the session; it stays until a newer attempt is whole. */
  readonly current: Content | undefined;
  /** The try that is under way or can be continued. */
  readonly running: Attempt | undefined;
  /** Present where the content shares its bytes with the file that it was fetched from. */
  readonly linked?: LinkedContent | undefined;
  /** Present while the content is to be fetched from `source`. */
  readonly pull: Pull | undefined;
  /** How many attempts there have been. */
  readonly attempts: number;
  readonly createdAt: Date;
  readonly modifiedAt: Date;
}

/** Content that was taken over from a file outside of the store, which is removed when the session is done. */
export interface LinkedContent {
  /** The content that it is of; any other has nothing to do with it. */
  readonly contentId: string;
  /** The store's mark of the bytes that were hashed. */
  readonly mark: string;
  /** Tells the original apart from whatever else comes to lie in its place. */
  readonly validator: string;
}

/** Untrusted words of a file spec; what is left out gets its default. */
export interface FileSpecInput {
  readonly name: string;
  readonly sizeBytes?: number | undefined;
  readonly checksums?: readonly { readonly algorithm: string; readonly value: string }[];
  readonly mediaType?: string;
  readonly onFailure?: "file" | "session";
  readonly source?: { readonly uri: string; readonly thumbprint?: string } | undefined;
  readonly attributes?: Attributes;
}

/** Throws `invalid`, `unsupported` (an algorithm) or `too_large`. */
export function parseFileSpec(input: FileSpecInput, limits: Limits): FileSpec {
  const sizeBytes = input.sizeBytes === undefined ? undefined : parseCount(input.sizeBytes, "size");
  if (sizeBytes !== undefined) assertFileSize(limits, sizeBytes);
  return {
    name: parseName(input.name, "file name"),
    sizeBytes,
    checksums: parseChecksums(input.checksums ?? []),
    mediaType: parseText(input.mediaType ?? "", "media type", 255),
    onFailure: input.onFailure ?? "file",
    source: input.source && parseDeclaredSource(input.source),
    attributes: parseAttributes(input.attributes ?? {}, limits),
  };
}

function parseDeclaredSource({ uri, thumbprint }: NonNullable<FileSpecInput["source"]>): Source {
  try {
    return parseSource(uri, thumbprint);
  } catch (error) {
    if (isSourceError(error)) throw refuseSource(error);
    throw error;
  }
}

/** Folders of the server are not for everyone to fetch from: throws `denied`. */
export function assertMayFetch({ source }: FileSpec, caller: Caller): void {
  if (source !== undefined) assertMayFetchFrom(source, caller);
}

export function assertMayFetchFrom({ address: { scheme } }: Source, caller: Caller): void {
  if (scheme === "file" || scheme === "ds") assertPermission(caller, "read_storage");
}

/** True when both declare the same thing, so that declaring one after the other changes nothing. */
export function isSameSpec(a: FileSpec, b: FileSpec): boolean {
  return canonicalJson(wordsOfSpec(a)) === canonicalJson(wordsOfSpec(b));
}

/** What a spec says, as JSON: equal for specs that declare the same thing. */
export function wordsOfSpec(spec: FileSpec): object {
  const { name, sizeBytes, mediaType, onFailure, attributes, source } = spec;
  const checksums = Object.fromEntries(spec.checksums.map(({ algorithm, value }) => [algorithm, value]));
  const { address, thumbprint } = source ?? {};
  const from = { uri: address?.uri, thumbprint: thumbprint && formatThumbprint(thumbprint) };
  return { name, sizeBytes, checksums, mediaType, onFailure, attributes, from };
}

/** A file as it is when it is declared for the first time: with nothing of its content, and what fetches it if need be. */
export function buildFile(
  id: string,
  spec: FileSpec,
  session: { readonly id: string; readonly tenantId: string },
  now: Date,
): SessionFile {
  return {
    ...spec,
    id,
    tenantId: session.tenantId,
    sessionId: session.id,
    state: "waiting",
    failure: undefined,
    current: undefined,
    running: undefined,
    linked: undefined,
    pull: spec.source && beginPull(now),
    attempts: 0,
    createdAt: now,
    modifiedAt: now,
  };
}

/** The attempt that a part without a restart belongs to: the one that runs or is whole, or else the next one. */
export function attemptOf(file: SessionFile): number {
  const begun = file.state !== "waiting" && file.state !== "failed";
  return begun ? file.attempts : file.attempts + 1;
}

/**
 * Throws `not_found` when something is addressed to another attempt: an attempt is part of the address as the file's
 * id is, and one that was superseded is not there any more.
 */
export function assertAttempt(file: SessionFile, attempt: number | undefined): void {
  if (attempt !== undefined && attempt !== attemptOf(file)) {
    throw new UploadError("not_found", `file ${JSON.stringify(file.name)} is not at attempt ${attempt}`, {
      reason: "FILE_NOT_FOUND",
    });
  }
}

/** The size that is settled once a client says `stated`; throws `invalid` (SIZE_DIFFERS) when another one was. */
export function settleSize(file: SessionFile, stated: number | undefined, limits: Limits): number | undefined {
  if (stated === undefined) return file.sizeBytes;
  parseCount(stated, "size");
  assertFileSize(limits, stated);
  if (file.sizeBytes !== undefined && file.sizeBytes !== stated) {
    throw new UploadError(
      "invalid",
      `size of ${JSON.stringify(file.name)} was declared as ${file.sizeBytes}, now as ${stated}`,
      {
        reason: "SIZE_DIFFERS",
        declared: String(file.sizeBytes),
        actual: String(stated),
      },
    );
  }
  return stated;
}
