import { mkdir, stat } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

/** The data folder is this process's own until it releases it or dies. */
export interface FolderLock {
  release(): Promise<void>;
}

const retryMs = 100;

/**
 * Takes the folder, waiting for a holder that is on its way out; refuses with a sentence that names the folder. On Linux the lock is an abstract unix socket named
 * after the folder's device and inode: the kernel frees it however its holder ends, two paths to one folder are one lock, and nothing is left behind.
 */
export async function lockFolder(dataDir: string, waitMs: number, onWait: () => void): Promise<FolderLock> {
  await mkdir(dataDir, { recursive: true });
  const { dev, ino } = await stat(dataDir, { bigint: true });
  const address = process.platform === "linux" ? `\0slipway-${dev}-${ino}` : undefined;
  if (address === undefined) throw new Error(`data folders can be locked on Linux only, not on ${process.platform}`);
  const giveUpAt = Date.now() + waitMs;
  for (let first = true; ; first = false) {
    const server = await tryListen(address);
    if (server !== undefined) {
      return { release: () => new Promise((resolve) => void server.close(() => resolve())) };
    }
    if (Date.now() >= giveUpAt) {
      throw new FolderInUse(
        `the data folder ${dataDir} is in use by another server, which did not let go of it within ${waitMs / 1000} s`,
      );
    }
    if (first) onWait();
    await wait(retryMs);
  }
}

/** Another server holds the folder. */
export class FolderInUse extends Error {
  override readonly name = "FolderInUse";
}

function tryListen(address: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen({ path: address, exclusive: true }, () => {
      server.unref();
      resolve(server);
    });
  });
}
