import { fileNotFound, type ItemFile, isUploadError, type Uploads } from "../../../core/index.js";
import type { VsphereCall } from "../call.js";
import { checksumInfoOf } from "../checksums.js";
import { listFilesAtOnce } from "../list-files-at-once.js";
import type { VsphereServices } from "../services.js";
import { backingsOf, type StorageBacking } from "./backings.js";
import { itemIdFrom } from "./ids.js";

/** The files that everyone sees of an item, and where they are stored. */
export function createItemFiles(deps: {
  readonly uploads: Pick<Uploads, "getLibrary" | "getItem" | "listItemFiles" | "getItemFile">;
}): Pick<VsphereServices, "itemFiles" | "itemStorages"> {
  const { uploads } = deps;

  const listFiles = (id: string, call: VsphereCall): Promise<readonly ItemFile[]> =>
    listFilesAtOnce(uploads, itemIdFrom(id), call);
  const getFile = (id: string, name: string, call: VsphereCall): Promise<ItemFile> =>
    unlessUnnameable(name, uploads.getItemFile({ itemId: itemIdFrom(id), name }, call));

  async function getBacking(id: string, call: VsphereCall): Promise<StorageBacking> {
    const { libraryId } = await uploads.getItem({ itemId: itemIdFrom(id) }, call);
    const [backing] = backingsOf(await uploads.getLibrary({ libraryId }, call));
    return backing!;
  }

  return {
    itemFiles: {
      list: async ({ library_item_id }, call) => (await listFiles(library_item_id, call)).map(infoOf),
      get: async ({ library_item_id, name }, call) => infoOf(await getFile(library_item_id, name, call)),
    },
    itemStorages: {
      async list({ library_item_id }, call) {
        const backing = await getBacking(library_item_id, call);
        return (await listFiles(library_item_id, call)).map((file) => storageOf(file, backing));
      },
      async get({ library_item_id, file_name }, call) {
        const backing = await getBacking(library_item_id, call);
        return [storageOf(await getFile(library_item_id, file_name, call), backing)];
      },
    },
  };
}

/** Answers a name that no file can have with `not_found`, as any other that no file has. */
async function unlessUnnameable<T>(name: string, ask: Promise<T>): Promise<T> {
  try {
    return await ask;
  } catch (error) {
    if (isUploadError(error) && error.details.reason === "NAME_INVALID") throw fileNotFound(name);
    throw error;
  }
}

function infoOf(file: ItemFile) {
  const { content } = file;
  return {
    name: file.name,
    size: content.sizeBytes,
    cached: true,
    version: String(file.version),
    checksum_info: checksumInfoOf(content),
  };
}

/** No path leads to stored bytes from outside: the URI names the content, and stays the same for as long as it does. */
function storageOf(file: ItemFile, storage_backing: StorageBacking) {
  return { ...infoOf(file), storage_backing, storage_uris: [`urn:uuid:${file.content.id}`] };
}
