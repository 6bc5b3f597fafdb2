// FOLIO's dialect as its clients speak it, behind a gateway that says who asks.
import { once } from "node:events";
import { Agent, type ClientRequest, type IncomingMessage, request as openRequest } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** The setting under which a server believes what the headers say. */
export const trustOkapi = { SLIPWAY_FOLIO_TRUST_OKAPI: "1" };

export interface FolioFile {
  readonly id: string;
  readonly name: string;
  readonly status: "NEW" | "UPLOADING" | "UPLOADED" | "ERROR";
  readonly uiKey?: string;
  readonly sourcePath?: string;
  readonly uploadedDate?: string;
}

export interface FolioDefinition {
  readonly id: string;
  readonly status: "NEW" | "IN_PROGRESS" | "LOADED" | "COMPLETED" | "ERROR";
  readonly fileDefinitions: readonly FolioFile[];
}

export interface FolioAnswer {
  readonly status: number;
  readonly text: string;
}

/** Bytes of a file; `lengthBytes` announces them (undefined: chunked). */
export interface FolioBody {
  readonly bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  readonly lengthBytes?: number | undefined;
}

/** An upload that goes on for as long as its test wants it to. */
export interface OpenUpload {
  /** Resolves once the bytes have been taken over by the system. */
  send(bytes: Uint8Array): Promise<void>;
  end(): void;
  /** Goes away without a word. */
  cut(): void;
  /** Rejects when the connection ends without one; never before it is awaited. */
  readonly answer: Promise<FolioAnswer>;
}

export interface FolioClient {
  /** Throws what broke the connection; what does not answer this status is thrown, too. */
  create(names: readonly string[]): Promise<FolioDefinition>;
  get(id: string): Promise<FolioAnswer>;
  /** As `get`, of one that has to be there. */
  read(id: string): Promise<FolioDefinition>;
  remove(id: string): Promise<FolioAnswer>;
  removeFile(id: string, fileId: string): Promise<FolioAnswer>;
  upload(id: string, fileId: string, body: FolioBody): Promise<FolioAnswer>;
  begin(id: string, fileId: string, lengthBytes?: number): OpenUpload;
  close(): void;
}

const definitions = "/data-import/uploadDefinitions";

/** A user of the tenant that the tests' administrator is of, so that typed clients can read what it sends. */
export function openFolio(url: string, userId = "5e1fd0eb-64bf-5d4a-b6ed-bb0889008bbc"): FolioClient {
  const agent = new Agent({ keepAlive: true });
  const who = { "x-okapi-tenant": "default", "x-okapi-user-id": userId };

  function start(method: string, path: string, headers: Readonly<Record<string, string>> = {}) {
    const request = openRequest(url + path, { method, agent, headers: { ...who, ...headers } });
    const answer = new Promise<FolioAnswer>((resolve, reject) => {
      request.on("error", reject);
      request.on("response", (response) => void readAnswer(response).then(resolve, reject));
    });
    answer.catch(() => undefined);
    return { request, answer };
  }
  function startUpload(id: string, fileId: string, lengthBytes: number | undefined) {
    const length = lengthBytes === undefined ? undefined : { "content-length": String(lengthBytes) };
    const headers = { "content-type": "application/octet-stream", ...(length ?? { "transfer-encoding": "chunked" }) };
    return start("POST", `${definitions}/${id}/files/${fileId}`, headers);
  }
  async function ask(method: string, path: string, json?: unknown): Promise<FolioAnswer> {
    const { request, answer } = start(method, path, json === undefined ? {} : { "content-type": "application/json" });
    request.end(json === undefined ? undefined : JSON.stringify(json));
    return answer;
  }
  async function expectStatus(status: number, asked: Promise<FolioAnswer>): Promise<FolioDefinition> {
    const answer = await asked;
    if (answer.status !== status) throw new Error(`answered ${answer.status}: ${answer.text}`);
    return definitionOf(answer);
  }
  const get = (id: string) => ask("GET", `${definitions}/${id}`);
  return {
    create: (names) =>
      expectStatus(201, ask("POST", definitions, { fileDefinitions: names.map((name) => ({ name })) })),
    get,
    read: (id) => expectStatus(200, get(id)),
    remove: (id) => ask("DELETE", `${definitions}/${id}`),
    removeFile: (id, fileId) => ask("DELETE", `${definitions}/${id}/files/${fileId}`),
    async upload(id, fileId, { bytes, lengthBytes }) {
      const { request, answer } = startUpload(id, fileId, lengthBytes);
      // An answer that comes before the end of the body counts; what broke the connection is told by the answer.
      pipeline(Readable.from(bytes), request).catch(() => undefined);
      return answer;
    },
    begin(id, fileId, lengthBytes) {
      const { request, answer } = startUpload(id, fileId, lengthBytes);
      request.flushHeaders();
      return {
        answer,
        send: (bytes) => send(request, bytes),
        end: () => void request.end(),
        cut: () => void request.destroy(),
      };
    },
    close: () => agent.destroy(),
  };
}

export function definitionOf({ text }: FolioAnswer): FolioDefinition {
  return JSON.parse(text) as FolioDefinition;
}

/** The one with this id. Fails where there is none. */
export function fileOf({ fileDefinitions }: FolioDefinition, id: string): FolioFile {
  const found = fileDefinitions.find((file) => file.id === id);
  if (found === undefined) throw new Error(`the definition has no file ${id}`);
  return found;
}

async function send(request: ClientRequest, bytes: Uint8Array): Promise<void> {
  if (!request.write(bytes)) await Promise.race([once(request, "drain"), once(request, "close")]);
}

async function readAnswer(response: IncomingMessage): Promise<FolioAnswer> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  return { status: response.statusCode ?? 0, text };
}
