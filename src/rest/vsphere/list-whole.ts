// Lists without pages, as the API has them.
import type { Page, PageInput } from "../../core/index.js";
import type { VsphereCall } from "./call.js";
import { vapiError } from "./errors.js";

const pageSize = 1000;
/** More would make an answer of many megabytes, all of it in memory. */
const mostListed = 100_000;

/** All of a list, for the API has no pages. Throws `unable_to_allocate_resource` for one that is too long. */
export async function listWhole<T>(
  list: (page: PageInput) => Promise<Page<T>>,
  call: VsphereCall,
  most = mostListed,
): Promise<readonly T[]> {
  const things: T[] = [];
  for (let cursor: string | undefined = ""; cursor !== undefined; ) {
    call.signal?.throwIfAborted();
    const page: Page<T> = await list({ size: pageSize, cursor });
    things.push(...page.things);
    cursor = page.nextCursor;
    if (things.length > most) {
      const text = `the list has more than ${most} entries, which is as long as one may be; ask for fewer`;
      throw vapiError("unable_to_allocate_resource", "list_too_long", text, [String(most)]);
    }
  }
  return things;
}

export async function listIds(
  list: (page: PageInput) => Promise<Page<{ readonly id: string }>>,
  call: VsphereCall,
): Promise<readonly string[]> {
  return (await listWhole(list, call)).map(({ id }) => id);
}
