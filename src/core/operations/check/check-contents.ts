import type { Extent } from "../../attempt.js";
import type { CheckFinding } from "../../check.js";
import type { Checksum } from "../../checksum.js";
import type { NamedContent } from "../../ports/check-store.js";
import type { CheckRun, Steps } from "./check-run.js";
import { type Fault, findFault, findTrashed, keysOf } from "./find-fault.js";
import { repairContent } from "./repair-content.js";

const pageSize = 100;

/** Checks all content that something names, by id: those strictly after `after`. */
export async function* checkContents(run: CheckRun, after: string | undefined): Steps {
  for (let last = after; ; ) {
    const page = await run.deps.metadata.listNamedContents({ after: last, limit: pageSize });
    for (const content of page) {
      yield* checkContent(run, content);
      last = content.id;
      run.counts.contents++;
      run.place = { phase: "contents", after: last };
      yield* run.tick();
    }
    if (page.length < pageSize) return;
  }
}

interface Look {
  readonly content: NamedContent;
  readonly contradiction: string | undefined;
  readonly trashed: readonly Extent[];
  readonly fault: Fault | undefined;
}

/** What looks wrong is looked at again, as it is by then: it may have been replaced, let go or moved meanwhile. */
async function* checkContent(run: CheckRun, listed: NamedContent): Steps {
  if (!isSuspect(yield* look(run, listed))) return;
  const content = await run.deps.metadata.findNamedContent(listed.id);
  if (content === undefined) return;
  const seen = yield* look(run, content);
  if (!isSuspect(seen) || (await run.deps.metadata.findNamedContent(content.id)) === undefined) return;
  if (seen.contradiction !== undefined) yield run.tell(contradictionOf(seen.content, seen.contradiction));
  if (seen.trashed.length > 0) yield run.tell(await bringBack(run, content, seen.trashed));
  if (seen.fault === undefined) return;
  const finding = yield* repairContent(run, content, seen.fault, findingOf(content, seen.fault));
  if (finding !== undefined) yield run.tell(finding);
}

async function* look(run: CheckRun, content: NamedContent): Steps<Look> {
  const contradiction = findContradiction(content);
  if (contradiction !== undefined) return { content, contradiction, trashed: [], fault: undefined };
  const { extents } = content;
  const trashed = await findTrashed(run, extents);
  const fault = yield* findFault(run, { extents, expected: sha256Of(content.checksums) });
  return { content, contradiction, trashed, fault };
}

function isSuspect({ contradiction, trashed, fault }: Look): boolean {
  return contradiction !== undefined || trashed.length > 0 || fault !== undefined;
}

export function sha256Of(checksums: readonly Checksum[] | undefined): Checksum | undefined {
  return checksums?.find(({ algorithm }) => algorithm === "sha256");
}

/** What of it contradicts itself, as the end of a sentence. */
function findContradiction(content: NamedContent): string | undefined {
  const { whole, checksums, extents, sizeBytes, otherSizeBytes } = content;
  if (whole && sha256Of(checksums) === undefined) return "is named as whole, and nothing says what its SHA-256 is";
  let end = 0;
  for (const { offset, length } of extents) {
    if (offset !== end) return `has no place for its bytes from ${end} to ${offset}`;
    end += length;
  }
  if (end !== sizeBytes) return `has ${sizeBytes} bytes, and places for ${end} of them`;
  if (otherSizeBytes !== undefined) return `has ${sizeBytes} bytes, and its file says ${otherSizeBytes}`;
  return undefined;
}

type Described = Pick<CheckFinding, "tenant" | "owners" | "sizeBytes">;

function describe(content: NamedContent): Described {
  const { tenantId: id, tenantName: name, owners, sizeBytes } = content;
  return { tenant: { id, name }, owners, sizeBytes };
}

function contradictionOf(content: NamedContent, what: string): CheckFinding {
  return {
    ...describe(content),
    kind: "metadata_inconsistent",
    message: `content ${content.id} ${what}; send it again, or restore the database from a backup`,
    repair: "impossible",
    repairMessage: "",
  };
}

function findingOf(content: NamedContent, fault: Fault): CheckFinding {
  const { kind, extent, actual, what } = fault;
  const expected = sha256Of(content.checksums);
  const first = extent ?? content.extents[0];
  return {
    ...describe(content),
    kind,
    ...(first && { blobKey: first.blobKey, offset: first.offset }),
    ...(expected && { expected }),
    ...(actual && { actual }),
    message: `content ${content.id}: ${what}`,
    repair: "impossible",
    repairMessage: "",
  };
}

async function bringBack(run: CheckRun, content: NamedContent, trashed: readonly Extent[]): Promise<CheckFinding> {
  const [first] = trashed;
  if (run.repair) await run.deps.blobs.restoreFromTrash(keysOf(trashed));
  return {
    ...describe(content),
    kind: "bytes_missing",
    ...(first && { blobKey: first.blobKey, offset: first.offset }),
    message: `content ${content.id}: the bytes ${first?.blobKey} lie in the trash although they are named`,
    repair: run.repair ? "done" : "possible",
    repairMessage: run.repair ? "the bytes are back in their place" : "the bytes are brought back from the trash",
  };
}
