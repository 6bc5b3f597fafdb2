// The certificate and its key: read at the start, and again whenever their files have changed.
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { unwatchFile, watchFile } from "node:fs";
import { readFile } from "node:fs/promises";
import { ConfigError } from "./config.js";

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** PEM, checked: the key belongs to the certificate. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/** Throws `ConfigError`, one sentence that names the setting. */
export async function loadTls({ certFile, keyFile }: TlsFiles): Promise<TlsPair> {
  const cert = await readPem("SLIPWAY_TLS_CERT", certFile);
  const key = await readPem("SLIPWAY_TLS_KEY", keyFile);
  const certificate = parsePem("SLIPWAY_TLS_CERT", "certificate", certFile, () => new X509Certificate(cert));
  const privateKey = parsePem<KeyObject>("SLIPWAY_TLS_KEY", "private key", keyFile, () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new ConfigError(
      `SLIPWAY_TLS_KEY must be the key of the certificate in SLIPWAY_TLS_CERT; ${keyFile} does not belong to ${certFile}`,
    );
  }
  return { cert, key };
}

/**
 * Looks at the files every so often, by their times, which links and renames change too. What cannot be used is told,
 * and the pair so far stays: of two files that are replaced one after the other, the second one sets it right.
 */
export function watchTls(
  files: TlsFiles,
  options: {
    readonly everyMs: number;
    readonly onPair: (pair: TlsPair) => void;
    readonly onError: (error: unknown) => void;
  },
): { stop(): void } {
  const look = () => void loadTls(files).then(options.onPair).catch(options.onError);
  const paths = [files.certFile, files.keyFile];
  for (const path of paths) watchFile(path, { interval: options.everyMs, persistent: false }, look);
  return {
    stop() {
      for (const path of paths) unwatchFile(path, look);
    },
  };
}

async function readPem(setting: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new ConfigError(`${setting} must be a file that can be read; ${path} cannot be (${code})`);
  }
}

function parsePem<T>(setting: string, what: string, path: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new ConfigError(`${setting} must be a ${what} in PEM form without a passphrase; ${path} is none`);
  }
}
