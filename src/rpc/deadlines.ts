// A client's deadline that is further away than a timer can wait, some 24 days, would be taken for one that has passed.
import type { ConnectRouter } from "@connectrpc/connect";
import { wrapHandlers } from "./wrap-handlers.js";

const mostTimerMs = 2 ** 31 - 1;
const unitsMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** Such a deadline counts as none. */
export function ignoreFarDeadlines(router: ConnectRouter): void {
  wrapHandlers(router, (handler) => (request) => {
    const { header } = request;
    if (Number(header.get("connect-timeout-ms")) > mostTimerMs) header.delete("connect-timeout-ms");
    const [, count, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(header.get("grpc-timeout") ?? "") ?? [];
    if (Number(count) * (unitsMs[unit] ?? 0) > mostTimerMs) header.delete("grpc-timeout");
    return handler(request);
  });
}
