/** The same question, which is asked once for each word. */
export function askOnce<T>(ask: (word: string) => Promise<T>): (word: string) => Promise<T> {
  const asked = new Map<string, Promise<T>>();
  return (word) => {
    const answer = asked.get(word) ?? ask(word);
    asked.set(word, answer);
    return answer;
  };
}
