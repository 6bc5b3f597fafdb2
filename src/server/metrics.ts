// What is counted, for Prometheus. Nothing that a client chooses is ever a label: the number of series is bounded.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { type AnswerCode, type Observer, type PullOutcome, type SweepReport, sessionStates } from "../core/index.js";

export interface Metrics {
  readonly registry: Registry;
  /** What the core tells. */
  readonly observer: Observer;
  /** What the port tells of a request: when it begins, and, once, how it ended. */
  requestBegan(name: RequestName): (end: { readonly code: AnswerCode; readonly reason?: string }) => void;
  loginFailed(): void;
  swept(report: Partial<SweepReport>): void;
  sweepFailed(): void;
  /** A try to fetch a file from its source ended; or broke off for a reason of this server's. */
  fetchEnded(result: PullOutcome | "broken"): void;
}

/** Which interface of the server a request is for, and what of it: both from closed lists. */
export interface RequestName {
  readonly face: "rpc" | "url" | "operations" | "other" | DialectName;
  readonly method: string;
}

/** The REST dialects. */
export type DialectName = "folio" | "vsphere" | "imis";

const appendBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const requestBuckets = [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 600];

export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  // Gauges with names of counters; the same is there by type, under better ones.
  for (const what of ["handles", "requests", "resources"]) registry.removeSingleMetric(`nodejs_active_${what}_total`);
  new Gauge({
    name: "slipway_build_info",
    help: "Always 1; the labels say which version of Slipway this is, and of Node.js.",
    labelNames: ["version", "node"],
    registers,
  }).set({ version, node: process.versions.node }, 1);
  return {
    registry,
    observer: createObserver(registers),
    requestBegan: createRequestMetrics(registers),
    ...createSweepMetrics(registers),
    fetchEnded: createFetchMetrics(registers),
    loginFailed: createCounter(registers, "slipway_login_failures_total", "Passwords shown that were not good."),
  };
}

function createCounter(registers: Registry[], name: string, help: string): () => void {
  const counter = new Counter({ name, help, registers });
  return () => counter.inc();
}

function createFetchMetrics(registers: Registry[]): Metrics["fetchEnded"] {
  const fetches = new Counter({
    name: "slipway_fetches_total",
    help: "Tries to fetch a file from its source, by how they ended.",
    labelNames: ["result"],
    registers,
  });
  for (const result of ["fetched", "delayed", "failed", "left", "broken"]) fetches.inc({ result }, 0);
  return (result) => fetches.inc({ result });
}

/**
 * A counter that is a number and nothing else until somebody asks for it: for what is told with every chunk. `values`
 * says how far it is, by the value of its label.
 */
function createTally(
  registers: Registry[],
  name: string,
  help: string,
  values: () => number | Readonly<Record<string, number>>,
): void {
  const labelNames = typeof values() === "number" ? [] : ["kind"];
  new Counter({
    name,
    help,
    labelNames,
    registers,
    collect() {
      this.reset();
      const now = values();
      if (typeof now === "number") this.inc(now);
      else for (const [kind, value] of Object.entries(now)) this.inc({ kind }, value);
    },
  });
}

function createObserver(registers: Registry[]): Observer {
  const received = { file: 0, blob: 0 };
  let resent = 0;
  let sent = 0;
  createTally(
    registers,
    "slipway_received_bytes_total",
    "Content that came in from clients, what was sent again or refused included (bytes).",
    () => received,
  );
  createTally(
    registers,
    "slipway_resent_bytes_total",
    "Of the content that came in, what was stored already and had been sent again (bytes).",
    () => resent,
  );
  createTally(registers, "slipway_sent_bytes_total", "Content that went out to clients (bytes).", () => sent);

  const append = new Histogram({
    name: "slipway_append_duration_seconds",
    help: "From the last byte of a part or blob until it is durable, checked and committed.",
    labelNames: ["kind"],
    buckets: appendBuckets,
    registers,
  });
  append.zero({ kind: "file" });
  append.zero({ kind: "blob" });
  const appended = { file: append.labels("file"), blob: append.labels("blob") };
  const complete = new Histogram({
    name: "slipway_complete_duration_seconds",
    help: "How long the completion of a session took: all of its files made visible, in one commit.",
    buckets: appendBuckets,
    registers,
  });
  const mismatches = new Counter({
    name: "slipway_checksum_failures_total",
    help: "Content that was refused because it is not what its checksum says.",
    labelNames: ["kind"],
    registers,
  });
  for (const kind of ["file", "blob"]) mismatches.inc({ kind }, 0);
  const blobs = new Counter({
    name: "slipway_blobs_total",
    help: "Blobs that were sent: stored, or known, which is there already.",
    labelNames: ["result"],
    registers,
  });
  for (const result of ["stored", "known"]) blobs.inc({ result }, 0);
  const ended = new Counter({
    name: "slipway_sessions_ended_total",
    help: "Sessions that ended, by the state they ended in; reason says why one failed.",
    labelNames: ["state", "reason"],
    registers,
  });
  for (const state of sessionStates.slice(2)) ended.inc({ state, reason: "" }, 0);
  ended.inc({ state: "failed", reason: "expired" }, 0);
  return {
    received(kind, bytes) {
      received[kind] += bytes;
    },
    resent(bytes) {
      resent += bytes;
    },
    sent(bytes) {
      sent += bytes;
    },
    appended: (kind, seconds) => appended[kind].observe(seconds),
    handedOver: createCounter(
      registers,
      "slipway_writer_handovers_total",
      "Writers of a file that lost it to a newcomer while they were still at it.",
    ),
    checksumFailed: (kind) => mismatches.inc({ kind }),
    blobPut: (applied) => blobs.inc({ result: applied ? "stored" : "known" }),
    sessionCreated: createCounter(registers, "slipway_sessions_created_total", "Sessions that were opened."),
    sessionEnded: (state, reason = "") => ended.inc({ state, reason }),
    completed: (seconds) => complete.observe(seconds),
  };
}

function createRequestMetrics(registers: Registry[]): Metrics["requestBegan"] {
  const underWay = new Gauge({
    name: "slipway_requests_in_flight",
    help: "Requests that have begun and are not answered yet.",
    labelNames: ["face", "method"],
    registers,
  });
  const duration = new Histogram({
    name: "slipway_request_duration_seconds",
    help: "From a request's headers to the end of its answer; a stream lasts as long as its client takes.",
    labelNames: ["face", "method", "code"],
    buckets: requestBuckets,
    registers,
  });
  const errors = new Counter({
    name: "slipway_errors_total",
    help: "Requests that were answered with an error, or left by their client (canceled), and exactly what was wrong.",
    labelNames: ["face", "code", "reason"],
    registers,
  });
  return ({ face, method }) => {
    const since = performance.now();
    underWay.inc({ face, method });
    return ({ code, reason = "" }) => {
      underWay.dec({ face, method });
      duration.observe({ face, method, code }, (performance.now() - since) / 1000);
      if (code !== "ok") errors.inc({ face, code, reason });
    };
  };
}

function createSweepMetrics(registers: Registry[]): Pick<Metrics, "swept" | "sweepFailed"> {
  const sweeps = new Counter({
    name: "slipway_sweeps_total",
    help: "Sweeps that came to their end (ok), and those that did not (failed).",
    labelNames: ["result"],
    registers,
  });
  for (const result of ["ok", "failed"]) sweeps.inc({ result }, 0);
  const collected = new Counter({
    name: "slipway_swept_total",
    help: "What sweeps collected, by what it was.",
    labelNames: ["what"],
    registers,
  });
  const last = new Gauge({
    name: "slipway_sweep_last_success_timestamp_seconds",
    help: "When a sweep last came to its end, in seconds since 1970; absent until one has.",
    registers,
  });
  last.remove();
  for (const name of Object.keys(nothingSwept)) collected.inc({ what: snakeCase(name) }, 0);
  return {
    swept(report) {
      sweeps.inc({ result: "ok" });
      last.setToCurrentTime();
      for (const [name, count] of Object.entries(report)) collected.inc({ what: snakeCase(name) }, count);
    },
    sweepFailed: () => sweeps.inc({ result: "failed" }),
  };
}

const nothingSwept: SweepReport = {
  expiredSessions: 0,
  forgottenSessions: 0,
  releasedContents: 0,
  expiredRecords: 0,
  trashedKeys: 0,
  restoredKeys: 0,
  deletedKeys: 0,
};

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
