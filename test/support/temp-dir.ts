import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A fresh, empty folder. Whoever asks removes it, with `removeTempDir`. */
export async function makeTempDir(): Promise<string> {
  return await mkdtemp(join(tmpdir(), "slipway-test-"));
}

export async function removeTempDir(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}
