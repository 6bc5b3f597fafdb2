// Answers as a document prints them, where words in braces stand for what is different each time.
import { expect } from "vitest";

/** JSON whose text may hold `{word}` for an id or, where it ends in `date`, for a moment. */
export type Printed = string | number | boolean | readonly Printed[] | { readonly [member: string]: Printed };

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const date = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}\+0000$/;

export interface Printouts {
  /**
   * Expects this body, member by member: the same members in the same order, arrays in the same order, nothing more. A
   * word that was met before stands for what it stood for then, and two words for ids never for the same.
   */
  expectBody(body: string, printed: Printed): void;
  /** What a word stands for. */
  valueOf(word: string): string | undefined;
}

export function createPrintouts(known: Readonly<Record<string, string>> = {}): Printouts {
  const values = new Map(Object.entries(known));

  /** What the printout would be, if it is as `printed` has it; else what was answered. */
  function reprint(answered: unknown, printed: Printed | undefined): unknown {
    if (typeof answered === "string") return reprintText(answered, printed);
    if (Array.isArray(answered)) {
      return answered.map((one, index) => reprint(one, Array.isArray(printed) ? printed[index] : undefined));
    }
    if (typeof answered !== "object" || answered === null) return answered;
    const of = (typeof printed === "object" ? printed : {}) as { readonly [member: string]: Printed };
    return Object.fromEntries(Object.entries(answered).map(([name, value]) => [name, reprint(value, of[name])]));
  }

  function reprintText(answered: string, printed: Printed | undefined): string {
    const word = typeof printed === "string" ? /^\{([^{}]+)\}$/.exec(printed)?.[1] : undefined;
    if (word === undefined) {
      const isTemplate = typeof printed === "string" && printed.includes("{");
      return isTemplate && fill(printed) === answered ? printed : answered;
    }
    if (!values.has(word)) learn(word, answered);
    return values.get(word) === answered ? `{${word}}` : answered;
  }

  function learn(word: string, value: string): void {
    const isDate = word.endsWith("date");
    const isNew = isDate || ![...values.values()].includes(value);
    if ((isDate ? date : uuid).test(value) && isNew) values.set(word, value);
  }

  const fill = (printed: string) =>
    printed.replaceAll(/\{([^{}]+)\}/g, (text, word: string) => values.get(word) ?? text);

  return {
    expectBody(body, printed) {
      // As text, since the order of members counts.
      const text = (value: unknown) => JSON.stringify(value, null, 2);
      expect(text(reprint(JSON.parse(body), printed))).toBe(text(printed));
    },
    valueOf: (word) => values.get(word),
  };
}
