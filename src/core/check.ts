import type { BlobRef } from "./blob.js";
import type { Checksum } from "./checksum.js";

/** What a check of the store goes through, in this order. */
export const checkPhases = ["contents", "blobs", "store"] as const;

export type CheckPhase = (typeof checkPhases)[number];

/** What can be wrong. */
export const findingKinds = [
  "content_damaged",
  "bytes_missing",
  "unreferenced",
  "foreign",
  "metadata_inconsistent",
] as const;

export type FindingKind = (typeof findingKinds)[number];

/** What a repair does about a finding: nothing, something if it is asked to, or what it has done. */
export const findingRepairs = ["impossible", "possible", "done"] as const;

export type FindingRepair = (typeof findingRepairs)[number];

/** Who names bytes. */
export type ContentOwner =
  | { readonly kind: "file"; readonly sessionId: string; readonly fileId: string; readonly name: string }
  | { readonly kind: "item_file"; readonly itemId: string; readonly name: string }
  | { readonly kind: "blob"; readonly ref: BlobRef };

/** One thing that is wrong with the store, or with what is known of it; it was looked at twice. */
export interface CheckFinding {
  readonly kind: FindingKind;
  /** Undefined where nothing names the bytes. */
  readonly tenant?: { readonly id: string; readonly name: string };
  /** At most `mostOwners`. */
  readonly owners: readonly ContentOwner[];
  /** The store's own name for the bytes: a key, or what keys lie in. */
  readonly blobKey?: string;
  /** Where something foreign lies, relative to the store's folder. */
  readonly path?: string;
  /** Where in the content the bytes of the key begin. */
  readonly offset?: number;
  readonly sizeBytes?: number;
  readonly expected?: Checksum;
  readonly actual?: Checksum;
  /** A sentence for people: what is wrong, and what can be done about it. */
  readonly message: string;
  readonly repair: FindingRepair;
  /** A sentence for people: what the repair does, or did; empty where there is none. */
  readonly repairMessage: string;
}

/** How many owners of the same bytes are told. */
export const mostOwners = 100;

/** How far a check is; its counts are those of one call. */
export interface CheckProgress {
  readonly phase: CheckPhase;
  readonly checkedContents: number;
  readonly checkedBlobs: number;
  readonly checkedBytes: number;
  /** Goes on behind what is counted here, in another call. */
  readonly cursor: string;
}

export interface CheckSummary {
  readonly checkedContents: number;
  readonly checkedBlobs: number;
  readonly checkedBytes: number;
  readonly findings: number;
  readonly repaired: number;
  /** Bytes that nothing names and that are too young to be litter. */
  readonly youngKeys: number;
}

export type CheckNews =
  | { readonly kind: "progress"; readonly progress: CheckProgress }
  | { readonly kind: "finding"; readonly finding: CheckFinding }
  | { readonly kind: "summary"; readonly summary: CheckSummary };
