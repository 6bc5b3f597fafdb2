import type { Interceptor } from "@connectrpc/connect";

/** Knows which calls are under way, so that a stop can wait for them. */
export interface Drain {
  readonly interceptor: Interceptor;
  /** The same for what is no RPC. */
  track<T>(work: () => Promise<T>): Promise<T>;
  /** How many calls are under way. */
  underWay(): number;
  /** Resolves when no call is under way. */
  idle(): Promise<void>;
}

export function createDrain(): Drain {
  let underWay = 0;
  let waiting: (() => void)[] = [];
  function leave(): void {
    underWay--;
    if (underWay > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  }
  async function* untilEnd<T>(messages: AsyncIterable<T>): AsyncIterable<T> {
    try {
      yield* messages;
    } finally {
      leave();
    }
  }
  return {
    interceptor: (next) => async (request) => {
      underWay++;
      let streaming = false;
      try {
        const response = await next(request);
        if (!response.stream) return response;
        streaming = true;
        return { ...response, message: untilEnd(response.message) };
      } finally {
        if (!streaming) leave();
      }
    },
    async track(work) {
      underWay++;
      try {
        return await work();
      } finally {
        leave();
      }
    },
    underWay: () => underWay,
    idle: () =>
      new Promise((resolve) => {
        if (underWay === 0) resolve();
        else waiting.push(resolve);
      }),
  };
}
