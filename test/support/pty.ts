// Commands in a real pseudo-terminal, as a person sees them. Python makes the terminal: Node cannot without an addon.
import { spawn, spawnSync } from "node:child_process";
import { constants } from "node:os";
import type { Duplex, Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import xterm from "@xterm/headless";

export interface PtyOptions {
  readonly cwd?: string;
  /** All of it: nothing of this process's own environment is handed on but PATH. TERM is `xterm-256color`. */
  readonly env?: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly rows?: number;
}

/** How a command ended: by itself with a code, or by a signal such as `SIGINT`. */
export interface PtyExit {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

export interface Pty {
  readonly pid: number;
  /** Everything that was written to the terminal so far, escape sequences and all. */
  readonly output: string;
  readonly exit: Promise<PtyExit>;
  /** Types; Ctrl-C is `\x03`, Return is `\r`. */
  write(keys: string): void;
  resize(columns: number, rows: number): void;
  /** Sends a signal to the command alone, as `kill` does. */
  kill(signal: NodeJS.Signals): void;
  /** Waits for what has not been waited for yet; fails with what came instead when the command ends or time is over. */
  waitFor(wanted: string | RegExp, timeoutMs?: number): Promise<void>;
  /** The lines that a person sees, scrolled back to the first; lines that the terminal had to wrap are whole again. */
  screen(): Promise<string[]>;
  /** The same as the terminal shows them, row by row. */
  screenRows(): Promise<string[]>;
  /** Hangs up, and waits for the end. */
  close(): Promise<void>;
}

export const hasPty = spawnSync("python3", ["-c", "import pty"]).status === 0;
if (!hasPty && process.env.CI === "true") throw new Error("not found, and needed: python3");

const script = fileURLToPath(new URL("pty.py", import.meta.url));
const slipway = fileURLToPath(new URL("../../src/cli/slipway.cjs", import.meta.url));

/** The built command line, in a terminal. */
export function openSlipway(words: readonly string[], options: PtyOptions = {}): Promise<Pty> {
  return openPty([process.execPath, slipway, ...words], options);
}

export async function openPty(command: readonly string[], options: PtyOptions = {}): Promise<Pty> {
  const { columns = 80, rows = 24, cwd } = options;
  const env = { PATH: process.env.PATH, TERM: "xterm-256color", LANG: "C.UTF-8", ...options.env };
  const child = spawn("python3", [script, String(rows), String(columns), ...command], {
    cwd,
    env,
    stdio: ["pipe", "pipe", "inherit", "pipe"],
  });
  const [keyboard, shown, , control] = child.stdio as unknown as [Writable, Readable, null, Duplex];
  const terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 100_000, allowProposedApi: true });
  const decoder = new TextDecoder();
  const waiting = new Set<() => void>();
  let output = "";
  let seen = 0;
  let ended = false;

  const drained = new Promise((resolve) => shown.once("close", resolve));
  // Keys may come too late for a command that has ended.
  keyboard.on("error", () => undefined);
  control.on("error", () => undefined);
  shown.on("data", (bytes: Buffer) => {
    output += decoder.decode(bytes, { stream: true });
    terminal.write(bytes);
    for (const look of waiting) look();
  });
  const words = readWords(control);
  const started = await words.next();
  if (started.done === true) throw new Error("python3 made no pseudo-terminal");
  const pid = Number(started.value[1]);
  const exit = (async (): Promise<PtyExit> => {
    const { value: [how, number] = ["nothing", ""] } = await words.next();
    await drained;
    ended = true;
    for (const look of waiting) look();
    if (how === "exited") return { code: Number(number), signal: undefined };
    const signal = Object.entries(constants.signals).find(([, value]) => value === Number(number))?.[0];
    return { code: undefined, signal };
  })();

  const find = (wanted: string | RegExp): number | undefined => {
    const fresh = output.slice(seen);
    if (typeof wanted === "string") {
      const at = fresh.indexOf(wanted);
      return at < 0 ? undefined : seen + at + wanted.length;
    }
    const match = wanted.exec(fresh);
    return match === null ? undefined : seen + match.index + match[0].length;
  };
  const readRows = async (): Promise<{ text: string; wrapped: boolean }[]> => {
    await new Promise<void>((resolve) => terminal.write("", resolve));
    const buffer = terminal.buffer.active;
    const found = Array.from({ length: buffer.length }, (_, at) => {
      const line = buffer.getLine(at);
      return { text: line?.translateToString(true) ?? "", wrapped: line?.isWrapped ?? false };
    });
    while (found.at(-1)?.text === "") found.pop();
    return found;
  };

  return {
    pid,
    exit,
    get output() {
      return output;
    },
    write: (keys) => void keyboard.write(keys),
    resize(width, height) {
      terminal.resize(width, height);
      control.write(`resize ${height} ${width}\n`);
    },
    kill: (signal) => process.kill(pid, signal),
    waitFor(wanted, timeoutMs = 30_000) {
      return new Promise((resolve, reject) => {
        const settle = (finish: () => void) => {
          clearTimeout(timer);
          waiting.delete(look);
          finish();
        };
        const fail = (why: string) =>
          reject(new Error(`no ${wanted} ${why}, but: ${JSON.stringify(output.slice(seen))}`));
        const timer = setTimeout(() => settle(() => fail(`within ${timeoutMs} ms`)), timeoutMs);
        const look = () => {
          const end = find(wanted);
          if (end !== undefined) {
            seen = end;
            settle(resolve);
          } else if (ended) settle(() => fail("before the command ended"));
        };
        waiting.add(look);
        look();
      });
    },
    screenRows: async () => (await readRows()).map(({ text }) => text),
    async screen() {
      const lines: string[] = [];
      for (const { text, wrapped } of await readRows()) {
        if (wrapped && lines.length > 0) lines.push(`${lines.pop()}${text}`);
        else lines.push(text);
      }
      return lines;
    },
    async close() {
      keyboard.end();
      await exit;
      terminal.dispose();
    },
  };
}

/** Line by line, the words of each. */
async function* readWords(from: Duplex): AsyncGenerator<string[], undefined> {
  let text = "";
  for await (const bytes of from) {
    text += bytes;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      yield text.slice(0, end).split(" ");
      text = text.slice(end + 1);
    }
  }
}
