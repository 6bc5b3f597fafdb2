import { createHash, type Hash } from "node:crypto";
import { createCrc32c } from "./crc32c.js";
import { UploadError } from "./error.js";
import { invalid } from "./values.js";

/** The algorithms that content may be checked with. */
export const checksumAlgorithms = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "crc32c"] as const;

export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];

/** A digest of content: `value` is lower-case hex of the algorithm's full length (crc32c: big-endian, RFC 3720). */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: string;
}

const hexLength: Record<ChecksumAlgorithm, number> = {
  md5: 32,
  sha1: 40,
  sha224: 56,
  sha256: 64,
  sha384: 96,
  sha512: 128,
  crc32c: 8,
};

/** Throws `unsupported` (ALGORITHM_UNKNOWN) or `invalid` (CHECKSUM_MALFORMED). */
export function parseChecksum(algorithm: string, value: string): Checksum {
  const known = checksumAlgorithms.find((name) => name === algorithm.toLowerCase());
  if (known === undefined) {
    const names = checksumAlgorithms.join(", ");
    throw new UploadError(
      "unsupported",
      `checksum algorithm ${JSON.stringify(algorithm.slice(0, 40))} is not one of ${names}`,
      { reason: "ALGORITHM_UNKNOWN" },
    );
  }
  if (value.length !== hexLength[known] || !/^[0-9a-fA-F]+$/.test(value)) {
    const shown = JSON.stringify(value.slice(0, 140));
    throw invalid("CHECKSUM_MALFORMED", `a ${known} checksum has ${hexLength[known]} hex digits, not ${shown}`);
  }
  return { algorithm: known, value: value.toLowerCase() };
}

/** One checksum per algorithm: repeats that agree are merged, contradictions are `invalid`. */
export function parseChecksums(list: readonly { algorithm: string; value: string }[]): readonly Checksum[] {
  const byAlgorithm = new Map<ChecksumAlgorithm, Checksum>();
  for (const entry of list) {
    const checksum = parseChecksum(entry.algorithm, entry.value);
    const earlier = byAlgorithm.get(checksum.algorithm);
    if (earlier !== undefined && earlier.value !== checksum.value) {
      throw invalid("CHECKSUM_MALFORMED", `two different ${checksum.algorithm} checksums are declared`);
    }
    byAlgorithm.set(checksum.algorithm, checksum);
  }
  return [...byAlgorithm.values()];
}

/** A running digest over a stream under several algorithms at once. */
export interface Hasher {
  /** How many bytes it has taken. */
  readonly offset: number;
  update(chunk: Uint8Array): void;
  /** An independent copy: what is added to one does not show in the other. */
  copy(): Hasher;
  /** The digests of everything taken so far; the hasher may go on afterwards. */
  digests(): readonly Checksum[];
  readonly algorithms: readonly ChecksumAlgorithm[];
}

interface Digest {
  update(chunk: Uint8Array): unknown;
  copy(): Digest;
  digest(encoding: "hex"): string;
}

/** SHA-256 is always computed, for it names the content. */
export function createHasher(algorithms: readonly ChecksumAlgorithm[]): Hasher {
  const names = [...new Set<ChecksumAlgorithm>(["sha256", ...algorithms])];
  return hasherOver(new Map(names.map((name) => [name, createDigest(name)])), 0);
}

function createDigest(algorithm: ChecksumAlgorithm): Digest {
  return algorithm === "crc32c" ? createCrc32c() : (createHash(algorithm) as Hash & Digest);
}

function hasherOver(digests: ReadonlyMap<ChecksumAlgorithm, Digest>, start: number): Hasher {
  let offset = start;
  return {
    algorithms: [...digests.keys()],
    get offset() {
      return offset;
    },
    update(chunk) {
      for (const digest of digests.values()) digest.update(chunk);
      offset += chunk.length;
    },
    copy: () => hasherOver(new Map([...digests].map(([name, digest]) => [name, digest.copy()])), offset),
    digests: () => [...digests].map(([algorithm, digest]) => ({ algorithm, value: digest.copy().digest("hex") })),
  };
}

/** Throws `checksum_mismatch` with both values for the first declared checksum that the computed ones contradict. */
export function assertChecksums(declared: readonly Checksum[], computed: readonly Checksum[], what: string): void {
  for (const checksum of declared) {
    const actual = computed.find((other) => other.algorithm === checksum.algorithm)?.value;
    if (actual === undefined) throw new TypeError(`${checksum.algorithm} of ${what} was not computed`);
    if (actual !== checksum.value) {
      throw new UploadError(
        "checksum_mismatch",
        `${checksum.algorithm} of ${what} is ${actual}, declared was ${checksum.value}`,
        { reason: "CHECKSUM_DIFFERS", declared: checksum.value, actual },
      );
    }
  }
}
