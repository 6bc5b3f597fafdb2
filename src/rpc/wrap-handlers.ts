import type { ConnectRouter } from "@connectrpc/connect";
import type { UniversalHandler, UniversalHandlerFn } from "@connectrpc/connect/protocol";

/** Puts something around every handler that there is so far; undefined leaves one as it is. */
export function wrapHandlers(
  router: ConnectRouter,
  wrap: (handler: UniversalHandler) => UniversalHandlerFn | undefined,
): void {
  for (const [at, handler] of router.handlers.entries()) {
    const wrapped = wrap(handler);
    if (wrapped !== undefined) router.handlers[at] = Object.assign(wrapped, handler);
  }
}
