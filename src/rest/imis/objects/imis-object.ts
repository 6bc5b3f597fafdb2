import {
  type Attributes,
  type Caller,
  type Content,
  deriveId,
  type ItemFile,
  type Permission,
  type Session,
  type SessionFile,
  sha256Of,
} from "../../../core/index.js";
import { unknownContentType } from "../content-type.js";

/** A content object of an entity, as everyone who may read the entity sees it. */
export interface ImisObject {
  /** The name of the item's file; of what was saved through this face, a UUID. */
  readonly id: string;
  readonly containerId: string;
  readonly description: string;
  readonly sizeBytes: number;
  readonly createdAt: Date;
  readonly modifiedAt: Date;
  readonly contentType: string;
  /** SHA-256 in lower-case hex. */
  readonly sha256: string;
  /** What whoever asks may do. */
  readonly permissions: ReadonlySet<Permission>;
}

/** What a save says of an object. */
export interface ObjectWords {
  readonly description: string;
  /** Empty: the entity's own. */
  readonly containerId: string;
}

/** In UTF-16 units: so many objects are listed at once, each with its words. */
const maxDescription = 2_000;
const maxContainerId = 255;

/** The container of whatever is in an entity and was put nowhere else. */
export function defaultContainerId(itemId: string): string {
  return deriveId("imis container", itemId);
}

/** As the item's file keeps them. */
export function attributesOfObject({ description, containerId }: ObjectWords): Attributes {
  return { description, container_id: containerId };
}

/** Of files that other faces brought in nobody has said anything. */
export function objectOfItemFile(file: ItemFile, caller: Caller): ImisObject {
  const { itemId, name, mediaType, content, createdAt, modifiedAt } = file;
  const words = wordsOf(file.attributes, "container_id");
  return buildObject({ itemId, name, mediaType, content, words, createdAt, modifiedAt }, caller);
}

/** The object that a session was saved as, which needs nothing of the item: there it may be replaced by now, or gone. */
export function objectOfSession(
  session: Pick<Session, "itemId" | "endedAt" | "attributes">,
  file: Pick<SessionFile, "name" | "mediaType" | "current">,
  caller: Caller,
): ImisObject {
  const { itemId, endedAt, attributes } = session;
  const { name, mediaType, current: content } = file;
  const words = wordsOf(attributes.saved, "containerId");
  if (itemId === undefined || endedAt === undefined || content === undefined) {
    throw new TypeError(`file ${name} is of no session that was saved`);
  }
  return buildObject({ itemId, name, mediaType, content, words, createdAt: endedAt, modifiedAt: endedAt }, caller);
}

function buildObject(
  of: Pick<ImisObject, "createdAt" | "modifiedAt"> & {
    readonly itemId: string;
    readonly name: string;
    readonly mediaType: string;
    readonly content: Content;
    readonly words: ObjectWords;
  },
  caller: Caller,
): ImisObject {
  const { itemId, name, mediaType, content, words, createdAt, modifiedAt } = of;
  return {
    id: name,
    containerId: words.containerId || defaultContainerId(itemId),
    description: words.description,
    sizeBytes: content.sizeBytes,
    createdAt,
    modifiedAt,
    contentType: mediaType || unknownContentType,
    sha256: sha256Of(content),
    permissions: caller.permissions,
  };
}

/** Attributes of other faces may have members that are called the same, and hold anything of any length. */
function wordsOf(attributes: unknown, container: "container_id" | "containerId"): ObjectWords {
  const { description, [container]: containerId } = (attributes ?? {}) as Record<string, unknown>;
  return { description: textWithin(maxDescription, description), containerId: textWithin(maxContainerId, containerId) };
}

function textWithin(most: number, value: unknown): string {
  return typeof value === "string" && value.length <= most ? value : "";
}
