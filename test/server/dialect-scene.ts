// The made-up dialect on a port of its own, with all that stands around a dialect there; nothing of it is stored.
import { pino } from "pino";
import { afterAll, beforeAll } from "vitest";
import { readConfig } from "../../src/server/config.js";
import { type MountedDialect, mountDialect } from "../../src/server/dialects.js";
import { createFaces, type Faces } from "../../src/server/faces.js";
import { type Listener, listen } from "../../src/server/listen.js";
import { createMetrics, type Metrics } from "../../src/server/metrics.js";
import { type Manners, makeDialect, services as ordinary, type Services } from "../rest/kit/made-up-dialect.js";
import { type HttpClient, httpVersions, openHttp } from "../support/http.js";

export interface DialectScene {
  readonly url: string;
  readonly port: number;
  readonly clients: Readonly<Record<(typeof httpVersions)[number], HttpClient>>;
  readonly faces: Faces;
  readonly metrics: Metrics;
  /** What was logged, line by line, from `debug` on. */
  readonly log: Record<string, unknown>[];
}

/** Its face is called as one that there is: names are a closed list. */
export function useDialect(
  options: {
    readonly manners?: Manners;
    readonly services?: Partial<Services>;
    readonly env?: Record<string, string>;
  } = {},
): DialectScene {
  const scene = { log: [] } as unknown as { -readonly [K in keyof DialectScene]: DialectScene[K] };
  let listener: Listener;
  beforeAll(async () => {
    const config = readConfig({ SLIPWAY_MAX_JSON_BYTES: "1MiB", ...options.env }, false);
    const log = pino(
      { level: "debug", base: null },
      { write: (line: string) => void scene.log.push(JSON.parse(line)) },
    );
    const dialect = { ...makeDialect(options.manners), name: "folio" } as const;
    const cors: MountedDialect["cors"] = {
      methods: ["GET", "POST"],
      allowedHeaders: ["content-type", "x-made-up"],
      exposedHeaders: ["x-seen"],
    };
    scene.metrics = createMetrics("0");
    scene.faces = createFaces({
      config,
      log,
      metrics: scene.metrics,
      clock: { now: () => new Date() },
      capabilityKey: new Uint8Array(32),
      checkReady: async () => undefined,
      dialects: [mountDialect(dialect, { ...ordinary, ...options.services }, { config, log, cors })],
      // Nobody is asked for anything here.
      ...({ uploads: {}, access: {} } as Pick<Parameters<typeof createFaces>[0], "uploads" | "access">),
    });
    const onError = (error: unknown) => scene.log.push({ error });
    listener = await listen({
      ...config.listen,
      port: 0,
      maxBufferedBytes: 2 ** 27,
      onError,
      handler: scene.faces.handler,
    });
    scene.url = listener.url;
    scene.port = Number(new URL(listener.url).port);
    scene.clients = { "1.1": openHttp(listener.url, "1.1"), "2": openHttp(listener.url, "2") };
  });
  afterAll(() => {
    for (const version of httpVersions) scene.clients[version].close();
    listener.destroy();
  });
  return scene;
}
