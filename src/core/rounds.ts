/**
 * Gathers what callers ask for at the same time into rounds, so that they share one deed: a round begins at once when
 * none is under way, and whoever comes meanwhile is in the next. What a round throws is told to exactly those who were
 * in it.
 */
export function createRounds<In, Out>(
  /** Answers for each, in order. */
  run: (inputs: readonly In[]) => Promise<readonly Out[]>,
  mostAtOnce: number,
): (input: In) => Promise<Out> {
  interface Waiting {
    readonly input: In;
    readonly resolve: (output: Out) => void;
    readonly reject: (error: unknown) => void;
  }
  const queue: Waiting[] = [];
  let pumping = false;

  async function pump(): Promise<void> {
    pumping = true;
    while (queue.length > 0) {
      // Whatever else is ready in this turn of the event loop joins the round.
      await new Promise((resolve) => setImmediate(resolve));
      await runRound(queue.splice(0, mostAtOnce));
    }
    pumping = false;
  }

  async function runRound(round: readonly Waiting[]): Promise<void> {
    try {
      const outputs = await run(round.map(({ input }) => input));
      for (const [index, { resolve }] of round.entries()) resolve(outputs[index]!);
    } catch (error) {
      for (const { reject } of round) reject(error);
    }
  }

  return (input) =>
    new Promise((resolve, reject) => {
      queue.push({ input, resolve, reject });
      if (!pumping) void pump();
    });
}
