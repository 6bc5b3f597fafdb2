// What this API keeps of its sessions and their files beyond what the core knows.
import { type Attributes, type JsonValue, type Session, type SessionFile, sessionMember } from "../../../core/index.js";
import type { warningBehavior } from "../operations/models.js";
import type { sourceType } from "../operations/session-file.js";
import type { ValueOf } from "../schema.js";

export type SourceType = ValueOf<typeof sourceType>;
export type WarningBehavior = ValueOf<typeof warningBehavior>;

/** How a file was declared. */
export interface Declaration {
  readonly sourceType: SourceType;
  /** Tells this declaration from every other one of the same file: an address for sending is for one alone. */
  readonly number: number;
  /** Under which login it was declared: bytes that come keep it alive. */
  readonly loginId: string | undefined;
}

export function declarationAttributes({ sourceType, number, loginId }: Declaration): Attributes {
  return { [sessionMember]: { sourceType, number, ...(loginId !== undefined && { loginId }) } };
}

/** Files that another face declared in the session say nothing: they have content to be sent or a source. */
export function declarationOf({ attributes, source }: Pick<SessionFile, "attributes" | "source">): Declaration {
  const { sourceType, number, loginId } = membersOf(attributes[sessionMember]);
  const isKnown = sourceType === "NONE" || sourceType === "PUSH" || sourceType === "PULL";
  return {
    sourceType: isKnown ? sourceType : source === undefined ? "PUSH" : "PULL",
    number: typeof number === "number" ? number : 0,
    loginId: typeof loginId === "string" ? loginId : undefined,
  };
}

export function warningAttributes(warnings: readonly WarningBehavior[] | undefined): Attributes {
  return warnings === undefined ? {} : { warningBehavior: warnings.map((warning) => ({ ...warning })) };
}

export function warningsOf({ attributes }: Session): readonly WarningBehavior[] | undefined {
  return attributes.warningBehavior as unknown as readonly WarningBehavior[] | undefined;
}

function membersOf(value: JsonValue | undefined): Readonly<Record<string, JsonValue>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, JsonValue>>)
    : {};
}
