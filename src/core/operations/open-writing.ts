import type { Attempt, Extent } from "../attempt.js";
import type { BufferShare } from "../buffer-budget.js";
import { createHasher, type Hasher } from "../checksum.js";
import type { CoreDeps } from "../deps.js";
import type { SessionFile } from "../file.js";
import { createHashFollower, type HashFollower } from "../hash-follower.js";
import type { ExtentCommit, FileRef } from "../ports/transfer-store.js";
import { readContent } from "../read-content.js";
import { type AppendedExtent, type Appender, createAppender } from "./append-content.js";

/** One writer at work on an attempt: the bytes it appends and the hash that follows them. */
export interface Writing {
  readonly appender: Appender;
  readonly follower: HashFollower;
  /** Makes what has arrived durable and answers what of it is not committed yet. */
  settle(): Promise<Extent | undefined>;
  /** The same, and commits it; with a size that has become known, even when nothing else is new. */
  keep(sizeBytes?: number): Promise<void>;
  /** The bytes [from, to) of the attempt, as far as they are written. */
  readBack(from: number, to: number): AsyncIterable<Uint8Array>;
  /** Feeds all stored bytes of the content to a hasher. */
  rehash(hasher: Hasher): Promise<void>;
}

export function openWriting(
  deps: CoreDeps,
  seat: {
    readonly ref: FileRef;
    readonly file: SessionFile;
    /** The size that goes into the row with the first commit, if it was not there before. */
    readonly newSize: number | undefined;
    readonly attempt: Attempt;
    readonly share: BufferShare;
    readonly atomic: boolean;
  },
): Writing {
  const { attempt, share, atomic, newSize } = seat;
  const place: ExtentCommit["attempt"] = { ...seat.ref, attemptId: attempt.id, epoch: attempt.epoch };
  let settled: AppendedExtent | undefined;

  /** What former writers stored, asked for only when something has to be read back: most parts never do. */
  let former: Promise<readonly Extent[]> | undefined;
  async function listFormer(): Promise<readonly Extent[]> {
    const extents = attempt.offset === 0 ? [] : await deps.metadata.listExtents(attempt.id);
    return extents.filter(({ epoch }) => epoch !== attempt.epoch);
  }
  async function* readBack(from: number, to: number, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    former ??= listFormer();
    const before = await former;
    const own = settled ?? appender.extent;
    const extents = own === undefined ? before : [...before, { epoch: attempt.epoch, ...own }];
    yield* readContent(deps.blobs, extents, from, to, signal);
  }
  const algorithms = seat.file.checksums.map(({ algorithm }) => algorithm);
  const hasher = deps.hashes.take(attempt.id, attempt.offset, algorithms) ?? createHasher(algorithms);
  const follower = createHashFollower(hasher, attempt.offset, readBack);
  const appender = createAppender({
    blobs: deps.blobs,
    limits: deps.limits,
    share,
    follower,
    start: attempt.offset,
    atomic,
    commit: (extent) =>
      deps.metadata.commitExtent({
        attempt: place,
        extent: { epoch: attempt.epoch, ...extent },
        sizeBytes: newSize,
      }),
    committed: (state) => state && deps.hashes.put(attempt.id, state),
  });
  follower.wrote(attempt.offset);

  async function settle(): Promise<Extent | undefined> {
    const extent = await appender.finish();
    if (extent === undefined) return undefined;
    settled = extent;
    follower.wrote(appender.received);
    return { epoch: attempt.epoch, ...extent };
  }
  return {
    appender,
    follower,
    readBack,
    settle,
    async keep(sizeBytes) {
      const extent = await settle();
      if (extent !== undefined || sizeBytes !== undefined) {
        await deps.metadata.commitExtent({ attempt: place, extent, sizeBytes: sizeBytes ?? newSize });
      }
      deps.hashes.put(attempt.id, follower.hasher.copy());
    },
    async rehash(other) {
      for await (const chunk of readBack(0, appender.received)) other.update(chunk);
    },
  };
}
