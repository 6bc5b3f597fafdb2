// Checks of a store, and harm done to what lies in it.
import { open, rm, stat, truncate, utimes } from "node:fs/promises";
import { join } from "node:path";
import {
  type BlobKey,
  type Call,
  type CheckFinding,
  type CheckInput,
  type CheckProgress,
  type CheckSummary,
  defaultSweep,
  type MetadataStore,
  type NamedContent,
  type Uploads,
} from "../../src/core/index.js";

export interface Checked {
  readonly findings: readonly CheckFinding[];
  readonly progress: readonly CheckProgress[];
  readonly summary: CheckSummary;
}

export async function check(uploads: Uploads, call: Call, asked: Partial<CheckInput> = {}): Promise<Checked> {
  const findings: CheckFinding[] = [];
  const progress: CheckProgress[] = [];
  for await (const news of uploads.checkStore(checkInput(asked), call)) {
    if (news.kind === "finding") findings.push(news.finding);
    if (news.kind === "progress") progress.push(news.progress);
    if (news.kind === "summary") return { findings, progress, summary: news.summary };
  }
  throw new Error("the check ended without a summary");
}

export function checkInput(asked: Partial<CheckInput> = {}): CheckInput {
  const { keepUnreferencedMs } = defaultSweep;
  return {
    repair: false,
    skipContent: false,
    cursor: "",
    unreferencedAfterMs: undefined,
    keepUnreferencedMs,
    ...asked,
  };
}

/** The content of a file of a session. */
export async function contentOf(metadata: MetadataStore, fileId: string): Promise<NamedContent> {
  const contents = await metadata.listNamedContents({ after: undefined, limit: 1000 });
  const found = contents.find(({ owners }) => owners.some((owner) => owner.kind === "file" && owner.fileId === fileId));
  if (found === undefined) throw new Error(`no content of file ${fileId}`);
  return found;
}

/** The file that a key's bytes lie in, and where in it they begin. */
export function placeOf(dataDir: string, key: BlobKey): { readonly path: string; readonly at: number } {
  const [kind, id = "", offset] = key.split(":");
  if (kind === "e") return { path: join(dataDir, "extents", id.slice(0, 2), id), at: 0 };
  return { path: join(dataDir, "packs", id), at: Number(offset) + 20 };
}

/** Flips one bit of a key's bytes. */
export async function flipBit(dataDir: string, key: BlobKey, at = 0): Promise<void> {
  const place = placeOf(dataDir, key);
  const file = await open(place.path, "r+");
  try {
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, place.at + at);
    await file.write(Uint8Array.of(buffer[0]! ^ 1), 0, 1, place.at + at);
  } finally {
    await file.close();
  }
}

/** Cuts the file that a key lies in, so that of its bytes only so many are left. */
export async function cutBytes(dataDir: string, key: BlobKey, left: number): Promise<void> {
  const { path, at } = placeOf(dataDir, key);
  await truncate(path, at + left);
}

export async function removeBytes(dataDir: string, key: BlobKey): Promise<void> {
  await rm(placeOf(dataDir, key).path);
}

/** Makes a file look as if it was last written so long ago. */
export async function makeOld(path: string, ageMs: number): Promise<void> {
  const then = new Date(Date.now() - ageMs);
  await stat(path);
  await utimes(path, then, then);
}
