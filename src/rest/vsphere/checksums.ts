// Checksums as the API tells them, and as it takes them.
import type { ChecksumAlgorithm, Content, FileSpecInput } from "../../core/index.js";
import type { checksumInfo } from "./operations/models.js";
import type { ValueOf } from "./schema.js";

export type ChecksumInfo = ValueOf<typeof checksumInfo>;

type Word = NonNullable<ChecksumInfo["algorithm"]>;

const algorithms: Record<Word, ChecksumAlgorithm> = { SHA512: "sha512", SHA1: "sha1", MD5: "md5", SHA256: "sha256" };

/**
 * One checksum of content that is whole. SHA-256 is always computed and any other only where it was declared, so another
 * one that the API has a word for is what the sender gave, and goes first.
 */
export function checksumInfoOf({ checksums }: Content): ChecksumInfo {
  for (const [word, algorithm] of Object.entries(algorithms) as [Word, ChecksumAlgorithm][]) {
    const known = checksums.find((checksum) => checksum.algorithm === algorithm);
    if (known !== undefined) return { algorithm: word, checksum: known.value };
  }
  throw new TypeError("content without a SHA-256");
}

/** What was declared in the core's words, where the digits are checked; without an algorithm it is a SHA-1. */
export function checksumsFrom(info: ChecksumInfo | undefined): NonNullable<FileSpecInput["checksums"]> {
  if (info === undefined) return [];
  return [{ algorithm: algorithms[info.algorithm ?? "SHA1"], value: info.checksum }];
}
