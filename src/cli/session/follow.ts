import { Code, ConnectError } from "@connectrpc/connect";
import { type SessionEvent, SessionEventType } from "../../../gen/slipway/upload/v1/event_pb.js";
import { type Session, SessionState } from "../../../gen/slipway/upload/v1/session_pb.js";
import type { SessionProgress } from "../../../gen/slipway/upload/v1/event_pb.js";
import type { UploadClient } from "../connection/client.js";
import { createRetry, type Retry } from "../connection/retry.js";
import { describeError } from "../connection/rpc-error.js";
import { createStallGuard } from "../connection/stall-guard.js";
import { formatSeconds } from "../shell/format.js";
import type { WatchProgress } from "./watch-progress.js";

/** The server says something at least every 15 s. */
const stalledMs = 60_000;

const ends = new Map([
  [SessionEventType.SESSION_DONE, SessionState.DONE],
  [SessionEventType.SESSION_CANCELED, SessionState.CANCELED],
  [SessionEventType.SESSION_FAILED, SessionState.FAILED],
]);

/** The state that a session ends in with this event; undefined when it goes on. */
export function endOf(event: SessionEvent): SessionState | undefined {
  return ends.get(event.type);
}

export interface Following {
  readonly client: UploadClient;
  readonly signal: AbortSignal;
  readonly retry: Retry;
  readonly sessionId: string;
  /** The number of the last event that is not told. */
  readonly after: number;
  /** Told of each event, once and in order. Something else than undefined ends the following with it. */
  happened(event: SessionEvent): Promise<SessionState | undefined>;
  moved(files: SessionProgress["files"]): void;
}

/**
 * Follows a session until `happened` says how it ended, through lost connections and restarts of the server. Of a
 * session that had ended before the first event to be told, its state.
 */
export async function followSession(following: Following): Promise<SessionState> {
  const { client, signal, retry, sessionId } = following;
  let last = following.after;
  for (;;) {
    try {
      const guard = createStallGuard(signal, stalledMs);
      const updates = client.sessions.watchSession(
        { sessionId, afterEventNumber: BigInt(last) },
        { signal: guard.signal },
      );
      for await (const { update } of guard.watch(updates)) {
        retry.progressed();
        if (update.case === "event") {
          last = Number(update.value.number);
          const end = await following.happened(update.value);
          if (end !== undefined) return end;
        } else if (update.case === "progress") {
          following.moved(update.value.files);
        }
      }
      // It had ended before the first event that was asked for; or something on the way ended the stream.
      const { session } = await client.sessions.getSession({ sessionId }, { signal });
      if (session !== undefined && hasEnded(session)) return session.state;
      throw new ConnectError("the stream ended early", Code.Unavailable);
    } catch (error) {
      await retry.pause(error);
    }
  }
}

/** The patience of one who follows: what it waits for is told beside the progress. */
export function createFollowRetry(retryForMs: number, signal: AbortSignal, progress: WatchProgress): Retry {
  const notify = (error: unknown, delayMs: number) =>
    progress.notice(`${describeError(error)}, retrying in ${formatSeconds(delayMs)}`);
  return createRetry({ retryForMs, signal, notify });
}

function hasEnded(session: Session): boolean {
  return [...ends.values()].includes(session.state);
}
