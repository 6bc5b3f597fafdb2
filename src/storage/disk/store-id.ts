import { link, open, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { createId } from "../../core/index.js";
import type { Sync } from "./durability.js";
import { errorCode, unavailable } from "./errors.js";

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const draftPattern = /^store-id\.[0-9a-f-]{36}\.draft$/;

/**
 * The store's id, made at the first start. Of starters that race, one writes it and all answer with that one. Durable
 * when it resolves.
 */
export async function loadStoreId(dataDir: string, sync: Sync): Promise<string> {
  const path = join(dataDir, "store-id");
  const id = (await readId(path)) ?? (await createStoreId(dataDir, path, sync));
  // Also when another starter wrote it: that one may die before it gets here.
  await sync.folder(dataDir);
  await removeDrafts(dataDir);
  return id;
}

async function createStoreId(dataDir: string, path: string, sync: Sync): Promise<string> {
  const draft = join(dataDir, `store-id.${createId()}.draft`);
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(`${createId()}\n`);
    await sync.content(handle);
  } finally {
    await handle.close();
  }
  try {
    // A link never replaces a name, as a rename would.
    await link(draft, path);
  } catch (error) {
    // ENOENT: a faster starter has already swept the drafts.
    if (errorCode(error) !== "EEXIST" && errorCode(error) !== "ENOENT") throw error;
  }
  const id = await readId(path);
  if (id === undefined) throw unavailable(`the store id vanished from ${path}`);
  return id;
}

async function readId(path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
  const id = text.trim();
  if (!uuidPattern.test(id)) throw unavailable(`${path} holds ${JSON.stringify(id.slice(0, 64))}, which is not a uuid`);
  return id;
}

/** Only called once the id stands: a draft is then of no use to anyone. */
async function removeDrafts(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    if (draftPattern.test(name)) await rm(join(dataDir, name), { force: true });
  }
}
