// Holds a restarted server to everything that VMware's face had answered, then ends what was interrupted.
import { createHash } from "node:crypto";
import { expect } from "vitest";
import { type VsphereFile, VsphereRefusal } from "../support/vsphere.js";
import { bytesOf, type Content, isSame } from "./content.js";
import type { Dice } from "./model.js";
import type { Scripted } from "./vsphere-client.js";
import {
  complete,
  continueContent,
  createDownload,
  createItem,
  declareFile,
  type Place,
  sendWhole,
  untilDone,
} from "./vsphere-load.js";
import { pathOf } from "./vsphere-client.js";
import {
  isSameSet,
  type ItemModel,
  nextSet,
  type SentFile,
  type SessionModel,
  setOf,
  toldOf,
} from "./vsphere-model.js";

/** Of one that nobody is at work on: it is exactly as it was answered last, and so are its tokens and URLs (P1, P4, P5). */
export async function verifyKept(client: Scripted, item: ItemModel, everyByte: boolean): Promise<void> {
  const { vsphere } = client;
  const what = `item ${item.id} of round ${item.round}`;
  const set = setOf(item);
  expect((await vsphere.item(item.id!)).content_version, what).toBe(String(item.version));
  const shown = new Map((await vsphere.itemFiles(item.id!)).map(({ name, size }) => [name, size]));
  expect(isSameSet(shown, set), `${what} shows ${JSON.stringify([...shown])}`).toBe(true);
  if (!everyByte) return;
  for (const [name, content] of set) {
    const stored = await vsphere.download(item.id!, name);
    expect(Buffer.compare(stored, bytesOf(content)), `${name} of ${what}`).toBe(0);
  }
  await verifyDownloads(client, item);
}

/** A URL for reading leads to the content that it was made for, as long as the item has it. */
async function verifyDownloads(client: Scripted, item: ItemModel): Promise<void> {
  for (const model of item.downloads) {
    const known = model.id;
    const id = await createDownload(client.vsphere, item, model);
    expect(id, "a download session's token").toBe(known ?? id);
    if (model.path === undefined) continue;
    const { status, bytes } = await client.read(model.path);
    const content = item.sets.get(model.version)!.get(model.name)!;
    const now = setOf(item).get(model.name);
    if (now !== undefined && isSame(now, content)) {
      expect([status, Buffer.compare(bytes, bytesOf(content))], "a URL for reading").toEqual([200, 0]);
    } else expect(status, "a URL for reading what is replaced").toBe(404);
  }
}

/**
 * What a crash left of an item and of the session on it is what was answered, and of what was not, all or nothing; then
 * the session is ended as it was meant to (P1 to P5).
 */
export async function verifyInterrupted(client: Scripted, place: Place, item: ItemModel, dice: Dice): Promise<void> {
  const { vsphere } = client;
  const known = item.id;
  const id = await createItem(vsphere, place, item);
  expect(id, "an item's token").toBe(known ?? id);
  if (item.session !== undefined) await verifySession(client, place, item, item.session, dice);
  await verifyKept(client, item, true);
}

async function verifySession(
  client: Scripted,
  place: Place,
  item: ItemModel,
  session: SessionModel,
  dice: Dice,
): Promise<void> {
  const { vsphere } = client;
  const known = session.id;
  session.id = await vsphere.createSession(item.id!, session.token);
  expect(session.id, "a session's token").toBe(known ?? session.id);
  const { state } = await vsphere.session(session.id);
  if (session.completion !== "no") {
    if (session.completion === "asked" && state === "ACTIVE") await completeAgain(client, session);
    return untilDone(vsphere, item, session);
  }
  if (session.cancellation === "asked") {
    expect(["ACTIVE", "CANCELED"]).toContain(state);
    if (state === "ACTIVE") await vsphere.act(session.id, "cancel");
    item.session = undefined;
    return;
  }
  expect(state, `session ${session.id}, of which nobody asked for an end`).toBe("ACTIVE");
  await verifyFiles(client, place, item, session, dice);
  // A completion that changes nothing would be no next version.
  if (session.files.size > 0) return complete(vsphere, item, session);
  await vsphere.act(session.id, "cancel");
  item.session = undefined;
}

/** Nobody knows whether it was heard: it may be waiting for what is fetched, or be done by now. */
async function completeAgain({ vsphere }: Scripted, { id }: SessionModel): Promise<void> {
  try {
    await vsphere.act(id!, "complete");
  } catch (error) {
    if (!(error instanceof VsphereRefusal) || error.messages[0]?.args[1] !== "DONE") throw error;
  }
}

async function verifyFiles(
  client: Scripted,
  place: Place,
  item: ItemModel,
  session: SessionModel,
  dice: Dice,
): Promise<void> {
  const { vsphere } = client;
  const shown = new Map((await vsphere.files(session.id!)).map((file) => [file.name, file]));
  for (const [name, isAnswered] of session.removals) {
    if (isAnswered) expect(shown.has(name), `${name}, which was removed`).toBe(false);
    if (shown.has(name)) await vsphere.remove(session.id!, name);
    session.removals.set(name, true);
  }
  for (const [name, { sizeBytes }] of setOf(item)) {
    if (session.files.has(name) || session.removals.has(name)) continue;
    expect(shown.get(name), name).toMatchObject({ source_type: "NONE", status: "READY", size: sizeBytes });
  }
  for (const file of [...session.files.values()]) {
    if (file.path === undefined) {
      const again = await declareFile(client, place, dice, session, file.name);
      if (again.fetched === undefined) await sendWhole(client, dice, again);
    } else if (file.fetched !== undefined) {
      expect(shown.get(file.name), file.name).toMatchObject({ source_type: "PULL" });
      expect(shown.get(file.name)?.status).not.toBe("ERROR");
    } else await verifySent(client, file, shown.get(file.name), dice);
  }
  const names = (await vsphere.files(session.id!)).map(({ name }) => name);
  expect(names.sort(), "the files of the session").toEqual([...nextSet(item, session).keys()].sort());
}

/** It is whole, or what came of it is there to be continued; either way it can be sent from its beginning. */
async function verifySent(client: Scripted, file: SentFile, shown: VsphereFile | undefined, dice: Dice): Promise<void> {
  const what = `file ${JSON.stringify(file.name)}: ${JSON.stringify(shown)}`;
  expect(shown?.source_type, what).toBe("PUSH");
  expect(pathOf(shown!.upload_endpoint!.uri), what).toBe(file.path);
  const { status, bytes_transferred: offset } = shown!;
  const { sending, partial, whole } = file;
  if (status === "READY") {
    const arrived = [sending, partial?.content, whole].find((content) => content && hasDigest(shown!, content));
    expect(arrived, what).toBeDefined();
    expect([shown!.size, offset], what).toEqual([arrived!.sizeBytes, arrived!.sizeBytes]);
    const begun = sending ?? partial?.content;
    Object.assign(file, { whole: arrived, sending: undefined, partial: undefined });
    if (begun !== undefined && dice.chance(0.5)) await sendWhole(client, dice, file);
    return;
  }
  const begun = sending ?? partial?.content;
  expect(status === "TRANSFERRING" || status === "WAITING_FOR_TRANSFER", what).toBe(true);
  expect(begun !== undefined || (whole === undefined && offset === 0), what).toBe(true);
  expect(await client.offsetAt(file.path!), what).toBe(offset);
  // Where other content had been begun before, nobody can tell by a number which of them it counts.
  const isCertain = begun !== undefined && (partial === undefined || isSame(begun, partial.content));
  if (!isCertain) return sendWhole(client, dice, file);
  expect(offset, what).toBeGreaterThanOrEqual(toldOf(file, begun));
  file.partial = { content: begun, offset };
  if (offset < file.sizeBytes && dice.chance(0.7)) await continueContent(client, dice, file);
  else await sendWhole(client, dice, file);
}

function hasDigest({ checksum_info: info }: VsphereFile, content: Content): boolean {
  const { algorithm = "SHA1", checksum } = info!;
  return createHash(algorithm.toLowerCase()).update(bytesOf(content)).digest("hex") === checksum;
}
