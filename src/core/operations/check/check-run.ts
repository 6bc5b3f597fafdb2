import { formatBlobRef, parseBlobRefText } from "../../blob.js";
import type { CheckFinding, CheckNews, CheckPhase } from "../../check.js";
import type { CoreDeps } from "../../deps.js";
import { invalid, parseId } from "../../values.js";

/** Where a check goes on: behind this thing of this phase, or at its beginning. */
export type CheckPlace =
  | { readonly phase: "contents"; readonly after: string | undefined }
  | { readonly phase: "blobs"; readonly after: { readonly tenantId: string; readonly ref: string } | undefined }
  | { readonly phase: "store" };

/** Steps of a check: what they tell on the way, and what comes out of them. */
export type Steps<Result = void> = AsyncGenerator<CheckNews, Result, undefined>;

/** One check under way: what was asked for, how far it is, and when something is to be told. */
export interface CheckRun {
  readonly deps: CoreDeps;
  readonly repair: boolean;
  readonly skipContent: boolean;
  readonly signal: AbortSignal | undefined;
  readonly counts: CheckCounts;
  /** What is behind it is done. */
  place: CheckPlace;
  /** Progress, if none was told for a second. Throws the signal's reason when it has aborted. */
  tick(): Iterable<CheckNews>;
  /** Counts a finding and tells it. */
  tell(finding: CheckFinding): CheckNews;
  /** Progress at once. Throws the signal's reason when it has aborted. */
  progress(): CheckNews;
}

export interface CheckCounts {
  contents: number;
  blobs: number;
  bytes: number;
  findings: number;
  repaired: number;
  youngKeys: number;
}

const tickMs = 1_000;

export function createCheckRun(
  asked: Pick<CheckRun, "deps" | "repair" | "skipContent" | "signal"> & { readonly place: CheckPlace },
): CheckRun {
  const counts: CheckCounts = { contents: 0, blobs: 0, bytes: 0, findings: 0, repaired: 0, youngKeys: 0 };
  let toldAt = Number.NEGATIVE_INFINITY;
  const run: CheckRun = {
    ...asked,
    counts,
    *tick() {
      run.signal?.throwIfAborted();
      if (performance.now() - toldAt >= tickMs) yield run.progress();
    },
    tell(finding) {
      counts.findings++;
      if (finding.repair === "done") counts.repaired++;
      return { kind: "finding", finding };
    },
    progress() {
      run.signal?.throwIfAborted();
      toldAt = performance.now();
      const { contents: checkedContents, blobs: checkedBlobs, bytes: checkedBytes } = counts;
      const { phase } = run.place;
      const cursor = formatPlace(run.place);
      return { kind: "progress", progress: { phase, checkedContents, checkedBlobs, checkedBytes, cursor } };
    },
  };
  return run;
}

function formatPlace(place: CheckPlace): string {
  if (place.phase === "store" || place.after === undefined) return btoa(place.phase);
  const after = place.phase === "contents" ? place.after : `${place.after.tenantId} ${place.after.ref}`;
  return btoa(`${place.phase} ${after}`);
}

/** Throws `invalid` (PAGE_INVALID) for what no check has told; an empty cursor is the beginning. */
export function parsePlace(cursor: string): CheckPlace {
  if (cursor === "") return { phase: "contents", after: undefined };
  try {
    const place = placeFrom(atob(cursor).split(" "));
    if (place !== undefined && formatPlace(place) === cursor) return place;
  } catch {
    // It is not even text of the right kind.
  }
  throw invalid("PAGE_INVALID", "cursor was not made by this server");
}

function placeFrom([phase, first, second, ...more]: readonly string[]): CheckPlace | undefined {
  if (more.length > 0) return undefined;
  const phases: Record<CheckPhase, () => CheckPlace | undefined> = {
    contents: () => ({ phase: "contents", after: first === undefined ? undefined : parseId(first, "cursor") }),
    blobs: () => ({
      phase: "blobs",
      after:
        first === undefined || second === undefined
          ? undefined
          : { tenantId: parseId(first, "cursor"), ref: formatBlobRef(parseBlobRefText(second)) },
    }),
    store: () => ({ phase: "store" }),
  };
  return Object.hasOwn(phases, phase ?? "") ? phases[phase as CheckPhase]() : undefined;
}
