import type { SweepOptions, SweepReport } from "../core/index.js";

/** Sweeps again and again, never two at a time; a sweep that fails is told and tried again at its next turn. */
export function startSweeping(deps: {
  readonly sweep: (options: SweepOptions) => Promise<SweepReport>;
  readonly options: SweepOptions & { readonly intervalMs: number };
  readonly onReport: (report: SweepReport) => void;
  readonly onError: (error: unknown) => void;
}): { stop(): Promise<void> } {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= deps
      .sweep(deps.options)
      .then(deps.onReport, deps.onError)
      .finally(() => {
        running = undefined;
      });
  }, deps.options.intervalMs);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
