import { setTimeout as wait } from "node:timers/promises";
import { type BlobStore, isUploadError, type MetadataStore, UploadError } from "../core/index.js";
import { Refusal } from "./refusal.js";

export interface Bootstrap {
  /** Throws `unavailable` until the database has been reached for the first time. */
  assertDone(): void;
  /** Resolves when it has; rejects with what makes starting pointless. */
  readonly done: Promise<void>;
  /** Resolves when it has, or when the first attempt found the database away; rejects as `done` does. */
  readonly tried: Promise<void>;
}

const mostWaitMs = 5_000;

/**
 * Brings the database up to date and ties it to the data folder, as often as it takes: a database that is away only
 * delays this. A database that belongs to another folder, or is newer than this program, ends it.
 */
export function startBootstrap(deps: {
  readonly metadata: MetadataStore;
  readonly migrate: () => Promise<void>;
  readonly blobs: BlobStore;
  /** Sees to it that somebody can be let in. */
  readonly ensureAdministrator: () => Promise<void>;
  /** Ends what cannot be continued of what was under way when the last process ended. */
  readonly recover: () => Promise<unknown>;
  readonly signal: AbortSignal;
  readonly onRetry: (error: Error, waitMs: number) => void;
}): Bootstrap {
  let reached = false;
  let putOff: () => void = () => undefined;
  const away = new Promise<void>((resolve) => {
    putOff = resolve;
  });

  async function attempt(): Promise<void> {
    await deps.migrate();
    if ((await deps.metadata.findStore()) === undefined) await assertNoContent(deps.blobs);
    const boundTo = await deps.metadata.bindStore(deps.blobs.storeId);
    const { storeId } = deps.blobs;
    if (boundTo !== storeId) {
      throw new Refusal(`the database belongs to the data folder with store id ${boundTo}, this folder has ${storeId}`);
    }
    await deps.metadata.interruptValidations();
    await deps.metadata.returnAllPulls();
    await deps.recover();
    await deps.ensureAdministrator();
    reached = true;
  }
  async function run(): Promise<void> {
    for (let waitMs = 250; ; waitMs = Math.min(waitMs * 2, mostWaitMs)) {
      try {
        return await attempt();
      } catch (error) {
        if (!isUploadError(error, "unavailable")) throw error;
        deps.onRetry(error, waitMs);
        putOff();
        await wait(waitMs, undefined, { signal: deps.signal });
      }
    }
  }
  const done = run();
  // Whoever asks is told; until somebody does, a failure is not an error that nobody handles.
  done.catch(() => undefined);
  const tried = Promise.race([done, away]);
  tried.catch(() => undefined);
  return {
    assertDone() {
      if (reached) return;
      throw new UploadError("unavailable", "the database has not been reached yet", { reason: "DATABASE_UNAVAILABLE" });
    },
    done,
    tried,
  };
}

/** To a database that knows nothing, all bytes of a folder would be litter. */
export async function assertNoContent(blobs: Pick<BlobStore, "storeId" | "listKeys">): Promise<void> {
  for await (const _ of blobs.listKeys({ writtenBefore: new Date(8.64e15), batchSize: 1 })) {
    throw new Refusal(
      `the data folder with store id ${blobs.storeId} holds content, and the database is a new one that knows none of it: restore the database that belongs to it, or use another data folder`,
    );
  }
}
