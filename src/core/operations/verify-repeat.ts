import type { Extent } from "../attempt.js";
import { createBodyReader } from "../body-reader.js";
import type { Call } from "../call.js";
import { assertChecksums, type Checksum, createHasher } from "../checksum.js";
import type { CoreDeps } from "../deps.js";
import type { SessionFile } from "../file.js";
import type { ClaimedFile } from "../ports/transfer-store.js";
import { readContent } from "../read-content.js";
import { compareRepeat } from "./compare-repeat.js";
import { otherSize, type Part, type PartInput, planEnding, wholeAlready } from "./plan-part.js";
import type { PartResult } from "./write-claimed.js";

/** A part of a file that is whole already: it takes no seat and can only repeat what is stored (P4). */
export async function verifyRepeat(
  deps: CoreDeps,
  claimed: ClaimedFile,
  part: Part,
  input: Pick<PartInput, "body" | "ending">,
  call: Call,
): Promise<PartResult> {
  const { file } = claimed;
  const content = file.current;
  if (content === undefined) throw new TypeError(`file ${file.id} is ready and has no content`);
  const extents = await deps.metadata.listExtents(content.id);
  const reader = createBodyReader(input.body, [call.signal], (bytes) => deps.observer.received("file", bytes));
  try {
    const digest = part.checksum && createHasher([part.checksum.algorithm]);
    const stored = readContent(deps.blobs, extents, part.offset, content.sizeBytes, call.signal);
    const reached = await compareRepeat(reader, stored, part.offset, digest, deps.observer);
    if (reached === content.sizeBytes && (await reader.next()) !== undefined) {
      throw wholeAlready(file.name, content.sizeBytes);
    }
    const ending = input.ending?.() ?? { finish: false };
    const end = planEnding(file, part, reached, ending, deps.limits);
    if (end.whole && reached !== content.sizeBytes) {
      throw otherSize(file.name, reached, content.sizeBytes);
    }
    if (part.checksum) assertChecksums([part.checksum], digest!.digests(), `the part at ${part.offset}`);
    await verifyWhole(deps, file, extents, end.checksums, call);
    return { file, offset: content.sizeBytes, applied: false };
  } finally {
    reader.close();
  }
}

async function verifyWhole(
  deps: CoreDeps,
  file: SessionFile,
  extents: readonly Extent[],
  expected: readonly Checksum[],
  call: Call,
): Promise<void> {
  const content = file.current!;
  const known = content.checksums;
  const missing = expected.map(({ algorithm }) => algorithm).filter((name) => !known.some((c) => c.algorithm === name));
  let computed = known;
  if (missing.length > 0) {
    const hasher = createHasher(missing);
    const bytes = readContent(deps.blobs, extents, 0, content.sizeBytes, call.signal);
    for await (const chunk of bytes) hasher.update(chunk);
    computed = [...known, ...hasher.digests()];
  }
  assertChecksums(expected, computed, `file ${JSON.stringify(file.name)}`);
}
