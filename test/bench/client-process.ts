// The load: one client as a process of its own, told over a channel what to do. Words: the face, and the size of a file
// in bytes.
import { createHash, randomFillSync, randomUUID } from "node:crypto";
import { Agent } from "node:http";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { ChecksumAlgorithm } from "../../gen/slipway/upload/v1/checksum_pb.js";
import { FileService } from "../../gen/slipway/upload/v1/file_service_pb.js";
import { SessionService } from "../../gen/slipway/upload/v1/session_service_pb.js";
import type { UploadFileRequestSchema } from "../../gen/slipway/upload/v1/upload_pb.js";
import { openFolio } from "../support/folio.js";
import { uploadBody } from "../support/open-upload.js";
import { openVsphere } from "../support/vsphere.js";
import { benchPassword } from "./slipway-server.js";

/** Where a file goes; for the floor any names will do. */
export interface Place {
  readonly sessionId: string;
  readonly fileId: string;
  /** Where its content is sent, for the face that has a URL for that. */
  readonly path?: string;
}

export type ClientCommand =
  | { readonly kind: "connect"; readonly url: string; readonly token: string }
  /** Opens a session and adds a file to it; answers its `Place`. */
  | { readonly kind: "prepare" }
  /** Sends the file and checks the answer; answers an `UploadTiming`. */
  | { readonly kind: "upload"; readonly url: string; readonly place: Place }
  /** Reads the file back and checks every byte of it. */
  | { readonly kind: "readBack"; readonly place: Place }
  | { readonly kind: "remove"; readonly place: Place };

export interface UploadTiming {
  /** From the start of the stream to the answered success. */
  readonly seconds: number;
  /** What this process used meanwhile. */
  readonly cpuSeconds: number;
}

export type ClientAnswer =
  | { readonly kind: "ready"; readonly sha256: string }
  | { readonly kind: "done"; readonly result: unknown }
  | { readonly kind: "failed"; readonly message: string };

interface Clients {
  readonly url: string;
  readonly files: Client<typeof FileService>;
  readonly sessions: Client<typeof SessionService>;
}

const chunkBytes = 2 ** 20;
const chunkCount = 61;
/** Nothing that works at all is slower. */
const leastBytesPerSecond = 4 * 2 ** 20;

const [face, sizeWord] = process.argv.slice(2);
const sizeBytes = Number(sizeWord);
const chunks = Array.from({ length: chunkCount }, () => randomFillSync(new Uint8Array(chunkBytes)));
const deadlineMs = 30_000 + (sizeBytes / leastBytesPerSecond) * 1000;
const connected = new Map<string, Clients>();
let slipwayUrl = "";

/**
 * The content: random chunks in turn, each with its number stamped on it, so that no two are the same and any that is
 * lost or misplaced shows.
 */
function* content(): Generator<Uint8Array> {
  for (let number = 0, sent = 0; sent < sizeBytes; number++) {
    const chunk = chunks[number % chunkCount]!;
    new DataView(chunk.buffer).setUint32(0, number);
    const rest = sizeBytes - sent;
    sent += chunkBytes;
    yield rest < chunkBytes ? chunk.subarray(0, rest) : chunk;
  }
}

function digestOfContent(): string {
  const hash = createHash("sha256");
  for (const chunk of content()) hash.update(chunk);
  return hash.digest("hex");
}

async function* messages(place: Place): AsyncGenerator<MessageInitShape<typeof UploadFileRequestSchema>> {
  yield { message: { case: "start" as const, value: { ...place, offset: 0n } } };
  for (const data of content()) {
    yield { message: { case: "chunk" as const, value: { data: data as Uint8Array<ArrayBuffer> } } };
  }
  yield { message: { case: "finish" as const, value: {} } };
}

function clientsOf(url: string, token: string): Clients {
  const bearer: Interceptor = (next) => (request) => {
    if (token !== "") request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
  const common = { baseUrl: url, interceptors: [bearer], acceptCompression: [] };
  const transport =
    face === "grpc"
      ? createGrpcTransport({ ...common, nodeOptions: { settings: { initialWindowSize: 8 * 2 ** 20 } } })
      : createConnectTransport({
          ...common,
          httpVersion: "1.1",
          nodeOptions: { agent: new Agent({ keepAlive: true }) },
        });
  return { url, files: createClient(FileService, transport), sessions: createClient(SessionService, transport) };
}

/** Sends the content as the face does; answers what has to be right about the answer. */
async function send({ url, files }: Clients, place: Place): Promise<() => void> {
  if (face === "folio") {
    const folio = openFolio(url);
    const body = { bytes: content(), lengthBytes: sizeBytes };
    const { status, text } = await folio.upload(place.sessionId, place.fileId, body).finally(folio.close);
    return () => assertEqual(`the status (${text})`, status, 200);
  }
  if (face === "vsphere") {
    const target = { method: "PUT", url: url + (place.path ?? "/rest/") };
    const { status, text } = await uploadBody(target, { bytes: content(), lengthBytes: sizeBytes });
    return () => assertEqual(`the status (${text})`, status, 200);
  }
  const { file, committedOffset } = await files.uploadFile(messages(place), {
    signal: AbortSignal.timeout(deadlineMs),
  });
  return () => {
    const { checksums = [], sizeBytes: stored } = file?.content ?? {};
    const answered = checksums.find(({ algorithm }) => algorithm === ChecksumAlgorithm.SHA256)?.checksum;
    assertEqual("the committed offset", committedOffset, BigInt(sizeBytes));
    assertEqual("the size", stored, BigInt(sizeBytes));
    assertEqual("the SHA-256", answered, sha256);
  };
}

/** A new item in a new library, and a session on it. */
async function prepareItem(url: string, files: Clients["files"]): Promise<Place> {
  const vsphere = await openVsphere({ url }, { password: benchPassword });
  const sessionId = await vsphere.createSession(
    await vsphere.createItem(await vsphere.createLibrary(randomUUID()), "content"),
  );
  const spec = { name: "content", source_type: "PUSH", size: sizeBytes };
  const { upload_endpoint: endpoint } = await vsphere.add(sessionId, spec);
  const [file] = (await files.listFiles({ sessionId })).files;
  return { sessionId, fileId: file!.id, path: new URL(endpoint!.uri).pathname };
}

async function upload(clients: Clients, place: Place): Promise<UploadTiming> {
  const startCpu = process.cpuUsage();
  const start = performance.now();
  const check = await send(clients, place);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(startCpu);
  check();
  return { seconds, cpuSeconds: (user + system) / 1e6 };
}

async function readBack(files: Client<typeof FileService>, place: Place): Promise<void> {
  const hash = createHash("sha256");
  let read = 0;
  for await (const { data } of files.readFile(place, { signal: AbortSignal.timeout(deadlineMs) })) {
    hash.update(data);
    read += data.length;
  }
  assertEqual("the size read back", read, sizeBytes);
  assertEqual("the SHA-256 read back", hash.digest("hex"), sha256);
}

function assertEqual(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${what} is ${actual}, not ${expected}`);
}

async function obey(command: ClientCommand): Promise<unknown> {
  if (command.kind === "connect") {
    connected.set(command.url, clientsOf(command.url, command.token));
    if (command.token !== "") slipwayUrl = command.url;
    return undefined;
  }
  const clients = connected.get(command.kind === "upload" ? command.url : slipwayUrl)!;
  const { files, sessions } = clients;
  if (command.kind === "upload") return upload(clients, command.place);
  if (command.kind === "readBack") return readBack(files, command.place);
  if (command.kind === "prepare" && face === "folio") {
    const folio = openFolio(slipwayUrl);
    const { id, fileDefinitions } = await folio.create(["content"]).finally(folio.close);
    return { sessionId: id, fileId: fileDefinitions[0]!.id } satisfies Place;
  }
  if (command.kind === "prepare" && face === "vsphere") return prepareItem(slipwayUrl, files);
  if (command.kind === "prepare") {
    const { session } = await sessions.createSession({ clientToken: randomUUID() });
    const spec = { name: "content", sizeBytes: BigInt(sizeBytes) };
    const { file } = await files.addFile({ sessionId: session!.id, spec });
    return { sessionId: session!.id, fileId: file!.id } satisfies Place;
  }
  const { sessionId } = command.place;
  await sessions.cancelSession({ sessionId });
  await sessions.deleteSession({ sessionId });
  return undefined;
}

function answer(message: ClientAnswer): void {
  process.send!(message);
}

const sha256 = digestOfContent();
process.on("disconnect", () => process.exit(0));
process.on("message", (command: ClientCommand) => {
  obey(command).then(
    (result) => answer({ kind: "done", result }),
    (error: unknown) => answer({ kind: "failed", message: `${command.kind}: ${String(error)}` }),
  );
});
answer({ kind: "ready", sha256 });
