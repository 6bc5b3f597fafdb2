import type { CoreDeps } from "../deps.js";
import type { AttemptOutcome, AttemptView, ExtentCommit, FileView } from "../ports/transfer-store.js";
import { touchSession } from "../session.js";
import type { SettleAttempt } from "../settle-attempt.js";

/**
 * The deed of the metadata port, with what the session's own face makes of its attributes by this end, in the same
 * transaction. `origin` is the session's. Where the session ends with it, its writers are told.
 */
export async function endAttempt(
  deps: Pick<CoreDeps, "metadata" | "settlers" | "seats">,
  place: ExtentCommit["attempt"],
  end: Parameters<CoreDeps["metadata"]["finishAttempt"]>[1] & { readonly origin: string },
  decide: (view: AttemptView, now: Date) => AttemptOutcome,
): Promise<FileView> {
  const { origin, ...options } = end;
  const settle = deps.settlers[origin];
  const ended =
    settle === undefined
      ? await deps.metadata.finishAttempt(place, options, decide)
      : await deps.metadata.finishAttempt(place, { ...options, lockSession: true, countOthers: true }, (view, now) =>
          settleOutcome(decide(view, now), view, settle, now),
        );
  if (ended.session.state === "failed") deps.seats.evictSession(place.sessionId);
  return ended;
}

function settleOutcome(outcome: AttemptOutcome, view: AttemptView, settle: SettleAttempt, now: Date): AttemptOutcome {
  const session = outcome.session ?? touchSession(view.session, "touch", now);
  const attributes = settle({ session, file: outcome.file, others: view.others }, now);
  return {
    ...outcome,
    session: { ...session, attributes: attributes.session },
    file: { ...outcome.file, attributes: attributes.file },
  };
}
