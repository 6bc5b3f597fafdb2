import type { CoreDeps } from "../deps.js";
import { isUploadError } from "../error.js";
import { failAttempt } from "./finish-content.js";
import type { SettleAttempt } from "./plan-part.js";

const batch = 200;

/**
 * Fails the files of a face that cannot continue attempts and that were being sent when the service ended: whoever sent
 * them has gone with it. Answers how many.
 */
export async function failBrokenAttempts(
  deps: Pick<CoreDeps, "metadata">,
  face: { readonly origin: string; readonly settle: SettleAttempt },
): Promise<number> {
  let failed = 0;
  let afterFileId: string | undefined;
  for (;;) {
    const broken = await deps.metadata.listBrokenAttempts(face.origin, { afterFileId, limit: batch });
    for (const place of broken) {
      try {
        await failAttempt(deps, place, "the server ended while it was being sent", face.settle);
        failed++;
      } catch (error) {
        // Its session has expired, or somebody has begun to send it again.
        if (!isUploadError(error, "superseded", "wrong_state", "expired", "not_found")) throw error;
      }
    }
    if (broken.length < batch) return failed;
    afterFileId = broken.at(-1)?.fileId;
  }
}
