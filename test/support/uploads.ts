// The service as it runs, without a protocol: real embedded database, real disk store, in folders of their own.
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { inject } from "vitest";
import {
  type AddFileInput,
  type BlobStore,
  type Call,
  type Caller,
  createUploads,
  defaultLimits,
  type Limits,
  type MetadataStore,
  type Observer,
  type Permission,
  type Session,
  type SessionInput,
  type Settlers,
  type SourceProber,
  type Uploads,
} from "../../src/core/index.js";
import { createDiskBlobStore } from "../../src/storage/disk/blob-store.js";
import { connectDatabase, type Database } from "../../src/storage/postgres/connect.js";
import { createMetadataStore } from "../../src/storage/postgres/metadata-store.js";
import { migrate } from "../../src/storage/postgres/migrate.js";
import { readWhole, sendWhole } from "./bodies.js";
import { copyEmbeddedTemplate } from "./embedded-template.js";

export interface UploadsOptions {
  readonly limits?: Partial<Limits>;
  readonly observer?: Observer;
  readonly settlers?: Settlers;
  readonly prober?: SourceProber;
  readonly wrapBlobs?: (blobs: BlobStore) => BlobStore;
  readonly wrapMetadata?: (metadata: MetadataStore) => MetadataStore;
  /** How far this process's clock is ahead (milliseconds). */
  readonly clockAheadMs?: number;
}

export interface OpenedUploads {
  readonly uploads: Uploads;
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
  /** Two users of one tenant, its administrator, and one of another tenant who may do everything there. */
  readonly alice: Call;
  readonly bob: Call;
  readonly admin: Call;
  readonly otherTenant: Call;
  /** Who keeps all tenants. */
  readonly operator: Call;
  readonly dataDir: string;
  /** The service anew over the same stores: its caches are empty, its options are these. */
  restart(options?: UploadsOptions): Uploads;
  /**
   * The service as new: the same database with nothing in it, and a store in a folder of its own. Takes a fraction of the
   * time of opening one; this one is of no use any more, but for closing.
   */
  renew(): Promise<OpenedUploads>;
  close(): Promise<void>;
}

export async function openUploads(options: UploadsOptions = {}): Promise<OpenedUploads> {
  const dataDir = await copyEmbeddedTemplate();
  const database = await connectDatabase({ dataDir, poolSize: 1, durability: "os" });
  await migrate(database.knex);
  return openOver(database, dataDir, options);
}

async function openOver(database: Database, dataDir: string, options: UploadsOptions): Promise<OpenedUploads> {
  const metadata = createMetadataStore(database.knex);
  const blobs = await createDiskBlobStore({ dataDir, durability: "os" });

  async function callAs(tenant: string, user: string, ...may: Permission[]): Promise<Call> {
    const caller: Caller = { ...(await metadata.ensureUser(tenant, user)), permissions: new Set(may) };
    return { caller };
  }
  const restart = (options: UploadsOptions = {}) => {
    const { limits, observer, settlers, prober, wrapBlobs, wrapMetadata, clockAheadMs = 0 } = options;
    return createUploads({
      metadata: wrapMetadata ? wrapMetadata(metadata) : metadata,
      blobs: wrapBlobs ? wrapBlobs(blobs) : blobs,
      clock: { now: () => new Date(Date.now() + clockAheadMs) },
      limits: { ...defaultLimits, ...limits },
      ...(observer && { observer }),
      ...(settlers && { settlers }),
      ...(prober && { prober }),
    });
  };
  return {
    uploads: restart(options),
    metadata,
    blobs,
    alice: await callAs("default", "alice", "read", "upload"),
    bob: await callAs("default", "bob", "read", "upload"),
    admin: await callAs("default", "admin", "read", "upload", "administer"),
    otherTenant: await callAs("elsewhere", "alice", "read", "upload", "administer"),
    operator: await callAs("default", "operator", "read", "upload", "administer", "operate"),
    dataDir,
    restart,
    async renew() {
      await blobs.close();
      await emptyDatabase(database);
      return openOver(database, await mkdtemp(join(inject("runFolder"), "data-")), options);
    },
    async close() {
      await metadata.close();
      await database.close();
      await blobs.close();
    },
  };
}

async function emptyDatabase({ knex }: Database): Promise<void> {
  const { rows } = await knex.raw(`
    select string_agg(quote_ident(tablename), ', ') as tables from pg_tables
    where schemaname = current_schema() and tablename not like 'knex%'`);
  await knex.raw(`truncate ${rows[0].tables}`);
}

type BlobStep = "createExtent" | "write" | "sync" | "putSmall";

/** Something that happens before or after a step of storing; what it throws comes out of the step. */
export interface BlobHooks {
  before?(step: BlobStep, bytes: number): unknown;
  after?(step: BlobStep, bytes: number): unknown;
}

/** The same store, with hooks. */
export function hookBlobs(hooks: BlobHooks): (blobs: BlobStore) => BlobStore {
  async function around<T>(step: BlobStep, bytes: number, run: () => Promise<T>): Promise<T> {
    await hooks.before?.(step, bytes);
    const result = await run();
    await hooks.after?.(step, bytes);
    return result;
  }
  return (blobs) => ({
    ...blobs,
    putSmall: (chunks) => around("putSmall", lengthOf(chunks), () => blobs.putSmall(chunks)),
    createExtent: () =>
      around("createExtent", 0, async () => {
        const writer = await blobs.createExtent();
        return {
          key: writer.key,
          write: (chunks) => around("write", lengthOf(chunks), () => writer.write(chunks)),
          sync: () => around("sync", 0, () => writer.sync()),
          close: () => writer.close(),
        };
      }),
  });
}

function lengthOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}

/** The same store, with hooks around every deed. */
export function hookMetadata(hooks: {
  before?(deed: keyof MetadataStore, input: unknown): unknown;
  after?(deed: keyof MetadataStore, input: unknown): unknown;
}): (metadata: MetadataStore) => MetadataStore {
  return (metadata) => {
    const entries = Object.entries(metadata).map(([name, run]) => {
      const deed = name as keyof MetadataStore;
      const hooked = async (...values: unknown[]) => {
        await hooks.before?.(deed, values[0]);
        const result = await (run as (...values: unknown[]) => Promise<unknown>)(...values);
        await hooks.after?.(deed, values[0]);
        return result;
      };
      return [name, hooked];
    });
    return Object.fromEntries(entries) as MetadataStore;
  };
}

const hour = 3_600_000;

export async function startSession(uploads: Uploads, call: Call, more: Partial<SessionInput> = {}): Promise<Session> {
  const { session } = await uploads.createSession(
    {
      access: "additive",
      visibility: "owner",
      origin: "test",
      deadlines: { idleTtlMs: hour, absoluteTtlMs: undefined, keepTerminalMs: hour },
      ...more,
    },
    call,
  );
  return session;
}

export interface FilePlace {
  readonly sessionId: string;
  readonly fileId: string;
}

/** A file, in a session of its own unless one is named. */
export async function startFile(
  uploads: Uploads,
  call: Call,
  spec: Partial<AddFileInput> = {},
): Promise<FilePlace & { readonly name: string }> {
  const sessionId = spec.sessionId ?? (await startSession(uploads, call)).id;
  const { file } = await uploads.addFile({ name: "a.bin", ...spec, sessionId }, call);
  return { sessionId, fileId: file.id, name: file.name };
}

/** Sends content from the beginning and says that it is whole. */
export async function sendFile(uploads: Uploads, call: Call, place: FilePlace, content: Uint8Array) {
  const { sessionId, fileId } = place;
  const ending = () => ({ finish: true });
  return uploads.writePart({ sessionId, fileId, offset: 0, body: sendWhole(content), ending }, call);
}

/** A ready file with this content. */
export async function storeFile(uploads: Uploads, call: Call, content: Uint8Array, spec: Partial<AddFileInput> = {}) {
  const place = await startFile(uploads, call, spec);
  await sendFile(uploads, call, place, content);
  return place;
}

export async function readBack(uploads: Uploads, call: Call, { sessionId, fileId }: FilePlace): Promise<Uint8Array> {
  return readWhole((await uploads.readFile({ sessionId, fileId }, call)).body);
}

/** The committed offset, or "finished". */
export async function statusOf(uploads: Uploads, call: Call, { sessionId, fileId }: FilePlace) {
  const status = await uploads.getUploadStatus({ sessionId, fileId }, call);
  return status.kind === "offset" ? status.offset : status.kind;
}

export async function makeItem(opened: OpenedUploads, call: Call = opened.admin) {
  const library = await opened.uploads.createLibrary({ name: `library ${crypto.randomUUID()}` }, call);
  return opened.uploads.createItem({ libraryId: library.id, name: "item" }, call);
}
