// The durable write path: one part, from its first byte to its commit. Promises P1 to P4, P6, P7, P10 and P11 meet
// here and in what it calls.
import { assertPermission, type Call } from "../call.js";
import type { CoreDeps } from "../deps.js";
import type { FileView } from "../ports/transfer-store.js";
import { type PartInput, parseFileRef, parsePart, planPart } from "./plan-part.js";
import { verifyRepeat } from "./verify-repeat.js";
import { orHidden } from "./view-file.js";
import { hasSeat, type PartResult, writeClaimed } from "./write-claimed.js";

/**
 * Writes one part of a file's content and answers once what it reports is durable (P1). Whatever words and rows forbid
 * is refused before the first byte is read. When the body is cut, what arrived is kept and committed (P3), then the
 * body's own error comes out. Repeated bytes are compared (P4). Content that is whole, by its declared size or by
 * `ending`, is verified and becomes the file's current content (P6).
 *
 * Throws `not_found`, `denied`, `invalid`, `unsupported`, `wrong_state`, `expired`, `offset_mismatch`, `conflict`,
 * `too_large`, `incomplete`, `checksum_mismatch`, `superseded`, `unavailable`.
 */
export async function writePart(deps: CoreDeps, input: PartInput, call: Call): Promise<PartResult> {
  assertPermission(call.caller, "upload");
  const ref = parseFileRef(input, call.caller);
  const part = parsePart(input, deps.limits);
  call.signal?.throwIfAborted();
  const plan = (view: FileView, now: Date) => planPart(view, part, call.caller, deps.limits, now);
  const claimed = await orHidden(deps, ref, call, () => deps.metadata.claimWriter(ref, plan));
  if (!hasSeat(claimed)) return verifyRepeat(deps, claimed, part, input, call);

  const { body, ending } = input;
  return writeClaimed(deps, { ref, claimed, part, body, ending }, call.signal);
}
