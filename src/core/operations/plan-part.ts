// What may be written where: decided from headers and rows alone, before the first byte is read. Pure.
import { assertNoGap } from "../byte-range.js";
import type { Caller } from "../call.js";
import { type Checksum, parseChecksum, parseChecksums } from "../checksum.js";
import { UploadError } from "../error.js";
import { assertAttempt, type SessionFile, settleSize } from "../file.js";
import { moveFile } from "../file-state.js";
import { assertFileSize, type Limits, limitDetail } from "../limits.js";
import type { FileRef, FileView, WriterClaim } from "../ports/transfer-store.js";
import { assertVisible } from "../session.js";
import { moveSession } from "../session-state.js";
import { invalid, parseCount, parseId } from "../values.js";

export interface PartInput {
  readonly sessionId: string;
  readonly fileId: string;
  /** The attempt that the part is meant for; without it, whichever the file is at. */
  readonly attempt?: number | undefined;
  /** Where the first byte belongs. */
  readonly offset: number;
  /** Begins a new attempt from zero; the content so far stays until the new one is whole. */
  readonly restart?: boolean;
  /** How long the part is, when that is known before it is read. */
  readonly lengthBytes?: number | undefined;
  /**
   * The size of the whole content, which may be declared late, once: it is settled when something of the part is
   * committed.
   */
  readonly sizeBytes?: number | undefined;
  /** A digest of this part, which makes it all or nothing. */
  readonly checksum?: { readonly algorithm: string; readonly value: string } | undefined;
  /** Throwing means interrupted; ending means that the part ended, never that the content is whole (P11). */
  readonly body: AsyncIterable<Uint8Array>;
  /** Asked once, after the body has ended. */
  readonly ending?: () => PartEnding;
  /** Asked under the file's lock, maybe more than once, before anything changes; what it throws comes out. */
  readonly check?: (file: SessionFile) => void;
  /** What becomes of an attempt that breaks off: it can be continued (P3), or the file fails and is sent anew. */
  readonly onInterrupt?: "keep" | "fail";
  /** Whether bytes up to the declared size finish the content, or wait until somebody says so. */
  readonly whenWhole?: "finish" | "wait";
  /** What counts of a body that is longer than announced: all up to its announced end, or what a checkpoint has committed. */
  readonly onExcess?: "keep" | "drop";
  /** A part of a session that is done: refused, or compared with the content that it can only repeat. */
  readonly afterDone?: "refuse" | "compare";
}

export interface PartEnding {
  /** True says explicitly that the content is whole now. */
  readonly finish: boolean;
  readonly sizeBytes?: number | undefined;
  /** What the whole content must hash to, beside what was declared before. */
  readonly checksums?: readonly { readonly algorithm: string; readonly value: string }[];
}

/** A part whose words have been checked. */
export interface Part {
  readonly attempt: number | undefined;
  readonly offset: number;
  readonly restart: boolean;
  readonly lengthBytes: number | undefined;
  readonly sizeBytes: number | undefined;
  readonly checksum: Checksum | undefined;
  /** The attempt cannot be continued once it has broken off. */
  readonly once: boolean;
  readonly check: ((file: SessionFile) => void) | undefined;
  /** Being all there does not finish the content. */
  readonly waits: boolean;
  readonly dropsExcess: boolean;
  readonly comparesDone: boolean;
}

/** Bytes from `offset` on, of which nothing else is said. */
export function partFrom(offset: number): Part {
  return {
    attempt: undefined,
    offset,
    restart: false,
    lengthBytes: undefined,
    sizeBytes: undefined,
    checksum: undefined,
    once: false,
    check: undefined,
    waits: false,
    dropsExcess: false,
    comparesDone: false,
  };
}

export function parseFileRef(input: { sessionId: string; fileId: string }, caller: Caller): FileRef {
  return {
    tenantId: caller.tenantId,
    sessionId: parseId(input.sessionId, "session id"),
    fileId: parseId(input.fileId, "file id"),
  };
}

/** Throws `invalid`, `unsupported` or `too_large` for words that are wrong whatever the state. */
export function parsePart(input: PartInput, limits: Limits): Part {
  const offset = parseCount(input.offset, "offset");
  const restart = input.restart ?? false;
  if (restart && offset !== 0) throw invalid("NUMBER_INVALID", `a new attempt begins at 0, not at ${offset}`);
  const lengthBytes = input.lengthBytes === undefined ? undefined : parseCount(input.lengthBytes, "length");
  const checksum = input.checksum && parseChecksum(input.checksum.algorithm, input.checksum.value);
  if (checksum !== undefined && (lengthBytes ?? 0) > limits.maxPartBytes) {
    throw partTooLarge(limits);
  }
  assertFileSize(limits, offset + (lengthBytes ?? 0));
  const { attempt, sizeBytes, check } = input;
  return {
    attempt,
    offset,
    restart,
    lengthBytes,
    sizeBytes,
    checksum,
    once: input.onInterrupt === "fail",
    check,
    waits: input.whenWhole === "wait",
    dropsExcess: input.onExcess === "drop",
    comparesDone: input.afterDone === "compare",
  };
}

export function partTooLarge(limits: Limits): UploadError {
  return new UploadError("too_large", `a part with a checksum of its own has at most ${limits.maxPartBytes} bytes`, {
    reason: "SIZE_EXCEEDED",
    limit: limitDetail(limits, "maxPartBytes"),
  });
}

/** How much of a file a client need not send again. */
export function storedBytes(file: SessionFile): number {
  return file.state === "ready" ? (file.current?.sizeBytes ?? 0) : (file.running?.offset ?? 0);
}

/** Which seat the part takes: none when the file is whole already, for then the part can only be a repeat. */
export function planPart(view: FileView, part: Part, caller: Caller, limits: Limits, now: Date): WriterClaim {
  assertVisible(view.session, caller);
  assertAttempt(view.file, part.attempt);
  part.check?.(view.file);
  const isRepeat = part.comparesDone && !part.restart && view.session.state === "done";
  moveSession(view.session, isRepeat ? "complete" : "change", now);
  const { file } = view;
  if (file.source !== undefined) throw fetched(file.name);
  const sizeBytes = settleSize(file, part.sizeBytes, limits);
  const stored = part.restart ? 0 : storedBytes(file);
  assertNoGap(part.offset, stored, `file ${JSON.stringify(file.name)}`);
  const end = Math.max(stored, part.offset + (part.lengthBytes ?? 0));
  if (sizeBytes !== undefined && end > sizeBytes) throw pastDeclaredSize(file.name, sizeBytes, stored);
  if (file.state === "ready" && !part.restart) {
    if (sizeBytes !== undefined && sizeBytes !== stored) throw otherSize(file.name, sizeBytes, stored);
    if (end > stored) throw wholeAlready(file.name, stored);
    return { seat: "none" };
  }
  return {
    seat: part.restart ? "restart" : "resume",
    once: part.once,
    // The size is not settled by words alone: it goes into the row with the first bytes that are committed under it.
    file: { ...file, state: moveFile(file, "begin"), failure: undefined, modifiedAt: now },
  };
}

/**
 * What the end of a part means for the whole: throws `incomplete` or `too_large` when it contradicts what was declared.
 */
export function planEnding(
  file: SessionFile,
  part: Part,
  end: number,
  ending: PartEnding,
  limits: Limits,
): { readonly whole: boolean; readonly sizeBytes: number | undefined; readonly checksums: readonly Checksum[] } {
  const checksums = parseChecksums(ending.checksums ?? []);
  const sizeBytes = settleSize(file, ending.sizeBytes, limits);
  if (part.lengthBytes !== undefined && end < part.offset + part.lengthBytes) {
    throw shorter(`the part of ${part.lengthBytes} bytes at ${part.offset}`, end);
  }
  if (sizeBytes !== undefined && end > sizeBytes) throw pastDeclaredSize(file.name, sizeBytes, end);
  if (ending.finish && sizeBytes !== undefined && end < sizeBytes) {
    throw shorter(`the content of ${sizeBytes} bytes of file ${JSON.stringify(file.name)}`, end);
  }
  const isFull = sizeBytes !== undefined && end === sizeBytes;
  return { whole: ending.finish || (isFull && !part.waits), sizeBytes, checksums };
}

function shorter(what: string, end: number): UploadError {
  return new UploadError("incomplete", `${what} ended at ${end}`, { reason: "PART_SHORT", expectedOffset: end });
}

export function pastPart(part: Part): UploadError {
  return new UploadError(
    "too_large",
    `the part at ${part.offset} is longer than the ${part.lengthBytes} bytes it announced`,
    {
      reason: "SIZE_EXCEEDED",
      declared: String(part.lengthBytes),
    },
  );
}

export function pastDeclaredSize(name: string, sizeBytes: number, stored: number): UploadError {
  return new UploadError("too_large", `file ${JSON.stringify(name)} was declared with ${sizeBytes} bytes, more came`, {
    reason: "SIZE_EXCEEDED",
    declared: String(sizeBytes),
    expectedOffset: Math.min(stored, sizeBytes),
  });
}

function fetched(name: string): UploadError {
  return new UploadError(
    "wrong_state",
    `file ${JSON.stringify(name)} is fetched from its source; declare it without one to send it`,
    { reason: "FILE_STATE" },
  );
}

/** A repeat of content that is whole, by someone who takes it for another. */
export function otherSize(name: string, stated: number, stored: number): UploadError {
  return new UploadError("invalid", `file ${JSON.stringify(name)} is whole with ${stored} bytes, not ${stated}`, {
    reason: "SIZE_DIFFERS",
    declared: String(stated),
    actual: String(stored),
  });
}

export function wholeAlready(name: string, stored: number): UploadError {
  return new UploadError(
    "wrong_state",
    `file ${JSON.stringify(name)} is whole with ${stored} bytes; only a new attempt can change it`,
    { reason: "FILE_STATE", expectedOffset: stored },
  );
}
