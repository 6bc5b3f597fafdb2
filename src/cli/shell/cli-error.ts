/** A failure that is told in one sentence, and the exit code that goes with it. */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1, cause?: unknown) {
    super(message, { cause });
    this.name = "CliError";
    this.exitCode = exitCode;
  }
}

/** What is wrong with one file only; the others can go on. */
export class FileError extends CliError {
  constructor(message: string, cause?: unknown) {
    super(message, 1, cause);
    this.name = "FileError";
  }
}

/** A file is not what it was when the session heard of it; the session can forget that and take it anew. */
export class FileChanged extends FileError {}

/** The command line or a setting makes no sense. */
export function wrongUse(message: string): CliError {
  return new CliError(message, 2);
}

/** True for parseArgs' own complaints, which are sentences already. */
export function isParseArgsError(error: unknown): error is Error {
  return error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS_");
}

/** The code that Node gives to errors of the system, such as `ENOENT`. */
export function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
