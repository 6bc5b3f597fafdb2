import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import type { BlobKey, BlobStore } from "../../../src/core/index.js";
import { createDiskBlobStore, type DiskBlobStoreOptions } from "../../../src/storage/disk/blob-store.js";
import { makeTempDir, removeTempDir } from "../../support/temp-dir.js";

export interface DiskStore {
  readonly dataDir: string;
  readonly store: BlobStore;
  /** Another store over the same folder; the former is closed first. */
  reopen(): Promise<BlobStore>;
}

export async function openDiskStore(options: Partial<DiskBlobStoreOptions> = {}): Promise<DiskStore> {
  const dataDir = await makeTempDir();
  const openStore = () => createDiskBlobStore({ dataDir, durability: "fsync", ...options });
  const store = await openStore();
  let latest = store;
  onTestFinished(async () => {
    await latest.close();
    await removeTempDir(dataDir);
  });
  const reopen = async () => {
    await latest.close();
    latest = await openStore();
    return latest;
  };
  return { dataDir, store, reopen };
}

type FileHandleMethod = "datasync" | "sync" | "writev" | "writeFile" | "read";

type AnyMethod = (this: FileHandle, ...values: unknown[]) => Promise<unknown>;

/** Watches a method of every FileHandle until the test ends; `vi` mocks of it stand in for the system's answers. */
export async function spyOnFileHandles(method: FileHandleMethod) {
  const handle = await open("/", "r");
  const prototype = Object.getPrototypeOf(handle) as Record<FileHandleMethod, AnyMethod>;
  await handle.close();
  const spy = vi.spyOn(prototype, method);
  onTestFinished(() => {
    spy.mockRestore();
  });
  return spy;
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made up`), { code });
}

export function pathOf(dataDir: string, key: BlobKey): string {
  const id = key.split(":")[1]!;
  return key.startsWith("e:") ? join(dataDir, "extents", id.slice(0, 2), id) : join(dataDir, "packs", id);
}

/** The file of a packed key and where its record begins. */
export function recordOf(dataDir: string, key: BlobKey): { readonly path: string; readonly offset: number } {
  return { path: pathOf(dataDir, key), offset: Number(key.split(":")[2]) };
}

export async function flipBit(path: string, offset: number): Promise<void> {
  const handle = await open(path, "r+");
  try {
    const byte = new Uint8Array(1);
    await handle.read(byte, 0, 1, offset);
    await handle.write(new Uint8Array([byte[0]! ^ 1]), 0, 1, offset);
  } finally {
    await handle.close();
  }
}

/** Every file below a folder, as paths relative to it. */
export async function listFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}
