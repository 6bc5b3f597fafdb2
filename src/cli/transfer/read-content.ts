// Content read from end to end, through lost connections, by whoever wants the bytes and not a file.
import { createHash } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import type { CallOptions } from "@connectrpc/connect";
import type { Retry } from "../connection/retry.js";
import { createStallGuard } from "../connection/stall-guard.js";
import { FileError } from "../shell/cli-error.js";

const stalledMs = 120_000;

/** What a stream says of the content whose bytes it brings. */
export interface ContentWords {
  readonly sizeBytes: number;
  readonly algorithm: "sha1" | "sha224" | "sha256";
  readonly digest: string;
}

export interface ContentPiece {
  /** In the first piece of a stream. */
  readonly content?: ContentWords | undefined;
  readonly data: Uint8Array;
}

export interface ContentSource {
  /** What the content is called in complaints. */
  readonly name: string;
  read(offset: number, options: CallOptions): AsyncIterable<ContentPiece>;
}

/**
 * Hands every byte over once and in order, each after the one before was taken, and goes on where it was after a lost
 * connection. Fails when the content is replaced meanwhile, and at the end when its digest is another one: then what
 * was handed over is not to be trusted.
 */
export async function readContent(
  deps: { readonly retry: Retry; readonly signal: AbortSignal },
  source: ContentSource,
  take: (data: Uint8Array) => Promise<void>,
): Promise<ContentWords> {
  const { retry, signal } = deps;
  let known: { readonly words: ContentWords; readonly hash: ReturnType<typeof createHash> } | undefined;
  let offset = 0;
  const meet = (words: ContentWords | undefined) => {
    if (words === undefined) return;
    known ??= { words, hash: createHash(words.algorithm) };
    if (known.words.digest !== words.digest) throw new FileError(`${source.name} was replaced while it was read`);
  };
  const readOn = async () => {
    const guard = createStallGuard(signal, stalledMs);
    for await (const { content, data } of guard.watch(source.read(offset, { signal: guard.signal }))) {
      meet(content);
      if (known === undefined) throw new FileError(`the server sends ${source.name} without saying what it is`);
      if (offset + data.length > known.words.sizeBytes) {
        throw new FileError(`${source.name} is longer than the server says`);
      }
      retry.progressed();
      if (data.length === 0) continue;
      known.hash.update(data);
      offset += data.length;
      await take(data);
    }
    if (known === undefined || offset < known.words.sizeBytes) {
      throw new ConnectError("the stream ended early", Code.Unavailable);
    }
    return known;
  };
  for (;;) {
    try {
      const { words, hash } = await readOn();
      const found = hash.digest("hex");
      if (found === words.digest) return words;
      throw new FileError(
        `${source.name} arrived with ${words.algorithm} ${found}, but is ${words.digest}: what was read is not to be trusted`,
      );
    } catch (error) {
      await retry.pause(error);
    }
  }
}
