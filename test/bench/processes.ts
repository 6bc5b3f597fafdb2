// The processes of a bench: each is started and ended here, by its own pid.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const repositoryRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface BenchProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Rejects when the process ends before it was asked to. */
  readonly ended: Promise<never>;
  /** SIGTERM, and SIGKILL for one that does not listen. */
  stop(): Promise<void>;
}

export interface BenchServer extends BenchProcess {
  readonly url: string;
}

export interface ProcessOptions {
  readonly name: string;
  /** For Node: its own flags, the program and the program's words. */
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Opens a channel for messages: the process ends when we do. */
  readonly channel?: boolean;
}

export interface Processes {
  start(options: ProcessOptions): BenchProcess;
  /** Resolves once the process has said where it listens. */
  startServer(options: ProcessOptions): Promise<BenchServer>;
  stopAll(): Promise<void>;
}

const startMs = 60_000;
const stopMs = 20_000;
const errorTailLength = 4_000;

/**
 * Once the signal is aborted they are all stopped, whoever waits for one hears of its end, and none is started any
 * more.
 */
export function createProcesses(signal: AbortSignal): Processes {
  const running = new Set<BenchProcess>();
  // The last resort, when there is no time to wait: it does nothing after a regular end.
  process.on("exit", () => {
    for (const { child } of running) child.kill("SIGKILL");
  });

  function start({ name, words, env = {}, channel = false }: ProcessOptions): BenchProcess {
    signal.throwIfAborted();
    const child = spawn(process.execPath, words, {
      cwd: repositoryRoot,
      env: { ...plainEnvironment(), ...env },
      stdio: channel ? ["ignore", "pipe", "pipe", "ipc"] : ["ignore", "pipe", "pipe"],
      // Ctrl-C is for us alone, who then stop the others in order.
      detached: true,
    });
    let errors = "";
    child.stderr?.on("data", (text: Buffer) => {
      errors = `${errors}${text}`.slice(-errorTailLength);
    });
    const closed = new Promise<Error>((resolve) => {
      child.once("error", (error) => resolve(error));
      child.once("close", (code, signal) => resolve(new Error(`${name} ended (${signal ?? code}): ${errors.trim()}`)));
    });
    const ended = closed.then((error) => {
      running.delete(self);
      throw error;
    });
    ended.catch(() => undefined);
    const self: BenchProcess = {
      pid: child.pid ?? -1,
      child,
      ended,
      async stop() {
        if (!running.has(self)) return;
        child.kill("SIGTERM");
        const impatient = setTimeout(() => child.kill("SIGKILL"), stopMs);
        await closed;
        clearTimeout(impatient);
      },
    };
    running.add(self);
    return self;
  }

  async function stopAll(): Promise<void> {
    await Promise.all([...running].map((child) => child.stop()));
  }
  signal.addEventListener("abort", () => void stopAll());
  return {
    start,
    async startServer(options) {
      const server = start(options);
      try {
        const url = await Promise.race([
          readUrl(server.child),
          server.ended,
          wait(startMs, undefined, { ref: false }).then(() =>
            Promise.reject(new Error(`${options.name} does not start`)),
          ),
        ]);
        return { ...server, url };
      } catch (error) {
        await server.stop();
        throw error;
      }
    },
    stopAll,
  };
}

/**
 * Our environment without settings that would make one side differ from what a plain start does; both sides have
 * equally many threads.
 */
function plainEnvironment(): Record<string, string | undefined> {
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^(SLIPWAY_.*|DATABASE_URL|NODE_OPTIONS|NODE_V8_COVERAGE)$/.test(name),
  );
  return { ...Object.fromEntries(entries), UV_THREADPOOL_SIZE: String(Math.max(8, availableParallelism() * 2)) };
}

async function readUrl(child: ChildProcess): Promise<string> {
  const output = child.stdout!;
  let said = "";
  for (;;) {
    const [text] = (await once(output, "data")) as [Buffer];
    said += text.toString();
    const url = /^listening on (\S+)$/m.exec(said)?.[1];
    if (url === undefined) continue;
    output.resume();
    return url;
  }
}
