import type { SweepOptions, SweepReport, Uploads } from "../core/index.js";

/**
 * Sweeps again and again, never two at a time: the rows at every turn, the bytes, which takes a look at every one of
 * them, far more seldom. A sweep that fails is told and tried again at its next turn.
 */
export function startSweeping(deps: {
  readonly uploads: Pick<Uploads, "sweep" | "sweepRows">;
  readonly options: SweepOptions & { readonly intervalMs: number; readonly bytesIntervalMs: number };
  readonly onReport: (report: Partial<SweepReport>) => void;
  readonly onError: (error: unknown) => void;
}): { stop(): Promise<void> } {
  const { uploads, options } = deps;
  let running: Promise<void> | undefined;
  let bytesSweptAt = Number.NEGATIVE_INFINITY;

  async function sweep(): Promise<void> {
    const startedAt = performance.now();
    if (startedAt - bytesSweptAt < options.bytesIntervalMs) return deps.onReport(await uploads.sweepRows());
    deps.onReport(await uploads.sweep(options));
    bytesSweptAt = startedAt;
  }
  const timer = setInterval(() => {
    running ??= sweep()
      .catch(deps.onError)
      .finally(() => {
        running = undefined;
      });
  }, options.intervalMs);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
