import type { ImisCall } from "../call.js";
import type { HandlePlace } from "../entities/entities.js";
import type { ImisObject } from "./imis-object.js";

/** What an entity has: all files of the item, whichever face brought them. Each throws what `Entities.use` throws. */
export interface Objects {
  list(
    input: HandlePlace & { readonly pageStart: number; readonly pageSize: number },
    call: ImisCall,
  ): Promise<{ readonly objects: readonly ImisObject[]; readonly size: number }>;
}
