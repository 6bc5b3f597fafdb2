// REST dialects on the port.
import type { Call } from "../core/index.js";
import { createDialectHandler, type Dialect, type DialectHandler } from "../rest/kit/index.js";
import type { Config } from "./config.js";
import type { CorsOptions } from "./cors.js";
import type { Log } from "./log.js";
import type { DialectName } from "./metrics.js";

export interface MountedDialect {
  /** The face, in the log and the metrics. */
  readonly name: DialectName;
  readonly handler: DialectHandler;
  /** Undefined: scripts of other pages get nothing to see, which browsers take for a no. */
  readonly cors: Omit<CorsOptions, "origins"> | undefined;
}

/** A dialect over its services, within the limits that the settings name. */
export function mountDialect<Services, Facts, C extends Call>(
  dialect: Dialect<Services, Facts, C> & { readonly name: DialectName },
  services: Services,
  deps: {
    readonly config: Pick<Config, "maxJsonBytes" | "messageTimeoutMs" | "limits">;
    readonly log: Pick<Log, "error">;
    readonly cors: MountedDialect["cors"];
  },
): MountedDialect {
  const { config, log, cors } = deps;
  const handler = createDialectHandler(dialect, services, {
    maxJsonBytes: { setting: "SLIPWAY_MAX_JSON_BYTES", value: config.maxJsonBytes },
    maxJsonMs: { setting: "SLIPWAY_MESSAGE_TIMEOUT", value: config.messageTimeoutMs },
    maxBufferedJsonBytes: config.limits.maxBufferedBytes,
    logUnexpected: (error, { id, method }) =>
      log.error({ err: error, requestId: id, face: dialect.name, method }, "a request failed"),
  });
  return { name: dialect.name, handler, cors };
}

export function findDialect<D extends MountedDialect>(dialects: readonly D[], url: string | undefined): D | undefined {
  const path = pathOf(url);
  return dialects.find(({ handler }) => handler.covers(path));
}

/** Without the query. */
export function pathOf(url: string | undefined): string {
  return (url ?? "").split("?", 1)[0] ?? "";
}
