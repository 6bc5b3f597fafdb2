import type { DescMessage, DescMethod, MessageInitShape } from "@bufbuild/protobuf";

/** What things of the victim's are called by, or in their place what names nothing at all. */
export interface Names {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly userId: string;
  readonly userName: string;
  readonly tokenId: string;
  readonly libraryId: string;
  readonly libraryName: string;
  readonly itemId: string;
  readonly itemName: string;
  /** The value of an alias of the kind `handle`. */
  readonly alias: string;
  readonly itemFileName: string;
  /** Active, with a whole file in it. */
  readonly sessionId: string;
  readonly fileId: string;
  readonly label: string;
  /** Of a session that excludes others from the item. */
  readonly clientToken: string;
  readonly doneSessionId: string;
  readonly doneFileId: string;
  /** A blob, in hexadecimal: its SHA-256 and its bytes. */
  readonly digest: string;
  readonly content: string;
}

/** What everyone in the tenant who may read is shown. The rest is nobody's but its owner's. */
export const shared: ReadonlySet<keyof Names> = new Set([
  "tenantId",
  "tenantName",
  "libraryId",
  "libraryName",
  "itemId",
  "itemName",
  "alias",
  "itemFileName",
  "digest",
  "content",
]);

/** `NOT_FOUND / SESSION_NOT_FOUND`, or that the call is answered. */
type Line = "OK" | `${Uppercase<string>} / ${Uppercase<string>}`;

export interface Expected {
  readonly line: Line;
  /** False: the very same is said of what is not there. True: the caller may know of what is named. */
  readonly known: boolean;
}

/** What is said of the victim's things and of what is not there alike. */
export const hidden = (line: Line): Expected => ({ line, known: false });
/** What is said to somebody who may know of what is named, or who is told of nobody else. */
export const known = (line: Line): Expected => ({ line, known: true });

export interface Row<Input extends DescMessage = DescMessage> {
  /** Names something of the victim's wherever it can; the messages of a client stream. */
  request(names: Names): MessageInitShape<Input> | readonly MessageInitShape<Input>[];
  /** Somebody of the victim's tenant who may upload. */
  readonly colleague: Expected;
  /** Somebody of the victim's tenant who may only read. */
  readonly reader: Expected;
  /** The administrator of another tenant. */
  readonly outsider: Expected;
  /** The administrator of the tenant `default`; absent where that is the keeper of all tenants, and so no stranger. */
  readonly operator?: Expected;
  /** The call ends the token that it is made with. */
  readonly endsToken?: boolean;
}

/** One row for each method of a service; one too few or too many is an error of types. */
export type Rows<Methods extends Readonly<Record<string, DescMethod>>> = {
  readonly [Name in keyof Methods]: Row<Methods[Name]["input"]>;
};

const denied = hidden("PERMISSION_DENIED / PERMISSION_MISSING");

/** Nobody of another tenant knows of it, and neither administrator is an exception. */
const outside = (expected: Expected) => ({ outsider: expected, operator: expected });

const noSession = hidden("NOT_FOUND / SESSION_NOT_FOUND");
const noItem = hidden("NOT_FOUND / ITEM_NOT_FOUND");
const noLibrary = hidden("NOT_FOUND / LIBRARY_NOT_FOUND");

/** Who gets what, for the usual kinds of calls. */
export const to = {
  readSession: { colleague: noSession, reader: noSession, ...outside(noSession) },
  changeSession: { colleague: noSession, reader: denied, ...outside(noSession) },
  readItem: { colleague: known("OK"), reader: known("OK"), ...outside(noItem) },
  changeItem: (colleague: Line) => ({ colleague: known(colleague), reader: denied, ...outside(noItem) }),
  readLibrary: { colleague: known("OK"), reader: known("OK"), ...outside(noLibrary) },
  /** By those who may upload. */
  fillLibrary: (colleague: Line) => ({ colleague: known(colleague), reader: denied, ...outside(noLibrary) }),
  keepLibrary: { colleague: denied, reader: denied, ...outside(noLibrary) },
  /** What everyone in the tenant may do, and outside of it does with what is there. */
  useTenant: { colleague: known("OK"), reader: known("OK"), ...outside(hidden("OK")) },
  keepTenant: { colleague: denied, reader: denied, ...outside(hidden("OK")) },
  /** Everyone, with what is their own. */
  useOwn: { colleague: hidden("OK"), reader: hidden("OK"), ...outside(hidden("OK")) },
  fillTenant: { colleague: known("OK"), reader: denied, ...outside(hidden("OK")) },
  keepUser: { colleague: denied, reader: denied, outsider: hidden("NOT_FOUND / USER_NOT_FOUND") },
  keepTenantUsers: { colleague: denied, reader: denied, outsider: hidden("NOT_FOUND / TENANT_NOT_FOUND") },
  keepTenants: { colleague: denied, reader: denied, outsider: denied },
} as const;
