import { createId, type Deadlines, isId, type RecordChange, type Uploads } from "../../../core/index.js";
import { tryChangeRecords } from "../../kit/index.js";
import type { ImisCall } from "../call.js";
import { ImisError } from "../errors.js";
import { type ImisLimits, overLimit } from "../limits.js";

/** What a stream reads: an object, and the content that it had when the stream was opened. */
export interface OpenStream {
  readonly name: string;
  readonly contentId: string;
}

export interface OpenStreamsDeps {
  readonly uploads: Pick<Uploads, "findRecord" | "changeRecords" | "listRecords">;
  readonly limits: ImisLimits;
  /** Those of handles: a stream that nobody reads lives as long as they do. */
  readonly deadlines: Pick<Deadlines, "idleTtlMs">;
  readonly now: () => Date;
}

/** Streams, each of which is `of` something that alone knows of it. They outlive the process. */
export interface OpenStreams {
  /** Answers its handle. Throws `too_many_streams`. */
  open(of: string, stream: OpenStream, call: ImisCall): Promise<string>;
  /** Puts its lease off. Throws `stream_not_found`. */
  use(of: string, handle: string, call: ImisCall): Promise<OpenStream>;
  /** However often it is asked. */
  close(of: string, handle: string, call: ImisCall): Promise<void>;
}

const namespace = "imis.stream";

export function createOpenStreams({ uploads, limits, deadlines, now }: OpenStreamsDeps): OpenStreams {
  const { idleTtlMs } = deadlines;
  const { maxStreams } = limits;
  const keyOf = (of: string, handle: string) => `${of}/${handle.toLowerCase()}`;
  const store = (key: string, stream: OpenStream, expect: number): RecordChange => {
    const expiresAt = new Date(now().getTime() + idleTtlMs);
    return { namespace, key, value: { ...stream }, expect, expiresAt };
  };
  async function assertAtMost(most: number, of: string, call: ImisCall): Promise<void> {
    const found = await uploads.listRecords({ namespace, prefix: keyOf(of, ""), limit: most + 1 }, call);
    if (found.length <= most) return;
    const text = `at most ${maxStreams} streams are open at the same time; close some of them`;
    throw overLimit(limits, "maxStreams", "too_many_streams", text);
  }
  const remove = (key: string, call: ImisCall) =>
    uploads.changeRecords({ changes: [{ namespace, key, value: undefined }] }, call);

  return {
    async open(of, stream, call) {
      const handle = createId();
      const key = keyOf(of, handle);
      await assertAtMost(maxStreams - 1, of, call);
      await uploads.changeRecords({ changes: [store(key, stream, 0)] }, call);
      // Others may have come in at the same time.
      try {
        await assertAtMost(maxStreams, of, call);
      } catch (error) {
        await remove(key, call);
        throw error;
      }
      return handle;
    },

    async use(of, handle, call) {
      const key = keyOf(of, handle);
      const record = isId(handle.toLowerCase()) ? await uploads.findRecord({ namespace, key }, call) : undefined;
      const leftMs = (record?.expiresAt?.getTime() ?? 0) - now().getTime();
      if (record === undefined || leftMs <= 0) throw noSuchStream(handle);
      // Nothing but this store writes there.
      const stream = record.value as unknown as OpenStream;
      if (leftMs > 0.9 * idleTtlMs) return stream;
      // Where somebody else has put it off, or closed it, what is read now was asked for before.
      await tryChangeRecords(uploads, [store(key, stream, record.version)], call);
      return stream;
    },

    async close(of, handle, call) {
      if (isId(handle.toLowerCase())) await remove(keyOf(of, handle), call);
    },
  };
}

export function noSuchStream(handle: string): ImisError {
  return new ImisError("stream_not_found", `there is no stream ${JSON.stringify(handle.slice(0, 80))}`);
}
