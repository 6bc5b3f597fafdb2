// Parsers for the small untrusted values that every noun is made of. Each throws `invalid` and names the value.
import { UploadError, type UploadErrorReason } from "./error.js";
import { type Limits, limitDetail } from "./limits.js";

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [member: string]: JsonValue };

/** Typed JSON that a dialect owns; the core stores it and lists by it, and never reads it. */
export type Attributes = { readonly [name: string]: JsonValue };

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
// C0, DEL and C1: they break terminals, logs and headers.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const control = /[\u0000-\u001f\u007f-\u009f]/;
const maxNameBytes = 255;
const maxAttributesDepth = 16;

export function invalid(reason: UploadErrorReason, message: string): UploadError {
  return new UploadError("invalid", message, { reason });
}

export function isId(text: string): boolean {
  return uuid.test(text);
}

/** A UUID in lower case. `what` names the thing in the message. */
export function parseId(value: string, what: string): string {
  const id = value.toLowerCase();
  if (isId(id)) return id;
  const subject = value.slice(0, 80).toWellFormed();
  const message = `${what} is not a UUID: ${JSON.stringify(subject)}`;
  throw new UploadError("invalid", message, { reason: "ID_MALFORMED", subject });
}

/** A whole number from 0 to 2^53-1. */
export function parseCount(value: number, what: string): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw invalid("NUMBER_INVALID", `${what} must be a whole number from 0 to 2^53-1, not ${value}`);
  }
  return value;
}

/**
 * A name of a file, item or library: 1 to 255 bytes of UTF-8 without separators (`/`, `\`) and control characters, not
 * `.` or `..`.
 */
export function parseName(value: string, what: string): string {
  const shown = JSON.stringify(value.slice(0, 80));
  if (value === "") throw invalid("NAME_INVALID", `${what} is empty`);
  if (!value.isWellFormed()) throw invalid("NAME_INVALID", `${what} is not well-formed Unicode: ${shown}`);
  const bytes = new TextEncoder().encode(value).length;
  if (bytes > maxNameBytes) {
    throw invalid("NAME_INVALID", `${what} has ${bytes} bytes, at most ${maxNameBytes} are allowed: ${shown}`);
  }
  if (control.test(value)) throw invalid("NAME_INVALID", `${what} has a control character: ${shown}`);
  if (/[/\\]/.test(value)) throw invalid("NAME_INVALID", `${what} has a separator: ${shown}`);
  if (value === "." || value === "..") throw invalid("NAME_INVALID", `${what} may not be ${shown}`);
  return value;
}

/** Free text of at most `maxLength` UTF-16 units without NUL and lone surrogates. */
export function parseText(value: string, what: string, maxLength: number): string {
  if (value.length > maxLength) {
    throw invalid("TEXT_INVALID", `${what} has ${value.length} characters, at most ${maxLength} are allowed`);
  }
  if (value.includes("\0") || !value.isWellFormed()) {
    throw invalid("TEXT_INVALID", `${what} has a NUL or is not well-formed Unicode`);
  }
  return value;
}

/**
 * Attributes of at most `maxAttributesBytes` as JSON text and 16 levels, whose texts are well-formed and have no NUL
 * (PostgreSQL's jsonb holds neither).
 */
export function parseAttributes(value: Attributes, limits: Limits): Attributes {
  assertStorable(value, maxAttributesDepth);
  const text = JSON.stringify(value);
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > limits.maxAttributesBytes) {
    throw new UploadError(
      "invalid",
      `attributes have ${bytes} bytes, at most ${limits.maxAttributesBytes} are allowed`,
      {
        reason: "ATTRIBUTES_INVALID",
        limit: limitDetail(limits, "maxAttributesBytes"),
      },
    );
  }
  return JSON.parse(text) as Attributes;
}

function assertStorable(value: JsonValue, levels: number): void {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw invalid("ATTRIBUTES_INVALID", `attributes have a number that is not finite: ${value}`);
  }
  if (typeof value === "string" && (value.includes("\0") || !value.isWellFormed())) {
    throw invalid("ATTRIBUTES_INVALID", "attributes have a text with a NUL or that is not well-formed Unicode");
  }
  if (value === null || typeof value !== "object") return;
  if (levels === 0) throw invalid("ATTRIBUTES_INVALID", `attributes are deeper than ${maxAttributesDepth} levels`);
  for (const [name, member] of Object.entries(value)) {
    assertStorable(name, levels);
    assertStorable(member, levels - 1);
  }
}

/** JSON text that is the same for equal values, whatever the order of their members. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    member !== null && typeof member === "object" && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
