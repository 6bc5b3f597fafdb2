// What the tests of the services have in common: one server a test file, and the steps of an upload as a client takes
// them.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll } from "vitest";
import { Role } from "../../gen/slipway/upload/v1/access_pb.js";
import type { CreateUserRequestSchema } from "../../gen/slipway/upload/v1/access_service_pb.js";
import type { Item, ItemFile } from "../../gen/slipway/upload/v1/catalog_pb.js";
import type { CreateItemRequestSchema } from "../../gen/slipway/upload/v1/catalog_service_pb.js";
import type { FileSpecSchema } from "../../gen/slipway/upload/v1/file_pb.js";
import type { Session } from "../../gen/slipway/upload/v1/session_pb.js";
import type { CreateSessionRequestSchema } from "../../gen/slipway/upload/v1/session_service_pb.js";
import type { UploadFileRequest_FinishSchema, UploadFileRequestSchema } from "../../gen/slipway/upload/v1/upload_pb.js";
import { crc32c } from "../../src/core/index.js";
import { slices } from "../support/bodies.js";
import { openClient, type TestClient, type Wire } from "../support/client.js";
import { type ServerOptions, startServer, type TestServer } from "../support/server.js";

type Message = MessageInitShape<typeof UploadFileRequestSchema>;
type Finish = MessageInitShape<typeof UploadFileRequest_FinishSchema>;

export interface Place {
  readonly sessionId: string;
  readonly fileId: string;
}

export interface UsedServer {
  get(): TestServer;
  /** The client over this protocol that the file's tests share. */
  client(wire: Wire): TestClient;
}

/** One server process for the tests of a file. */
export function useServer(options: () => ServerOptions | Promise<ServerOptions> = () => ({})): UsedServer {
  let server: TestServer | undefined;
  const clients = new Map<Wire, TestClient>();
  beforeAll(async () => {
    server = await startServer(await options());
  });
  afterAll(async () => {
    for (const client of clients.values()) client.close();
    await server?.kill();
  });
  function get(): TestServer {
    if (server === undefined) throw new Error("the server has not been started");
    return server;
  }
  return {
    get,
    client(wire) {
      const client = clients.get(wire) ?? openClient(get(), wire);
      clients.set(wire, client);
      return client;
    },
  };
}

/** Somebody else than the administrator, with a token. */
export interface Somebody {
  readonly userId: string;
  readonly tenantId: string;
  readonly name: string;
  readonly tokenId: string;
  readonly token: string;
}

/** Makes a user of this tenant, by default the administrator's own, who cannot log in but has a token. */
export async function addSomebody(
  { access }: TestClient,
  of: MessageInitShape<typeof CreateUserRequestSchema> = {},
): Promise<Somebody> {
  const name = `somebody ${crypto.randomUUID()}`;
  const { user } = await access.createUser({ name, role: Role.UPLOADER, ...of });
  const { token, accessToken } = await access.createToken({ userId: user!.id });
  return { userId: user!.id, tenantId: user!.tenantId, name: user!.name, tokenId: accessToken!.id, token };
}

/** The same in a tenant of its own. */
export async function addStranger(client: TestClient, role = Role.ADMIN): Promise<Somebody> {
  const { tenant } = await client.access.createTenant({ name: `tenant ${crypto.randomUUID()}` });
  return addSomebody(client, { tenantId: tenant!.id, role });
}

/** Makes one call with a token instead of the client's own credentials. */
export function as({ token }: { readonly token: string }) {
  return { headers: { authorization: `Bearer ${token}` } };
}

export async function startSession(
  client: TestClient,
  more: MessageInitShape<typeof CreateSessionRequestSchema> = {},
): Promise<Session> {
  const { session } = await client.sessions.createSession(more);
  if (session === undefined) throw new Error("no session was answered");
  return session;
}

/** An item, in a library of its own unless one is named. */
export async function makeItem(
  client: TestClient,
  more: MessageInitShape<typeof CreateItemRequestSchema> = {},
): Promise<Item> {
  const libraryId = more.libraryId ?? (await makeLibrary(client));
  const { item } = await client.catalog.createItem({ name: "item", ...more, libraryId });
  if (item === undefined) throw new Error("no item was answered");
  return item;
}

/** The id of a library. */
export async function makeLibrary(client: TestClient): Promise<string> {
  const { library } = await client.catalog.createLibrary({ name: `library ${crypto.randomUUID()}` });
  if (library === undefined) throw new Error("no library was answered");
  return library.id;
}

/** Gives the item these files in one session. */
export async function publish(
  client: TestClient,
  itemId: string,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<void> {
  const { id: sessionId } = await startSession(client, { itemId });
  for (const [name, content] of Object.entries(files)) await storeFile(client, content, { name }, sessionId);
  await client.sessions.completeSession({ sessionId });
}

/** All files of an item, page by page. */
export async function listItemFiles(client: TestClient, itemId: string, pageSize = 0): Promise<ItemFile[]> {
  const found: ItemFile[] = [];
  for (let pageToken: string | undefined = ""; pageToken !== undefined; ) {
    const { files, nextPageToken } = await client.catalog.listItemFiles({ itemId, pageSize, pageToken });
    found.push(...files);
    pageToken = nextPageToken === "" ? undefined : nextPageToken;
  }
  return found;
}

type Spec = MessageInitShape<typeof FileSpecSchema>;

/** A file, in a session of its own unless one is named. */
export async function addFile(client: TestClient, spec: Spec = {}, sessionId?: string): Promise<Place> {
  const id = sessionId ?? (await startSession(client)).id;
  const { file } = await client.files.addFile({ sessionId: id, spec: { name: "a.bin", ...spec } });
  if (file === undefined) throw new Error("no file was answered");
  return { sessionId: id, fileId: file.id };
}

export interface Sending {
  readonly offset?: number | bigint;
  readonly restart?: boolean;
  readonly sizeBytes?: number | bigint;
  readonly chunkBytes?: number;
  readonly withCrc?: boolean;
  /** Default: a finish that says nothing; false: none. */
  readonly finish?: Finish | false;
}

/** The messages of a stream with this content. */
export function* messagesOf(place: Place, content: Uint8Array, sending: Sending = {}): Generator<Message> {
  const { offset = 0, restart = false, sizeBytes, chunkBytes = 64 * 1024, withCrc = false, finish = {} } = sending;
  const size = sizeBytes === undefined ? {} : { sizeBytes: BigInt(sizeBytes) };
  yield { message: { case: "start", value: { ...place, offset: BigInt(offset), restart, ...size } } };
  for (const data of slices(content, chunkBytes)) {
    const crc = withCrc ? { crc32c: crc32c(data) } : {};
    yield { message: { case: "chunk", value: { data: data as Uint8Array<ArrayBuffer>, ...crc } } };
  }
  if (finish !== false) yield { message: { case: "finish", value: finish } };
}

export async function* streamOf(messages: Iterable<Message>): AsyncGenerator<Message, void> {
  yield* messages;
}

/** A promise that another part of the test resolves. */
export function deferred(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}

/** Gives the messages, then says nothing more until it is let go of. */
export async function* hangingStream(messages: Iterable<Message>, release: Promise<unknown>): AsyncGenerator<Message> {
  yield* messages;
  await release;
}

/** Sends content in one stream. */
export function send(client: TestClient, place: Place, content: Uint8Array, sending: Sending = {}) {
  return client.files.uploadFile(streamOf(messagesOf(place, content, sending)));
}

/** Sends one part in one message. */
export function sendPart(
  client: TestClient,
  place: Place,
  offset: number | bigint,
  data: Uint8Array,
  more: { finish?: boolean; restart?: boolean; sizeBytes?: bigint } = {},
) {
  return client.files.uploadPart({ ...place, offset: BigInt(offset), data: data as Uint8Array<ArrayBuffer>, ...more });
}

/** A ready file with this content. */
export async function storeFile(
  client: TestClient,
  content: Uint8Array,
  spec: Spec = {},
  sessionId?: string,
): Promise<Place> {
  const place = await addFile(client, spec, sessionId);
  await send(client, place, content);
  return place;
}

/** The committed offset, or `finished`. */
export async function statusOf(client: TestClient, place: Place): Promise<number | "finished"> {
  const { status } = await client.files.getUploadStatus({ ...place });
  return status.case === "finishedFile" ? "finished" : Number(status.value);
}

export async function readBack(
  client: TestClient,
  place: Place,
  range: { offset?: bigint; limit?: bigint } = {},
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const { data } of client.files.readFile({ ...place, ...range })) chunks.push(data);
  return Buffer.concat(chunks);
}

export async function readItemFile(
  client: TestClient,
  place: { readonly itemId: string; readonly name: string },
  range: { offset?: bigint; limit?: bigint } = {},
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const { data } of client.catalog.readItemFile({ ...place, ...range })) chunks.push(data);
  return Buffer.concat(chunks);
}
