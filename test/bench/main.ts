// `npm run bench -- NAME [FLAGS]`: one file a work of the table of speeds; see each for what it measures and against
// what.
import { parseArgs } from "node:util";
import { parseBytes } from "../../src/server/config/units.js";
import { type HandOverBenchOptions, runHandOverBench } from "./handover.js";
import { type MediumName, mediumNames } from "./media.js";
import { type MemoryBenchOptions, runMemoryBench } from "./memory.js";
import { createProcesses } from "./processes.js";
import { runStartBench, type StartBenchOptions } from "./start.js";
import { type Database, databases, type Face, faces, runUploadBench, type UploadBenchOptions } from "./upload.js";

const usage = `Usage: npm run bench -- NAME [FLAGS]

  upload               one file through UploadFile, over Connect (HTTP/1.1) and gRPC (h2c), and through FOLIO's face
                       and VMware's (REST POST and PUT, HTTP/1.1), beside the floor of each: the same protocol stack, hash and one sync, with no metadata
  memory               what many uploads at the same time cost, over idle: 200 slow ones, 50 of 200MiB, one of
                       all of that; the same through FOLIO's face; takes --uploads, --size, --database and --node-flags
  handover             how long a newcomer waits for a writer that hangs half-way: IMiS's PUT sent again, beside
                       @tus/server's HEAD and PATCH; takes --rounds, --medium and --database
  start                how long a start takes, with an empty folder and with a database in it, beside Node's own;
                       takes --rounds and --node-flags

Flags:
  --uploads N          50; 1 to 500
  --size SIZE          1GiB, for memory 200MiB; of the file, at least 1MiB
  --rounds N           5, for handover 10; 1 to 20, after a warm-up
  --only FACE          connect, grpc, folio or vsphere
  --medium NAME        disk or memory
  --database KIND      embedded; or postgres, on the server of DATABASE_URL, in a database of its own
  --json FILE          writes all rounds there, too
  --node-flags=FLAGS   for both servers, such as --heap-growing-percent=400
  --cpu-profile FOLDER writes a CPU profile of every server there; it slows both sides

Environment:
  BENCH_DISK           the folder that stands for the disk; else the system's folder for temporary files

Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted.`;

class WrongUse extends Error {}

function oneOf<T extends string>(flag: string, words: readonly T[], text: string): T {
  const word = words.find((candidate) => candidate === text);
  if (word === undefined) throw new WrongUse(`--${flag} must be ${words.join(" or ")}, not ${JSON.stringify(text)}`);
  return word;
}

function parseUploadOptions(words: readonly string[]): UploadBenchOptions {
  const { values } = parseArgs({
    args: [...words],
    options: {
      size: { type: "string", default: "1GiB" },
      rounds: { type: "string", default: "5" },
      only: { type: "string" },
      medium: { type: "string" },
      database: { type: "string", default: "embedded" },
      json: { type: "string" },
      "node-flags": { type: "string", default: "" },
      "cpu-profile": { type: "string" },
    },
  });
  const sizeBytes = parseSize(values.size);
  const rounds = parseRounds(values.rounds);
  return {
    sizeBytes,
    rounds,
    faces: values.only === undefined ? faces : [oneOf<Face>("only", faces, values.only)],
    media: parseMedia(values.medium),
    databaseUrl: parseDatabase(values.database),
    jsonFile: values.json,
    nodeFlags: parseNodeFlags(values["node-flags"], values["cpu-profile"]),
    command: `npm run bench -- upload ${words.map(quote).join(" ")}`.trimEnd(),
  };
}

function parseMemoryOptions(words: readonly string[]): MemoryBenchOptions {
  const { values } = parseArgs({
    args: [...words],
    options: {
      uploads: { type: "string", default: "50" },
      size: { type: "string", default: "200MiB" },
      database: { type: "string", default: "embedded" },
      "node-flags": { type: "string", default: "" },
    },
  });
  const uploads = Number(values.uploads);
  if (!/^\d+$/.test(values.uploads) || uploads < 1 || uploads > 500) throw new WrongUse("--uploads must be 1 to 500");
  return {
    uploads,
    sizeBytes: parseSize(values.size),
    databaseUrl: parseDatabase(values.database),
    nodeFlags: parseNodeFlags(values["node-flags"], undefined),
    command: `npm run bench -- memory ${words.map(quote).join(" ")}`.trimEnd(),
  };
}

function parseStartOptions(words: readonly string[]): StartBenchOptions {
  const { values } = parseArgs({
    args: [...words],
    options: { rounds: { type: "string", default: "5" }, "node-flags": { type: "string", default: "" } },
  });
  return {
    rounds: parseRounds(values.rounds),
    nodeFlags: parseNodeFlags(values["node-flags"], undefined),
    command: `npm run bench -- start ${words.map(quote).join(" ")}`.trimEnd(),
  };
}

function parseHandOverOptions(words: readonly string[]): HandOverBenchOptions {
  const { values } = parseArgs({
    args: [...words],
    options: {
      rounds: { type: "string", default: "10" },
      medium: { type: "string" },
      database: { type: "string", default: "embedded" },
    },
  });
  return {
    rounds: parseRounds(values.rounds),
    media: parseMedia(values.medium),
    databaseUrl: parseDatabase(values.database),
    command: `npm run bench -- handover ${words.map(quote).join(" ")}`.trimEnd(),
  };
}

/** All of them where none is named. */
function parseMedia(text: string | undefined): readonly MediumName[] {
  return text === undefined ? mediumNames : [oneOf<MediumName>("medium", mediumNames, text)];
}

function parseRounds(text: string): number {
  const rounds = Number(text);
  if (!/^\d+$/.test(text) || rounds < 1 || rounds > 20) throw new WrongUse("--rounds must be 1 to 20");
  return rounds;
}

function parseSize(text: string): number {
  const sizeBytes = parseBytes(text, 2 ** 20);
  if (sizeBytes === undefined) throw new WrongUse("--size must be a size of at least 1MiB such as 256MiB or 1GiB");
  return sizeBytes;
}

/** Undefined for the embedded one. */
function parseDatabase(text: string): string | undefined {
  const database = oneOf<Database>("database", databases, text);
  const databaseUrl = process.env.DATABASE_URL ?? "";
  if (database === "postgres" && databaseUrl === "") throw new WrongUse("--database postgres needs DATABASE_URL");
  return database === "postgres" ? databaseUrl : undefined;
}

function quote(word: string): string {
  return /[^\w=./:-]/.test(word) ? JSON.stringify(word) : word;
}

function parseNodeFlags(text: string, profileFolder: string | undefined): readonly string[] {
  const flags = text.split(/\s+/).filter((flag) => flag !== "");
  return profileFolder === undefined ? flags : [...flags, "--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
}

function isWrongUse(error: unknown): error is Error {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return error instanceof WrongUse || code.startsWith("ERR_PARSE_ARGS");
}

async function run(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words;
  if (words.includes("--help") || words.includes("-h")) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const stopping = new AbortController();
  const processes = createProcesses(stopping.signal);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => stopping.abort(new Error(`stopped by ${signal}`)));
  }
  try {
    if (name === "upload") await runUploadBench(parseUploadOptions(rest), processes);
    else if (name === "memory") await runMemoryBench(parseMemoryOptions(rest), processes);
    else if (name === "handover") await runHandOverBench(parseHandOverOptions(rest), processes);
    else if (name === "start") await runStartBench(parseStartOptions(rest), processes);
    else throw new WrongUse(`there is no bench ${JSON.stringify(name ?? "")}`);
    return 0;
  } catch (error) {
    if (isWrongUse(error)) {
      process.stderr.write(`bench: ${error.message}\n\n${usage}\n`);
      return 2;
    }
    if (stopping.signal.aborted) {
      process.stderr.write("bench: interrupted\n");
      return 130;
    }
    process.stderr.write(`bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return 1;
  }
}

process.exitCode = await run(process.argv.slice(2));
