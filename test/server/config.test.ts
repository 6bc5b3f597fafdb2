import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parseBytes, parseDuration } from "../../src/server/config/units.js";
import { ConfigError, readConfig } from "../../src/server/config.js";
import { spawnServer } from "../support/server.js";

const read = (env: Record<string, string>, isTerminal = false) => readConfig(env, isTerminal);
type Config = ReturnType<typeof read>;

const MiB = 2 ** 20;
const hour = 3_600_000;

interface Setting {
  readonly of: (config: Config) => unknown;
  readonly default: unknown;
  /** Text and what it means. */
  readonly good: Readonly<Record<string, unknown>>;
  readonly bad: readonly string[];
  /** What it may not be without. */
  readonly with?: Readonly<Record<string, string>>;
}

const durations = { "1ms": 1, "90s": 90_000, "5m": 300_000, "1h": hour, "7d": 168 * hour, "3650d": 87_600 * hour };
const noDurations = ["0s", "-1s", "1", "1.5h", "1 h", "1w", "h", "3651d", "99999999999999999999d", "Infinity", "1H"];
const duration = (of: Setting["of"], ms: number): Setting => ({ of, default: ms, good: durations, bad: noDurations });
/** One that a timer waits for: Node's timers hold no more. */
const interval = (of: Setting["of"], ms: number): Setting => {
  const { "3650d": _, ...shorter } = durations;
  return { of, default: ms, good: { ...shorter, "24d": 576 * hour }, bad: [...noDurations, "25d", "3650d"] };
};
const sizes = { "1048576": MiB, "1024KiB": MiB, "1MiB": MiB, "2GiB": 2048 * MiB, "1TiB": MiB * MiB };
const noSizes = ["-1", "1MB", "1M", "1.5MiB", "MiB", "0x10", "1e6", "9007199254740992", "8192TiB", " 1"];
const size = (of: Setting["of"], bytes: number, tooSmall: readonly string[]): Setting => ({
  of,
  default: bytes,
  good: sizes,
  bad: [...noSizes, ...tooSmall],
});
const counts = (most: number) => ["0", "-1", "1.5", "many", "1e3", "0x1", String(most + 1)];
const bound = (of: Setting["of"], count: number): Setting => ({
  of,
  default: count,
  good: { "1": 1, "5000000": 5_000_000 },
  bad: counts(Number.MAX_SAFE_INTEGER),
});
const webAddresses = ["up.example.com", "ftp://a", "http://", "http:/a", "http://a b", "http://a:99999", "//a"];
const database = "postgres://user:pass@host:5432/slipway?sslmode=require";

const settings: Readonly<Record<string, Setting>> = {
  SLIPWAY_LISTEN: {
    of: ({ listen }) => listen,
    default: { host: "127.0.0.1", port: 8080 },
    good: {
      "0.0.0.0:0": { host: "0.0.0.0", port: 0 },
      "localhost:65535": { host: "localhost", port: 65_535 },
      "[::1]:80": { host: "::1", port: 80 },
    },
    bad: ["8080", "localhost", ":8080", "localhost:", "localhost:65536", "::1:80", "[nowhere]:1", "a b:1", "a:1:2"],
  },
  SLIPWAY_TLS_CERT: {
    of: ({ tls }) => tls?.certFile,
    default: undefined,
    good: { "/etc/cert.pem": "/etc/cert.pem", "cert.pem": resolve("cert.pem") },
    bad: [],
    with: { SLIPWAY_TLS_KEY: "key.pem" },
  },
  SLIPWAY_TLS_KEY: {
    of: ({ tls }) => tls?.keyFile,
    default: undefined,
    good: { "/etc/key.pem": "/etc/key.pem", "key.pem": resolve("key.pem") },
    bad: [],
    with: { SLIPWAY_TLS_CERT: "cert.pem" },
  },
  SLIPWAY_PUBLIC_URL: {
    of: ({ publicUrl }) => publicUrl,
    default: undefined,
    good: {
      "https://up.example.com": "https://up.example.com",
      "HTTP://Up.Example.com:8080/": "http://up.example.com:8080",
      "https://example.com/up//": "https://example.com/up",
      "http://[::1]:80": "http://[::1]",
    },
    bad: [...webAddresses, "https://a/?b", "https://a/#", "https://me@a", "https://me:pass@a"],
  },
  SLIPWAY_TRUST_PROXY: {
    of: ({ trustProxy }) => trustProxy,
    default: false,
    good: { "0": false, "1": true },
    bad: ["yes", "true", "2", "01"],
  },
  SLIPWAY_PULL_ALLOW: {
    of: ({ pull }) => pull.allow,
    default: { hosts: [], networks: [] },
    good: {
      "Files.example.com, bücher.example,a_b": {
        hosts: ["files.example.com", "xn--bcher-kva.example", "a_b"],
        networks: [],
      },
      "10.0.0.0/8,127.0.0.1,fd00::/8,::1": {
        hosts: [],
        networks: [
          { family: "ipv4", address: "10.0.0.0", prefix: 8 },
          { family: "ipv4", address: "127.0.0.1", prefix: 32 },
          { family: "ipv6", address: "fd00::", prefix: 8 },
          { family: "ipv6", address: "::1", prefix: 128 },
        ],
      },
    },
    bad: [
      ...["*", "*.example.com", "http://a", "a:80", "a b", "a,,b", "a,", "10.0.0.0/33", "::/129", "10.0.0/8", "a/8"],
      ...["127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "[::1]", "fe80::1%eth0", "user@host", "."],
    ],
  },
  SLIPWAY_PULL_ROOTS: {
    of: ({ pull }) => pull.roots,
    default: [],
    good: { "/srv/images": ["/srv/images"], "/srv/images/, /vmfs/../volumes": ["/srv/images", "/volumes"] },
    bad: ["images", "./images", "/", "/srv/..", "/srv,", ",/srv", "file:///srv"],
  },
  SLIPWAY_CORS_ORIGINS: {
    of: ({ corsOrigins }) => corsOrigins,
    default: [],
    good: {
      "https://a.example": ["https://a.example"],
      "https://a.example, http://localhost:3000": ["https://a.example", "http://localhost:3000"],
    },
    bad: [
      ...webAddresses,
      "*",
      "null",
      "https://a/",
      "https://A.example",
      "https://a,",
      "https://a:443",
      "https://a/b",
    ],
  },
  SLIPWAY_DATA_DIR: {
    of: ({ dataDir }) => dataDir,
    default: resolve("slipway-data"),
    good: { "/srv/x": "/srv/x", "some/where": resolve("some/where") },
    bad: [],
  },
  DATABASE_URL: {
    of: ({ databaseUrl }) => databaseUrl,
    default: undefined,
    good: { [database]: database, "postgresql://host/db": "postgresql://host/db" },
    bad: ["mysql://host/db", "host=localhost", "postgres:", "postgres://a b:x/", "//host/db"],
  },
  SLIPWAY_DATABASE_POOL: {
    of: ({ databasePool }) => databasePool,
    default: 10,
    good: { "1": 1, "1000": 1000 },
    bad: counts(1000),
  },
  SLIPWAY_BLOBS: { of: () => "disk", default: "disk", good: { disk: "disk" }, bad: ["s3", "Disk", "memory"] },
  SLIPWAY_DURABILITY: {
    of: ({ durability }) => durability,
    default: "fsync",
    good: { fsync: "fsync", os: "os" },
    bad: ["none", "FSYNC", "true"],
  },
  SLIPWAY_MAX_FILE_BYTES: size(({ limits }) => limits.maxFileBytes, MiB * MiB * 16, []),
  SLIPWAY_MAX_PART_BYTES: size(({ limits }) => limits.maxPartBytes, 64 * MiB, ["0"]),
  SLIPWAY_MAX_SESSION_FILES: bound(({ limits }) => limits.maxSessionFiles, 100_000),
  SLIPWAY_MAX_BLOB_BYTES: size(({ limits }) => limits.maxBlobBytes, 16 * MiB, []),
  SLIPWAY_MAX_STREAM_BLOBS: bound(({ limits }) => limits.maxStreamBlobs, 10_000),
  SLIPWAY_MAX_BLOB_REFS: bound(({ limits }) => limits.maxBlobRefs, 1_000),
  SLIPWAY_MAX_ATTRIBUTES_BYTES: size(({ limits }) => limits.maxAttributesBytes, 65_536, ["0", "1"]),
  SLIPWAY_MAX_WATCHES: {
    of: ({ limits }) => limits.maxWatches,
    default: 1000,
    good: { "0": 0, "50000": 50_000 },
    bad: counts(Number.MAX_SAFE_INTEGER).slice(1),
  },
  SLIPWAY_MAX_BUFFERED_BYTES: size(({ limits }) => limits.maxBufferedBytes, 128 * MiB, ["0", "1048575"]),
  SLIPWAY_MAX_PULLS: {
    of: ({ limits }) => limits.maxPulls,
    default: 8,
    good: { "1": 1, "1000": 1000 },
    bad: counts(1000),
  },
  SLIPWAY_MAX_PULL_TRIES: {
    of: ({ limits }) => limits.maxPullTries,
    default: 12,
    good: { "1": 1, "1000": 1000 },
    bad: counts(1000),
  },
  SLIPWAY_MESSAGE_TIMEOUT: interval(({ messageTimeoutMs }) => messageTimeoutMs, 15 * 60_000),
  SLIPWAY_CHECKPOINT_BYTES: size(({ limits }) => limits.checkpointBytes, 32 * MiB, ["0"]),
  SLIPWAY_CHECKPOINT_INTERVAL: interval(({ limits }) => limits.checkpointMs, 2_000),
  SLIPWAY_MAX_JSON_BYTES: size(({ maxJsonBytes }) => maxJsonBytes, 8 * MiB, ["0", "1023"]),
  SLIPWAY_FOLIO_TRUST_OKAPI: {
    of: ({ folio }) => folio.trustOkapi,
    default: false,
    good: { "0": false, "1": true },
    bad: ["yes", "true", "2", "01"],
  },
  SLIPWAY_FOLIO_SESSION_TTL: duration(({ folio }) => folio.deadlines.idleTtlMs, 168 * hour),
  SLIPWAY_FOLIO_SESSION_KEEP: duration(({ folio }) => folio.deadlines.keepTerminalMs, 168 * hour),
  SLIPWAY_VSPHERE_SESSION_TTL: duration(({ vsphere }) => vsphere.deadlines.idleTtlMs, hour),
  SLIPWAY_VSPHERE_SESSION_KEEP: duration(({ vsphere }) => vsphere.deadlines.keepTerminalMs, hour),
  SLIPWAY_FOLIO_MAX_FILE_BYTES: size(({ folio }) => folio.maxFileBytes, MiB * MiB, []),
  SLIPWAY_FOLIO_DATE_OFFSET: {
    of: ({ folio }) => folio.dateOffset,
    default: "+0000",
    good: { "+0000": "+0000", "+00:00": "+00:00" },
    bad: ["Z", "+01:00", "0000"],
  },
  SLIPWAY_IMIS_SESSION_TTL: duration(({ imis }) => imis.deadlines.idleTtlMs, 24 * hour),
  SLIPWAY_IMIS_SESSION_ABSOLUTE_TTL: duration(({ imis }) => imis.deadlines.absoluteTtlMs, 168 * hour),
  SLIPWAY_IMIS_SESSION_KEEP: duration(({ imis }) => imis.deadlines.keepTerminalMs, 24 * hour),
  SLIPWAY_IMIS_EXTENSION_DOT: {
    of: ({ imis }) => imis.extensionDot,
    default: true,
    good: { "0": false, "1": true },
    bad: ["yes", "true", "2", ".", "01"],
  },
  SLIPWAY_IMIS_OVERLAP: {
    of: ({ imis }) => imis.overlap,
    default: "verify",
    good: { verify: "verify", reject: "reject" },
    bad: ["0", "overwrite", "Verify"],
  },
  SLIPWAY_IMIS_MAX_OBJECT_BYTES: size(({ imis }) => imis.limits.maxObjectBytes, MiB * MiB * 16, []),
  SLIPWAY_IMIS_MAX_PART_BYTES: size(({ imis }) => imis.limits.maxPartBytes, MiB * MiB * 16, ["0"]),
  SLIPWAY_IMIS_MIN_PART_BYTES: size(({ imis }) => imis.limits.minPartBytes, 0, ["17592186044417", "17TiB"]),
  SLIPWAY_IMIS_MAX_HANDLE_SESSIONS: bound(({ imis }) => imis.limits.maxHandleSessions, 1000),
  SLIPWAY_IMIS_MAX_USER_SESSIONS: bound(({ imis }) => imis.limits.maxUserSessions, 10_000),
  SLIPWAY_IMIS_MAX_TOMBSTONES: bound(({ imis }) => imis.limits.maxTombstones, 100_000),
  SLIPWAY_IMIS_MAX_HANDLES: bound(({ imis }) => imis.limits.maxHandles, 10_000),
  SLIPWAY_IMIS_MAX_STREAMS: bound(({ imis }) => imis.limits.maxStreams, 1000),
  SLIPWAY_SESSION_TTL: duration(({ deadlines }) => deadlines.idleTtlMs, 24 * hour),
  SLIPWAY_SESSION_ABSOLUTE_TTL: duration(({ deadlines }) => deadlines.absoluteTtlMs, 168 * hour),
  SLIPWAY_SESSION_KEEP: duration(({ deadlines }) => deadlines.keepTerminalMs, 24 * hour),
  SLIPWAY_ADMIN_PASSWORD: {
    of: ({ adminPassword }) => adminPassword,
    default: undefined,
    good: { "8 chars!": "8 chars!", ["\u{1f511}".repeat(8)]: "\u{1f511}".repeat(8) },
    bad: ["7 chars", "\u{1f511}".repeat(7), "x".repeat(1025), "\ud800 lone surrogate"],
  },
  SLIPWAY_TOKEN_TTL: duration(({ tokenIdleTtlMs }) => tokenIdleTtlMs, 12 * hour),
  SLIPWAY_SWEEP_INTERVAL: interval(({ sweep }) => sweep.intervalMs, 60_000),
  SLIPWAY_SWEEP_BYTES_INTERVAL: interval(({ sweep }) => sweep.bytesIntervalMs, 3_600_000),
  SLIPWAY_SWEEP_UNREFERENCED_AFTER: duration(({ sweep }) => sweep.keepUnreferencedMs, 24 * hour),
  SLIPWAY_SWEEP_TRASH_AFTER: duration(({ sweep }) => sweep.keepTrashMs, 168 * hour),
  SLIPWAY_LOG_LEVEL: {
    of: ({ log }) => log.level,
    default: "info",
    good: { debug: "debug", silent: "silent" },
    bad: ["loud", "INFO", "30"],
  },
  SLIPWAY_LOG_FORMAT: {
    of: ({ log }) => log.format,
    default: "json",
    good: { json: "json", pretty: "pretty" },
    bad: ["text"],
  },
};

for (const [name, setting] of Object.entries(settings)) {
  describe(name, () => {
    it(`is ${JSON.stringify(setting.default)} when it is not set, or empty`, () => {
      expect(setting.of(read({}))).toEqual(setting.default);
      expect(setting.of(read({ [name]: "" }))).toEqual(setting.default);
    });

    for (const [text, value] of Object.entries(setting.good)) {
      it(`takes ${text}`, () => expect(setting.of(read({ ...setting.with, [name]: text }))).toEqual(value));
    }

    for (const text of setting.bad) {
      it(`refuses ${JSON.stringify(text)} in one sentence that names it and says what it may be`, () => {
        const message = refuse({ [name]: text });
        expect(message).toMatch(new RegExp(`^${name} must be .+`));
        expect(message).not.toContain("\n");
      });
    }
  });
}

function refuse(env: Record<string, string>): string {
  try {
    read(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error(`${JSON.stringify(env)} was not refused`);
}

it("a certificate without a key, and a key without a certificate, is refused by the name of what is missing", () => {
  expect(refuse({ SLIPWAY_TLS_CERT: "x" })).toMatch(/^SLIPWAY_TLS_KEY must be set/);
  expect(refuse({ SLIPWAY_TLS_KEY: "x" })).toMatch(/^SLIPWAY_TLS_CERT must be set/);
});

it("a gateway is trusted only where nobody else reaches the port", () => {
  const trust = { SLIPWAY_FOLIO_TRUST_OKAPI: "1" };
  for (const listen of ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:0", "up.example.com:80"]) {
    expect(refuse({ ...trust, SLIPWAY_LISTEN: listen })).toBe(
      "SLIPWAY_FOLIO_TRUST_OKAPI must be 0 unless SLIPWAY_LISTEN is an address of this machine alone",
    );
  }
  for (const listen of ["127.0.0.1:0", "[::1]:8080", "localhost:80"]) {
    expect(read({ ...trust, SLIPWAY_LISTEN: listen }).folio.trustOkapi).toBe(true);
  }
});

describe("what the connector services of IMiS take", () => {
  const limitsOf = (env: Record<string, string>) => read(env).imis.limits;

  it("is no larger than a file may be, whatever is set, and by itself as large", () => {
    const small = { SLIPWAY_MAX_FILE_BYTES: "1GiB" };
    expect(limitsOf(small)).toMatchObject({ maxObjectBytes: 1024 * MiB, maxPartBytes: 1024 * MiB });
    expect(limitsOf({ ...small, SLIPWAY_IMIS_MAX_OBJECT_BYTES: "2GiB" }).maxObjectBytes).toBe(1024 * MiB);
    expect(limitsOf({ ...small, SLIPWAY_IMIS_MAX_OBJECT_BYTES: "1MiB" }).maxObjectBytes).toBe(MiB);
  });

  it("is a part no larger than an object, whatever is set, and by itself as large", () => {
    const small = { SLIPWAY_IMIS_MAX_OBJECT_BYTES: "2MiB" };
    expect(limitsOf(small).maxPartBytes).toBe(2 * MiB);
    expect(limitsOf({ ...small, SLIPWAY_IMIS_MAX_PART_BYTES: "3MiB" }).maxPartBytes).toBe(2 * MiB);
    expect(limitsOf({ ...small, SLIPWAY_IMIS_MAX_PART_BYTES: "1MiB" }).maxPartBytes).toBe(MiB);
  });

  it("is not nothing: a smallest part above the largest is refused", () => {
    const least = { SLIPWAY_IMIS_MIN_PART_BYTES: "1MiB" };
    expect(limitsOf({ ...least, SLIPWAY_IMIS_MAX_PART_BYTES: "1MiB" }).minPartBytes).toBe(MiB);
    expect(refuse({ ...least, SLIPWAY_IMIS_MAX_PART_BYTES: "1048575" })).toBe(
      "SLIPWAY_IMIS_MIN_PART_BYTES must be at most what a part may have, which is 1048575 bytes",
    );
  });
});

it("every setting that is read has a row here", () => {
  const asked: string[] = [];
  const env = new Proxy({}, { get: (_, name) => void asked.push(String(name)) });
  readConfig(env, false);
  expect([...new Set(asked)].sort()).toEqual(Object.keys(settings).sort());
});

it("an unknown name that begins with SLIPWAY_ is refused by name, others are nobody's business", () => {
  expect(refuse({ SLIPWAY_LISTN: "127.0.0.1:0" })).toMatch(/^SLIPWAY_LISTN is not a setting/);
  expect(() =>
    read({ SLIPWAYS: "1", PATH: "/", slipway_listen: "x", SLIPWAY_URL: "http://x", SLIPWAY_TOKEN: "x" }),
  ).not.toThrow();
});

it("the log is pretty on a terminal and JSON elsewhere, unless it is set", () => {
  expect([read({}, true).log.format, read({}, false).log.format]).toEqual(["pretty", "json"]);
  expect(read({ SLIPWAY_LOG_FORMAT: "json" }, true).log.format).toBe("json");
});

it("a password that is refused is not shown", () => {
  expect(refuse({ SLIPWAY_ADMIN_PASSWORD: "7 chars" })).not.toContain("7 chars");
});

it("durations and sizes are whole numbers of known units", () => {
  expect(parseDuration("250ms")).toBe(250);
  expect([parseDuration(""), parseDuration("1s1s"), parseDuration("+1s"), parseDuration("1s\n")]).toEqual(
    Array(4).fill(undefined),
  );
  expect([parseBytes("0", 0), parseBytes("0", 1), parseBytes("64KiB", 65_536)]).toEqual([0, undefined, 65_536]);
  expect([parseBytes("", 0), parseBytes("1\n", 0), parseBytes("1kib", 0)]).toEqual(Array(3).fill(undefined));
});

describe("a start with wrong settings", () => {
  async function run(flags: string[], env: Record<string, string> = {}) {
    const server = spawnServer(flags, env);
    const code = await server.exited;
    return { code, stdout: server.stdout(), stderr: server.stderr() };
  }

  it("ends with exit code 2 and one sentence on standard error, for the environment and for flags", async () => {
    const runs = await Promise.all([
      run([], { SLIPWAY_DURABILITY: "maybe" }),
      run(["--durability", "maybe"]),
      run(["--listen", "127.0.0.1:0"], { SLIPWAY_LISTN: "x" }),
    ]);
    for (const { code, stdout, stderr } of runs) {
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(/^slipway: SLIPWAY_(DURABILITY must be one of fsync, os|LISTN is not a setting).*\n$/);
    }
  });
});
