// What this face bounds, beside the core.
import { ImisError, type ImisErrorCode } from "./errors.js";

export interface ImisLimits {
  /** The largest object (bytes). */
  readonly maxObjectBytes: number;
  /** The largest part, and the smallest unless it is the last (bytes). */
  readonly maxPartBytes: number;
  readonly minPartBytes: number;
  /** Upload sessions that are open at the same time. */
  readonly maxHandleSessions: number;
  readonly maxUserSessions: number;
  /** Ended upload sessions of one user that are remembered at the same time. */
  readonly maxTombstones: number;
  /** Entities that one user has open at the same time, and streams of one handle. */
  readonly maxHandles: number;
  readonly maxStreams: number;
}

const settings: Record<keyof ImisLimits, string> = {
  maxObjectBytes: "SLIPWAY_IMIS_MAX_OBJECT_BYTES",
  maxPartBytes: "SLIPWAY_IMIS_MAX_PART_BYTES",
  minPartBytes: "SLIPWAY_IMIS_MIN_PART_BYTES",
  maxHandleSessions: "SLIPWAY_IMIS_MAX_HANDLE_SESSIONS",
  maxUserSessions: "SLIPWAY_IMIS_MAX_USER_SESSIONS",
  maxTombstones: "SLIPWAY_IMIS_MAX_TOMBSTONES",
  maxHandles: "SLIPWAY_IMIS_MAX_HANDLES",
  maxStreams: "SLIPWAY_IMIS_MAX_STREAMS",
};

/** A refusal that names the limit that was hit, and when to come back where time helps. */
export function overLimit(limits: ImisLimits, name: keyof ImisLimits, code: ImisErrorCode, text: string): ImisError {
  const details = { limit: limits[name], setting: settings[name] };
  const headers: Record<string, string> = code.startsWith("too_many") ? { "retry-after": "60" } : {};
  return new ImisError(code, text, details, { headers });
}
