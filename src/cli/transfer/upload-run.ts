// One upload's session, from its opening to its end.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { CallOptions } from "@connectrpc/connect";
import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import { type Session, SessionState } from "../../../gen/slipway/upload/v1/session_pb.js";
import { callTimeoutMs, type UploadClient } from "../connection/client.js";
import { createRetry } from "../connection/retry.js";
import { describeError, isReason } from "../connection/rpc-error.js";
import { CliError } from "../shell/cli-error.js";
import type { Context } from "../shell/command.js";
import { formatSeconds } from "../shell/format.js";
import type { Progress } from "./progress.js";
import type { UploadJournal } from "./upload-journal.js";
import type { UploadOptions } from "./upload-options.js";
import type { PlannedFile } from "./upload-plan.js";
import { prepareItem } from "./upload-target.js";

export interface UploadRun {
  readonly client: UploadClient;
  readonly options: UploadOptions;
  readonly planned: readonly PlannedFile[];
  readonly journal: UploadJournal | undefined;
  readonly context: Context;
  readonly signal: AbortSignal;
  readonly retryForMs: number;
  readonly progress: Progress;
}

/** The session takes no more files: nothing is left to go on with. */
export class SessionOver extends CliError {
  readonly sessionId: string;
  /** Undefined when there is none any more, or none that one may see. */
  readonly state: SessionState | undefined;

  constructor(sessionId: string, state: SessionState | undefined, message: string, cause?: unknown) {
    super(message, 1, cause);
    this.sessionId = sessionId;
    this.state = state;
  }
}

/** A call that may be made again, with the patience of the whole command. */
export function askFor(run: UploadRun): <T>(call: (options: CallOptions) => Promise<T>) => Promise<T> {
  const { progress, retryForMs, signal } = run;
  const notify = (error: unknown, delayMs: number) =>
    progress.trouble(`${describeError(error)}, retrying in ${formatSeconds(delayMs)}`);
  const retry = createRetry({ retryForMs, signal, notify });
  return (call) => retry.call((stop) => call({ signal: stop, timeoutMs: callTimeoutMs }));
}

/** Opens a new session, or finds the one that is named as one that takes files. */
export async function openSession(run: UploadRun): Promise<Session> {
  const { client, options } = run;
  const ask = askFor(run);
  if (options.sessionId !== undefined) return await findActive(run, options.sessionId);
  const item = options.into === undefined ? {} : { itemId: await prepareItem({ client, ask }, options.into) };
  const request = { clientToken: randomUUID(), label: options.label, ...item };
  const answer = await ask((call) => client.sessions.createSession(request, call));
  const session = assertSession(answer.session);
  run.progress.notice(`session ${session.id}`);
  return session;
}

async function findActive(run: UploadRun, sessionId: string): Promise<Session> {
  const { client } = run;
  const answer = await explainLoss(sessionId, () =>
    askFor(run)((call) => client.sessions.getSession({ sessionId }, call)),
  );
  const session = assertSession(answer.session);
  if (session.state === SessionState.ACTIVE) return session;
  // One that is being completed has all its files.
  throw overOf(session.state === SessionState.COMPLETING ? await settle(run, session) : session);
}

/** Ends the session: all its files become visible at once. */
export async function completeSession(run: UploadRun, sessionId: string): Promise<Session> {
  const { client } = run;
  const answer = await explainLoss(sessionId, () =>
    askFor(run)((call) => client.sessions.completeSession({ sessionId }, call)),
  );
  return await settle(run, assertSession(answer.session));
}

async function settle(run: UploadRun, first: Session): Promise<Session> {
  const { client, signal } = run;
  let session = first;
  for (let waitMs = 50; session.state === SessionState.COMPLETING; waitMs = Math.min(waitMs * 2, 2000)) {
    await sleep(waitMs, undefined, { signal });
    const asked = await askFor(run)((call) => client.sessions.getSession({ sessionId: first.id }, call));
    session = assertSession(asked.session);
  }
  if (session.state === SessionState.DONE) return session;
  if (session.state === SessionState.ACTIVE) {
    throw new CliError(
      `session ${session.id} is not completed: files that the server was to fetch could not be had (see: slipway ls ${session.id})`,
    );
  }
  throw overOf(session);
}

/** What an error says that came because the session has ended meanwhile; else the error itself. */
export async function explainLoss<T>(sessionId: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isReason(error, ErrorReason.SESSION_NOT_FOUND)) {
      const why = "it has expired or was deleted, or it is somebody else's";
      throw new SessionOver(sessionId, undefined, `there is no session ${sessionId} that you may see: ${why}`, error);
    }
    if (isReason(error, ErrorReason.SESSION_EXPIRED)) {
      throw new SessionOver(sessionId, SessionState.FAILED, `session ${sessionId} has expired`, error);
    }
    if (isReason(error, ErrorReason.SESSION_STATE)) {
      throw new SessionOver(sessionId, undefined, `session ${sessionId} was ended meanwhile`, error);
    }
    throw error;
  }
}

function overOf(session: Session): SessionOver {
  const state = SessionState[session.state].toLowerCase();
  const why = session.failure?.message?.defaultMessage;
  const because = why === undefined || why === "" ? "" : ` (${why})`;
  const sentence = `session ${session.id} is ${state}${because} and takes no more files`;
  return new SessionOver(session.id, session.state, sentence);
}

function assertSession(session: Session | undefined): Session {
  if (session === undefined) throw new CliError("the server's answer holds no session");
  return session;
}
