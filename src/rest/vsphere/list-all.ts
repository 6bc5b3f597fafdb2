import type { Page, PageInput } from "../../core/index.js";

/** All things of a list that the core gives by pages: the API's lists have none. */
export async function listAll<T>(ask: (page: PageInput) => Promise<Page<T>>): Promise<readonly T[]> {
  const all: T[] = [];
  let cursor: string | undefined;
  do {
    const found = await ask({ size: 1000, ...(cursor !== undefined && { cursor }) });
    all.push(...found.things);
    cursor = found.nextCursor;
  } while (cursor !== undefined);
  return all;
}
