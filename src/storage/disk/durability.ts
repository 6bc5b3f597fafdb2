import { type FileHandle, open } from "node:fs/promises";

/**
 * `fsync`: what is reported stored survives a power cut. `os`: it survives a crash of this process only, for throw-away
 * data.
 */
export type Durability = "fsync" | "os";

/** The two syncs that storing needs; both do nothing under `os`. */
export interface Sync {
  /** Makes a file's bytes and its size durable. */
  content(handle: FileHandle): Promise<void>;
  /** Makes the names in a folder durable. */
  folder(path: string): Promise<void>;
}

export function createSync(durability: Durability): Sync {
  if (durability === "os") return { content: async () => {}, folder: async () => {} };
  return {
    content: (handle) => handle.datasync(),
    async folder(path) {
      const handle = await open(path, "r");
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
  };
}
