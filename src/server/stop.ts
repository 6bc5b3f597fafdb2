// How a server comes to its end: first the calls, then what they stand on.
import type { BlobStore, MetadataStore } from "../core/index.js";
import type { Database } from "../storage/postgres/connect.js";
import type { Bootstrap } from "./bootstrap.js";
import type { Faces } from "./faces.js";
import type { Listener } from "./listen.js";
import type { Log } from "./log.js";
import { within } from "./within.js";

/** How long calls may go on. */
const finishMs = 10_000;
/** How long those that are cut have for committing what has arrived of them. */
const commitMs = 5_000;
const answerMs = 1_000;
/** How long each thing may take to let go of what it holds. */
const closeMs = 5_000;
/** The embedded database ends its worker itself before this is over. */
const databaseMs = 15_000;

export interface StopParts {
  readonly log: Log;
  readonly faces: Pick<Faces, "farewell" | "idle" | "cut" | "underWay">;
  readonly listener: Pick<Listener, "close" | "destroy">;
  /** Undefined without TLS. */
  readonly certificate: { stop(): void } | undefined;
  readonly bootstrap: Pick<Bootstrap, "done">;
  /** Ends the bootstrap's waiting for the database. */
  readonly stopping: AbortController;
  readonly sweeper: { stop(): Promise<void> };
  readonly puller: { stop(): Promise<void> };
  readonly access: { stop(): Promise<void> };
  readonly metadata: Pick<MetadataStore, "close">;
  readonly database: Pick<Database, "close">;
  readonly blobs: Pick<BlobStore, "close">;
}

/**
 * Takes no new connections, lets calls go on for a while, or until `hurry` aborts, cuts what is left and commits what has
 * arrived of it. Bounded, whatever hangs. Answers whether everything has let go of the data folder: else only the end
 * of the process makes it free.
 */
export async function stopServer(parts: StopParts, hurry?: AbortSignal): Promise<boolean> {
  const { log, faces, listener } = parts;
  parts.certificate?.stop();
  const underWay = faces.underWay();
  log.info({ calls: underWay }, "no new connections are taken, calls under way may finish");
  faces.farewell();
  const closed = listener.close();
  await within(finishMs, Promise.all([closed, faces.idle()]), hurry);
  const cut = faces.underWay();
  log.info({ finished: Math.max(0, underWay - cut), cut }, "calls have ended");
  faces.cut();
  const committed = await within(commitMs, faces.idle());
  // The calls have ended; their answers may still be on their way out.
  await within(answerMs, closed);
  listener.destroy();
  parts.stopping.abort();
  const steps: readonly (readonly [what: string, ms: number, work: () => Promise<unknown>])[] = [
    ["the start of the database", closeMs, () => parts.bootstrap.done.catch(() => undefined)],
    ["what is being fetched", closeMs, () => parts.puller.stop()],
    ["the sweeper", closeMs, () => parts.sweeper.stop()],
    ["the last uses of tokens", closeMs, () => parts.access.stop()],
    ["the metadata store", closeMs, () => parts.metadata.close()],
    ["the database", databaseMs, () => parts.database.close()],
    ["the blob store", closeMs, () => parts.blobs.close()],
  ];
  let free = committed;
  for (const [what, ms, work] of steps) {
    try {
      if (await within(ms, work())) continue;
      log.warn({ what }, "stopping did not wait for this any longer");
    } catch (error) {
      log.warn({ what, err: error }, "this could not be stopped properly");
    }
    free = false;
  }
  return free;
}
