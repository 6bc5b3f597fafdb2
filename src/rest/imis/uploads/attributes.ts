// What this face keeps of an upload session and of the object that comes of it, beyond what the core knows.
import type { Attributes, JsonValue, Session } from "../../../core/index.js";

/** Who ended a session that has come to nothing, where the core knows only that it was ended. */
export type EndedBy = "cancelled" | "entity_closed";

/** The words of the save that made the object; a repeat is measured by them. */
export interface SavedWords {
  readonly description: string;
  readonly containerId: string;
  /** How many requests had come to write by then. */
  readonly parts: number;
}

export interface UploadAttributes {
  /** The handle that the session belongs to: it ends when that is closed. */
  readonly handle: string;
  /** The name of the session's one file, and of the item's file that it becomes. */
  readonly objectId: string;
  readonly endedBy: EndedBy | undefined;
  readonly saved: SavedWords | undefined;
}

/** By which sessions are found that belong to a handle. */
export const handleAttribute = ["handle"] as const;

export function newAttributes(handle: string, objectId: string): Attributes {
  return { handle, objectId };
}

export function adoptedAttributes({ attributes }: Pick<Session, "attributes">, handle: string): Attributes {
  return { ...attributes, handle };
}

export function endedAttributes({ attributes }: Pick<Session, "attributes">, endedBy: EndedBy): Attributes {
  return { ...attributes, endedBy };
}

export function savedAttributes({ attributes }: Pick<Session, "attributes">, saved: SavedWords): Attributes {
  return { ...attributes, saved: { ...saved } };
}

/** Undefined for a session that is none of these: staged objects have their sessions, too. */
export function uploadAttributes({ attributes }: Pick<Session, "attributes">): UploadAttributes | undefined {
  const { handle, objectId, endedBy, saved } = attributes;
  if (typeof handle !== "string" || typeof objectId !== "string") return undefined;
  const known = endedBy === "cancelled" || endedBy === "entity_closed" ? endedBy : undefined;
  return { handle, objectId, endedBy: known, saved: readSaved(saved) };
}

function readSaved(saved: JsonValue | undefined): SavedWords | undefined {
  if (typeof saved !== "object" || saved === null || Array.isArray(saved)) return undefined;
  const { description, containerId, parts } = saved as Attributes;
  if (typeof description !== "string" || typeof containerId !== "string") return undefined;
  return { description, containerId, parts: typeof parts === "number" ? parts : 0 };
}
