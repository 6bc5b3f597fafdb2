import type { Extent } from "../../attempt.js";
import { formatBlobRef } from "../../blob.js";
import type { CheckFinding } from "../../check.js";
import type { PlacedBlob } from "../../ports/check-store.js";
import { trashUnnamed } from "../sweep.js";
import type { CheckRun, Steps } from "./check-run.js";
import { copyFromSound } from "./copy-bytes.js";
import { type Fault, findFault, findTrashed, keysOf } from "./find-fault.js";

const pageSize = 100;

/**
 * Checks the blobs of all tenants, by tenant and ref. Content that a blob shares was checked as content; here it is
 * only asked whether it is the blob's.
 */
export async function* checkBlobs(
  run: CheckRun,
  after: { readonly tenantId: string; readonly ref: string } | undefined,
): Steps {
  for (let last = after; ; ) {
    const page = await run.deps.metadata.listPlacedBlobs({ after: last, limit: pageSize });
    for (const blob of page) {
      yield* checkBlob(run, blob);
      last = { tenantId: blob.tenantId, ref: formatBlobRef(blob.ref) };
      run.counts.blobs++;
      run.place = { phase: "blobs", after: last };
      yield* run.tick();
    }
    if (page.length < pageSize) return;
  }
}

interface Look {
  readonly contradiction: string | undefined;
  readonly trashed: readonly Extent[];
  readonly fault: Fault | undefined;
}

/** What looks wrong is looked at again, as it is by then. */
async function* checkBlob(run: CheckRun, listed: PlacedBlob): Steps {
  const { metadata, blobs } = run.deps;
  if (!isSuspect(yield* look(run, listed))) return;
  const blob = await metadata.findPlacedBlob(listed);
  if (blob === undefined) return;
  const { contradiction, trashed, fault } = yield* look(run, blob);
  const now = await metadata.findPlacedBlob(blob);
  if (now === undefined || JSON.stringify(now.place) !== JSON.stringify(blob.place)) return;
  const name = `blob ${formatBlobRef(blob.ref)}`;
  if (contradiction !== undefined) {
    const message = `${name} ${contradiction}; remove the blob, and store it again`;
    yield run.tell({ ...describe(blob), kind: "metadata_inconsistent", message, ...nothing });
  }
  if (trashed.length > 0) {
    if (run.repair) await blobs.restoreFromTrash(keysOf(trashed));
    yield run.tell({
      ...describe(blob),
      kind: "bytes_missing",
      message: `${name}: its bytes ${trashed[0]?.blobKey} lie in the trash although they are named`,
      repair: run.repair ? "done" : "possible",
      repairMessage: run.repair ? "the bytes are back in their place" : "the bytes are brought back from the trash",
    });
  }
  if (fault === undefined) return;
  const finding: CheckFinding = {
    ...describe(blob),
    kind: fault.kind,
    expected: { algorithm: blob.ref.algorithm, value: blob.ref.digest },
    ...(fault.actual && { actual: fault.actual }),
    message: `${name}: ${fault.what}`,
    ...nothing,
  };
  yield run.tell(run.repair ? yield* repairBlob(run, blob, finding) : await foresee(run, blob, finding));
}

const nothing = { repair: "impossible", repairMessage: "" } as const;

async function* look(run: CheckRun, blob: PlacedBlob): Steps<Look> {
  const contradiction = findContradiction(blob);
  const { place, sizeBytes: length, ref } = blob;
  if (contradiction !== undefined || place.kind !== "key") return { contradiction, trashed: [], fault: undefined };
  const extents = [{ epoch: 1, offset: 0, length, blobKey: place.blobKey }];
  const trashed = await findTrashed(run, extents);
  const fault = yield* findFault(run, { extents, expected: { algorithm: ref.algorithm, value: ref.digest } });
  return { contradiction, trashed, fault };
}

function isSuspect({ contradiction, trashed, fault }: Look): boolean {
  return contradiction !== undefined || trashed.length > 0 || fault !== undefined;
}

function findContradiction({ ref, sizeBytes, content }: PlacedBlob): string | undefined {
  if (content === undefined) return undefined;
  if (content.sizeBytes !== sizeBytes) return `has ${sizeBytes} bytes, and shares content of ${content.sizeBytes}`;
  const known = content.checksums?.find(({ algorithm }) => algorithm === ref.algorithm)?.value;
  if (known === ref.digest) return undefined;
  return `shares content whose ${ref.algorithm} is ${known ?? "not known"}`;
}

function describe(blob: PlacedBlob): Pick<CheckFinding, "tenant" | "owners" | "sizeBytes" | "blobKey" | "offset"> {
  const { tenantId: id, tenantName: name, ref, sizeBytes, place } = blob;
  return {
    tenant: { id, name },
    owners: [{ kind: "blob", ref }],
    sizeBytes,
    ...(place.kind === "key" && { blobKey: place.blobKey, offset: 0 }),
  };
}

/** Only SHA-256 is trusted to tell that other bytes are the same. */
function wantedOf({ tenantId, ref, sizeBytes }: PlacedBlob) {
  return ref.algorithm === "sha256" ? { tenantId, sha256: ref.digest, sizeBytes } : undefined;
}

async function foresee(run: CheckRun, blob: PlacedBlob, finding: CheckFinding): Promise<CheckFinding> {
  const wanted = wantedOf(blob);
  const copies = wanted ? await run.deps.metadata.listCopies({ ...wanted, limit: 1 }) : [];
  const repairMessage = copies.some(({ kind }) => kind === "content")
    ? "the bytes are written anew from another copy in the tenant, if that one is sound"
    : "the blob is taken out of the list of blobs, so that whoever has it stores it again";
  return { ...finding, repair: "possible", repairMessage };
}

async function* repairBlob(run: CheckRun, blob: PlacedBlob, finding: CheckFinding): Steps<CheckFinding> {
  const { metadata } = run.deps;
  const { place } = blob;
  if (place.kind !== "key") return finding;
  const wanted = wantedOf(blob);
  const key = wanted && (yield* copyFromSound(run, wanted, ({ kind }) => kind === "key"));
  if (key !== undefined) {
    const applied = await metadata.replaceBlobKey(blob, place.blobKey, key);
    await trashUnnamed(run.deps, [applied ? place.blobKey : key]);
    if (!applied) return finding;
    return { ...finding, repair: "done", repairMessage: "the bytes were written anew from another copy in the tenant" };
  }
  if (!(await metadata.dropBlob(blob, place.blobKey))) return finding;
  await trashUnnamed(run.deps, [place.blobKey]);
  const repairMessage = "the blob was taken out of the list of blobs: whoever has it must store it again";
  return { ...finding, repair: "done", repairMessage };
}
