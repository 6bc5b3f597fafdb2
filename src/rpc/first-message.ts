// The RPC library reads the message of a unary call whole before any interceptor runs. So whoever sends it is let in, and
// the message bounded, where its bytes come from (P10).
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, createContextValues } from "@connectrpc/connect";
import type { Access } from "../core/index.js";
import { admit, isOpen } from "./caller.js";
import type { Translate } from "./errors.js";
import { noteJudged } from "./malformed.js";
import { wrapHandlers } from "./wrap-handlers.js";

export interface FirstMessageOptions {
  readonly access: Pick<Access, "authenticate">;
  readonly translate: Translate;
  /** How long nothing may come of a message; of one that nobody answers for, how long all of it may take. */
  readonly waitMs?: number;
}

/** Of a message that nobody answers for: more than any such method needs, escaped as JSON may be. */
const openBytes = 16 * 2 ** 10;

export function guardFirstMessages(router: ConnectRouter, options: FirstMessageOptions): void {
  const { access, translate, waitMs = 60_000 } = options;
  wrapHandlers(router, (handler) => {
    const { method } = handler;
    if (method.methodKind !== "unary") return undefined;
    const bound = isOpen(method) ? { waitMs, mostBytes: openBytes } : { waitMs };
    return (request) => {
      const { header, body, contextValues = createContextValues() } = request;
      async function* admitted(bytes: AsyncIterable<Uint8Array>) {
        try {
          if (!isOpen(method)) await admit(access, header, contextValues);
        } catch (error) {
          noteJudged(contextValues);
          throw translate(error, method, contextValues);
        }
        yield* boundBody(bytes, method, bound);
      }
      const bytes = isStream(body) ? admitted(body) : body;
      return handler({ ...request, contextValues, body: bytes });
    };
  });
}

function isStream(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

/** Throws `deadline_exceeded`, `resource_exhausted`. */
async function* boundBody(
  body: AsyncIterable<Uint8Array>,
  { name }: DescMethod,
  { waitMs, mostBytes }: { readonly waitMs: number; readonly mostBytes?: number },
): AsyncGenerator<Uint8Array, void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const words = `the message of ${name} did not come within ${waitMs} ms`;
    timer = setTimeout(() => reject(new ConnectError(words, Code.DeadlineExceeded)), waitMs);
  });
  late.catch(() => undefined);
  const iterator = body[Symbol.asyncIterator]();
  let bytes = 0;
  const isTooLong = () => mostBytes !== undefined && bytes > mostBytes;
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), late]);
      if (next.done === true) break;
      if (mostBytes === undefined) timer?.refresh();
      bytes += next.value.length;
      // The rest is read and kept nowhere, so that the connection is good for the next call.
      if (!isTooLong()) yield next.value;
    }
  } finally {
    clearTimeout(timer);
    // Not awaited: it waits for bytes that may never come.
    iterator.return?.().catch(() => undefined);
  }
  if (isTooLong())
    throw new ConnectError(`a message of ${name} has at most ${mostBytes} bytes`, Code.ResourceExhausted);
}
