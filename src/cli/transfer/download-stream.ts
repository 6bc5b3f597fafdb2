// The bytes of one file, going on where a connection broke.
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import { createRetry, type Retry } from "../connection/retry.js";
import { describeError, isConnectionLost, isReason } from "../connection/rpc-error.js";
import { createStallGuard } from "../connection/stall-guard.js";
import { FileError } from "../shell/cli-error.js";
import { formatBytes, formatSeconds } from "../shell/format.js";
import type { ContentHash } from "./content-hash.js";
import type { DownloadSource, RemoteFile } from "./download-source.js";
import type { FileProgress, Progress } from "./progress.js";

const stalledMs = 120_000;

export interface DownloadDeps {
  readonly source: DownloadSource;
  readonly retryForMs: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Content that is on its way to somewhere. */
export interface Fetching {
  readonly file: RemoteFile;
  readonly place: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Of the bytes that are there: it says where to go on. */
  readonly hash: ContentHash;
  readonly progress: FileProgress;
  /** Takes bytes in order; what it has taken is not asked for again. */
  take(bytes: Uint8Array): Promise<void>;
}

/** The content that was asked for is not what the name stands for any more. */
export class FileReplaced extends FileError {}

/** Fetches what is missing. False when the whole does not have its checksum. */
export async function fetchRest(deps: DownloadDeps, fetching: Fetching): Promise<boolean> {
  const { place, sizeBytes, hash } = fetching;
  const retry = createRetry({
    retryForMs: deps.retryForMs,
    signal: deps.signal,
    notify: (error, delayMs) => {
      const what = isConnectionLost(error) ? "connection lost" : describeError(error);
      deps.progress.trouble(`${place}: ${what} at ${formatBytes(hash.offset)}, retrying in ${formatSeconds(delayMs)}`);
    },
  });
  while (hash.offset < sizeBytes) {
    try {
      await readOn(deps, fetching, retry);
    } catch (error) {
      if (isReason(error, ErrorReason.FILE_NOT_FOUND)) throw replaced(deps, place, "removed from");
      // The content that is there now is shorter.
      if (isReason(error, ErrorReason.OFFSET_UNEXPECTED)) throw replaced(deps, place, "replaced in");
      await retry.pause(error);
    }
  }
  return hash.digest() === fetching.sha256;
}

async function readOn(deps: DownloadDeps, fetching: Fetching, retry: Retry): Promise<void> {
  const { file, place, sizeBytes, hash, progress } = fetching;
  const guard = createStallGuard(deps.signal, stalledMs);
  for await (const { sha256, data } of guard.watch(deps.source.read(file, hash.offset, { signal: guard.signal }))) {
    if (sha256 !== undefined && sha256 !== fetching.sha256) throw replaced(deps, place, "replaced in");
    if (hash.offset + data.length > sizeBytes) throw new FileError(`${place} is longer than the server says`);
    if (data.length > 0) {
      await fetching.take(data);
      hash.take(hash.offset, data);
      retry.progressed();
      progress.at(hash.offset);
    }
  }
  if (hash.offset < sizeBytes) throw new ConnectError("the stream ended early", Code.Unavailable);
}

function replaced({ source }: DownloadDeps, place: string, how: string): FileReplaced {
  return new FileReplaced(
    `${place} was ${how} the ${source.kind} while it was downloaded; the same command fetches what is there now`,
  );
}
