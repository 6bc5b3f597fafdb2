import type { CoreDeps } from "../../deps.js";
import type { FileMover } from "../../ports/file-mover.js";
import { parseSourceAddress } from "../../source-address.js";

const batch = 100;

/**
 * Removes the originals of content that was taken over by sessions that are done, each only while it still is the same
 * file, unchanged. The note of it goes last: whatever dies in between, the next look finds it again, and finds nothing
 * to do or does it. One that cannot be removed is told to `onError` and tried again, ever less often.
 */
export async function removeOriginals(
  deps: CoreDeps,
  mover: FileMover,
  { onError, signal }: { readonly onError: (error: unknown) => void; readonly signal: AbortSignal },
): Promise<void> {
  for (;;) {
    const removals = await deps.metadata.takeRemovals(batch);
    for (const { id, uri, validator } of removals) {
      if (signal.aborted) return;
      try {
        await mover.removeIfSame(parseSourceAddress(uri), validator);
        await deps.metadata.dropRemoval(id);
      } catch (error) {
        onError(error);
      }
    }
    if (removals.length < batch) return;
  }
}
