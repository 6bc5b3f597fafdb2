// What this API keeps of its sessions and their files beyond what the core knows.
import { type Attributes, type JsonValue, type Session, type SessionFile, sessionMember } from "../../../core/index.js";
import type { ChecksumInfo } from "../checksums.js";
import { checksumInfo, type warningBehavior, warningType } from "../operations/models.js";
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
  /** As it was said, which is told until content has come. */
  readonly checksum: ChecksumInfo | undefined;
}

export function declarationAttributes({ sourceType, number, loginId, checksum }: Declaration): Attributes {
  const told = checksum && {
    checksum: checksum.checksum,
    ...(checksum.algorithm && { algorithm: checksum.algorithm }),
  };
  return { [sessionMember]: { sourceType, number, ...(loginId && { loginId }), ...(told && { checksum: told }) } };
}

/** Files that another face declared in the session say nothing: they have content to be sent or a source. */
export function declarationOf({ attributes, source }: Pick<SessionFile, "attributes" | "source">): Declaration {
  const { sourceType, number, loginId, checksum } = membersOf(attributes[sessionMember]);
  const isKnown = sourceType === "NONE" || sourceType === "PUSH" || sourceType === "PULL";
  return {
    sourceType: isKnown ? sourceType : source === undefined ? "PUSH" : "PULL",
    number: typeof number === "number" ? number : 0,
    loginId: typeof loginId === "string" ? loginId : undefined,
    checksum: readChecksum(membersOf(checksum)),
  };
}

export function warningAttributes(warnings: readonly WarningBehavior[] | undefined): Attributes {
  return warnings === undefined ? {} : { warningBehavior: warnings.map((warning) => ({ ...warning })) };
}

/** What is not understood counts for nothing: other faces may write attributes, too. */
export function warningsOf({ attributes }: Session): readonly WarningBehavior[] | undefined {
  const { warningBehavior } = attributes;
  if (!Array.isArray(warningBehavior)) return undefined;
  return warningBehavior.flatMap((warning: JsonValue) => {
    const { type, ignored } = membersOf(warning);
    const known = warningType.words.find((word) => word === type);
    return known === undefined || typeof ignored !== "boolean" ? [] : [{ type: known, ignored }];
  });
}

function readChecksum({ algorithm, checksum }: Readonly<Record<string, JsonValue>>): ChecksumInfo | undefined {
  if (typeof checksum !== "string") return undefined;
  const known = checksumInfo.fields.algorithm.type.words.find((word) => word === algorithm);
  return { checksum, algorithm: known ?? "SHA1" };
}

function membersOf(value: JsonValue | undefined): Readonly<Record<string, JsonValue>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, JsonValue>>)
    : {};
}
