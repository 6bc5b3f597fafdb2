// The rows of upload definitions. What each needs of whoever asks stands beside it, by the name that FOLIO gives it.
import { createRoute, type RawBody } from "../kit/index.js";
import { jsonAnswer, listAnswer, noContent } from "./answers.js";
import type { FolioCall } from "./call.js";
import type { DateOffset } from "./dates.js";
import { type FolioFacts, needing } from "./facts.js";
import { readListWords } from "./list-words.js";
import { readFileDefinition, readProcessFiles, readUploadDefinition } from "./schema.js";
import type { FolioServices } from "./services.js";
import { wireDefinition } from "./wire.js";

const route = createRoute<FolioServices, FolioFacts, FolioCall>();

const json = "application/json";
const bytes = "application/octet-stream";

const definitions = "/data-import/uploadDefinitions";

/** `offset`: how dates are written. */
export function createDefinitionRows(offset: DateOffset) {
  return [
    route(`POST ${definitions}`, {
      facts: needing("uploaddefinitions.post", json),
      read: async (r) => readUploadDefinition(await r.json()),
      run: (services) => services.definitions.create,
      write: (made) => jsonAnswer(201, wireDefinition(made), offset),
    }),
    route(`GET ${definitions}`, {
      facts: needing("uploadDefinitions.collection.get"),
      read: (r) => readListWords(r),
      run: (services) => services.definitions.list,
      write: ({ things, total }) => listAnswer({ member: "uploadDefinitions", things, total }, wireDefinition, offset),
    }),
    route(`GET ${definitions}/{id}`, {
      facts: needing("uploadDefinitions.item.get"),
      read: (r) => r.params,
      run: (services) => services.definitions.get,
      write: (found) => jsonAnswer(200, wireDefinition(found), offset),
    }),
    route(`PUT ${definitions}/{id}`, {
      facts: needing("uploaddefinitions.put", json),
      read: async (r) => ({ ...r.params, words: readUploadDefinition(await r.json()) }),
      run: (services) => services.definitions.update,
      write: ({ definition, metadata }) => jsonAnswer(200, wireDefinition(definition, metadata), offset),
    }),
    route(`DELETE ${definitions}/{id}`, {
      facts: needing("uploaddefinitions.delete"),
      read: (r) => r.params,
      run: (services) => services.definitions.remove,
      write: () => noContent,
    }),
    route(`POST ${definitions}/{id}/files`, {
      facts: needing("uploadDefinitions.files.item.post", json),
      read: async (r) => ({ ...r.params, words: readFileDefinition(await r.json()) }),
      run: (services) => services.definitions.addFile,
      write: (changed) => jsonAnswer(201, wireDefinition(changed), offset),
    }),
    route(`DELETE ${definitions}/{id}/files/{fileId}`, {
      facts: needing("uploaddefinitions.files.delete"),
      read: (r) => r.params,
      run: (services) => services.definitions.removeFile,
      write: () => noContent,
    }),
    route(`POST ${definitions}/{id}/files/{fileId}`, {
      facts: needing("upload.file.post", bytes),
      read: (r): { id: string; fileId: string; body: RawBody } => ({ ...r.params, body: r.raw() }),
      run: (services) => services.definitions.upload,
      write: (changed) => jsonAnswer(200, wireDefinition(changed), offset),
    }),
    route(`POST ${definitions}/{id}/processFiles`, {
      facts: needing("uploadDefinitions.processFiles.item.post", json),
      read: async (r) => readProcessFiles(await r.json()),
      run: (services) => services.definitions.process,
      write: () => noContent,
    }),
  ];
}
