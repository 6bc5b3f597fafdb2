import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { type CheckFinding, CheckPhase } from "../../gen/slipway/upload/v1/maintenance_pb.js";
import { type CheckTotals, runCheck } from "./check/run-check.js";
import { findingJson, formatFinding } from "./check/findings.js";
import { defineServerCommand } from "./connection/server-command.js";
import { formatBytes, formatRate, formatSeconds, parseDuration } from "./shell/format.js";
import { printJson } from "./shell/output.js";
import { createStatusLine } from "./shell/status-line.js";

const phases: Readonly<Record<CheckPhase, string>> = {
  [CheckPhase.UNSPECIFIED]: "checking",
  [CheckPhase.CONTENTS]: "checking files",
  [CheckPhase.BLOBS]: "checking blobs",
  [CheckPhase.STORE]: "looking for bytes that nothing names",
};

export const check = defineServerCommand({
  path: "check",
  summary: "compare every stored byte with its digest",
  description: `Has the server read every byte that it stores and compare it with its digest, and what is known with what
is stored, while it goes on working. Finds bytes that changed, bytes that are missing, bytes that nothing
names, and files that no server put there. For administrators of the tenant \`default\`.

With --repair, what was lost from view comes back from the trash, bytes that nothing names go there, and
damaged content is written anew from a sound copy in the same tenant. Without a copy, a file of an open
session is marked as failed, and a blob is forgotten, so that both are sent again; the rest is only told.

It is done (0) when nothing is wrong or everything was repaired, and has failed (1) otherwise. With --json a
check that could not come to its end prints what it found, without a summary.`,
  options: {
    repair: { type: "boolean", default: false, summary: "repair what can be repaired" },
    quick: {
      type: "boolean",
      default: false,
      summary: "look only whether all bytes are there, and read none of them: finds no flipped bit",
    },
    "unreferenced-after": {
      type: "string",
      value: "TIME",
      summary:
        "tell of bytes that nothing names when they are older than this (the server's SLIPWAY_SWEEP_UNREFERENCED_AFTER, 24h); younger ones may belong to an upload under way",
    },
  },
  examples: [
    "slipway check",
    "slipway check --quick",
    "slipway check --repair",
    "slipway check --json | jq '.findings[] | select(.repair != \"done\")'",
  ],
  retryFor: "10m",
  check: ({ values }) => parseAge(values["unreferenced-after"]),
  async run({ values, client, retry, signal, context, json }) {
    const startedAt = performance.now();
    const status = createStatusLine(context);
    const ageMs = parseAge(values["unreferenced-after"]);
    const findings: CheckFinding[] = [];
    const totals = await runCheck(
      {
        client,
        retry,
        signal,
        onProgress: (so, phase) => status.show(`${phases[phase] ?? phases[0]}: ${formatProgress(so, startedAt)}`),
        onFinding(finding) {
          status.wipe();
          if (json) findings.push(finding);
          else context.out.write(formatFinding(finding));
        },
      },
      {
        repair: values.repair,
        skipContent: values.quick,
        unreferencedAfter: ageMs === undefined ? undefined : durationFromMs(ageMs),
      },
    )
      .finally(() => status.wipe())
      .catch((error: unknown) => {
        // Hours of checking may lie behind what was found; a check that came to its end has a summary.
        if (findings.length > 0) printJson(context, { findings: findings.map(findingJson) });
        throw error;
      });
    if (json) printJson(context, { findings: findings.map(findingJson), summary: totals });
    else context.out.write(formatSummary(totals, values.quick, performance.now() - startedAt));
    return totals.findings === totals.repaired ? 0 : 1;
  },
});

function parseAge(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDuration(text, "--unreferenced-after");
}

function formatProgress({ contents, blobs, bytes, findings }: CheckTotals, startedAt: number): string {
  const wrong = findings === 0 ? "" : `, ${count(findings, "finding")}`;
  const rate = formatRate(bytes, performance.now() - startedAt);
  return `${count(contents, "content")}, ${count(blobs, "blob")}, ${formatBytes(bytes)}, ${rate}${wrong}`;
}

function formatSummary(totals: CheckTotals, quick: boolean, tookMs: number): string {
  const { contents, blobs, bytes, findings, repaired, young } = totals;
  const what = quick ? "looked for" : "read and compared";
  const lines = [
    `${count(contents, "content")} and ${count(blobs, "blob")} checked, ${formatBytes(bytes)} ${what} in ${formatSeconds(tookMs)}`,
  ];
  if (young > 0) lines.push(`${count(young, "run")} of bytes that nothing names yet, too young to be litter`);
  if (findings === 0) lines.push("nothing is wrong");
  else lines.push(`${count(findings, "finding")}, ${repaired} repaired`);
  return `${lines.join("\n")}\n`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
