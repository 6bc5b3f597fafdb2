/**
 * Asks something that may take its time, or never answer: at most once every `freshMs` and one question at a time,
 * however many look. Whoever looks waits at most `waitMs`; undefined when it failed or is not known by then.
 */
export function createLook<T>(deps: {
  readonly ask: () => Promise<T>;
  readonly freshMs: number;
  readonly waitMs: number;
}): () => Promise<T | undefined> {
  const { ask, freshMs, waitMs } = deps;
  let asked: { readonly answer: Promise<T | undefined>; answeredAt: number } | undefined;

  function begin(): Promise<T | undefined> {
    const question = { answer: ask().catch(() => undefined), answeredAt: Number.POSITIVE_INFINITY };
    asked = question;
    return question.answer.finally(() => {
      question.answeredAt = performance.now();
    });
  }
  return async () => {
    const isFresh = asked !== undefined && performance.now() - asked.answeredAt < freshMs;
    const answer = isFresh ? asked!.answer : begin();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), waitMs);
    });
    return Promise.race([answer, late]).finally(() => clearTimeout(timer));
  };
}
