import { type ItemFile, isUploadError, maxPageSize, type Uploads } from "../../../core/index.js";
import type { ImisCall } from "../call.js";
import type { Entities, HandlePlace } from "../entities/entities.js";
import { ImisError } from "../errors.js";
import { type ImisObject, objectOfItemFile } from "./imis-object.js";

/** Where an object's operations are asked for. */
export interface ObjectPlace extends HandlePlace {
  readonly objectId: string;
}

/** A run of an entity's objects, by their ids. */
export interface ObjectPage {
  readonly objects: readonly ImisObject[];
  /** How many the entity has. */
  readonly size: number;
  readonly pageStart: number;
  readonly pageSize: number;
}

/** What an entity has: all files of the item, whichever face brought them. Each throws what `Entities.use` throws. */
export interface Objects {
  list(
    input: HandlePlace & { readonly pageStart: number; readonly pageSize: number },
    call: ImisCall,
  ): Promise<ObjectPage>;
  /** `otherId`: what the id may be as well, unless there is an object with the first. Throws `object_not_found`. */
  get(input: ObjectPlace & { readonly otherId?: string | undefined }, call: ImisCall): Promise<ImisObject>;
}

export interface ObjectsDeps {
  readonly uploads: Pick<Uploads, "getItemFile" | "listItemFiles" | "measureItem">;
  readonly entities: Pick<Entities, "use">;
}

export function createObjects({ uploads, entities }: ObjectsDeps): Objects {
  /**
   * Files are listed by name, so those before a page are walked over, a thousand at a time; whoever wants all of many
   * objects asks for pages that are large.
   */
  async function listFrom(itemId: string, start: number, end: number, call: ImisCall): Promise<readonly ImisObject[]> {
    const objects: ImisObject[] = [];
    let passed = 0;
    for (let cursor = ""; passed < end; ) {
      const size = Math.min(end - passed, maxPageSize);
      const { things, nextCursor } = await uploads.listItemFiles({ itemId, page: { size, cursor } }, call);
      const wanted = things.slice(Math.max(start - passed, 0));
      objects.push(...wanted.map((file) => objectOfItemFile(file, call.caller)));
      passed += things.length;
      if (nextCursor === undefined) break;
      cursor = nextCursor;
    }
    return objects;
  }
  return {
    async list({ pageStart, pageSize, ...place }, call) {
      const { itemId } = await entities.use(place, call);
      const { fileCount } = await uploads.measureItem({ itemId }, call);
      const end = Math.min(pageStart + pageSize, fileCount);
      const objects = pageStart < end ? await listFrom(itemId, pageStart, end, call) : [];
      return { objects, size: fileCount, pageStart, pageSize };
    },

    async get({ objectId, otherId, ...place }, call) {
      const { itemId } = await entities.use(place, call);
      const file = await findObject(uploads, { itemId, name: objectId }, call);
      if (file !== undefined) return objectOfItemFile(file, call.caller);
      const other = otherId === undefined ? undefined : await findObject(uploads, { itemId, name: otherId }, call);
      if (other === undefined) throw noSuchObject(objectId);
      return objectOfItemFile(other, call.caller);
    },
  };
}

/** Undefined for what can be no name, too. */
export async function findObject(
  uploads: Pick<Uploads, "getItemFile">,
  place: { readonly itemId: string; readonly name: string },
  call: ImisCall,
): Promise<ItemFile | undefined> {
  try {
    return await uploads.getItemFile(place, call);
  } catch (error) {
    if (isUploadError(error) && ["FILE_NOT_FOUND", "NAME_INVALID"].includes(error.details.reason)) return undefined;
    throw error;
  }
}

export function noSuchObject(id: string): ImisError {
  return new ImisError("object_not_found", `there is no object ${JSON.stringify(id.slice(0, 80))}`);
}
