// What every file of the suite starts from: an empty store with two tenants, and the deeds of the service in their
// shortest form.
import { afterEach, beforeEach, expect } from "vitest";
import {
  type Attempt,
  type BlobKey,
  type ClaimedFile,
  type Completion,
  type CompletionView,
  createId,
  type Extent,
  endSession,
  type FileRef,
  type Item,
  isUploadError,
  type MetadataStore,
  moveFile,
  moveSession,
  type Session,
  type SessionFile,
  type SessionRef,
  touchSession,
  UploadError,
  type UploadErrorCode,
  type UploadErrorReason,
} from "../../../src/core/index.js";
import { buildContent, buildFile, buildItem, buildKey, buildLibrary, buildSession } from "../../support/builders.js";

export interface OpenedStore {
  readonly store: MetadataStore;
  /** A second store over the same database, as another process of the service would have it. */
  openAnother?(): Promise<MetadataStore>;
  close(): Promise<void>;
}

export type OpenStore = () => Promise<OpenedStore>;

export interface World extends OpenedStore {
  readonly tenantId: string;
  readonly userId: string;
  /** Another user of the same tenant. */
  readonly colleagueId: string;
  readonly stranger: { readonly tenantId: string; readonly userId: string };
}

/** Opens an empty store before each test; the answer is filled in by then. */
export function useWorld(open: OpenStore): World {
  const world = {} as { -readonly [Name in keyof World]: World[Name] };
  beforeEach(async () => {
    Object.assign(world, await open());
    const user = await world.store.ensureUser("default", "ada");
    world.tenantId = user.tenantId;
    world.userId = user.userId;
    world.colleagueId = (await world.store.ensureUser("default", "bob")).userId;
    world.stranger = await world.store.ensureUser("elsewhere", "ada");
  });
  afterEach(() => world.close());
  return world;
}

/** What a refusal looks like. */
export function refusal(code: UploadErrorCode, reason?: UploadErrorReason): unknown {
  const details = reason === undefined ? expect.anything() : expect.objectContaining({ reason });
  return expect.objectContaining({ name: "UploadError", code, details });
}

/** The code that a deed was refused with; what is not a refusal comes out. */
export async function codeOf(deed: Promise<unknown>): Promise<UploadErrorCode | "ok"> {
  try {
    await deed;
    return "ok";
  } catch (error) {
    if (isUploadError(error)) return error.code;
    throw error;
  }
}

export const refOf = (session: Session): SessionRef => ({ tenantId: session.tenantId, sessionId: session.id });

export const fileRefOf = (file: SessionFile): FileRef => ({
  tenantId: file.tenantId,
  sessionId: file.sessionId,
  fileId: file.id,
});

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export async function startSession(
  world: World,
  of: Partial<Session> = {},
  clientToken?: { operation: string; token: string; fingerprint: string },
): Promise<Session> {
  const owner = { tenantId: world.tenantId, ownerId: world.userId, ...of };
  const { session } = await world.store.createSession({
    tenantId: owner.tenantId,
    ownerId: owner.ownerId,
    itemId: of.itemId,
    ...(clientToken && { clientToken }),
    build: ({ now, item }) => ({
      session: buildSession({
        createdAt: now,
        modifiedAt: now,
        baseContentVersion: item?.contentVersion,
        ...owner,
      }),
      events: [{ type: "session.created", details: {} }],
    }),
  });
  return session;
}

/** A session that had this long to live and has outlived it. */
export async function startOverdueSession(world: World, of: Partial<Session> = {}): Promise<Session> {
  const session = await startSession(world, { ...of, deadlines: shortLived(1) });
  await wait(5);
  return session;
}

export const shortLived = (idleTtlMs: number) => ({ idleTtlMs, absoluteTtlMs: undefined, keepTerminalMs: 3_600_000 });

export async function startItem(world: World, of: Partial<Item> = {}): Promise<Item> {
  const tenantId = of.tenantId ?? world.tenantId;
  const libraryId = of.libraryId ?? (await world.store.createLibrary(buildLibrary({ tenantId }))).id;
  return world.store.createItem(buildItem({ tenantId, libraryId, ...of }));
}

export async function addFile(
  world: World,
  session: Session,
  of: Partial<SessionFile> = {},
  store = world.store,
): Promise<SessionFile> {
  const name = of.name ?? `${createId()}.bin`;
  const { file } = await store.changeFile(refOf(session), { name }, ({ session: found, file: existing }, now) => {
    if (existing) throw new UploadError("already_exists", `file ${name} is there`, { reason: "FILE_EXISTS" });
    return {
      file: buildFile({
        tenantId: found.tenantId,
        sessionId: found.id,
        createdAt: now,
        modifiedAt: now,
        ...of,
        name,
      }),
      session: { ...touchSession(found, "change", now), fileCount: found.fileCount + 1 },
      events: [{ type: "file.added", details: { name } }],
    };
  });
  if (!file) throw new TypeError("the file was not made");
  return file;
}

export async function removeFile(world: World, file: SessionFile, store = world.store): Promise<void> {
  await store.changeFile(fileRefOf(file), { fileId: file.id }, ({ session, file: found }, now) => {
    if (!found) throw new UploadError("not_found", "no file", { reason: "FILE_NOT_FOUND" });
    return {
      file: undefined,
      session: { ...touchSession(session, "change", now), fileCount: session.fileCount - 1 },
      events: [{ type: "file.removed", details: { name: found.name } }],
    };
  });
}

export interface Seat extends ClaimedFile {
  readonly attempt: Attempt;
  /** How a commit names the seat. */
  readonly ref: FileRef & { readonly attemptId: string; readonly epoch: number };
}

export async function takeSeat(
  world: World,
  file: SessionFile,
  seat: "resume" | "restart" = "resume",
  store = world.store,
): Promise<Seat> {
  const claimed = await store.claimWriter(fileRefOf(file), ({ session, file: found }, now) => {
    moveSession(session, "touch", now);
    return { seat, file: { ...found, state: moveFile(found, "begin"), modifiedAt: now } };
  });
  const { attempt } = claimed;
  if (!attempt) throw new TypeError("no seat was taken");
  return { ...claimed, attempt, ref: { ...fileRefOf(file), attemptId: attempt.id, epoch: attempt.epoch } };
}

/** The bytes that a seat adds after what its attempt had when it was taken. */
export function extentOf(seat: Seat, length: number, blobKey: BlobKey = buildKey()): Extent {
  return { epoch: seat.attempt.epoch, offset: seat.attempt.offset, length, blobKey };
}

export async function finishSeat(
  world: World,
  seat: Seat,
  outcome: "accept" | "reject",
  options: { extent?: Extent | undefined; store?: MetadataStore } = {},
): Promise<SessionFile> {
  const { extent, store = world.store } = options;
  const { file } = await store.finishAttempt(seat.ref, { extent, lockSession: false }, ({ file: found }, now) => ({
    file: {
      ...found,
      state: moveFile(found, outcome),
      failure: outcome === "accept" ? undefined : { reason: "checksum_differs", message: "not what was declared" },
      modifiedAt: now,
    },
    events: [{ type: outcome === "accept" ? "file.ready" : "file.failed", details: { name: found.name } }],
    accepted: outcome === "accept" ? buildContent({ id: seat.attempt.id, sizeBytes: endOf(found, extent) }) : undefined,
  }));
  return file;
}

/** How much the running attempt has once the last extent is counted too. */
function endOf(file: SessionFile, extent: Extent | undefined): number {
  return Math.max(file.running?.offset ?? 0, extent ? extent.offset + extent.length : 0);
}

/** A new file in the session, whole, and the key of its bytes. */
export async function sendFile(
  world: World,
  session: Session,
  name: string,
  lengthBytes = 10,
): Promise<{ readonly file: SessionFile; readonly key: BlobKey }> {
  const seat = await takeSeat(world, await addFile(world, session, { name }));
  const extent = extentOf(seat, lengthBytes);
  return { file: await finishSeat(world, seat, "accept", { extent }), key: extent.blobKey };
}

export async function endBy(
  world: World,
  session: Session,
  event: "cancel" | "fail" | "expire",
  store = world.store,
): Promise<boolean> {
  const { applied } = await store.updateSession(refOf(session), (found, now) => {
    const ended = endSession(
      found,
      event,
      now,
      event === "cancel" ? undefined : { reason: event === "expire" ? "expired" : "client", message: "" },
    );
    const type = event === "cancel" ? "session.canceled" : "session.failed";
    return ended && { session: ended, events: [{ type, details: {} }], releaseContent: true };
  });
  return applied;
}

/** Completion as the service decides it: every file must be whole. */
export function completeAll(view: CompletionView, now: Date): Completion | undefined {
  const done = endSession(view.session, "complete", now);
  if (!done) return undefined;
  const missing = view.files.filter((file) => file.state !== "ready").map((file) => file.name);
  if (missing.length > 0) {
    throw new UploadError("incomplete", `${missing.length} files are missing`, { reason: "FILES_INCOMPLETE", missing });
  }
  const versions = new Map(view.itemFiles.map((file) => [file.name, file.version]));
  const put = view.files.map((file) => ({ file, version: (versions.get(file.name) ?? 0) + 1 }));
  return {
    session: done,
    events: [{ type: "session.done", details: {} }],
    ...(view.item && {
      apply: { contentVersion: view.item.contentVersion + 1, put, remove: view.session.removals },
    }),
  };
}

export async function complete(world: World, session: Session, store = world.store): Promise<boolean> {
  return (await store.completeSession(refOf(session), completeAll)).applied;
}

/** A session whose files with these names and sizes have been applied to the item. */
export async function publish(
  world: World,
  item: Item,
  files: { readonly [name: string]: number },
  removals: readonly string[] = [],
): Promise<{ readonly session: Session; readonly keys: readonly BlobKey[] }> {
  const session = await startSession(world, { itemId: item.id, removals });
  const keys: BlobKey[] = [];
  for (const [name, size] of Object.entries(files)) keys.push((await sendFile(world, session, name, size)).key);
  await complete(world, session);
  return { session, keys };
}

/** Everything that is to be swept, swept. */
export async function sweepContent(store: MetadataStore): Promise<void> {
  for (let round = 0; round < 100; round++) if ((await store.deleteReleasedContent(1000)) === 0) return;
  throw new Error("released content never comes to an end");
}
