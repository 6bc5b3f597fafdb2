// Why the server does not start, in one sentence that names the setting, or the path, and what it may be.
import { isUploadError } from "../core/index.js";
import { DatabaseRefusal } from "../storage/postgres/refusal.js";
import { type Config, ConfigError } from "./config.js";

/** What keeps the server from starting as things are, and may be set right without touching a setting. */
export class Refusal extends Error {
  override readonly name: string = "Refusal";
}

/** What a failed system call says of the data folder. */
const folderFailures: Readonly<Record<string, string>> = {
  EACCES: "permission was denied",
  EDQUOT: "the quota is used up",
  EIO: "the device failed",
  ELOOP: "there are too many links",
  EMFILE: "the process may not open more files",
  ENAMETOOLONG: "the name is too long",
  ENFILE: "the system has too many open files",
  ENOENT: "it cannot be made there",
  ENOSPC: "no space is left",
  EPERM: "it is not permitted",
  EROFS: "the file system is read-only",
};

const listenFailures: Readonly<Record<string, string>> = {
  EACCES: "may not be used by this user",
  EADDRINUSE: "is taken by another program",
  EADDRNOTAVAIL: "is not an address of this machine",
  EAFNOSUPPORT: "is of a kind that this machine does not have",
  EAI_AGAIN: "cannot be looked up now",
  ENOTFOUND: "is not a known host",
};

/** What `listen` failed with as a refusal, if it is one. */
export function listenRefusal({ host, port }: Config["listen"], error: unknown): unknown {
  const code = codeOf(error);
  const meaning = listenFailures[code ?? ""];
  if (meaning === undefined) return error;
  const place = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return new Refusal(`SLIPWAY_LISTEN must be a free address and port of this machine; ${place} ${meaning} (${code})`);
}

/** The refusal that a failed start comes to; undefined for what nobody foresaw. */
export function refusalOf(error: unknown, config: Pick<Config, "dataDir">): Refusal | ConfigError | undefined {
  if (error instanceof Refusal || error instanceof ConfigError) return error;
  if (error instanceof DatabaseRefusal) {
    return error.isUrl ? new ConfigError(`DATABASE_URL must be ${error.message}`) : new Refusal(error.message);
  }
  const failure = findSystemError(error);
  if (failure !== undefined) return folderRefusal(failure, config.dataDir);
  return isUploadError(error) ? new Refusal(error.message) : undefined;
}

function folderRefusal(failure: NodeJS.ErrnoException, dataDir: string): Refusal | ConfigError {
  const { code = "", path = dataDir } = failure;
  const mayBe = "SLIPWAY_DATA_DIR must be a folder that the server may write to";
  if (code === "ENOTDIR" || code === "EEXIST") return new ConfigError(`${mayBe}; ${dataDir} is a file, or lies in one`);
  const place = path.startsWith(dataDir) ? path : dataDir;
  return new Refusal(`${mayBe}; ${place} cannot be used: ${folderFailures[code]} (${code})`);
}

/** Everything else that a start opens, the certificate and the port, speaks for itself. */
function findSystemError(error: unknown): NodeJS.ErrnoException | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const code = codeOf(at) ?? "";
    const isCall = "syscall" in at && at.syscall !== "connect";
    if (isCall && (code in folderFailures || code === "ENOTDIR" || code === "EEXIST")) return at;
  }
  return undefined;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
