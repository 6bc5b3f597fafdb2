import type { JsonValue } from "./values.js";

/**
 * A small piece of state that a dialect owns (a handle, a download session, a setting), versioned for compare-and-set.
 */
export interface DialectRecord {
  readonly tenantId: string;
  readonly namespace: string;
  readonly key: string;
  readonly value: JsonValue;
  /** 1 when created, then one more with every change. */
  readonly version: number;
  /** When it is gone; undefined for never. */
  readonly expiresAt: Date | undefined;
}

/**
 * A change to a record. `expect` is the version that must be stored: 0 for none, undefined for whatever there is.
 * `value` undefined deletes it.
 */
export interface RecordChange {
  readonly namespace: string;
  readonly key: string;
  readonly value: JsonValue | undefined;
  readonly expect?: number;
  readonly expiresAt?: Date;
}
