// The only reader of the environment. Every setting, its default and its parser stand in one table.
import { resolve } from "node:path";
import { isPassword } from "../access/passwords.js";
import { type Deadlines, defaultLimits, defaultSweep, type Limits, type SweepOptions } from "../core/index.js";
import { type DateOffset, dateOffsets } from "../rest/folio/index.js";
import { type PullAllowance, parsePullAllow } from "../sources/address-policy.js";
import { parsePullRoots } from "../sources/roots.js";
import { isLoopback } from "./node-http.js";

export interface Config {
  readonly listen: { readonly host: string; readonly port: number };
  /** PEM files; undefined for no TLS. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** How the outside reaches the server, without a slash at the end; undefined to ask each request. */
  readonly publicUrl: string | undefined;
  readonly trustProxy: boolean;
  /** Whose scripts may use credentials from a browser. */
  readonly corsOrigins: readonly string[];
  readonly dataDir: string;
  /** postgres://...; undefined for the embedded database. */
  readonly databaseUrl: string | undefined;
  readonly databasePool: number;
  readonly durability: "fsync" | "os";
  /** Within this a call that takes one message must have sent it. */
  readonly messageTimeoutMs: number;
  readonly limits: Limits;
  /** The largest body of JSON that a REST dialect takes. */
  readonly maxJsonBytes: number;
  readonly deadlines: Deadlines;
  readonly folio: {
    /** A gateway is in front, and its headers say who asks. */
    readonly trustOkapi: boolean;
    readonly deadlines: Deadlines;
    /** The largest size that a definition may announce. */
    readonly maxFileBytes: number;
    /** How its dates end, which are all in UTC. */
    readonly dateOffset: DateOffset;
  };
  readonly vsphere: {
    readonly deadlines: Deadlines;
  };
  readonly pull: {
    /** What may be pulled from beside public addresses. */
    readonly allow: PullAllowance;
    /** Folders that file: and ds: sources may be read from. */
    readonly roots: readonly string[];
  };
  /** For the first start; undefined for one that is made up then. */
  readonly adminPassword: string | undefined;
  readonly tokenIdleTtlMs: number;
  readonly sweep: SweepOptions & { readonly intervalMs: number; readonly bytesIntervalMs: number };
  readonly log: { readonly level: string; readonly format: "pretty" | "json" };
}

/** A setting that is wrong: one sentence that names it and says what it may be. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

type Environment = Readonly<Record<string, string | undefined>>;

const hourMs = 3_600_000;
const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
/** Settings of the command line, which share the prefix. */
const foreign = new Set(["SLIPWAY_URL", "SLIPWAY_TOKEN"]);

/**
 * Reads the environment, with flags over it. Throws `ConfigError`, for an unknown SLIPWAY_ name too: it is a slip of
 * the pen.
 */
export function readConfig(env: Environment, isTerminal: boolean): Config {
  const known = new Set<string>();
  const read = <T>(name: string, fallback: T, parse: (text: string) => T | undefined, mayBe: string): T =>
    readUnshown(name, fallback, parse, (text) => `${mayBe}, not ${JSON.stringify(text)}`);
  const readUnshown = <T>(
    name: string,
    fallback: T,
    parse: (text: string) => T | undefined,
    mayBe: (text: string) => string,
  ): T => {
    known.add(name);
    const text = env[name];
    if (text === undefined || text === "") return fallback;
    const value = parse(text);
    if (value === undefined) throw new ConfigError(`${name} must be ${mayBe(text)}`);
    return value;
  };
  const count = (name: string, fallback: number, least: number, most = Number.MAX_SAFE_INTEGER) =>
    read(
      name,
      fallback,
      (text) => parseWithin(Number(text), /^\d+$/.test(text), least, most),
      `a whole number from ${least} to ${most}`,
    );
  const bytes = (name: string, fallback: number, least: number) =>
    read(
      name,
      fallback,
      (text) => parseBytes(text, least),
      `a size of at least ${least} bytes such as 64MiB, 2GiB or 4096`,
    );
  const duration = (name: string, fallback: number) =>
    read(name, fallback, parseDuration, "a duration such as 90s, 5m, 1h or 7d");
  const interval = (name: string, fallback: number) =>
    read(name, fallback, (text) => parseInterval(text), "a duration of at most 24 days such as 90s, 5m, 1h or 7d");
  const oneOf = <T extends string>(name: string, fallback: T, words: readonly T[]) =>
    read(name, fallback, (text) => words.find((word) => word === text), `one of ${words.join(", ")}`);

  oneOf("SLIPWAY_BLOBS", "disk", ["disk"]);
  const certFile = read<string | undefined>("SLIPWAY_TLS_CERT", undefined, (text) => resolve(text), "a file");
  const keyFile = read<string | undefined>("SLIPWAY_TLS_KEY", undefined, (text) => resolve(text), "a file");
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const [missing, given] = certFile === undefined ? ["CERT", "KEY"] : ["KEY", "CERT"];
    throw new ConfigError(`SLIPWAY_TLS_${missing} must be set where SLIPWAY_TLS_${given} is`);
  }
  const config: Config = {
    listen: read("SLIPWAY_LISTEN", { host: "127.0.0.1", port: 8080 }, parseListen, "host:port, such as 127.0.0.1:8080"),
    tls: certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile },
    publicUrl: read<string | undefined>(
      "SLIPWAY_PUBLIC_URL",
      undefined,
      parsePublicUrl,
      "an address such as https://up.example.com, without a query",
    ),
    trustProxy: oneOf("SLIPWAY_TRUST_PROXY", "0", ["0", "1"]) === "1",
    corsOrigins: read<readonly string[]>(
      "SLIPWAY_CORS_ORIGINS",
      [],
      parseOrigins,
      "origins such as https://app.example.com, with commas between them",
    ),
    dataDir: resolve(read("SLIPWAY_DATA_DIR", "slipway-data", (text) => text, "a folder")),
    databaseUrl: read<string | undefined>("DATABASE_URL", undefined, parseDatabaseUrl, "a postgres:// address"),
    databasePool: count("SLIPWAY_DATABASE_POOL", 10, 1, 1000),
    durability: oneOf("SLIPWAY_DURABILITY", "fsync", ["fsync", "os"]),
    messageTimeoutMs: interval("SLIPWAY_MESSAGE_TIMEOUT", 15 * 60_000),
    limits: {
      maxFileBytes: bytes("SLIPWAY_MAX_FILE_BYTES", defaultLimits.maxFileBytes, 0),
      maxPartBytes: bytes("SLIPWAY_MAX_PART_BYTES", defaultLimits.maxPartBytes, 1),
      maxSessionFiles: count("SLIPWAY_MAX_SESSION_FILES", defaultLimits.maxSessionFiles, 1),
      maxBlobBytes: bytes("SLIPWAY_MAX_BLOB_BYTES", defaultLimits.maxBlobBytes, 0),
      maxStreamBlobs: count("SLIPWAY_MAX_STREAM_BLOBS", defaultLimits.maxStreamBlobs, 1),
      maxBlobRefs: count("SLIPWAY_MAX_BLOB_REFS", defaultLimits.maxBlobRefs, 1),
      maxAttributesBytes: bytes("SLIPWAY_MAX_ATTRIBUTES_BYTES", defaultLimits.maxAttributesBytes, 2),
      maxWatches: count("SLIPWAY_MAX_WATCHES", defaultLimits.maxWatches, 0),
      maxBufferedBytes: bytes("SLIPWAY_MAX_BUFFERED_BYTES", defaultLimits.maxBufferedBytes, 2 ** 20),
      maxPulls: count("SLIPWAY_MAX_PULLS", defaultLimits.maxPulls, 1, 1000),
      maxPullTries: count("SLIPWAY_MAX_PULL_TRIES", defaultLimits.maxPullTries, 1, 1000),
      checkpointBytes: bytes("SLIPWAY_CHECKPOINT_BYTES", defaultLimits.checkpointBytes, 1),
      checkpointMs: interval("SLIPWAY_CHECKPOINT_INTERVAL", defaultLimits.checkpointMs),
    },
    maxJsonBytes: bytes("SLIPWAY_MAX_JSON_BYTES", 8 * 2 ** 20, 1_024),
    deadlines: {
      idleTtlMs: duration("SLIPWAY_SESSION_TTL", 24 * hourMs),
      absoluteTtlMs: duration("SLIPWAY_SESSION_ABSOLUTE_TTL", 7 * 24 * hourMs),
      keepTerminalMs: duration("SLIPWAY_SESSION_KEEP", 24 * hourMs),
    },
    folio: {
      trustOkapi: oneOf("SLIPWAY_FOLIO_TRUST_OKAPI", "0", ["0", "1"]) === "1",
      deadlines: {
        idleTtlMs: duration("SLIPWAY_FOLIO_SESSION_TTL", 7 * 24 * hourMs),
        absoluteTtlMs: undefined,
        keepTerminalMs: duration("SLIPWAY_FOLIO_SESSION_KEEP", 7 * 24 * hourMs),
      },
      maxFileBytes: bytes("SLIPWAY_FOLIO_MAX_FILE_BYTES", 2 ** 40, 0),
      dateOffset: oneOf("SLIPWAY_FOLIO_DATE_OFFSET", "+0000", dateOffsets),
    },
    vsphere: {
      deadlines: {
        idleTtlMs: duration("SLIPWAY_VSPHERE_SESSION_TTL", hourMs),
        absoluteTtlMs: undefined,
        keepTerminalMs: duration("SLIPWAY_VSPHERE_SESSION_KEEP", hourMs),
      },
    },
    pull: {
      allow: read<PullAllowance>(
        "SLIPWAY_PULL_ALLOW",
        { hosts: [], networks: [] },
        parsePullAllow,
        "host names, addresses and networks such as files.example.com,10.0.0.0/8, with commas between them and no ports",
      ),
      roots: read<readonly string[]>(
        "SLIPWAY_PULL_ROOTS",
        [],
        parsePullRoots,
        "absolute folders such as /srv/images, with commas between them, and not / itself",
      ),
    },
    adminPassword: readUnshown<string | undefined>(
      "SLIPWAY_ADMIN_PASSWORD",
      undefined,
      (text) => (isPassword(text) ? text : undefined),
      () => "a password of at least 8 characters and at most 1024 bytes without NUL",
    ),
    tokenIdleTtlMs: duration("SLIPWAY_TOKEN_TTL", 12 * hourMs),
    sweep: {
      intervalMs: interval("SLIPWAY_SWEEP_INTERVAL", 60_000),
      bytesIntervalMs: interval("SLIPWAY_SWEEP_BYTES_INTERVAL", hourMs),
      keepUnreferencedMs: duration("SLIPWAY_SWEEP_UNREFERENCED_AFTER", defaultSweep.keepUnreferencedMs),
      keepTrashMs: duration("SLIPWAY_SWEEP_TRASH_AFTER", defaultSweep.keepTrashMs),
    },
    log: {
      level: oneOf("SLIPWAY_LOG_LEVEL", "info", logLevels),
      format: oneOf("SLIPWAY_LOG_FORMAT", isTerminal ? "pretty" : "json", ["pretty", "json"]),
    },
  };
  // Whoever reaches the port is believed to be whom they say.
  if (config.folio.trustOkapi && !isLoopback(config.listen.host)) {
    throw new ConfigError(
      "SLIPWAY_FOLIO_TRUST_OKAPI must be 0 unless SLIPWAY_LISTEN is an address of this machine alone",
    );
  }
  for (const name of Object.keys(env)) {
    if (name.startsWith("SLIPWAY_") && !known.has(name) && !foreign.has(name)) {
      throw new ConfigError(`${name} is not a setting; the README lists all of them`);
    }
  }
  return config;
}

function parseWithin(value: number, wellFormed: boolean, least: number, most: number): number | undefined {
  return wellFormed && Number.isSafeInteger(value) && value >= least && value <= most ? value : undefined;
}

/** `90s`, `5m`, `1h`, `7d`, `250ms` in milliseconds, more than zero and at most ten years. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  const unit = { ms: 1, s: 1000, m: 60_000, h: hourMs, d: 24 * hourMs }[match?.[2] ?? ""];
  return parseWithin(Number(match?.[1]) * (unit ?? Number.NaN), match !== null, 1, 3650 * 24 * hourMs);
}

/** A duration that a timer can wait: Node takes a longer one for one millisecond. */
function parseInterval(text: string): number | undefined {
  const ms = parseDuration(text);
  return ms !== undefined && ms <= 24 * 24 * hourMs ? ms : undefined;
}

/** `4096`, `64KiB`, `8MiB`, `2GiB`, `1TiB` in bytes. */
export function parseBytes(text: string, least: number): number | undefined {
  const match = /^(\d+)(KiB|MiB|GiB|TiB|)$/.exec(text);
  const power = ["", "KiB", "MiB", "GiB", "TiB"].indexOf(match?.[2] ?? "-");
  return parseWithin(Number(match?.[1]) * 1024 ** power, match !== null, least, Number.MAX_SAFE_INTEGER);
}

function parseListen(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  return match !== null && port <= 65_535 ? { host: match[1] ?? match[2] ?? "", port } : undefined;
}

function parseDatabaseUrl(text: string): string | undefined {
  return /^postgres(ql)?:\/\//.test(text) && URL.canParse(text) ? text : undefined;
}

function parsePublicUrl(text: string): string | undefined {
  const url = parseHttpUrl(text);
  const bare = url !== undefined && url.username === "" && url.password === "" && !/[?#]/.test(text);
  return bare ? url.href.replace(/\/+$/, "") : undefined;
}

function parseOrigins(text: string): readonly string[] | undefined {
  const origins = text.split(",").map((word) => parseHttpUrl(word.trim())?.origin === word.trim() && word.trim());
  return origins.every((origin) => origin !== false) ? origins : undefined;
}

function parseHttpUrl(text: string): URL | undefined {
  return /^https?:\/\/[^\s/]/i.test(text) && !/\s/.test(text) && URL.canParse(text) ? new URL(text) : undefined;
}
