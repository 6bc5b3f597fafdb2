import { open, stat, unlink } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { makeDataFolder } from "./data-folder.js";
import { Refusal } from "./refusal.js";

/** The data folder is this process's own until it releases it or dies. */
export interface FolderLock {
  release(): Promise<void>;
}

/** Another server holds the folder. */
export class FolderInUse extends Refusal {
  override readonly name = "FolderInUse";
}

const retryMs = 100;
const settleMs = 50;

/**
 * Takes the folder, waiting for a holder that is on its way out; refuses with a sentence that names the folder. The
 * lock is two unix sockets. One is abstract and named after the folder's device and inode: the kernel frees it however
 * its holder ends, and two paths to one folder are one lock. The other lies in the folder, for servers in different
 * network namespaces (containers that share a volume), which do not see each other's abstract sockets.
 */
export async function lockFolder(dataDir: string, waitMs: number, onWait: () => void): Promise<FolderLock> {
  if (process.platform !== "linux") {
    throw new Error(`data folders can be locked on Linux only, not on ${process.platform}`);
  }
  await makeDataFolder(dataDir);
  const giveUpAt = Date.now() + waitMs;
  for (let first = true; ; first = false) {
    const lock = await tryLock(dataDir);
    if (lock !== undefined) return lock;
    if (Date.now() >= giveUpAt) {
      const patience = `did not let go of it within ${waitMs / 1000} s`;
      throw new FolderInUse(`the data folder ${dataDir} is in use by another server, which ${patience}`);
    }
    if (first) onWait();
    await wait(retryMs);
  }
}

async function tryLock(dataDir: string): Promise<FolderLock | undefined> {
  const { dev, ino } = await stat(dataDir, { bigint: true });
  const abstract = await tryListen(`\0slipway-${dev}-${ino}`);
  if (abstract === undefined) return undefined;
  const folder = await open(dataDir);
  try {
    // By way of the descriptor, for a socket's path may have little more than 100 characters.
    const inFolder = await tryListenInFolder(`/proc/self/fd/${folder.fd}/lock`);
    if (inFolder === undefined) {
      await closeServer(abstract);
      await folder.close();
      return undefined;
    }
    return {
      async release() {
        await closeServer(inFolder);
        await folder.close();
        await closeServer(abstract);
      },
    };
  } catch (error) {
    await closeServer(abstract);
    await folder.close();
    throw error;
  }
}

/** A socket file outlives its holder: one that nobody answers at is taken away. */
async function tryListenInFolder(path: string): Promise<Server | undefined> {
  const server = await tryListen(path);
  if (server !== undefined) return server;
  if (await isAnswered(path)) return undefined;
  await unlink(path).catch(() => undefined);
  const second = await tryListen(path);
  if (second === undefined) return undefined;
  // Another one may have found the same dead socket and take this one away for it: whose file stays has the folder.
  const { ino } = await stat(path, { bigint: true });
  await wait(settleMs);
  const now = await stat(path, { bigint: true }).catch(() => undefined);
  // One that lost stays open: to close it would take away the file that bears its name now.
  return now?.ino === ino ? second : undefined;
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function tryListen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen({ path, exclusive: true }, () => {
      server.unref();
      resolve(server);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => void server.close(() => resolve()));
}
