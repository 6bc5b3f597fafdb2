import { assertPermission, type Call } from "../../call.js";
import type { CheckNews } from "../../check.js";
import type { CoreDeps } from "../../deps.js";
import { UploadError } from "../../error.js";
import { invalid } from "../../values.js";
import { checkBlobs } from "./check-blobs.js";
import { type Ages, checkBytes } from "./check-bytes.js";
import { checkContents } from "./check-contents.js";
import { type CheckRun, createCheckRun, parsePlace, type Steps } from "./check-run.js";

export interface CheckInput {
  readonly repair: boolean;
  /** Looks only whether bytes are there, and reads none. */
  readonly skipContent: boolean;
  /** Of the last progress of an earlier check, or empty. */
  readonly cursor: string;
  /** How old bytes that nothing names are when they are told; undefined for the time after which they are collected. */
  readonly unreferencedAfterMs: number | undefined;
  /** After which time bytes that nothing names are collected; a repair never takes younger ones. */
  readonly keepUnreferencedMs: number;
}

export type CheckStore = (input: CheckInput, call: Call) => AsyncGenerator<CheckNews, void, undefined>;

/**
 * Compares every stored byte with its digest, and what is known with what is stored, for those who operate the service.
 * First comes progress, then findings and more progress, and last the summary. It runs beside everything else, one at a
 * time in a process. Throws `denied`, `invalid` (PAGE_INVALID, DURATION_INVALID), `busy` (CHECK_RUNNING), `unavailable`.
 */
export function createCheckStore(deps: CoreDeps): CheckStore {
  let isRunning = false;

  return async function* checkStore(input, call) {
    assertPermission(call.caller, "operate");
    const { repair, skipContent } = input;
    const place = parsePlace(input.cursor);
    const ages = parseAges(input);
    if (isRunning) throw new UploadError("busy", "a check is running already", { reason: "CHECK_RUNNING" });
    isRunning = true;
    try {
      yield* runCheck(createCheckRun({ deps, repair, skipContent, signal: call.signal, place }), ages);
    } finally {
      isRunning = false;
    }
  };
}

async function* runCheck(run: CheckRun, ages: Ages): Steps {
  yield run.progress();
  if (run.place.phase === "contents") {
    yield* checkContents(run, run.place.after);
    run.place = { phase: "blobs", after: undefined };
    yield run.progress();
  }
  if (run.place.phase === "blobs") {
    yield* checkBlobs(run, run.place.after);
    run.place = { phase: "store" };
    yield run.progress();
  }
  yield* checkBytes(run, ages);
  const { contents, blobs, bytes, findings, repaired, youngKeys } = run.counts;
  const checked = { checkedContents: contents, checkedBlobs: blobs, checkedBytes: bytes };
  yield { kind: "summary", summary: { ...checked, findings, repaired, youngKeys } };
}

const mostMs = 10 * 365 * 24 * 3_600_000;

function parseAges({ unreferencedAfterMs, keepUnreferencedMs }: CheckInput): Ages {
  const litterMs = unreferencedAfterMs ?? keepUnreferencedMs;
  if (!(litterMs >= 1 && litterMs <= mostMs)) {
    const ms = unreferencedAfterMs;
    throw invalid("DURATION_INVALID", `unreferenced bytes are litter after 1 ms to ten years, not after ${ms} ms`);
  }
  return { litterMs, keepMs: Math.max(litterMs, keepUnreferencedMs) };
}
