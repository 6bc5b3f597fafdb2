// Definitions and files as the API shows them, members in its order, with names where ids and times are.
import type { Exchange, Json } from "./exchanges.js";
import { ann, definitionsPath, okapi } from "./folio-server.js";

export type Members = Readonly<Record<string, Json>>;

export const json = { "content-type": "application/json" };
export const bytes = { "content-type": "application/octet-stream" };
export const at = (path: string) => `${definitionsPath}${path}`;

export const file = (id: string, name: string, more: Members = {}): Members => ({
  id: `<${id}>`,
  ...("uploadedDate" in more && { sourcePath: `./storage/upload/<definition>/<${id}>/${name}` }),
  name,
  status: "NEW",
  jobExecutionId: `<${id}Job>`,
  uploadDefinitionId: "<definition>",
  createDate: "<at:created>",
  ...more,
});

/** A file that came to the definition later, and so has no job. */
export const laterFile = (id: string, name: string, more: Members = {}): Members => {
  const { jobExecutionId: _, ...members } = file(id, name, { createDate: `<at:${id}Created>`, ...more });
  return members;
};

export const uploaded = (id: string): Members => ({ status: "UPLOADED", uploadedDate: `<at:${id}Uploaded>` });

export const definition = (status: string, files: readonly Members[], more: Members = {}): Members => ({
  id: "<definition>",
  metaJobExecutionId: "<job>",
  status,
  createDate: "<at:asked>",
  fileDefinitions: files,
  metadata: {
    createdDate: "<at:created>",
    createdByUserId: ann,
    updatedDate: "<at:created>",
    updatedByUserId: ann,
  },
  ...more,
});

export const create = (name: string, body: Json, expected: Exchange["expect"], headers = okapi()): Exchange => ({
  name,
  send: { method: "POST", path: definitionsPath, headers: { ...headers, ...json }, body },
  expect: expected,
});

export const read = (name: string, body: Json, headers = okapi()): Exchange => ({
  name,
  send: { method: "GET", path: at("/<definition>"), headers },
  expect: { status: 200, body },
});

export const put = (name: string, body: Json, expected: Exchange["expect"], headers = okapi()): Exchange => ({
  name,
  send: { method: "PUT", path: at("/<definition>"), headers: { ...headers, ...json }, body },
  expect: expected,
});

export const addFile = (name: string, body: Json, expected: Exchange["expect"], headers = okapi()): Exchange => ({
  name,
  send: { method: "POST", path: at("/<definition>/files"), headers: { ...headers, ...json }, body },
  expect: expected,
});

export const upload = (
  name: string,
  fileId: string,
  content: Uint8Array | readonly Uint8Array[],
  body: Json,
  headers = okapi(),
): Exchange => ({
  name,
  send: {
    method: "POST",
    path: at(`/<definition>/files/<${fileId}>`),
    headers: { ...headers, ...bytes },
    body: content,
  },
  expect: { status: 200, body },
});

export const remove = (name: string, path: string, headers = okapi()): Exchange => ({
  name,
  send: { method: "DELETE", path: at(path), headers },
  expect: { status: 204 },
});

/** The same, refused with plain text. */
export const refused = (exchange: Exchange, status: number, body: string): Exchange => ({
  ...exchange,
  expect: { status, body },
});

/** One error of a list, as rules of the schema are told. */
export const violation = (key: string, constraint: string, message: string, value: string): Members => ({
  message,
  type: "1",
  code: `jakarta.validation.constraints.${constraint}.message`,
  parameters: [{ key, value }],
});
