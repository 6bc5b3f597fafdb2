// A real server that fetches, and what its clients see of it.

import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll } from "vitest";
import { FailureReason, SourceFailure } from "../../gen/slipway/upload/v1/failure_pb.js";
import { type File, type FileSpecSchema, FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import type { Session, SessionState } from "../../gen/slipway/upload/v1/session_pb.js";
import { openClient, type TestClient } from "../support/client.js";
import { startServer, type TestServer } from "../support/server.js";

export interface Place {
  readonly sessionId: string;
  readonly fileId: string;
}

/** The address, or all of what a file with a source may declare. */
export type Declared = string | MessageInitShape<typeof FileSpecSchema>;

/** One server for the tests of a file, which may reach 127.0.0.1 and nothing else that is not public. */
export function usePulls(env: () => Promise<Record<string, string>> | Record<string, string> = () => ({})) {
  let server: TestServer | undefined;
  let client: TestClient | undefined;
  beforeAll(async () => {
    server = await startServer({ env: { SLIPWAY_PULL_ALLOW: "127.0.0.1", ...(await env()) } });
    client = openClient(server);
  });
  afterAll(async () => {
    client?.close();
    await server?.kill();
  });
  return {
    client: () => client!,
    server: () => server!,
    declare: (spec: Declared, sessionId?: string) => declare(client!, spec, sessionId),
    fileOf: (place: Place) => fileOf(client!, place),
    settled: (place: Place) => settled(client!, place),
    /** Declares the file and waits for its failure. */
    failureOf: async (spec: Declared) => readFailure(await settled(client!, await declare(client!, spec))),
  };
}

export async function declare(client: TestClient, spec: Declared, sessionId?: string): Promise<Place> {
  const id = sessionId ?? (await client.sessions.createSession({})).session!.id;
  const words = typeof spec === "string" ? { source: { uri: spec } } : spec;
  const { file } = await client.files.addFile({ sessionId: id, spec: { name: "a.bin", ...words } });
  return { sessionId: id, fileId: file!.id };
}

export async function until<T>(ask: () => Promise<T> | T, holds: (value: T) => boolean, ms = 60_000): Promise<T> {
  const giveUpAt = performance.now() + ms;
  for (;;) {
    const value = await ask();
    if (holds(value)) return value;
    if (performance.now() > giveUpAt) throw new Error("it never came about");
    await sleep(20);
  }
}

export async function fileOf(client: TestClient, place: Place): Promise<File> {
  return (await client.files.getFile({ ...place })).file!;
}

/** The file once it is READY or FAILED. */
export function settled(client: TestClient, place: Place, ms?: number): Promise<File> {
  const isSettled = ({ state }: File) => state === FileState.READY || state === FileState.FAILED;
  return until(() => fileOf(client, place), isSettled, ms);
}

export function sessionIn(client: TestClient, sessionId: string, state: SessionState, ms?: number): Promise<Session> {
  const ask = async () => (await client.sessions.getSession({ sessionId })).session!;
  return until(ask, (session) => session.state === state, ms);
}

export interface ShownFailure {
  /** `NOT_FOUND`. */
  readonly source: string | undefined;
  readonly message: string;
}

/** What a FAILED file says of its source. */
export function readFailure({ state, failure, fetch }: File): ShownFailure {
  if (state !== FileState.FAILED || failure?.reason !== FailureReason.SOURCE_FAILED || fetch !== undefined) {
    throw new Error(`the file did not fail for its source: ${FileState[state]}, ${failure?.message?.defaultMessage}`);
  }
  return { source: SourceFailure[failure.sourceFailure], message: failure.message?.defaultMessage ?? "" };
}

export async function readBack(client: TestClient, place: Place): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const { data } of client.files.readFile({ ...place })) chunks.push(data);
  return Buffer.concat(chunks);
}

/** Answers as a file server does that can resume; `etag` null says nothing of the content. Answers where it begins. */
export function serveHead(
  request: IncomingMessage,
  response: ServerResponse,
  size: number,
  etag: string | null = '"one"',
): number {
  const range = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const resumes = range > 0 && etag !== null && request.headers["if-range"] === etag;
  const from = resumes ? range : 0;
  response.writeHead(resumes ? 206 : 200, {
    "content-length": size - from,
    ...(etag !== null && { etag }),
    ...(resumes && { "content-range": `bytes ${from}-${size - 1}/${size}` }),
  });
  return from;
}
