import type { File } from "../../../gen/slipway/upload/v1/file_pb.js";
import type { Session } from "../../../gen/slipway/upload/v1/session_pb.js";
import { listAll } from "../connection/all-pages.js";
import { callTimeoutMs, type UploadClient } from "../connection/client.js";
import type { Retry } from "../connection/retry.js";

/** Every session that may be seen, newest first. */
export function listSessions(client: UploadClient, retry: Retry): Promise<Session[]> {
  return listAll(
    (page) => retry.call((signal) => client.sessions.listSessions(page, { signal, timeoutMs: callTimeoutMs })),
    ({ sessions }) => sessions,
  );
}

/** Every file of a session, the first one added first. */
export async function listFiles(client: UploadClient, retry: Retry, sessionId: string): Promise<File[]> {
  const files = await listAll(
    (page) =>
      retry.call((signal) => client.files.listFiles({ sessionId, ...page }, { signal, timeoutMs: callTimeoutMs })),
    (page) => page.files,
  );
  return files.reverse();
}
