// grpc.health.v1: whether this server serves, for load balancers and generic clients.
import { setTimeout as wait } from "node:timers/promises";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { type Health, HealthCheckResponse_ServingStatus as Status } from "../../gen/grpc/health/v1/health_pb.js";
import type { ReadinessCheck } from "./health.js";

const freshMs = 1_000;

/**
 * All services stand and fall together, with what `/readyz` asks. Whoever asks within a second shares one look at the
 * database; a watcher is told at once, at every change, and when the server leaves, which ends the watch.
 */
export function createHealthService(deps: {
  readonly services: () => readonly string[];
  readonly checkReady: ReadinessCheck;
  /** Aborted when the server stops. */
  readonly leaving: AbortSignal;
}): ServiceImpl<typeof Health> {
  const { services, leaving } = deps;
  let asked = { at: Number.NEGATIVE_INFINITY, status: Promise.resolve<Status>(Status.UNKNOWN) };

  function current(): Promise<Status> {
    if (leaving.aborted) return Promise.resolve(Status.NOT_SERVING);
    const now = performance.now();
    if (now - asked.at >= freshMs) {
      const status = deps.checkReady().then(
        () => Status.SERVING,
        () => Status.NOT_SERVING,
      );
      asked = { at: now, status };
    }
    return asked.status;
  }
  const isKnown = (service: string) => service === "" || services().includes(service);

  return {
    async check({ service }) {
      if (!isKnown(service)) throw new ConnectError(`there is no service ${JSON.stringify(service)}`, Code.NotFound);
      return { status: await current() };
    },

    async list() {
      const status = await current();
      return { statuses: Object.fromEntries(["", ...services()].map((service) => [service, { status }])) };
    },

    async *watch({ service }, context) {
      const signal = AbortSignal.any([context.signal, leaving]);
      let told: Status | undefined;
      for (;;) {
        // What is true at the end is told, too.
        const ending = signal.aborted;
        const status = isKnown(service) ? await current() : Status.SERVICE_UNKNOWN;
        if (status !== told) yield { status };
        told = status;
        if (ending) return;
        await wait(freshMs, undefined, { signal }).catch(() => undefined);
      }
    },
  };
}
