// Clients of VMware's face that change items in sessions, send, send again, break off, fetch and read back, and write down
// what was answered.
import { setTimeout as sleep } from "node:timers/promises";
import {
  content as root,
  downloadFiles,
  downloadSessions,
  type VsphereClient,
  type VsphereFile,
} from "../support/vsphere.js";
import { anyOf, bytesOf, planContent, sendSlowly } from "./content.js";
import type { Dice } from "./model.js";
import type { SlowSource } from "./slow-source.js";
import { pathOf, type Scripted } from "./vsphere-client.js";
import {
  type DownloadModel,
  isSameSet,
  type ItemModel,
  nextSet,
  planItem,
  planSession,
  type SentFile,
  type SessionModel,
  setOf,
  uuidOf,
} from "./vsphere-model.js";

export interface Place {
  readonly libraryId: string;
  readonly source: SlowSource;
}

/** Changes item after item until the connection breaks. Rejects with what broke it. */
export async function changeForEver(
  client: Scripted,
  place: Place,
  dice: Dice,
  round: number,
  items: ItemModel[],
): Promise<never> {
  const own: ItemModel[] = [];
  for (;;) {
    const item = own.length > 0 && dice.chance(0.6) ? anyOf(own, dice) : planItem(dice, round);
    if (item.id === undefined) {
      items.push(item);
      own.push(item);
      await createItem(client.vsphere, place, item);
    }
    await changeItem(client, place, dice, item);
    if (dice.chance(0.5) && setOf(item).size > 0) await readBack(client, dice, item);
  }
}

/** The same one however often it is asked for. */
export async function createItem(vsphere: VsphereClient, { libraryId }: Place, item: ItemModel): Promise<string> {
  const create_spec = { library_id: libraryId, name: item.name };
  item.id = await vsphere.value<string>("POST", `${root}/library/item`, { client_token: item.token, create_spec });
  return item.id;
}

async function changeItem(client: Scripted, place: Place, dice: Dice, item: ItemModel): Promise<void> {
  const { vsphere } = client;
  const session = planSession(dice);
  item.session = session;
  session.id = await vsphere.createSession(item.id!, session.token);
  const known = [...setOf(item).keys()];
  for (const name of new Set([`file ${dice.below(6)}`, `file ${dice.below(6)}`, `file ${dice.below(6)}`])) {
    const file = await declareFile(client, place, dice, session, name);
    if (file.fetched === undefined) await sendContent(client, dice, file);
  }
  const rest = known.filter((name) => !session.files.has(name));
  if (rest.length > 0 && dice.chance(0.4)) {
    const name = anyOf(rest, dice);
    session.removals.set(name, false);
    await vsphere.remove(session.id, name);
    session.removals.set(name, true);
  }
  if (dice.chance(0.15)) await cancel(vsphere, item, session);
  else await complete(vsphere, item, session);
}

export async function declareFile(
  { vsphere }: Scripted,
  { source }: Place,
  dice: Dice,
  session: SessionModel,
  name: string,
): Promise<SentFile> {
  const content = planContent(dice);
  const isFetched = dice.chance(0.25);
  const fetched = isFetched ? content : undefined;
  const { sizeBytes } = content;
  const file: SentFile = {
    name,
    sizeBytes,
    fetched,
    path: undefined,
    whole: undefined,
    partial: undefined,
    sending: undefined,
  };
  session.files.set(name, file);
  const added = await vsphere.add(session.id!, {
    name,
    source_type: isFetched ? "PULL" : "PUSH",
    ...(isFetched && { source_endpoint: { uri: source.uriOf(content) } }),
    ...(dice.chance(0.5) && { size: sizeBytes }),
  });
  file.path = isFetched ? "" : pathOf(added.upload_endpoint!.uri);
  return file;
}

async function sendContent(client: Scripted, dice: Dice, file: SentFile): Promise<void> {
  if (file.sizeBytes > 1_000_000 && dice.chance(0.5)) await breakOff(client, dice, file);
  if (file.partial !== undefined && dice.chance(0.5)) await continueContent(client, dice, file);
  else await sendWhole(client, dice, file);
  if (dice.chance(0.2)) await sendWhole(client, dice, file);
}

/** Other content than before, from its beginning. */
export async function sendWhole(client: Scripted, dice: Dice, file: SentFile): Promise<void> {
  const content = planContent(dice, file.sizeBytes);
  file.sending = content;
  const bytes = sendSlowly(bytesOf(content), dice.split());
  const lengthBytes = dice.chance(0.5) ? content.sizeBytes : undefined;
  const { status, text } = await client.send(file.path!, { bytes, lengthBytes });
  if (status !== 200) throw new Error(`content was answered with ${status}: ${text}`);
  acknowledge(file);
}

/** What broke off, from where the server says it is. */
export async function continueContent(client: Scripted, dice: Dice, file: SentFile): Promise<void> {
  const { content } = file.partial!;
  const offset = await client.offsetAt(file.path!);
  file.sending = content;
  const { sizeBytes } = content;
  const bytes = sendSlowly(bytesOf(content).subarray(offset), dice.split());
  const range = `bytes ${offset}-${sizeBytes - 1}/${sizeBytes}`;
  const { status, text } = await client.send(file.path!, { bytes, lengthBytes: sizeBytes - offset }, range);
  if (status !== 200) throw new Error(`the rest of some content was answered with ${status}: ${text}`);
  acknowledge(file);
}

function acknowledge(file: SentFile): void {
  file.whole = file.sending;
  file.sending = undefined;
  file.partial = undefined;
}

/** The client goes away in the middle of a file, once the server has told that some of it is there. */
async function breakOff(client: Scripted, dice: Dice, file: SentFile): Promise<void> {
  const content = planContent(dice, file.sizeBytes);
  file.sending = content;
  const upload = client.begin(file.path!, content.sizeBytes);
  await upload.send(bytesOf(content).subarray(0, 300_000 + dice.below(content.sizeBytes - 300_001)));
  let offset = 0;
  while (offset === 0) {
    offset = await client.offsetAt(file.path!);
    await sleep(5);
  }
  file.partial = { content, offset };
  upload.cut();
  // Until the server has noticed, more may come.
  file.sending = undefined;
}

export async function complete(vsphere: VsphereClient, item: ItemModel, session: SessionModel): Promise<void> {
  item.sets.set(item.version + 1, nextSet(item, session));
  session.completion = "asked";
  await vsphere.act(session.id!, "complete");
  session.completion = "answered";
  await untilDone(vsphere, item, session);
}

/** A completion that was answered ends by itself. */
export async function untilDone(vsphere: VsphereClient, item: ItemModel, session: SessionModel): Promise<void> {
  const giveUpAt = performance.now() + 30_000;
  for (;;) {
    const { state, error_message: error } = await vsphere.session(session.id!);
    if (state === "DONE") break;
    if (state !== "ACTIVE" || performance.now() > giveUpAt) {
      throw new Error(`a session that was being completed is ${state}: ${error?.default_message}`);
    }
    await sleep(10);
  }
  item.version++;
  item.session = undefined;
}

async function cancel(vsphere: VsphereClient, item: ItemModel, session: SessionModel): Promise<void> {
  session.cancellation = "asked";
  await vsphere.act(session.id!, "cancel");
  session.cancellation = "answered";
  item.session = undefined;
}

/** Prepares a file of the item and reads it through the URL. */
async function readBack(client: Scripted, dice: Dice, item: ItemModel): Promise<void> {
  const name = anyOf([...setOf(item).keys()], dice);
  const model: DownloadModel = { token: uuidOf(dice), version: item.version, name, id: undefined, path: undefined };
  item.downloads.push(model);
  const id = await createDownload(client.vsphere, item, model);
  await client.vsphere.value("POST", `${downloadFiles}/id:${id}?~action=prepare`, { file_name: name });
  const asked = { file_name: name };
  type Prepared = VsphereFile & { readonly download_endpoint: { readonly uri: string } };
  const info = await client.vsphere.value<Prepared>("POST", `${downloadFiles}/id:${id}?~action=get`, asked);
  model.path = pathOf(info.download_endpoint.uri);
  const { status, bytes } = await client.read(model.path);
  if (status !== 200 || Buffer.compare(bytes, bytesOf(setOf(item).get(name)!)) !== 0) {
    throw new Error(`reading back was answered with ${status} and ${bytes.length} bytes`);
  }
}

/** The same one however often it is asked for. */
export async function createDownload(vsphere: VsphereClient, item: ItemModel, model: DownloadModel): Promise<string> {
  const create_spec = { library_item_id: item.id };
  model.id = await vsphere.value<string>("POST", downloadSessions, { client_token: model.token, create_spec });
  return model.id;
}

/** Looks at items that others change, until the connection breaks: of a set, all is there or nothing. */
export async function watchForEver({ vsphere }: Scripted, dice: Dice, items: readonly ItemModel[]): Promise<never> {
  for (;;) {
    const there = items.filter(({ id }) => id !== undefined);
    if (there.length === 0) await sleep(5);
    else await look(vsphere, anyOf(there, dice));
  }
}

async function look(vsphere: VsphereClient, item: ItemModel): Promise<void> {
  const answered = item.version;
  const before = Number((await vsphere.item(item.id!)).content_version);
  const shown = new Map((await vsphere.itemFiles(item.id!)).map(({ name, size }) => [name, size]));
  const after = Number((await vsphere.item(item.id!)).content_version);
  if (before < answered) throw new Error(`version ${answered} of ${item.id} was answered, ${before} is there`);
  for (let version = before; version <= after; version++) {
    const set = item.sets.get(version);
    if (set !== undefined && isSameSet(shown, set)) return;
  }
  throw new Error(`${item.id} shows ${JSON.stringify([...shown])} between versions ${before} and ${after}`);
}
