/** What a byte did to the line: `wrong` says that nothing is known of such a key, and that it left no trace. */
export type Taken = "more" | "done" | "ended" | "interrupted" | "wrong";

/** A line that is typed on a terminal in raw mode, byte by byte, and never shown. */
export interface SecretLine {
  take(byte: number): Taken;
  /** The line so far; undefined when it is not UTF-8. */
  text(): string | undefined;
}

const keys = {
  interrupt: 0x03,
  end: 0x04,
  backspace: 0x08,
  lineFeed: 0x0a,
  enter: 0x0d,
  clear: 0x15,
  word: 0x17,
  escape: 0x1b,
  rubout: 0x7f,
};

/**
 * Knows the keys of a terminal's own line editor: Backspace, Ctrl-U, Ctrl-W, Ctrl-C, and Ctrl-D where nothing is typed.
 * The marks that some terminals put around what is pasted are no part of it.
 */
export function createSecretLine(): SecretLine {
  let bytes: number[] = [];
  /** A sequence that began with an escape: arrow keys and the like. */
  let sequence: number[] | undefined;

  function goOnWithSequence(before: readonly number[], byte: number): Taken {
    const whole = [...before, byte];
    const text = String.fromCharCode(...whole);
    if (/^[[O]?$/.test(text) || /^\[[\x20-\x3f]*$/.test(text)) {
      sequence = whole;
      return "more";
    }
    sequence = undefined;
    return /^\[20[01]~$/.test(text) ? "more" : "wrong";
  }

  /** A whole character: its last byte and those that go on with it. */
  function dropCharacter(): number | undefined {
    let last = bytes.pop();
    const dropped = last;
    while (last !== undefined && (last & 0xc0) === 0x80) last = bytes.pop();
    return dropped;
  }

  function dropWord(): void {
    while (bytes.at(-1) === 0x20) bytes.pop();
    while (bytes.length > 0 && bytes.at(-1) !== 0x20) bytes.pop();
  }

  return {
    take(byte) {
      if (byte === keys.interrupt) return "interrupted";
      if (sequence !== undefined) return goOnWithSequence(sequence, byte);
      if (byte === keys.enter || byte === keys.lineFeed) return "done";
      if (byte === keys.end) return bytes.length === 0 ? "ended" : "wrong";
      if (byte === keys.backspace || byte === keys.rubout) return dropCharacter() === undefined ? "wrong" : "more";
      if (byte === keys.clear) bytes = [];
      else if (byte === keys.word) dropWord();
      else if (byte === keys.escape) sequence = [];
      else if (byte < 0x20) return "wrong";
      else bytes.push(byte);
      return "more";
    },
    text() {
      try {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
      } catch {
        return undefined;
      }
    },
  };
}
