import type { Printable } from "./json.js";
import type { DataType, UserInfo } from "./schema.js";

/** What a tenant says of files with an extension: what is in them, and whether they may come in. */
export interface FileExtension {
  readonly id: string;
  readonly description?: string;
  /** With its dot, in the case that it was sent in, which does not count. */
  readonly extension: string;
  /** Sorted. */
  readonly dataTypes: readonly DataType[];
  readonly importBlocked: boolean;
  /** Who changed it last. */
  readonly userInfo?: UserInfo;
  readonly metadata: ExtensionMetadata;
}

/** Dates as ISO 8601, since it is kept as JSON. */
export interface ExtensionMetadata {
  readonly createdDate: string;
  readonly createdByUserId?: string;
  readonly createdByUsername?: string;
  readonly updatedDate: string;
  readonly updatedByUserId?: string;
  readonly updatedByUsername?: string;
}

/** As the API prints it. */
export function formatExtension(of: FileExtension): Printable {
  const { id, description, extension, dataTypes, importBlocked, userInfo, metadata } = of;
  const { createdDate, createdByUserId, createdByUsername, updatedDate, updatedByUserId, updatedByUsername } = metadata;
  return {
    id,
    description,
    extension,
    dataTypes,
    importBlocked,
    userInfo: userInfo && { ...userInfo },
    metadata: {
      createdDate: new Date(createdDate),
      createdByUserId,
      createdByUsername,
      updatedDate: new Date(updatedDate),
      updatedByUserId,
      updatedByUsername,
    },
  };
}

export function isSameExtension(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Those of the names that may not come in. Names without an extension, or with one that nobody has listed, may. */
export function blockedNames(extensions: readonly FileExtension[], names: readonly string[]): readonly string[] {
  const blocked = new Set(
    extensions.filter(({ importBlocked }) => importBlocked).map(({ extension }) => extension.toLowerCase()),
  );
  return names.filter((name) => {
    const dot = name.lastIndexOf(".");
    return dot > 0 && blocked.has(name.slice(dot).toLowerCase());
  });
}
