// An item's files, for those who outlive it: of an item that is gone there are none.
import { type ItemFile, isUploadError, type Uploads } from "../../core/index.js";
import type { VsphereCall } from "./call.js";
import { invalidArgument, type VapiError } from "./errors.js";
import { type ItemFileLister, listFilesAtOnce } from "./list-files-at-once.js";

/** Undefined where the item has no such file, or is gone. Throws `invalid` for what is no name. */
export async function findItemFile(
  uploads: Pick<Uploads, "getItemFile">,
  place: { readonly itemId: string; readonly name: string },
  call: VsphereCall,
): Promise<ItemFile | undefined> {
  try {
    return await uploads.getItemFile(place, call);
  } catch (error) {
    if (isUploadError(error, "not_found")) return undefined;
    throw error;
  }
}

/** By name. */
export async function listItemFiles(
  uploads: ItemFileLister,
  itemId: string,
  call: VsphereCall,
): Promise<readonly ItemFile[]> {
  try {
    return await listFilesAtOnce(uploads, itemId, call);
  } catch (error) {
    if (isUploadError(error, "not_found")) return [];
    throw error;
  }
}

/** What both kinds of sessions say of a name that none of their files has. */
export function noSuchFile(name: string): VapiError {
  const shown = name.slice(0, 80);
  return invalidArgument("file_not_found", `the session has no file ${JSON.stringify(shown)}`, [shown]);
}
