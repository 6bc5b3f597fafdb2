// PGlite as shipped never reaches the disk: it starts PostgreSQL with fsync off, and its file system has no fsync.

import fs from "node:fs";
import type { PGlite } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";

/** What PGlite's file system over a folder of ours looks like inside; the pinned version is checked when it opens. */
interface NodeMount {
  realPath(node: unknown): string;
  readonly node_ops: { rename(node: unknown, folder: unknown, name: string): void };
  readonly stream_ops: { fsync?(stream: { readonly nfd?: number; readonly node: unknown }): number };
}

type Options = Parameters<NodeFS["init"]>[1];

/** Start parameters under which PostgreSQL asks for every sync it needs. */
export function durableStartParams(defaults: readonly string[]): string[] {
  return [...defaults.filter((parameter) => parameter !== "-F"), "-c", "wal_sync_method=fsync"];
}

/**
 * PGlite's folder file system, made durable: PostgreSQL's fsync is an fdatasync of the file, and a rename is followed
 * by an fsync of the folder (PostgreSQL cannot sync folders through PGlite). A class, as PGlite extends itself so.
 */
export class DurableNodeFS extends NodeFS {
  /** How many syncs were done since the start. */
  syncs = 0;
  /** The first sync that failed. After it nothing that PostgreSQL believes to be on the disk can be relied on. */
  failure: unknown;

  override async init(pg: PGlite, options: Options): Promise<{ emscriptenOpts: Options }> {
    const { emscriptenOpts } = await super.init(pg, options);
    const preRun = [...(emscriptenOpts.preRun ?? []), (module: unknown) => this.#instrument(module)];
    return { emscriptenOpts: { ...emscriptenOpts, preRun } as Options };
  }

  #instrument(module: unknown): void {
    const mount = (module as { NODEFS?: NodeMount }).NODEFS;
    if (mount === undefined)
      throw new Error("this version of PGlite hides its file system, so it cannot be made durable");
    mount.stream_ops.fsync = ({ nfd }) => {
      if (nfd !== undefined) this.#sync(() => fs.fdatasyncSync(nfd));
      return 0;
    };
    const rename = mount.node_ops.rename;
    mount.node_ops.rename = (node, folder, name) => {
      rename(node, folder, name);
      this.#sync(() => syncPath(mount.realPath(folder)));
    };
  }

  #sync(sync: () => void): void {
    try {
      sync();
      this.syncs += 1;
    } catch (error) {
      this.failure ??= error;
      throw error;
    }
  }
}

/** Makes a file's content, or the names in a folder, durable. */
export function syncPath(path: string): void {
  const descriptor = fs.openSync(path, "r");
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}
