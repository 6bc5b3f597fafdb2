import type { CoreDeps } from "../../deps.js";
import type { LeasedPull } from "../../ports/pull-store.js";
import { type PullOutcome, type PullSources, pullFile } from "./pull-file.js";
import { removeOriginals } from "./remove-originals.js";
import { settleSession } from "./settle-session.js";

/** Fetches, in the background, what files with a source wait for. */
export interface Puller {
  /** Takes up whatever is due, now and from now on, and goes on with completions that were waited for. */
  start(): void;
  /** Something may be due: looks at once. Before the start it does nothing. */
  wake(): void;
  /** Ends what is under way, keeping what has arrived, and gives its leases back. */
  stop(): Promise<void>;
  /** How many files are being fetched. */
  readonly running: number;
}

export interface PullerOptions extends PullSources {
  /** Told after each try, with how it ended; or with what of the service's own failed. */
  onEnd(pull: LeasedPull, end: PullOutcome | { readonly error: unknown }): void;
  /** Told when the database could not be asked for something to do; it is asked again. */
  onError(error: unknown): void;
}

const leaseMs = 60_000;
const renewMs = 15_000;
/** How long it takes at most to see what another process has brought. */
const lookMs = 10_000;
/** What comes due within so little time is taken up together. */
const leastMs = 100;
const afterErrorMs = 5_000;
const settleBatch = 100;
const aliveBatch = 1000;

/** What a try ends with whose lease has gone to another process. */
const leaseLost = new Error("the lease of this pull was lost");
const stopped = new Error("pulling stops");

export function createPuller(deps: CoreDeps, { source, mover, onTrouble, onEnd, onError }: PullerOptions): Puller {
  const running = new Map<string, { readonly pull: LeasedPull; readonly abort: AbortController }>();
  /** Every try that has not ended, also one whose file another try has taken over. */
  const trying = new Set<Promise<void>>();
  let state: "new" | "started" | "stopped" = "new";
  let looking: Promise<void> | undefined;
  let lookAgain = false;
  let settleAt = 0;
  let removing: Promise<void> | undefined;
  const leaving = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let renewing: NodeJS.Timeout | undefined;

  function wake(): void {
    if (state !== "started") return;
    lookAgain = true;
    looking ??= look().finally(() => {
      looking = undefined;
      // Asked for after the last look, and before this one was over.
      if (lookAgain) wake();
    });
  }
  async function look(): Promise<void> {
    clearTimeout(timer);
    let nextMs = lookMs;
    while (lookAgain && state === "started") {
      lookAgain = false;
      try {
        nextMs = Math.min(lookMs, await takeUp());
        await settleWaiting();
        startRemoving();
      } catch (error) {
        nextMs = afterErrorMs;
        onError(error);
      }
    }
    if (state === "started") timer = setTimeout(wake, nextMs);
  }

  /** Fills the free places; answers how long until more is due. */
  async function takeUp(): Promise<number> {
    while (running.size < deps.limits.maxPulls && state === "started") {
      const leased = await deps.metadata.leasePull({ leaseMs, exceptTenants: findGreedy() });
      if (leased.pull === undefined) return Math.max(leastMs, leased.nextMs ?? lookMs);
      begin(leased.pull);
    }
    return lookMs;
  }
  /** Tenants that have all places but the last: that one is for the others. */
  function findGreedy(): readonly string[] {
    const counts = new Map<string, number>();
    for (const { pull } of running.values()) counts.set(pull.tenantId, (counts.get(pull.tenantId) ?? 0) + 1);
    const most = Math.max(1, deps.limits.maxPulls - 1);
    return [...counts].filter(([, count]) => count >= most).map(([tenantId]) => tenantId);
  }

  function begin(pull: LeasedPull): void {
    // A lease that ran out here, and came back here: the newer try takes the file's seat over from the older.
    running.get(pull.fileId)?.abort.abort(leaseLost);
    const abort = new AbortController();
    const entry = { pull, abort };
    running.set(pull.fileId, entry);
    const done = attend(pull, abort.signal).finally(() => {
      trying.delete(done);
      if (running.get(pull.fileId) === entry) running.delete(pull.fileId);
      wake();
    });
    trying.add(done);
  }
  async function attend(pull: LeasedPull, signal: AbortSignal): Promise<void> {
    let outcome: PullOutcome;
    try {
      outcome = await pullFile(deps, { source, mover, onTrouble }, pull, signal);
    } catch (error) {
      // The lease stays, so that there is a pause before the next try.
      if (!signal.aborted) onEnd(pull, { error });
      return;
    }
    onEnd(pull, outcome);
    // Every other end has ended the lease with it.
    if (outcome === "left") await deps.metadata.returnPulls([pull]).catch(onError);
  }

  /**
   * Completions whose last file came when nobody could end them: a process died in that moment. They are rare, and those
   * that wait may be many, so they are looked for once in a while. One that cannot be ended now holds no other up.
   */
  async function settleWaiting(): Promise<void> {
    if (performance.now() < settleAt) return;
    await deps.metadata.keepPullingAlive(aliveBatch);
    const waiting = await deps.metadata.listSettleable({ limit: settleBatch });
    settleAt = waiting.length < settleBatch ? performance.now() + lookMs : 0;
    for (const session of waiting) {
      await settleSession(deps, session).catch(onError);
    }
  }

  /** Beside everything else: a folder that hangs holds nothing up, and a stop waits for it last. */
  function startRemoving(): void {
    if (mover === undefined) return;
    removing ??= removeOriginals(deps, mover, { onError, signal: leaving.signal })
      .catch(onError)
      .finally(() => {
        removing = undefined;
      });
  }

  async function renew(): Promise<void> {
    const entries = [...running.values()];
    if (entries.length === 0) return;
    try {
      const held = new Set(
        await deps.metadata.renewPulls(
          entries.map(({ pull }) => pull),
          leaseMs,
        ),
      );
      for (const { pull, abort } of entries) if (!held.has(pull.fileId)) abort.abort(leaseLost);
    } catch (error) {
      onError(error);
    }
  }

  return {
    get running() {
      return running.size;
    },
    start() {
      if (state !== "new") return;
      state = "started";
      renewing = setInterval(() => void renew(), renewMs);
      wake();
    },
    wake,
    async stop() {
      state = "stopped";
      clearTimeout(timer);
      clearInterval(renewing);
      leaving.abort(stopped);
      await looking;
      const entries = [...running.values()];
      for (const { abort } of entries) abort.abort(stopped);
      await Promise.all(trying);
      // Without a database the leases run out by themselves.
      await deps.metadata.returnPulls(entries.map(({ pull }) => pull)).catch(() => undefined);
      await removing;
    },
  };
}
