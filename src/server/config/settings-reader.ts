import { parseBytes, parseDuration, parseInterval, parseWithin } from "./units.js";

/** A setting that is wrong: one sentence that names it and says what it may be. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Settings by their names: the fallback where one is not set or empty, else what it says. Each throws `ConfigError`. */
export interface SettingsReader {
  /** The names that were asked for so far. */
  readonly known: ReadonlySet<string>;
  read<T>(name: string, fallback: T, parse: (text: string) => T | undefined, mayBe: string): T;
  /** The same, but a wrong value is nothing to be shown. */
  readUnshown<T>(name: string, fallback: T, parse: (text: string) => T | undefined, mayBe: string): T;
  count(name: string, fallback: number, least: number, most?: number): number;
  bytes(name: string, fallback: number, least: number): number;
  duration(name: string, fallback: number): number;
  /** One that a timer waits for. */
  interval(name: string, fallback: number): number;
  oneOf<T extends string>(name: string, fallback: T, words: readonly T[]): T;
  /** `0` or `1`. */
  flag(name: string, fallback: boolean): boolean;
}

export function createSettingsReader(env: Environment): SettingsReader {
  const known = new Set<string>();
  const find = <T>(
    name: string,
    fallback: T,
    parse: (text: string) => T | undefined,
    mayBe: (text: string) => string,
  ): T => {
    known.add(name);
    const text = env[name];
    if (text === undefined || text === "") return fallback;
    const value = parse(text);
    if (value === undefined) throw new ConfigError(`${name} must be ${mayBe(text)}`);
    return value;
  };
  const read: SettingsReader["read"] = (name, fallback, parse, mayBe) =>
    find(name, fallback, parse, (text) => `${mayBe}, not ${JSON.stringify(text)}`);
  const oneOf: SettingsReader["oneOf"] = (name, fallback, words) =>
    read(name, fallback, (text) => words.find((word) => word === text), `one of ${words.join(", ")}`);
  return {
    known,
    read,
    readUnshown: (name, fallback, parse, mayBe) => find(name, fallback, parse, () => mayBe),
    count: (name, fallback, least, most = Number.MAX_SAFE_INTEGER) =>
      read(
        name,
        fallback,
        (text) => parseWithin(Number(text), /^\d+$/.test(text), least, most),
        `a whole number from ${least} to ${most}`,
      ),
    bytes: (name, fallback, least) =>
      read(
        name,
        fallback,
        (text) => parseBytes(text, least),
        `a size of at least ${least} bytes such as 64MiB, 2GiB or 4096`,
      ),
    duration: (name, fallback) => read(name, fallback, parseDuration, "a duration such as 90s, 5m, 1h or 7d"),
    interval: (name, fallback) =>
      read(name, fallback, parseInterval, "a duration of at most 24 days such as 90s, 5m, 1h or 7d"),
    oneOf,
    flag: (name, fallback) => oneOf(name, fallback ? "1" : "0", ["0", "1"]) === "1",
  };
}
