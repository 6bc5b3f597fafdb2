// A source that does what a test says, without a network.
import {
  type ContentSource,
  type OpenedContent,
  SourceError,
  type SourceFailure,
  type SourceRequest,
} from "../../src/core/index.js";
import { bodyOf, slices } from "./bodies.js";

/** What comes of the n-th time (from 1) that an address is asked; a promise that rejects refuses it. */
export type Answering = (request: SourceRequest, signal: AbortSignal, count: number) => Promise<OpenedContent>;

export interface FakeSource {
  readonly source: ContentSource;
  /** Every request, in order. */
  readonly requests: readonly SourceRequest[];
  /** How many contents are open, and how many ever were at the same time. */
  readonly open: { now: number; most: number };
  /** The address of something that answers so. */
  serve(answer: Answering): string;
}

export function createFakeSource(): FakeSource {
  const answers = new Map<string, Answering>();
  const counts = new Map<string, number>();
  const requests: SourceRequest[] = [];
  const open = { now: 0, most: 0 };
  return {
    requests,
    open,
    serve(answer) {
      const uri = `https://example.com/${answers.size}`;
      answers.set(uri, answer);
      return uri;
    },
    source: {
      async open(request, signal) {
        requests.push(request);
        const { uri } = request.address;
        const count = (counts.get(uri) ?? 0) + 1;
        counts.set(uri, count);
        const content = await answers.get(uri)!(request, signal, count);
        open.most = Math.max(open.most, ++open.now);
        let isOpen = true;
        const close = () => {
          if (isOpen) open.now--;
          isOpen = false;
          content.close();
        };
        return { ...content, close };
      },
    },
  };
}

export interface ContentOptions {
  /** Default: `"one"`; resuming is answered for this one only. */
  readonly validator?: string | undefined;
  readonly hasEnd?: boolean;
  /** Default: the content's length; null for a source that does not say. */
  readonly sizeBytes?: number | null;
  /** Awaited once this many bytes of the whole content have been given; what it throws breaks the content. */
  readonly at?: { readonly offset: number; readonly run: (signal: AbortSignal) => unknown };
  /** Where the bytes end without a word. */
  readonly cutAt?: number;
}

/** Content as a source serves it that can resume. */
export function contentOf(
  whole: Uint8Array,
  { from }: SourceRequest,
  signal: AbortSignal,
  options: ContentOptions = {},
): OpenedContent {
  const { validator = '"one"', hasEnd = true, sizeBytes = whole.length, at, cutAt } = { ...options };
  const known = "validator" in options ? options.validator : validator;
  const offset = from !== undefined && from.validator === known ? from.offset : 0;
  async function* bytes(): AsyncIterable<Uint8Array> {
    const end = cutAt ?? whole.length;
    const stop = Math.min(at?.offset ?? end, end);
    if (offset < stop) yield* bodyOf(slices(whole.subarray(offset, stop), 64 * 1024));
    if (at !== undefined) await at.run(signal);
    if (stop < end) yield* bodyOf(slices(whole.subarray(Math.max(stop, offset), end), 64 * 1024));
  }
  const size = sizeBytes === null ? undefined : sizeBytes;
  return { offset, sizeBytes: size, validator: known, hasEnd, bytes: bytes(), close: () => undefined };
}

/** Waits until it is told to go on, or for the signal. */
export function createGate(): {
  readonly wait: (signal: AbortSignal) => Promise<void>;
  open(): void;
  readonly waiting: number;
} {
  let release: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    release = resolve;
  });
  let waiting = 0;
  return {
    open: () => release(),
    get waiting() {
      return waiting;
    },
    wait(signal) {
      waiting++;
      return new Promise((resolve, reject) => {
        void opened.then(resolve);
        signal.addEventListener("abort", () => reject(signal.reason));
        if (signal.aborted) reject(signal.reason);
      });
    },
  };
}

export function breakOff(failure: SourceFailure = "ended_early"): never {
  throw new SourceError(failure, `the source says ${failure}`);
}
