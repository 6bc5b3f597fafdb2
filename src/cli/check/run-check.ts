// A check over the wire: one stream of news, gone on with from its last cursor whenever the connection breaks.
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import {
  type CheckFinding,
  type CheckProgress,
  type CheckSummary,
  FindingRepair,
} from "../../../gen/slipway/upload/v1/maintenance_pb.js";
import type { CheckStoreRequest } from "../../../gen/slipway/upload/v1/maintenance_service_pb.js";
import type { UploadClient } from "../connection/client.js";
import type { Retry } from "../connection/retry.js";
import { isReason } from "../connection/rpc-error.js";

/** There is progress every second: so long without any, the connection is as good as gone. */
const stalledMs = 120_000;

export interface CheckTotals {
  readonly contents: number;
  readonly blobs: number;
  readonly bytes: number;
  readonly findings: number;
  readonly repaired: number;
  /** Runs of bytes that nothing names, too young to be litter. */
  readonly young: number;
}

export interface CheckDeps {
  readonly client: UploadClient;
  readonly retry: Retry;
  readonly signal: AbortSignal;
  readonly onProgress: (totals: CheckTotals, phase: CheckProgress["phase"]) => void;
  readonly onFinding: (finding: CheckFinding) => void;
}

const nothing: CheckTotals = { contents: 0, blobs: 0, bytes: 0, findings: 0, repaired: 0, young: 0 };

/** Checks everything, through as many calls as it takes; tells each finding once. */
export async function runCheck(
  deps: CheckDeps,
  request: Pick<CheckStoreRequest, "repair" | "skipContent" | "unreferencedAfter">,
): Promise<CheckTotals> {
  const { client, retry, signal } = deps;
  let cursor = "";
  /** What the calls before this one checked, and what this one has. */
  let before = nothing;
  let counted = nothing;
  /** A call that goes on from a cursor tells again what lies behind it. */
  const known = new Set<string>();
  let told = { findings: 0, repaired: 0 };
  /** How long any call has gone on at this cursor, in messages. */
  let furthest = 0;

  const tell = (finding: CheckFinding) => {
    const id = identify(finding);
    if (known.has(id)) return;
    known.add(id);
    told = { findings: told.findings + 1, repaired: told.repaired + (isRepaired(finding) ? 1 : 0) };
    deps.onFinding(finding);
  };
  const totalOf = (counts: CheckProgress | CheckSummary, young: number): CheckTotals => ({
    contents: before.contents + Number(counts.checkedContents),
    blobs: before.blobs + Number(counts.checkedBlobs),
    bytes: before.bytes + Number(counts.checkedBytes),
    ...told,
    young,
  });

  for (;;) {
    const stalled = new AbortController();
    const timer = setTimeout(() => stalled.abort(new Error("connection stalled")), stalledMs);
    let heard = 0;
    try {
      const news = client.maintenance.checkStore(
        { ...request, cursor },
        { signal: AbortSignal.any([signal, stalled.signal]) },
      );
      for await (const { news: one } of news) {
        timer.refresh();
        heard++;
        if (one.case === "finding") tell(one.value);
        if (one.case === "summary") return totalOf(one.value, Number(one.value.youngKeys));
        if (one.case !== "progress") continue;
        counted = totalOf(one.value, 0);
        // A call that breaks where the one before it broke gets nothing done.
        const isFurther = one.value.cursor !== cursor || heard > furthest;
        if (one.value.cursor !== cursor) heard = 0;
        cursor = one.value.cursor;
        if (isFurther) {
          furthest = heard;
          retry.progressed();
        }
        deps.onProgress(counted, one.value.phase);
      }
      throw new ConnectError("the stream ended early", Code.Unavailable);
    } catch (error) {
      // A check of ours whose connection broke may still have to notice.
      const leftover = cursor !== "" && isReason(error, ErrorReason.CHECK_RUNNING);
      const cause = leftover || stalled.signal.aborted ? unavailable(error) : error;
      await retry.pause(cause);
      before = counted;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Two findings of one check are the same when they say the same about the same bytes. */
function identify({ kind, blobKey, path, tenantId, offset, message }: CheckFinding): string {
  return [kind, blobKey, path, tenantId, offset, message].map(String).join("\n");
}

function unavailable(error: unknown): ConnectError {
  const message = error instanceof ConnectError ? error.rawMessage : "connection stalled";
  return new ConnectError(message, Code.Unavailable, undefined, undefined, error);
}

export function isRepaired(finding: CheckFinding): boolean {
  return finding.repair === FindingRepair.DONE;
}
