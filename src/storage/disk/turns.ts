/** Runs the deeds it is given one after the other, in the order in which they came, whatever becomes of each. */
export type Turns = <T>(deed: () => Promise<T>) => Promise<T>;

export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return (deed) => {
    const turn = last.then(deed);
    last = turn.catch(() => {});
    return turn;
  };
}
