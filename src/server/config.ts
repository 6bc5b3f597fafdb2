// The only reader of the environment. Every setting, its default and its parser stand here, and beside it in config/
// those of the dialects.
import { resolve } from "node:path";
import { isPassword } from "../access/passwords.js";
import { type Deadlines, defaultLimits, defaultSweep, type Limits, type SweepOptions } from "../core/index.js";
import { type PullAllowance, parsePullAllow } from "../sources/address-policy.js";
import { parsePullRoots } from "../sources/roots.js";
import {
  type FolioConfig,
  type ImisConfig,
  readFolio,
  readImis,
  readVsphere,
  type VsphereConfig,
} from "./config/dialects.js";
import { ConfigError, createSettingsReader, type Environment } from "./config/settings-reader.js";
import { hourMs } from "./config/units.js";
import { isLoopback } from "./node-http.js";

export { ConfigError } from "./config/settings-reader.js";

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
  readonly folio: FolioConfig;
  readonly vsphere: VsphereConfig;
  readonly imis: ImisConfig;
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

const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
/** Settings of the command line, which share the prefix. */
const foreign = new Set(["SLIPWAY_URL", "SLIPWAY_TOKEN"]);

/**
 * Reads the environment, with flags over it. Throws `ConfigError`, for an unknown SLIPWAY_ name too: it is a slip of
 * the pen.
 */
export function readConfig(env: Environment, isTerminal: boolean): Config {
  const settings = createSettingsReader(env);
  const { read, count, bytes, duration, interval, oneOf, flag } = settings;

  oneOf("SLIPWAY_BLOBS", "disk", ["disk"]);
  const certFile = read<string | undefined>("SLIPWAY_TLS_CERT", undefined, (text) => resolve(text), "a file");
  const keyFile = read<string | undefined>("SLIPWAY_TLS_KEY", undefined, (text) => resolve(text), "a file");
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const [missing, given] = certFile === undefined ? ["CERT", "KEY"] : ["KEY", "CERT"];
    throw new ConfigError(`SLIPWAY_TLS_${missing} must be set where SLIPWAY_TLS_${given} is`);
  }
  const limits: Limits = {
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
  };
  const config: Config = {
    listen: read("SLIPWAY_LISTEN", { host: "127.0.0.1", port: 8080 }, parseListen, "host:port, such as 127.0.0.1:8080"),
    tls: certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile },
    publicUrl: read<string | undefined>(
      "SLIPWAY_PUBLIC_URL",
      undefined,
      parsePublicUrl,
      "an address such as https://up.example.com, without a query",
    ),
    trustProxy: flag("SLIPWAY_TRUST_PROXY", false),
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
    limits,
    maxJsonBytes: bytes("SLIPWAY_MAX_JSON_BYTES", 8 * 2 ** 20, 1_024),
    deadlines: {
      idleTtlMs: duration("SLIPWAY_SESSION_TTL", 24 * hourMs),
      absoluteTtlMs: duration("SLIPWAY_SESSION_ABSOLUTE_TTL", 7 * 24 * hourMs),
      keepTerminalMs: duration("SLIPWAY_SESSION_KEEP", 24 * hourMs),
    },
    folio: readFolio(settings),
    vsphere: readVsphere(settings),
    imis: readImis(settings, limits),
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
    adminPassword: settings.readUnshown<string | undefined>(
      "SLIPWAY_ADMIN_PASSWORD",
      undefined,
      (text) => (isPassword(text) ? text : undefined),
      "a password of at least 8 characters and at most 1024 bytes without NUL",
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
    if (name.startsWith("SLIPWAY_") && !settings.known.has(name) && !foreign.has(name)) {
      throw new ConfigError(`${name} is not a setting; the README lists all of them`);
    }
  }
  return config;
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
