import type { Caller } from "./call.js";
import { attemptOf, type SessionFile } from "./file.js";

export const capabilityPurposes = ["upload", "download"] as const;

export type CapabilityPurpose = (typeof capabilityPurposes)[number];

/**
 * What whoever shows a capability may do without credentials: send one attempt at one file and read it back, or only
 * read it, in the name of the user who asked for it.
 */
export interface CapabilityClaim {
  readonly tenantId: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly fileId: string;
  /** It is dead when the file gets another one. */
  readonly attempt: number;
  readonly purpose: CapabilityPurpose;
  /** When it ends in any case: seconds since 1970. */
  readonly deadline: number;
}

/** Claims as text that only the holder of the key can make. Nothing is stored. */
export interface Capabilities {
  /** The same text for the same claim. */
  sign(claim: CapabilityClaim): string;
  /** Undefined for whatever was not signed here, and from the deadline on. */
  verify(text: string, now: Date): CapabilityClaim | undefined;
}

const daySeconds = 86_400;
const lifeDays = 7;

/**
 * The end, in seconds since 1970, of the UTC day that is a week ahead: a claim until then is the same one, and makes the
 * same URL, whenever it is asked for within a day.
 */
export function endOfWeekAhead(now: Date): number {
  const today = Math.floor(now.getTime() / 1000 / daySeconds);
  return (today + lifeDays + 1) * daySeconds;
}

/** The claim to send what a file is waiting for. */
export function claimUpload(file: SessionFile, caller: Caller, now: Date): CapabilityClaim {
  const { tenantId, sessionId, id: fileId } = file;
  const deadline = endOfWeekAhead(now);
  return { tenantId, userId: caller.userId, sessionId, fileId, attempt: attemptOf(file), purpose: "upload", deadline };
}
