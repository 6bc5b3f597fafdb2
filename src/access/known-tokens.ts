import type { FoundToken, IdentityStore } from "../core/index.js";
import { createKnowledge, type Knowledge } from "./knowledge.js";

export interface KnownToken extends FoundToken {
  /** How long it had to live when it was asked for, and when that is over on the monotonic clock. */
  readonly livesMs: number;
  readonly endsAt: number;
}

/** What is known of tokens: of those that are shown by their digests (base64), and of those that are named by their ids. */
export interface KnownTokens {
  readonly byDigest: Knowledge<KnownToken>;
  readonly byId: Knowledge<KnownToken>;
  forget(isChanged: (value: KnownToken) => boolean): void;
}

export function createKnownTokens(deps: {
  readonly store: Pick<IdentityStore, "findToken" | "findTokenById">;
  readonly assertReady: () => void;
  readonly trustMs: number;
  readonly elapsed: () => number;
}): KnownTokens {
  const { store, assertReady, elapsed } = deps;
  const trustMs = ({ livesMs }: KnownToken) => Math.min(livesMs, deps.trustMs);

  async function know(ask: () => Promise<FoundToken | undefined>): Promise<KnownToken | undefined> {
    assertReady();
    const askedAt = elapsed();
    const found = await ask();
    if (found === undefined) return undefined;
    const { token, now } = found;
    const idleEnd = token.lastUsedAt.getTime() + token.idleTtlMs;
    const end = Math.min(idleEnd, token.endsAt?.getTime() ?? Number.POSITIVE_INFINITY);
    const livesMs = end - now.getTime();
    return { ...found, livesMs, endsAt: askedAt + livesMs };
  }
  const byDigest = createKnowledge<KnownToken>({
    ask: (digest) => know(() => store.findToken(Buffer.from(digest, "base64"))),
    trustMs,
    elapsed,
  });
  const byId = createKnowledge<KnownToken>({ ask: (id) => know(() => store.findTokenById(id)), trustMs, elapsed });
  return {
    byDigest,
    byId,
    forget(isChanged) {
      byDigest.forget(isChanged);
      byId.forget(isChanged);
    },
  };
}
