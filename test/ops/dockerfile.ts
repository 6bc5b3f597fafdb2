// A small reader of Dockerfiles, and a builder that runs one in folders: no image is pulled and nothing is isolated, so that
// what its steps do can be seen on a machine without a Docker daemon.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, lchownSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { basename, join, posix } from "node:path";

export interface Instruction {
  readonly name: string;
  readonly flags: Readonly<Record<string, string>>;
  /** Of the JSON form as they are; else as blanks part them. */
  readonly words: readonly string[];
  readonly isJson: boolean;
  readonly text: string;
}

/** What a finished stage is. */
export interface Stage {
  readonly root: string;
  readonly base: string;
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string;
  /** The last instruction of each name that is for the container, such as ENTRYPOINT. */
  readonly last: Readonly<Record<string, Instruction>>;
}

/** Lines that go on, comments between them, flags and the JSON form; throws for what it does not know. */
export function parseDockerfile(text: string): readonly Instruction[] {
  const lines = text.split("\n").filter((line) => !/^\s*(#|$)/.test(line));
  const whole = lines
    .join("\n")
    .replaceAll(/\\\s*\n\s*/g, " ")
    .split("\n");
  return whole.map((line) => {
    const match = /^([A-Z]+)\s+((?:--[a-z-]+=\S+\s+)*)(.*)$/.exec(line);
    if (match === null) throw new Error(`not an instruction: ${line}`);
    const [, name = "", flags = "", rest = ""] = match;
    const isJson = rest.startsWith("[");
    return {
      name,
      flags: Object.fromEntries([...flags.matchAll(/--([a-z-]+)=(\S+)/g)].map(([, flag, value]) => [flag, value])),
      words: isJson ? (JSON.parse(rest) as string[]) : rest.split(/\s+/),
      isJson,
      text: rest,
    };
  });
}

/** Which paths of the context a .dockerignore lets through: of the lines that match, the last one decides. */
export function parseIgnore(text: string): (path: string) => boolean {
  const lines = text.split("\n").filter((line) => !/^\s*(#|$)/.test(line));
  const rules = lines.map((line) => {
    const pattern = line
      .replace(/^!/, "")
      .replaceAll(/[.+^$()|[\]{}\\]/g, "\\$&")
      .replaceAll("*", "[^/]*");
    return { lets: line.startsWith("!"), matches: new RegExp(`^${pattern}(/|$)`) };
  });
  return (path) => rules.findLast(({ matches }) => matches.test(path))?.lets ?? true;
}

/** Runs every stage, each in a folder of its own below `place`; `owner` stands for whoever --chown names. */
export function buildStages(options: {
  readonly dockerfile: string;
  readonly ignore: string;
  readonly context: string;
  readonly place: string;
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly env: Readonly<Record<string, string>>;
}): readonly Stage[] {
  const lets = parseIgnore(options.ignore);
  const stages: { -readonly [K in keyof Stage]: Stage[K] }[] = [];
  const byName = new Map<string, Stage>();
  for (const instruction of parseDockerfile(options.dockerfile)) {
    const { name, words, text, flags } = instruction;
    if (name === "FROM") {
      const root = join(options.place, `stage-${stages.length}`);
      mkdirSync(root);
      const stage = { root, base: words[0] ?? "", env: {}, workdir: "/", last: {} };
      stages.push(stage);
      if (words[1] === "AS") byName.set(words[2] ?? "", stage);
      continue;
    }
    const stage = stages.at(-1);
    if (stage === undefined) throw new Error(`${name} before FROM`);
    if (name === "ENV") {
      stage.env = { ...stage.env, ...Object.fromEntries(words.map((word) => word.split(/=(.*)/s).slice(0, 2))) };
    } else if (name === "WORKDIR") {
      stage.workdir = posix.resolve(stage.workdir, text);
      mkdirSync(join(stage.root, stage.workdir), { recursive: true });
    } else if (name === "COPY") {
      const from = flags.from === undefined ? undefined : byName.get(flags.from);
      if (flags.from !== undefined && from === undefined) throw new Error(`there is no stage ${flags.from}`);
      copy(words, stage, from, options.context, lets);
      if (flags.chown !== undefined && options.owner !== undefined) {
        own(join(stage.root, posix.resolve(stage.workdir, words.at(-1) ?? "")), options.owner);
      }
    } else if (name === "RUN") {
      if (/(^|\s)\//.test(text)) throw new Error(`this would reach out of its folder: RUN ${text}`);
      const cwd = join(stage.root, stage.workdir);
      const env = { ...options.env, ...stage.env };
      const { status, stdout, stderr } = spawnSync("sh", ["-ec", text], { cwd, env, encoding: "utf8" });
      if (status !== 0) throw new Error(`RUN ${text} ended with ${status}: ${stdout}${stderr}`);
    } else {
      stage.last = { ...stage.last, [name]: instruction };
    }
  }
  return stages;
}

function copy(
  words: readonly string[],
  stage: Stage,
  from: Stage | undefined,
  context: string,
  lets: (path: string) => boolean,
): void {
  const target = join(stage.root, posix.resolve(stage.workdir, words.at(-1) ?? ""));
  for (const word of words.slice(0, -1)) {
    const source = from === undefined ? join(context, word) : join(from.root, posix.resolve(from.workdir, word));
    const isLet = (path: string) => from !== undefined || lets(path.slice(context.length + 1));
    if (!isLet(source)) throw new Error(`COPY ${word}: .dockerignore keeps it out of the context`);
    const intoFolder = !statSync(source).isDirectory() && (words.at(-1) ?? "").endsWith("/");
    mkdirSync(intoFolder ? target : join(target, ".."), { recursive: true });
    const options = { recursive: true, verbatimSymlinks: true, filter: isLet };
    cpSync(source, intoFolder ? join(target, basename(word)) : target, options);
  }
}

function own(path: string, owner: { readonly uid: number; readonly gid: number }): void {
  lchownSync(path, owner.uid, owner.gid);
  for (const name of statSync(path).isDirectory() ? readdirSync(path) : []) own(join(path, name), owner);
}

/** Every file of a stage, as the container has it. */
export function listFiles(stage: Stage): readonly string[] {
  if (!existsSync(stage.root)) throw new Error(`${stage.root} is not there`);
  const entries = readdirSync(stage.root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(stage.root.length))
    .sort();
}
