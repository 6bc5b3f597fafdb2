import { type LocalizableMessage, message, VapiError } from "../errors.js";

/** What is wrong with an input, found out at one go: a client gets one answer about all of it. */
export interface Problems {
  /** `path` is what the parameter is called in a query: `file_spec.name`, `args.1`; empty for the whole input. */
  tell(id: ProblemId, path: string, sentence: string): void;
  /** A name that no parameter has, as it was sent. */
  tellUnknown(name: string): void;
  /** Throws `invalid_argument` with a message for each that was told. */
  assertNone(): void;
}

export type ProblemId = "value_missing" | "value_invalid" | "value_repeated" | "value_contradicted";

const maxMessages = 10;

export function createProblems(): Problems {
  const messages: LocalizableMessage[] = [];
  const add = (one: LocalizableMessage) => {
    if (messages.length < maxMessages) messages.push(one);
  };
  return {
    tell: (id, path, sentence) => add(message(id, `${path || "the input"} ${sentence}`, [path])),
    tellUnknown(name) {
      const sentence = `${quoted(name)} is no parameter of this operation, or of a part of it`;
      add(message("parameter_unknown", sentence, [shortened(name)]));
    },
    assertNone() {
      const [first, ...others] = messages;
      if (first !== undefined) throw new VapiError("invalid_argument", [first, ...others]);
    },
  };
}

/** The path of a part of something. */
export function at(path: string, name: string | number): string {
  return path === "" ? String(name) : `${path}.${name}`;
}

/** Something that a client sent, as a message may say it. */
export function quoted(value: string): string {
  return JSON.stringify(shortened(value));
}

function shortened(value: string): string {
  return value.length > 80 ? `${value.slice(0, 80)}...` : value;
}
