import type { BlobKey } from "../blob.js";
import { smallContentBytes } from "../blob.js";
import type { BufferShare } from "../buffer-budget.js";
import type { Hasher } from "../checksum.js";
import type { HashFollower } from "../hash-follower.js";
import type { Limits } from "../limits.js";
import type { BlobStore, ExtentWriter } from "../ports/blob-store.js";

/** The run of bytes that one writer adds to an attempt, from where it began. */
export interface AppendedExtent {
  readonly offset: number;
  readonly length: number;
  readonly blobKey: BlobKey;
}

/**
 * Appends one writer's bytes to an attempt: keeps them moving to the medium while more arrive and are hashed, and
 * commits a checkpoint often enough that a crash costs little (P3). Holds no more than its share of the memory (P10).
 * After any failure every method throws that failure.
 */
export interface Appender {
  /** Bytes of the content so far, those of this writer that are still in memory included. */
  readonly received: number;
  /** Takes a chunk; waits while the medium is behind. The chunk must not be changed afterwards. */
  push(chunk: Uint8Array): Promise<void>;
  /** Makes what has arrived durable and commits it, unless this append is all or nothing. */
  checkpoint(): Promise<void>;
  /**
   * Makes everything durable, once; no checkpoint follows. What the last checkpoint did not commit is for the caller to
   * commit: the whole extent, or undefined when nothing is new.
   */
  finish(): Promise<AppendedExtent | undefined>;
  /** Where `bytes [from, to)` of this writer's own extent can be read from, once they are written. */
  readonly extent: AppendedExtent | undefined;
  /** Lets go of the medium; nothing more will be committed. */
  close(): Promise<void>;
}

export interface AppendDeps {
  readonly blobs: BlobStore;
  readonly limits: Limits;
  readonly share: BufferShare;
  readonly follower: HashFollower;
  /** The attempt's offset where this writer begins. */
  readonly start: number;
  /** True for an all-or-nothing part: no checkpoints. */
  readonly atomic: boolean;
  commit(extent: AppendedExtent): Promise<void>;
  /** Told after each committed checkpoint, with the hash state there if it is at hand. */
  committed(hasher: Hasher | undefined): void;
}

const writeBytes = 2 ** 20;
const smallChunkBytes = 16 * 1024;
/** What small chunks are gathered in: the first buffer, and the largest. */
const leastTailBytes = 1024;
const mostTailBytes = 64 * 1024;
const catchUpBytes = 4 * 2 ** 20;

export function createAppender(deps: AppendDeps): Appender {
  const { blobs, limits, share, follower, start } = deps;
  let queue: Uint8Array[] = [];
  let queued = 0;
  let moving = 0;
  let received = start;
  let written = start;
  let committed = start;
  let tail: { readonly buffer: Uint8Array; used: number } | undefined;
  let tailBytes = leastTailBytes;
  let writer: ExtentWriter | undefined;
  let writing: Promise<void> | undefined;
  let checkpointing: Promise<void> | undefined;
  let finishing = false;
  let failure: { readonly error: unknown } | undefined;

  function throwIfFailed(): void {
    if (failure !== undefined) throw failure.error;
  }

  /** Keeps a chunk as it is; copies a small one, which would hold on to a much larger buffer. */
  function enqueue(chunk: Uint8Array): void {
    queued += chunk.length;
    received += chunk.length;
    share.hold(chunk.length);
    if (chunk.length >= smallChunkBytes) {
      queue.push(chunk);
      return;
    }
    if (tail === undefined || tail.used + chunk.length > tail.buffer.length) {
      // Small content waits in memory by the thousand, so it takes no more of it than it must.
      tail = { buffer: new Uint8Array(Math.max(tailBytes, chunk.length)), used: 0 };
      tailBytes = Math.min(4 * tailBytes, mostTailBytes);
    }
    tail.buffer.set(chunk, tail.used);
    const end = tail.used + chunk.length;
    const last = queue.at(-1);
    // Small chunks in a row become one; after a large one they go on in the same buffer.
    const grows = last !== undefined && last.buffer === tail.buffer.buffer;
    if (grows) queue[queue.length - 1] = tail.buffer.subarray(last.byteOffset, end);
    else queue.push(tail.buffer.subarray(tail.used, end));
    tail.used = end;
  }

  /** Of what is in memory, all that will not be written any more. */
  function letGo(): void {
    share.hold(-(queued + moving));
    queue = [];
    queued = 0;
    moving = 0;
  }

  /**
   * Hands everything queued to the medium; one write is under way at a time, and takes along what comes meanwhile if it
   * is much.
   */
  function startWriting(): void {
    writing ??= writeQueue().finally(() => {
      writing = undefined;
    });
  }
  async function writeQueue(): Promise<void> {
    try {
      do {
        const chunks = queue;
        moving = queued;
        queue = [];
        queued = 0;
        tail = undefined;
        writer ??= await blobs.createExtent();
        await writer.write(chunks);
        written += moving;
        share.hold(-moving);
        moving = 0;
        follower.wrote(written);
      } while (queued >= threshold());
    } catch (error) {
      failure ??= { error };
    }
  }
  function threshold(): number {
    return Math.min(writeBytes, share.limit() / 2);
  }
  async function drainTo(target: number): Promise<void> {
    while (written < target && failure === undefined) {
      startWriting();
      await writing;
    }
    throwIfFailed();
  }

  async function runCheckpoint(): Promise<void> {
    const target = received;
    const hasher = follower.snapshot(target);
    try {
      await drainTo(target);
      await writer!.sync();
      await deps.commit({ offset: start, length: target - start, blobKey: writer!.key });
      committed = target;
      deps.committed(hasher);
    } catch (error) {
      failure ??= { error };
    }
  }
  async function checkpoint(): Promise<void> {
    const due = received > committed && !deps.atomic && !finishing && failure === undefined;
    if (due && checkpointing === undefined) {
      checkpointing = runCheckpoint().finally(() => {
        checkpointing = undefined;
      });
    }
    await checkpointing;
    throwIfFailed();
  }

  async function storeRest(): Promise<AppendedExtent> {
    if (writer === undefined && writing === undefined && received - start <= smallContentBytes) {
      const blobKey = await blobs.putSmall(queue);
      written = received;
      letGo();
      return { offset: start, length: received - start, blobKey };
    }
    await drainTo(received);
    await writer!.sync();
    return { offset: start, length: received - start, blobKey: writer!.key };
  }

  return {
    get received() {
      return received;
    },
    get extent() {
      return writer && { offset: start, length: written - start, blobKey: writer.key };
    },
    async push(chunk) {
      throwIfFailed();
      const at = received;
      enqueue(chunk);
      if (queued >= threshold()) startWriting();
      // The write is on its way to another thread by now: hashing here overlaps with it.
      follower.take(chunk, at);
      while (queued + moving > share.limit() && failure === undefined) {
        startWriting();
        await writing;
      }
      const behind = received - follower.offset;
      if (behind > 0 && behind <= catchUpBytes) {
        await drainTo(received);
        await follower.settle(received);
      }
      // Begun at a quarter of the allowance, so that more can arrive while this is made durable; and held back at half
      // of it, for what a connection has under way is lost with it and is sent again, too (P3).
      if (received - committed >= limits.checkpointBytes / 4) checkpoint().catch(() => undefined);
      while (received - committed >= limits.checkpointBytes / 2 && checkpointing !== undefined) await checkpointing;
      throwIfFailed();
    },
    checkpoint,
    async finish() {
      // From here on a tick of the checkpoint's clock must not write or sync what this does.
      finishing = true;
      await checkpointing;
      throwIfFailed();
      if (received === committed) return undefined;
      try {
        return await storeRest();
      } catch (error) {
        failure ??= { error };
        throw error;
      }
    },
    async close() {
      follower.stop();
      await Promise.allSettled([writing, checkpointing]);
      letGo();
      await writer?.close();
    },
  };
}
