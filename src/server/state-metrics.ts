// What is looked at only when somebody asks for the metrics: how the server stands at that moment.
import { statfs } from "node:fs/promises";
import { Gauge, type Registry } from "prom-client";
import { createLook } from "./look.js";

export interface ServerState {
  readonly dataDir: string;
  readonly isReady: () => Promise<boolean>;
  readonly countOpenSessions: () => Promise<number>;
  readonly bufferUse: () => { readonly sharers: number; readonly heldBytes: number };
  readonly maxBufferedBytes: number;
  readonly fetching: () => number;
  readonly poolUse: () => {
    readonly used: number;
    readonly free: number;
    readonly waiting: number;
    readonly most: number;
  };
}

const sessionsFreshMs = 5_000;
const readyFreshMs = 1_000;
const diskFreshMs = 5_000;
/** However long the database or the disk may take: the metrics come. */
const waitMs = 1_000;

/** What is not known is not there: a gauge without a value has no series. */
export function registerState(registry: Registry, state: ServerState): void {
  const gauge = (name: string, help: string, read: () => number | undefined | Promise<number | undefined>) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const value = await read();
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  const ready = createLook({ ask: state.isReady, freshMs: readyFreshMs, waitMs });
  gauge(
    "slipway_ready",
    "1 when database and store answer and the server is not stopping, as /readyz says; else 0.",
    async () => ((await ready()) === true ? 1 : 0),
  );
  gauge(
    "slipway_sessions_open",
    "Sessions that run, up to 5 s ago; of more than 100000 an estimate; absent while the database does not answer.",
    createLook({ ask: state.countOpenSessions, freshMs: sessionsFreshMs, waitMs }),
  );
  const disk = createLook({ ask: () => statfs(state.dataDir), freshMs: diskFreshMs, waitMs });
  gauge(
    "slipway_store_free_bytes",
    "What is left for us of the file system that the data folder is on (bytes).",
    async () => {
      const found = await disk();
      return found && found.bavail * found.bsize;
    },
  );
  gauge("slipway_store_size_bytes", "How large that file system is (bytes).", async () => {
    const found = await disk();
    return found && found.blocks * found.bsize;
  });
  gauge(
    "slipway_uploads_in_flight",
    "Parts, and streams of blobs, that are being received.",
    () => state.bufferUse().sharers,
  );
  gauge("slipway_fetches_in_flight", "Files that are being fetched from their sources.", state.fetching);
  gauge("slipway_buffered_bytes", "What they hold in memory (bytes).", () => state.bufferUse().heldBytes);
  gauge(
    "slipway_buffered_limit_bytes",
    "What they may hold together, SLIPWAY_MAX_BUFFERED_BYTES; each may hold 64 KiB in any case (bytes).",
    () => state.maxBufferedBytes,
  );
  new Gauge({
    name: "slipway_database_connections",
    help: "Connections to the database, by what they are: used or free.",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      const { used, free } = state.poolUse();
      this.set({ state: "used" }, used);
      this.set({ state: "free" }, free);
    },
  });
  gauge("slipway_database_connections_limit", "As many as there may be.", () => state.poolUse().most);
  gauge("slipway_database_waiting", "Questions that wait for a connection.", () => state.poolUse().waiting);
}
