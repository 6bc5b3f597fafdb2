// FOLIO's dialect as its clients speak it, behind a gateway that says who asks.
import { Agent } from "node:http";
import {
  beginUpload,
  type OpenUpload,
  startRequest,
  type TextAnswer as FolioAnswer,
  type UploadBody as FolioBody,
  uploadBody,
} from "./open-upload.js";

export type { FolioAnswer, FolioBody };

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

  const target = (method: string, path: string, headers: Readonly<Record<string, string>> = {}) => ({
    method,
    url: url + path,
    headers: { ...who, ...headers },
    agent,
  });
  const place = (id: string, fileId: string) =>
    target("POST", `${definitions}/${id}/files/${fileId}`, { "content-type": "application/octet-stream" });
  async function ask(method: string, path: string, json?: unknown): Promise<FolioAnswer> {
    const headers = json === undefined ? {} : { "content-type": "application/json" };
    const { request, answer } = startRequest(target(method, path, headers));
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
    upload: (id, fileId, body) => uploadBody(place(id, fileId), body),
    begin: (id, fileId, lengthBytes) => beginUpload(place(id, fileId), lengthBytes),
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
