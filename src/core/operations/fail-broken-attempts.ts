import type { CoreDeps } from "../deps.js";
import { isUploadError } from "../error.js";
import type { ExtentCommit } from "../ports/transfer-store.js";
import { failAttempt } from "./finish-content.js";
import type { SettleAttempt } from "./plan-part.js";

const batch = 200;

/** What is to be told of an attempt that broke while the database was away; only this process knows of it. */
export interface UntoldEnd {
  readonly place: ExtentCommit["attempt"];
  readonly message: string;
  readonly settle: SettleAttempt | undefined;
}

/** Fails the files of attempts that broke while the database was away. Throws `unavailable` while it is. */
export async function tellUntoldEnds(deps: Pick<CoreDeps, "metadata" | "untold">): Promise<void> {
  for (const [attemptId, end] of deps.untold) {
    deps.untold.delete(attemptId);
    try {
      await failUnlessOver(deps, end);
    } catch (error) {
      if (isUploadError(error, "unavailable")) deps.untold.set(attemptId, end);
      throw error;
    }
  }
}

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
      const message = "the server ended while it was being sent";
      if (await failUnlessOver(deps, { place, message, settle: face.settle })) failed++;
    }
    if (broken.length < batch) return failed;
    afterFileId = broken.at(-1)?.fileId;
  }
}

/** False when its session has expired, or somebody has begun to send it again. */
async function failUnlessOver(
  deps: Pick<CoreDeps, "metadata">,
  { place, message, settle }: UntoldEnd,
): Promise<boolean> {
  try {
    await failAttempt(deps, place, message, settle);
    return true;
  } catch (error) {
    if (isUploadError(error, "superseded", "wrong_state", "expired", "not_found")) return false;
    throw error;
  }
}
