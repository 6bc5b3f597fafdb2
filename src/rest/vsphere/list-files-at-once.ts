import type { Item, ItemFile, Uploads } from "../../core/index.js";
import type { VsphereCall } from "./call.js";
import { vapiError } from "./errors.js";
import { listWhole } from "./list-whole.js";

export type ItemFileLister = Pick<Uploads, "getItem" | "listItemFiles">;

const mostTries = 10;

/**
 * All files of an item as they are in one version of it: a list of several pages is begun anew when the item changes
 * meanwhile. Throws `not_found`, `service_unavailable` where it never stops
 * changing, and as `listWhole`.
 */
export async function listFilesAtOnce(
  uploads: ItemFileLister,
  itemId: string,
  call: VsphereCall,
): Promise<readonly ItemFile[]> {
  for (let tries = 0; tries < mostTries; tries++) {
    const before = await uploads.getItem({ itemId }, call);
    let pages = 0;
    const files = await listWhole((page) => {
      pages++;
      return uploads.listItemFiles({ itemId, page }, call);
    }, call);
    // What one page holds has been read at one moment.
    if (pages === 1) return files;
    if (isSameVersion(await uploads.getItem({ itemId }, call), before)) return files;
  }
  const text = `the files of item ${itemId} change faster than they can be listed; ask again`;
  throw vapiError("service_unavailable", "item_changing", text, [itemId]);
}

function isSameVersion(now: Item, before: Item): boolean {
  return now.contentVersion === before.contentVersion;
}
