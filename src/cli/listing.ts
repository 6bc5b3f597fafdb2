import type { File } from "../../gen/slipway/upload/v1/file_pb.js";
import type { Session } from "../../gen/slipway/upload/v1/session_pb.js";
import { callTimeoutMs, type UploadClient } from "./client.js";
import type { Retry } from "./retry.js";

const pageSize = 1000;

/** Every session that may be seen, newest first. */
export async function listSessions(client: UploadClient, retry: Retry): Promise<Session[]> {
  const sessions: Session[] = [];
  for (let pageToken = ""; ; ) {
    const request = { pageSize, pageToken };
    const page = await retry.call((signal) =>
      client.sessions.listSessions(request, { signal, timeoutMs: callTimeoutMs }),
    );
    sessions.push(...page.sessions);
    if (page.nextPageToken === "") return sessions;
    pageToken = page.nextPageToken;
  }
}

/** Every file of a session, the first one added first. */
export async function listFiles(client: UploadClient, retry: Retry, sessionId: string): Promise<File[]> {
  const files: File[] = [];
  for (let pageToken = ""; ; ) {
    const request = { sessionId, pageSize, pageToken };
    const page = await retry.call((signal) => client.files.listFiles(request, { signal, timeoutMs: callTimeoutMs }));
    files.push(...page.files);
    if (page.nextPageToken === "") return files.reverse();
    pageToken = page.nextPageToken;
  }
}
