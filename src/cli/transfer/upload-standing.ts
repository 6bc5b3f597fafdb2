// Where a file stands on the server, and what that means for the one who sends it.

import { setTimeout as sleep } from "node:timers/promises";
import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import { type File, FileState } from "../../../gen/slipway/upload/v1/file_pb.js";
import { FileChanged, FileError } from "../shell/cli-error.js";
import { callTimeoutMs, type UploadClient } from "../connection/client.js";
import { findSha256 } from "./content-hash.js";
import { listFiles } from "./listing.js";
import type { Progress } from "./progress.js";
import { createRetry, type Retry } from "../connection/retry.js";
import { isReason } from "../connection/rpc-error.js";

/** What sending a file needs beside the file. */
export interface UploadDeps {
  readonly client: UploadClient;
  readonly sessionId: string;
  readonly chunkBytes: number;
  /** Whether a file that the session has with another size or time is sent anew. */
  readonly replace: boolean;
  readonly retryForMs: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** What became of a file. */
export interface Uploaded {
  readonly path: string;
  readonly name: string;
  readonly fileId: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Bytes that were handed to a connection more than once. */
  readonly resentBytes: number;
  /** Bytes that were handed to a connection at all. */
  readonly sentBytes: number;
  /** True when nothing had to be sent. */
  readonly skipped: boolean;
}

export type Standing = { readonly finished: File } | { readonly offset: number };

export function standingOf(file: File): Standing {
  // One that is being validated may have been left so by a server that died: finishing it again takes over.
  if (file.state === FileState.READY) return { finished: file };
  return { offset: Number(file.committedOffset) };
}

interface Spec {
  readonly name: string;
  readonly sizeBytes?: bigint;
  readonly attributes: { path: string; mtime?: string };
}

/** Declares the file, or finds it declared already with the same words. */
export async function addFile(deps: UploadDeps, retry: Retry, spec: Spec): Promise<File> {
  try {
    return await declare(deps, retry, spec);
  } catch (error) {
    if (!isReason(error, ErrorReason.FILE_EXISTS)) throw error;
    if (!deps.replace) {
      const { path } = spec.attributes;
      throw new FileChanged(
        `${path} is in the session already, with another size or time; --replace sends it anew`,
        error,
      );
    }
    await removeFile(deps, retry, spec.name);
    return declare(deps, retry, spec);
  }
}

async function declare(deps: UploadDeps, retry: Retry, spec: Spec): Promise<File> {
  const request = { sessionId: deps.sessionId, spec };
  const { file } = await retry.call((signal) =>
    deps.client.files.addFile(request, { signal, timeoutMs: callTimeoutMs }),
  );
  return assertAnswered(file);
}

async function removeFile(deps: UploadDeps, retry: Retry, name: string): Promise<void> {
  const { client, sessionId } = deps;
  const found = (await listFiles(client, retry, sessionId)).find((file) => file.spec?.name === name);
  if (found === undefined) return;
  const request = { sessionId, fileId: found.id };
  try {
    await retry.call((signal) => client.files.removeFile(request, { signal, timeoutMs: callTimeoutMs }));
  } catch (error) {
    // A repeated call finds that the first one did it.
    if (!isReason(error, ErrorReason.FILE_NOT_FOUND)) throw error;
  }
}

export async function askStanding(deps: UploadDeps, retry: Retry, fileId: string): Promise<Standing> {
  const request = { sessionId: deps.sessionId, fileId };
  const { status } = await retry.call((signal) =>
    deps.client.files.getUploadStatus(request, { signal, timeoutMs: callTimeoutMs }),
  );
  if (status.case === "finishedFile") return { finished: status.value };
  return { offset: Number(status.value ?? 0n) };
}

/** Waits for the end of a check that goes on, then compares what the server has with what was read here. */
export async function verifyFinished(
  deps: UploadDeps,
  retry: Retry,
  file: File,
  path: string,
  sha256: string,
): Promise<void> {
  let current = file;
  for (let waitMs = 50; current.state === FileState.VALIDATING; waitMs = Math.min(waitMs * 2, 2000)) {
    await sleep(waitMs, undefined, { signal: deps.signal });
    const request = { sessionId: deps.sessionId, fileId: file.id };
    const answer = await retry.call((signal) =>
      deps.client.files.getFile(request, { signal, timeoutMs: callTimeoutMs }),
    );
    current = assertAnswered(answer.file);
  }
  if (current.state === FileState.FAILED) {
    throw new FileError(`${path} was refused: ${current.failure?.message?.defaultMessage ?? "no reason was given"}`);
  }
  const stored = findSha256(current.content?.checksums);
  if (stored !== sha256)
    throw new FileError(`${path} has sha256 ${sha256} here, but ${stored ?? "none"} in the session`);
}

/** The patience for one file; its notices say which file and where. */
export function createFileRetry(deps: UploadDeps, describe: (error: unknown, delayMs: number) => string): Retry {
  return createRetry({
    retryForMs: deps.retryForMs,
    signal: deps.signal,
    notify: (error, delayMs) => deps.progress.trouble(describe(error, delayMs)),
  });
}

export function assertAnswered(file: File | undefined): File {
  if (file === undefined) throw new FileError("the server's answer holds no file");
  return file;
}
