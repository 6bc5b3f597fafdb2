// The rows of a tenant's file extensions.
import { createRoute } from "../kit/index.js";
import { jsonAnswer, noContent } from "./answers.js";
import type { FolioCall } from "./call.js";
import type { DateOffset } from "./dates.js";
import { type FolioFacts, needing } from "./facts.js";
import { formatExtension } from "./file-extension.js";
import { readListWords } from "./list-words.js";
import { readFileExtension } from "./schema.js";
import type { FolioServices } from "./services.js";

const route = createRoute<FolioServices, FolioFacts, FolioCall>();

const json = "application/json";
const extensions = "/data-import/fileExtensions";

export function createExtensionRows(offset: DateOffset) {
  return [
    route(`GET ${extensions}`, {
      facts: needing("fileExtensions.collection.get"),
      read: (r) => readListWords(r),
      run: (services) => services.extensions.find,
      write: ({ things, total }) =>
        jsonAnswer(200, { fileExtensions: things.map(formatExtension), totalRecords: total }, offset),
    }),
    route(`POST ${extensions}`, {
      facts: needing("fileExtensions.post", json),
      read: async (r) => ({ words: readFileExtension(await r.json()) }),
      run: (services) => services.extensions.create,
      write: (made) => jsonAnswer(201, formatExtension(made), offset),
    }),
    route(`GET ${extensions}/{id}`, {
      facts: needing("fileExtensions.item.get"),
      read: (r) => r.params,
      run: (services) => services.extensions.get,
      write: (found) => jsonAnswer(200, formatExtension(found), offset),
    }),
    route(`PUT ${extensions}/{id}`, {
      facts: needing("fileExtensions.put", json),
      read: async (r) => ({ ...r.params, words: readFileExtension(await r.json()) }),
      run: (services) => services.extensions.update,
      write: (changed) => jsonAnswer(200, formatExtension(changed), offset),
    }),
    route(`DELETE ${extensions}/{id}`, {
      facts: needing("fileExtensions.delete"),
      read: (r) => r.params,
      run: (services) => services.extensions.remove,
      write: () => noContent,
    }),
    route(`POST ${extensions}/restore/default`, {
      facts: needing("fileExtensions.default.post"),
      read: () => ({}),
      run: (services) => services.extensions.restoreDefaults,
      write: (things) =>
        jsonAnswer(200, { fileExtensions: things.map(formatExtension), totalRecords: things.length }, offset),
    }),
  ];
}
