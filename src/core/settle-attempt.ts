import type { FileState } from "./file-state.js";
import type { FileView } from "./ports/transfer-store.js";
import type { Attributes } from "./values.js";

/**
 * The attributes of session and file after an attempt at the file has ended, whole or failed. Asked under the session's
 * lock, maybe more than once, so it must be pure. `others` counts the session's other files by their states.
 */
export type SettleAttempt = (
  view: FileView & { readonly others: Readonly<Record<FileState, number>> },
  now: Date,
) => { readonly session: Attributes; readonly file: Attributes };

/**
 * For faces that keep the standing of their sessions in attributes, by the origin of the session: asked whichever face
 * the bytes came through.
 */
export type Settlers = Readonly<Partial<Record<string, SettleAttempt>>>;
