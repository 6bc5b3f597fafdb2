// Upload sessions as the port serves them, in this process, on entities of their own.
import type { Item } from "../../../src/core/index.js";
import { createObjects } from "../../../src/rest/imis/objects/objects.js";
import { createUploadSessions, type UploadSessionDeps } from "../../../src/rest/imis/uploads/upload-sessions.js";
import { readWhole } from "../../support/bodies.js";
import type { ImisClient, ImisSession } from "../../support/imis.js";
import { type FaceOptions, type FaceScene, type Member, useFace } from "./face-scene.js";

/** Somebody at an entity that they have opened, with an upload session there. */
export interface Uploading {
  readonly client: ImisClient;
  readonly entity: Item;
  readonly handle: string;
  readonly id: string;
  /** How far it is. */
  offset(): Promise<number>;
}

export interface UploadScene extends FaceScene {
  begin(words?: object, at?: Partial<Uploading>): Promise<Uploading>;
  /** The same entity, opened once more by somebody. */
  reopen(at: Uploading, member?: Member, mode?: string): Promise<Uploading>;
  contentOf(entity: Item, objectId: string): Promise<Uint8Array>;
  /** The names of all that the entity has. */
  objectsOf(entity: Item): Promise<readonly string[]>;
}

export function useUploads(options: FaceOptions & Partial<Pick<UploadSessionDeps, "overlap">> = {}): UploadScene {
  const { overlap = "verify", ...others } = options;
  const scene = useFace({
    services: (parts) => ({
      uploadSessions: createUploadSessions({ ...parts, overlap }),
      objects: createObjects(parts),
      extensionDot: true,
    }),
    ...others,
  }) as UploadScene;
  const place = (client: ImisClient, entity: Item, handle: string, { id }: Pick<ImisSession, "id">): Uploading => ({
    client,
    entity,
    handle,
    id,
    offset: async () => (await client.session(handle, id)).offset ?? Number.NaN,
  });
  return Object.assign(scene, {
    async begin(words = { content_type: "audio/wav" }, at = {}) {
      const client = at.client ?? (await scene.client());
      const entity = at.entity ?? (await scene.makeEntity());
      const handle = at.handle ?? (await client.openEntity(entity.id));
      return place(client, entity, handle, await client.createSession(handle, words));
    },
    async reopen({ entity, id }, member, mode) {
      const client = await scene.client(member);
      return place(client, entity, await client.openEntity(entity.id, mode), { id });
    },
    async contentOf({ id: itemId }, name) {
      return readWhole((await scene.opened.uploads.readItemFile({ itemId, name }, scene.opened.admin)).body);
    },
    async objectsOf({ id: itemId }) {
      const { things } = await scene.opened.uploads.listItemFiles({ itemId, page: {} }, scene.opened.admin);
      return things.map(({ name }) => name);
    },
  } satisfies Omit<UploadScene, keyof FaceScene>);
}
