// Objects of entities, as other faces bring them in and take them away.
import type { Attributes, Item } from "../../../src/core/index.js";
import { createObjects } from "../../../src/rest/imis/objects/objects.js";
import { createStreams } from "../../../src/rest/imis/objects/streams.js";
import { createStagedObjects } from "../../../src/rest/imis/staged/staged-objects.js";
import { createUploadSessions } from "../../../src/rest/imis/uploads/upload-sessions.js";
import type { FaceOptions, FaceScene } from "./face-scene.js";

/** The services of this face that have to do with objects. */
export const objectServices: NonNullable<FaceOptions["services"]> = (parts) => ({
  objects: createObjects(parts),
  streams: createStreams(parts),
  staged: createStagedObjects(parts),
  uploadSessions: createUploadSessions({ ...parts, overlap: "verify" }),
  extensionDot: true,
});

export interface NewObject {
  readonly mediaType?: string;
  readonly attributes?: Attributes;
}

const session = {
  visibility: "owner",
  origin: "rpc",
  deadlines: { idleTtlMs: 60_000, absoluteTtlMs: undefined, keepTerminalMs: 60_000 },
} as const;

/** Puts a file into the item, or other content into the one that it has. */
export async function putObject(
  { opened }: FaceScene,
  item: Item,
  name: string,
  bytes: Uint8Array | string,
  more: NewObject = {},
): Promise<void> {
  const data = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
  await opened.uploads.putFile({ ...session, itemId: item.id, spec: { name, ...more }, data }, opened.admin);
}

export async function removeObject({ opened }: FaceScene, item: Item, name: string): Promise<void> {
  const { uploads, admin } = opened;
  const created = await uploads.createSession({ ...session, access: "additive", itemId: item.id }, admin);
  const { id: sessionId } = created.session;
  await uploads.removeItemFile({ sessionId, name }, admin);
  await uploads.completeSession({ sessionId }, admin);
}
