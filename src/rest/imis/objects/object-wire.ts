import { extensionOf } from "../extension.js";
import type { ImisObject } from "./imis-object.js";
import type { ObjectPage } from "./objects.js";

/** How names of types are told: by the setting. */
export interface ObjectManners {
  readonly dot: boolean;
}

/**
 * An object as the API shows it, in its order; `sha256` is what this server adds. Nobody notes who reads an object, so it
 * was accessed when it was modified; nothing here signs objects, indexes them, or puts one into another.
 */
export function wireObject(object: ImisObject, { dot }: ObjectManners) {
  const mayRead = object.permissions.has("read");
  const mayUpload = object.permissions.has("upload");
  const modified = object.modifiedAt.toISOString();
  return {
    container_id: object.containerId,
    id: object.id,
    description: object.description,
    size: object.sizeBytes,
    created: object.createdAt.toISOString(),
    accessed: modified,
    modified,
    content_type: object.contentType,
    extension: extensionOf(object.contentType, { dot }),
    effective_rights: {
      create_access: mayUpload,
      delete_access: mayUpload,
      read_access: mayRead,
      write_access: mayUpload,
    },
    child_count: 0,
    signed: false,
    indexed: false,
    parent_id: "",
    sha256: object.sha256,
  };
}

export function wireObjectPage({ objects, size, pageStart, pageSize }: ObjectPage, manners: ObjectManners) {
  return {
    objects: objects.map((object) => wireObject(object, manners)),
    size,
    page_start: pageStart,
    page_size: pageSize,
  };
}
