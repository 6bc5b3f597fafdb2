import { type FileHandle, open } from "node:fs/promises";

/**
 * Open files that many short reads share, the least recently used let go of first. A handle is never closed under a
 * reader.
 */
export interface HandleCache {
  use<T>(path: string, read: (handle: FileHandle) => Promise<T>): Promise<T>;
  /** Forgets a file that was moved or deleted; later reads open the path anew. */
  drop(path: string): Promise<void>;
  close(): Promise<void>;
}

interface Entry {
  readonly opening: Promise<FileHandle>;
  users: number;
  dropped: boolean;
}

export function createHandleCache(capacity: number): HandleCache {
  const entries = new Map<string, Entry>();

  async function use<T>(path: string, read: (handle: FileHandle) => Promise<T>): Promise<T> {
    const entry = entries.get(path) ?? { opening: open(path, "r"), users: 0, dropped: false };
    // It may fail before anyone waits for it, which would count as an error that nobody handles.
    entry.opening.catch(() => undefined);
    entry.users++;
    entries.delete(path);
    entries.set(path, entry);
    try {
      await trim();
      return await read(await entry.opening);
    } finally {
      entry.users--;
      await entry.opening.catch(() => forget(path, entry));
      await closeIfDone(entry);
    }
  }

  async function trim(): Promise<void> {
    if (entries.size <= capacity) return;
    const surplus = [...entries].slice(0, entries.size - capacity);
    for (const [path, entry] of surplus) await forget(path, entry);
  }

  async function forget(path: string, entry: Entry): Promise<void> {
    if (entries.get(path) === entry) entries.delete(path);
    entry.dropped = true;
    await closeIfDone(entry);
  }

  async function closeIfDone(entry: Entry): Promise<void> {
    if (!entry.dropped || entry.users > 0) return;
    // A handle that was only read from has nothing to lose in a failed close, and one that never opened nothing to
    // close.
    await entry.opening.then((handle) => handle.close()).catch(() => {});
  }

  return {
    use,
    async drop(path) {
      const entry = entries.get(path);
      if (entry !== undefined) await forget(path, entry);
    },
    async close() {
      for (const [path, entry] of entries) await forget(path, entry);
    },
  };
}
