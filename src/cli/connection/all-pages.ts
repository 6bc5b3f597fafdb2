/** As many as a page may have. */
export const pageSize = 1000;

interface Page {
  readonly nextPageToken: string;
}

type AskPage<P extends Page> = (page: { readonly pageSize: number; readonly pageToken: string }) => Promise<P>;

/** Asks for page after page, from the first to the last, and puts together what `pick` takes from each. */
export function listAll<P extends Page, T>(ask: AskPage<P>, pick: (page: P) => readonly T[]): Promise<T[]> {
  return listSome(Number.POSITIVE_INFINITY, ask, pick);
}

/** The same of no more than so many. */
export async function listSome<P extends Page, T>(
  limit: number,
  ask: AskPage<P>,
  pick: (page: P) => readonly T[],
): Promise<T[]> {
  const things: T[] = [];
  for await (const page of pagesOf(limit, ask, pick)) things.push(...page);
  return things;
}

/** The same page by page, for lists that are too long to be held. */
export async function* pagesOf<P extends Page, T>(
  limit: number,
  ask: AskPage<P>,
  pick: (page: P) => readonly T[],
): AsyncGenerator<readonly T[]> {
  let left = limit;
  for (let pageToken = ""; left > 0; ) {
    const page = await ask({ pageSize: Math.min(pageSize, left), pageToken });
    const things = pick(page).slice(0, left);
    left -= things.length;
    yield things;
    if (page.nextPageToken === "") return;
    pageToken = page.nextPageToken;
  }
}
