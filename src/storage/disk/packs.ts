import { type FileHandle, open } from "node:fs/promises";
import { type BlobKey, smallContentBytes } from "../../core/index.js";
import type { Sync } from "./durability.js";
import { checksum, formatHeader, headerBytes } from "./pack-format.js";
import { createFileId, formatPackedKey, type Paths } from "./paths.js";
import { writeFully } from "./positional-io.js";
import { createTurns } from "./turns.js";

/**
 * Writes small content into append-only files, one at a time. A process only ever appends to packs that it began
 * itself.
 */
export interface PackWriter {
  /** Durable when it resolves. Calls that wait at the same time share one writev and one fdatasync, a round. */
  put(chunks: readonly Uint8Array[]): Promise<BlobKey>;
  /** False once nothing can be added to a pack any more. */
  isActive(packId: string): boolean;
  /**
   * Ends the active pack if it was last written before then, so that an idle one does not keep its records from being
   * collected.
   */
  sealWrittenBefore(writtenBefore: Date): Promise<void>;
  close(): Promise<void>;
}

/**
 * A call that waits: its chunks stay the caller's and are not copied, so that a long queue costs no more than the
 * callers hold anyway.
 */
interface Waiting {
  readonly chunks: readonly Uint8Array[];
  readonly length: number;
  readonly payloadCrc: number;
  readonly resolve: (key: BlobKey) => void;
  readonly reject: (error: unknown) => void;
}

interface ActivePack {
  readonly id: string;
  readonly handle: FileHandle;
  sizeBytes: number;
}

/** The most bytes of one round: later calls wait for the next one. */
const maxRoundBytes = 4 * 1024 * 1024;

export function createPackWriter(deps: {
  readonly paths: Paths;
  readonly sync: Sync;
  /** A pack never grows beyond this. */
  readonly packBytes: number;
}): PackWriter {
  const { paths, sync, packBytes } = deps;
  const inTurn = createTurns();
  const queue: Waiting[] = [];
  let pumping = false;
  let activeId: string | undefined;
  let active: ActivePack | undefined;

  async function pump(): Promise<void> {
    pumping = true;
    while (queue.length > 0) {
      // Whatever else is ready in this turn of the event loop joins the round.
      await new Promise((resolve) => setImmediate(resolve));
      await inTurn(commitRound);
    }
    pumping = false;
  }

  async function commitRound(): Promise<void> {
    if (active !== undefined && active.sizeBytes + recordBytes(queue[0]!) > packBytes) await seal();
    const round = takeRound(queue, Math.min(maxRoundBytes, packBytes - (active?.sizeBytes ?? 0)));
    try {
      active ??= await beginPack();
      const keys = await appendRound(active, round);
      for (const [index, waiting] of round.entries()) waiting.resolve(keys[index]!);
    } catch (error) {
      // What the failed calls left at the pack's end is unknown: nothing is ever put behind it.
      await seal();
      for (const waiting of round) waiting.reject(error);
    }
  }

  async function beginPack(): Promise<ActivePack> {
    const id = createFileId();
    // Before the file is there, lest a sweep takes it for an empty one that was left behind.
    activeId = id;
    const handle = await open(paths.pack(id), "wx", 0o600);
    try {
      await sync.folder(paths.packs);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return { id, handle, sizeBytes: 0 };
  }

  async function appendRound(pack: ActivePack, round: readonly Waiting[]): Promise<readonly BlobKey[]> {
    const keys: BlobKey[] = [];
    const pieces: Uint8Array[] = [];
    let end = pack.sizeBytes;
    for (const waiting of round) {
      keys.push(formatPackedKey(pack.id, end, waiting.length));
      pieces.push(formatHeader({ packId: pack.id, offset: end }, waiting), ...waiting.chunks);
      end += recordBytes(waiting);
    }
    await writeFully(pack.handle, pieces, pack.sizeBytes);
    await sync.content(pack.handle);
    pack.sizeBytes = end;
    return keys;
  }

  async function seal(): Promise<void> {
    const sealed = active;
    active = undefined;
    activeId = undefined;
    await sealed?.handle.close().catch(() => {});
  }

  return {
    async put(chunks) {
      const length = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
      if (length === 0 || length > smallContentBytes) throw new TypeError(`small content of ${length} bytes`);
      const payloadCrc = checksum(chunks);
      return await new Promise<BlobKey>((resolve, reject) => {
        queue.push({ chunks, length, payloadCrc, resolve, reject });
        if (!pumping) void pump();
      });
    },
    isActive: (packId) => packId === activeId,
    sealWrittenBefore: (writtenBefore) =>
      inTurn(async () => {
        if (active !== undefined && (await active.handle.stat()).mtimeMs < writtenBefore.getTime()) await seal();
      }),
    close: () => inTurn(seal),
  };
}

/** Takes calls from the front of the queue while they fit, one at least. */
function takeRound(queue: Waiting[], roomBytes: number): readonly Waiting[] {
  let count = 1;
  let bytes = recordBytes(queue[0]!);
  for (; count < queue.length; count++) {
    bytes += recordBytes(queue[count]!);
    if (bytes > roomBytes) break;
  }
  return queue.splice(0, count);
}

function recordBytes(waiting: Waiting): number {
  return headerBytes + waiting.length;
}
