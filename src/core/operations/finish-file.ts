import { assertPermission, type Call } from "../call.js";
import type { CoreDeps } from "../deps.js";
import type { SessionFile } from "../file.js";
import type { FileView } from "../ports/transfer-store.js";
import { parseFileRef, partFrom, planEnding, planPart, storedBytes } from "./plan-part.js";
import { verifyRepeat } from "./verify-repeat.js";
import { orHidden } from "./view-file.js";
import { hasSeat, type PartResult, writeClaimed } from "./write-claimed.js";

export interface FinishFileInput {
  readonly sessionId: string;
  readonly fileId: string;
  /** What the content must hash to, beside what was declared before. */
  readonly checksums?: readonly { readonly algorithm: string; readonly value: string }[];
  /** Asked under the file's lock, maybe more than once, before anything changes; what it throws comes out. */
  readonly check?: (file: SessionFile) => void;
}

/**
 * Says that what is stored of a file is all of it: whoever is sending is sent away, and the content is verified and
 * becomes the file's current one. Content that hashes to something else than was said or declared stays as it is, and
 * can be continued. A repeat verifies once more and answers `applied: false`. Throws `not_found`, `denied`, `invalid`,
 * `unsupported`, `wrong_state`, `expired`, `incomplete` (less than was declared), `checksum_mismatch`, `superseded`,
 * `unavailable`.
 */
export async function finishFile(deps: CoreDeps, input: FinishFileInput, call: Call): Promise<PartResult> {
  assertPermission(call.caller, "upload");
  const ref = parseFileRef(input, call.caller);
  const ending = () => ({ finish: true, checksums: input.checksums ?? [] });
  call.signal?.throwIfAborted();
  const plan = (view: FileView, now: Date) => {
    const stored = storedBytes(view.file);
    const part = { ...partFrom(stored), check: input.check };
    const claim = planPart(view, part, call.caller, deps.limits, now);
    planEnding(view.file, part, stored, ending(), deps.limits);
    return claim;
  };
  const claimed = await orHidden(deps, ref, call, () => deps.metadata.claimWriter(ref, plan));
  const nothing = { body: noBytes(), ending };
  const part = partFrom(storedBytes(claimed.file));
  if (!hasSeat(claimed)) return verifyRepeat(deps, claimed, part, nothing, call);
  return writeClaimed(deps, { ref, claimed, part, ...nothing, onMismatch: "keep" }, call.signal);
}

async function* noBytes(): AsyncGenerator<Uint8Array, void> {}
