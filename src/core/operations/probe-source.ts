import { assertPermission, type Call } from "../call.js";
import type { CoreDeps } from "../deps.js";
import { assertMayFetchFrom } from "../file.js";
import type { SourceFinding } from "../ports/source-prober.js";
import { parseSource } from "../source.js";
import { isSourceError } from "../source-error.js";

/**
 * What would become of a file that declares this source, as far as that can be known before its content is there. What
 * is wrong with the source, malformed words of it included, is told as the finding's problem. Throws `denied`, `too_many` (TOO_MANY_PROBES).
 */
export async function probeSource(
  { prober, probes }: CoreDeps,
  input: { readonly uri: string; readonly thumbprint?: string | undefined },
  { caller, signal = new AbortController().signal }: Call,
): Promise<SourceFinding> {
  assertPermission(caller, "upload");
  if (prober === undefined) throw new TypeError("the service was made without what probes sources");
  signal.throwIfAborted();
  try {
    const source = parseSource(input.uri, input.thumbprint);
    assertMayFetchFrom(source, caller);
    return await probes.take(() => prober.probe(source, signal), signal);
  } catch (error) {
    if (isSourceError(error)) return { problem: error, certificate: undefined };
    throw error;
  }
}
