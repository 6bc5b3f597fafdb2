import type { Access } from "../core/index.js";
import type { Knowledge } from "./knowledge.js";
import type { KnownToken } from "./known-tokens.js";
import type { TokenUses } from "./token-uses.js";

const leastBetweenQuestionsMs = 1_000;

/** What goes on under a token that nobody shows. */
export function createTokenUse(deps: {
  readonly token: Parameters<Access["useToken"]>[0];
  /** By id. */
  readonly tokens: Knowledge<KnownToken>;
  readonly uses: Pick<TokenUses, "note">;
  readonly elapsed: () => number;
}): { use(): void } {
  const { token, tokens, uses, elapsed } = deps;
  let ended = false;
  let asking = false;
  let askedAt = Number.NEGATIVE_INFINITY;

  function note(known: KnownToken | undefined): void {
    if (known?.token.tenantId === token.tenantId) uses.note(token.tokenId, known.endsAt);
    else ended = true;
  }
  function ask(): void {
    asking = true;
    askedAt = elapsed();
    tokens
      .get(token.tokenId)
      // While the database is away nothing is known, and nothing can be put off.
      .then(note, () => undefined)
      .finally(() => {
        asking = false;
      });
  }
  return {
    use() {
      if (ended) return;
      const known = tokens.peek(token.tokenId);
      if (known !== undefined) note(known);
      else if (!asking && elapsed() - askedAt >= leastBetweenQuestionsMs) ask();
    },
  };
}
