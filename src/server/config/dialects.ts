// The settings of REST dialects.
import type { Deadlines, Limits } from "../../core/index.js";
import { type DateOffset, dateOffsets } from "../../rest/folio/index.js";
import type { ImisLimits } from "../../rest/imis/index.js";
import { ConfigError, type SettingsReader } from "./settings-reader.js";
import { hourMs } from "./units.js";

export interface FolioConfig {
  /** A gateway is in front, and its headers say who asks. */
  readonly trustOkapi: boolean;
  readonly deadlines: Deadlines;
  /** The largest size that a definition may announce. */
  readonly maxFileBytes: number;
  /** How its dates end, which are all in UTC. */
  readonly dateOffset: DateOffset;
}

export interface VsphereConfig {
  readonly deadlines: Deadlines;
}

export interface ImisConfig {
  readonly deadlines: Deadlines;
  readonly limits: ImisLimits;
  /** Whether extensions of objects are told with their dot. */
  readonly extensionDot: boolean;
  /** What becomes of a part that was stored before: it is compared, or refused. */
  readonly overlap: "verify" | "reject";
}

const dayMs = 24 * hourMs;

export function readFolio({ bytes, duration, flag, oneOf }: SettingsReader): FolioConfig {
  return {
    trustOkapi: flag("SLIPWAY_FOLIO_TRUST_OKAPI", false),
    deadlines: {
      idleTtlMs: duration("SLIPWAY_FOLIO_SESSION_TTL", 7 * dayMs),
      absoluteTtlMs: undefined,
      keepTerminalMs: duration("SLIPWAY_FOLIO_SESSION_KEEP", 7 * dayMs),
    },
    maxFileBytes: bytes("SLIPWAY_FOLIO_MAX_FILE_BYTES", 2 ** 40, 0),
    dateOffset: oneOf("SLIPWAY_FOLIO_DATE_OFFSET", "+0000", dateOffsets),
  };
}

export function readVsphere({ duration }: SettingsReader): VsphereConfig {
  return {
    deadlines: {
      idleTtlMs: duration("SLIPWAY_VSPHERE_SESSION_TTL", hourMs),
      absoluteTtlMs: undefined,
      keepTerminalMs: duration("SLIPWAY_VSPHERE_SESSION_KEEP", hourMs),
    },
  };
}

/** No object is larger than a file may be, and no part larger than an object. */
export function readImis(settings: SettingsReader, { maxFileBytes }: Pick<Limits, "maxFileBytes">): ImisConfig {
  const { bytes, count, duration, flag, oneOf } = settings;
  const maxObjectBytes = Math.min(bytes("SLIPWAY_IMIS_MAX_OBJECT_BYTES", maxFileBytes, 0), maxFileBytes);
  const maxPartBytes = Math.min(bytes("SLIPWAY_IMIS_MAX_PART_BYTES", maxObjectBytes, 1), maxObjectBytes);
  const minPartBytes = bytes("SLIPWAY_IMIS_MIN_PART_BYTES", 0, 0);
  if (minPartBytes > maxPartBytes) {
    throw new ConfigError(
      `SLIPWAY_IMIS_MIN_PART_BYTES must be at most what a part may have, which is ${maxPartBytes} bytes`,
    );
  }
  return {
    deadlines: {
      idleTtlMs: duration("SLIPWAY_IMIS_SESSION_TTL", dayMs),
      absoluteTtlMs: duration("SLIPWAY_IMIS_SESSION_ABSOLUTE_TTL", 7 * dayMs),
      keepTerminalMs: duration("SLIPWAY_IMIS_SESSION_KEEP", dayMs),
    },
    limits: {
      maxObjectBytes,
      maxPartBytes,
      minPartBytes,
      maxHandleSessions: count("SLIPWAY_IMIS_MAX_HANDLE_SESSIONS", 1000, 1),
      maxUserSessions: count("SLIPWAY_IMIS_MAX_USER_SESSIONS", 10_000, 1),
      maxTombstones: count("SLIPWAY_IMIS_MAX_TOMBSTONES", 100_000, 1),
      maxHandles: count("SLIPWAY_IMIS_MAX_HANDLES", 10_000, 1),
      maxStreams: count("SLIPWAY_IMIS_MAX_STREAMS", 1000, 1),
    },
    extensionDot: flag("SLIPWAY_IMIS_EXTENSION_DOT", true),
    overlap: oneOf("SLIPWAY_IMIS_OVERLAP", "verify", ["verify", "reject"]),
  };
}
