import type { CoreDeps } from "../deps.js";
import { isUploadError } from "../error.js";
import type { BrokenAttempt } from "../ports/transfer-store.js";
import { failAttempt } from "./finish-content.js";

const batch = 200;

type Deps = Pick<CoreDeps, "metadata" | "settlers" | "seats">;

/** What is to be told of an attempt that broke while the database was away; only this process knows of it. */
export interface UntoldEnd {
  readonly broken: BrokenAttempt;
  readonly message: string;
}

/** Fails the files of attempts that broke while the database was away. Throws `unavailable` while it is. */
export async function tellUntoldEnds(deps: Deps & Pick<CoreDeps, "untold">): Promise<void> {
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
 * Fails the files of attempts that cannot be continued and were under way when the service ended: whoever sent them has
 * gone with it. Answers how many.
 */
export async function failBrokenAttempts(deps: Deps): Promise<number> {
  const message = "the server ended while it was being sent";
  let failed = 0;
  let afterFileId: string | undefined;
  for (;;) {
    const found = await deps.metadata.listBrokenAttempts({ afterFileId, limit: batch });
    for (const broken of found) {
      if (await failUnlessOver(deps, { broken, message })) failed++;
    }
    if (found.length < batch) return failed;
    afterFileId = found.at(-1)?.fileId;
  }
}

/** False when its session has expired, or somebody has begun to send it again. */
async function failUnlessOver(deps: Deps, { broken, message }: UntoldEnd): Promise<boolean> {
  try {
    await failAttempt(deps, broken, message);
    return true;
  } catch (error) {
    if (isUploadError(error, "superseded", "wrong_state", "expired", "not_found")) return false;
    throw error;
  }
}
