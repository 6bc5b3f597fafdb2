// What this dialect keeps beside the core's own columns: the attributes of a definition, which is a session, and of its
// files.
import type { Attributes, JsonValue, Session, SessionFile } from "../../core/index.js";
import { type DefinitionStatus, definitionStatuses } from "./schema.js";

export interface DefinitionAttributes {
  readonly status: DefinitionStatus;
  readonly metaJobExecutionId: string | undefined;
  readonly createDate: Date;
  readonly createdByUserId: string | undefined;
  readonly updatedDate: Date;
  readonly updatedByUserId: string | undefined;
}

export interface FileAttributes {
  readonly name: string;
  readonly uiKey: string | undefined;
  /** What the client says, in KiB; the content is not compared with it. */
  readonly sizeKb: number | undefined;
  readonly jobExecutionId: string | undefined;
  readonly uploadedDate: Date | undefined;
}

export function definitionAttributes({ attributes }: Pick<Session, "attributes">): DefinitionAttributes {
  const status = definitionStatuses.find((known) => known === attributes.status);
  const createDate = dateOf(attributes.createDate);
  const updatedDate = dateOf(attributes.updatedDate);
  if (status === undefined || createDate === undefined || updatedDate === undefined) {
    throw new TypeError("a session of this face that is no upload definition");
  }
  return {
    status,
    metaJobExecutionId: textOf(attributes.metaJobExecutionId),
    createDate,
    createdByUserId: textOf(attributes.createdByUserId),
    updatedDate,
    updatedByUserId: textOf(attributes.updatedByUserId),
  };
}

/** A file that came through another face is called what that calls it. */
export function fileAttributes({ name, attributes }: Pick<SessionFile, "name" | "attributes">): FileAttributes {
  return {
    name: textOf(attributes.name) ?? name,
    uiKey: textOf(attributes.uiKey),
    sizeKb: typeof attributes.sizeKb === "number" ? attributes.sizeKb : undefined,
    jobExecutionId: textOf(attributes.jobExecutionId),
    uploadedDate: dateOf(attributes.uploadedDate),
  };
}

/** As they are stored: times as ISO 8601 text, and nothing where there is nothing. */
export function storedAttributes(attributes: DefinitionAttributes | FileAttributes): Attributes {
  const members = Object.entries(attributes as object).flatMap(([name, value]: [string, unknown]) => {
    if (value === undefined) return [];
    return [[name, value instanceof Date ? value.toISOString() : (value as JsonValue)]];
  });
  return Object.fromEntries(members);
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function dateOf(value: JsonValue | undefined): Date | undefined {
  return typeof value === "string" ? new Date(value) : undefined;
}
