import { createRetry } from "../connection/retry.js";
import { describeError, isFileError } from "../connection/rpc-error.js";
import { defineServerCommand, type ServerCall } from "../connection/server-command.js";
import { wrongUse } from "../shell/cli-error.js";
import { formatForeign, formatSeconds } from "../shell/format.js";
import { printJson } from "../shell/output.js";
import { parseParallel, runParallel } from "../transfer/parallel.js";
import { type LocalBlob, readLocalBlob, withSpooled } from "./local-blob.js";
import { blobAlgorithms, type BlobAlgorithm, formatRef } from "./ref.js";
import { type Outcome, sendBlobs } from "./send-blobs.js";

/** One stream brings no more than that, so that a lost connection costs little. */
const mostPerStream = 500;

const putOptions = {
  algorithm: {
    type: "string",
    value: "NAME",
    default: "sha256",
    choices: blobAlgorithms,
    summary: "what the refs are made with: sha256 (the default), sha224 or sha1",
  },
  parallel: { type: "string", value: "N", default: "4", summary: "streams under way at once (4)" },
} as const;

export const put = defineServerCommand({
  path: "blob put",
  summary: "store files as blobs",
  description: `Stores files as blobs, many in one stream, and prints a line for each: its ref and its path. What is there
already is not sent. \`-\` is standard input. It goes on by itself after a lost connection or a restarted
server. A blob is small; what is large is for \`slipway upload\`.`,
  operands: { shape: "PATH...", least: 1, most: Number.POSITIVE_INFINITY, completes: "file" },
  options: putOptions,
  examples: ["slipway blob put thumbnails/*.jpg", "git show HEAD:README.md | slipway blob put -"],
  retryFor: "10m",
  check({ operands, values }) {
    parseParallel(values.parallel);
    if (operands.filter((path) => path === "-").length > 1) throw wrongUse("standard input can be sent only once");
  },
  async run(call) {
    const { operands, context, signal } = call;
    if (!operands.includes("-")) return await putAll(call, undefined);
    return await withSpooled(context.stdin, signal, (location) => putAll(call, location));
  },
});

type PutCall = ServerCall<typeof putOptions>;

interface Put {
  readonly path: string;
  readonly blob?: LocalBlob;
  readonly outcome: Outcome;
}

async function putAll(call: PutCall, stdinLocation: string | undefined): Promise<number> {
  const { operands, values, signal, context, json } = call;
  const parallel = parseParallel(values.parallel);
  const size = Math.max(1, Math.min(mostPerStream, Math.ceil(operands.length / parallel)));
  const groups = Array.from({ length: Math.ceil(operands.length / size) }, (_, at) => at);
  const done = new Map<number, readonly Put[]>();
  let printed = 0;
  await runParallel(groups, parallel, signal, async (group, stop) => {
    const paths = operands.slice(group * size, (group + 1) * size);
    done.set(group, await putGroup(call, paths, stdinLocation, stop));
    // In the order in which they were named, as soon as those before are there.
    for (let puts = done.get(printed); puts !== undefined; puts = done.get(++printed)) {
      for (const one of puts) printOne(call, one);
    }
  });
  const puts = groups.flatMap((group) => done.get(group) ?? []);
  if (json) {
    const blobs = puts.flatMap(({ path, blob, outcome }) =>
      blob === undefined || "failure" in outcome
        ? []
        : [{ ref: formatRef(blob.ref), path, sizeBytes: blob.sizeBytes, applied: outcome.applied }],
    );
    const failed = puts.flatMap(({ path, outcome }) =>
      "failure" in outcome ? [{ path, message: outcome.failure }] : [],
    );
    printJson(context, { blobs, failed });
  }
  return puts.some(({ outcome }) => "failure" in outcome) ? 1 : 0;
}

async function putGroup(
  call: PutCall,
  paths: readonly string[],
  stdinLocation: string | undefined,
  signal: AbortSignal,
): Promise<readonly Put[]> {
  const { client, connection, context, values } = call;
  const read: { path: string; blob?: LocalBlob; failure?: string }[] = [];
  for (const path of paths) {
    const location = path === "-" ? stdinLocation : undefined;
    try {
      const blob = await readLocalBlob(path, location ?? path, values.algorithm as BlobAlgorithm, signal);
      read.push({ path, blob });
    } catch (error) {
      if (signal.aborted || !isFileError(error)) throw error;
      read.push({ path, failure: describeError(error) });
    }
  }
  const retry = createRetry({
    retryForMs: connection.retryForMs,
    signal,
    notify: (error, delayMs) => context.err.write(`${describeError(error)}, retrying in ${formatSeconds(delayMs)}\n`),
  });
  const outcomes = await sendBlobs(
    { client, retry, signal },
    read.flatMap(({ blob }) => blob ?? []),
  );
  return read.map(({ path, blob, failure = "was not sent" }) => {
    if (blob === undefined) return { path, outcome: { failure } };
    return { path, blob, outcome: outcomes.get(formatRef(blob.ref)) ?? { failure } };
  });
}

function printOne({ context, json }: PutCall, { path, blob, outcome }: Put): void {
  if ("failure" in outcome) {
    const { failure } = outcome;
    context.err.write(`slipway blob put: ${formatForeign(failure.includes(path) ? failure : `${path} ${failure}`)}\n`);
  } else if (blob !== undefined && !json) {
    context.out.write(`${formatRef(blob.ref)}  ${formatForeign(path)}\n`);
  }
}
