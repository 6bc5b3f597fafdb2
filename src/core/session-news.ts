import { UploadError } from "./error.js";
import { type Limits, limitDetail } from "./limits.js";
import type { MetadataStore } from "./ports/metadata-store.js";

/** `event`: its history has grown, or it is gone. `progress`: more of a file is committed. */
export type News = "event" | "progress";

/**
 * Tells those who watch a session that there is something to look at. It carries no state, so nothing is lost when a
 * word is missed: whoever listens looks again after a while in any case.
 */
export interface SessionNews {
  tell(sessionId: string, news: News): void;
  /** Hears everything that is told from now on. Throws `too_many` (TOO_MANY_WATCHES). */
  listen(sessionId: string): NewsListener;
}

export interface NewsListener {
  /**
   * Resolves once something was told since the last call: an event at once, progress after `progressMs` at the least;
   * and after `mostMs` in any case. Rejects with the signal's reason.
   */
  next(waits: { readonly progressMs: number; readonly mostMs: number }, signal?: AbortSignal): Promise<void>;
  close(): void;
}

export function createSessionNews(limits: Limits): SessionNews {
  const listening = new Map<string, Set<(news: News) => void>>();
  let listeners = 0;

  function join(sessionId: string, hear: (news: News) => void): () => void {
    if (listeners >= limits.maxWatches) {
      throw new UploadError("too_many", `${listeners} sessions are watched, no more may be`, {
        reason: "TOO_MANY_WATCHES",
        limit: limitDetail(limits, "maxWatches"),
      });
    }
    listeners++;
    const others = listening.get(sessionId) ?? new Set();
    listening.set(sessionId, others.add(hear));
    return () => {
      if (!others.delete(hear)) return;
      listeners--;
      if (others.size === 0) listening.delete(sessionId);
    };
  }

  return {
    tell(sessionId, news) {
      for (const hear of listening.get(sessionId) ?? []) hear(news);
    },
    listen(sessionId) {
      const heard = new Set<News>();
      let notice: (() => void) | undefined;
      const leave = join(sessionId, (news) => {
        heard.add(news);
        notice?.();
      });
      return {
        async next({ progressMs, mostMs }, signal) {
          signal?.throwIfAborted();
          const startedAt = performance.now();
          const waitMs = () => {
            if (heard.has("event")) return 0;
            return (heard.has("progress") ? progressMs : mostMs) - (performance.now() - startedAt);
          };
          try {
            for (let ms = waitMs(); ms > 0; ms = waitMs()) {
              await pause(ms, signal, (wake) => {
                notice = wake;
              });
            }
          } finally {
            notice = undefined;
          }
          heard.clear();
        },
        close: leave,
      };
    },
  };
}

/** Waits for so long, or until it is woken. */
function pause(ms: number, signal: AbortSignal | undefined, onWake: (wake: () => void) => void): Promise<void> {
  signal?.throwIfAborted();
  return new Promise<void>((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const wake = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      resolve();
    };
    const timer = setTimeout(wake, Math.ceil(ms));
    signal?.addEventListener("abort", abort, { once: true });
    onWake(wake);
  });
}

/** The same store, whose deeds on a session are told once they have happened. */
export function tellNews(metadata: MetadataStore, news: SessionNews): MetadataStore {
  async function after<Result>(sessionId: string, kind: News, deed: Promise<Result>): Promise<Result> {
    const result = await deed;
    news.tell(sessionId, kind);
    return result;
  }
  return {
    ...metadata,
    updateSession: (ref, change) => after(ref.sessionId, "event", metadata.updateSession(ref, change)),
    completeSession: (ref, decide) => after(ref.sessionId, "event", metadata.completeSession(ref, decide)),
    deleteSession: (ref, check) => after(ref.sessionId, "event", metadata.deleteSession(ref, check)),
    changeFile: (ref, key, change) => after(ref.sessionId, "event", metadata.changeFile(ref, key, change)),
    changePull: (ref, decide) => after(ref.sessionId, "event", metadata.changePull(ref, decide)),
    finishAttempt: (ref, options, decide) =>
      after(ref.sessionId, "event", metadata.finishAttempt(ref, options, decide)),
    commitExtent: (commit) => after(commit.attempt.sessionId, "progress", metadata.commitExtent(commit)),
  };
}
