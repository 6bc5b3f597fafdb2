/** As many as a page may have. */
export const pageSize = 1000;

interface Page {
  readonly nextPageToken: string;
}

/** Asks for page after page, from the first to the last, and puts together what `pick` takes from each. */
export async function listAll<P extends Page, T>(
  ask: (page: { readonly pageSize: number; readonly pageToken: string }) => Promise<P>,
  pick: (page: P) => readonly T[],
): Promise<T[]> {
  const things: T[] = [];
  for (let pageToken = ""; ; ) {
    const page = await ask({ pageSize, pageToken });
    things.push(...pick(page));
    if (page.nextPageToken === "") return things;
    pageToken = page.nextPageToken;
  }
}
