// The rest of what clients of `/data-import` ask for: what the module can do, and what it does not do here.
import { createRoute } from "../kit/index.js";
import { jsonAnswer } from "./answers.js";
import type { FolioCall } from "./call.js";
import { FolioRefusal, textAnswer } from "./errors.js";
import { type FolioFacts, needing } from "./facts.js";
import { dataTypes } from "./schema.js";
import type { FolioServices } from "./services.js";

const route = createRoute<FolioServices, FolioFacts, FolioCall>();

/** Large files are sent whole: this is what clients decide by, and they never ask for the rest. */
const splitStatus = { splitStatus: false };

const asked = { read: () => undefined, run: () => async () => undefined };

/**
 * A row that is there to say what is not: clients get the answer that the API has for such a failure, and nothing is ever
 * written but that.
 */
function refused(status: 404 | 500 | 501, text: string) {
  return {
    read: asked.read,
    run: () => async (): Promise<never> => {
      throw new FolioRefusal(status, text);
    },
    write: (nothing: never) => nothing,
  };
}

const noSplitting = "Uploads in parts to S3 are not available here: splitStatus is false";
const definition = "/data-import/uploadDefinitions/{id}";

export const moduleRows = [
  route("GET /data-import/splitStatus", {
    facts: needing("splitconfig.get"),
    ...asked,
    write: () => jsonAnswer(200, splitStatus),
  }),
  route("GET /data-import/dataTypes", {
    facts: needing("datatypes.get"),
    ...asked,
    write: () => jsonAnswer(200, { dataTypes, totalRecords: dataTypes.length }),
  }),
  route("GET /data-import/uploadUrl", { facts: needing("uploadUrl.item.get"), ...refused(501, noSplitting) }),
  route("GET /data-import/uploadUrl/subsequent", {
    facts: needing("uploadUrl.subsequent.item.get"),
    ...refused(501, noSplitting),
  }),
  route(`POST ${definition}/files/{fileId}/assembleStorageFile`, {
    facts: needing("assembleStorageFile.post", "application/json"),
    ...refused(501, noSplitting),
  }),
  route("GET /data-import/jobExecutions/{id}/downloadUrl", {
    facts: needing("downloadUrl.get"),
    ...refused(404, "Not found"),
  }),
  route("DELETE /data-import/jobExecutions/{id}/cancel", {
    facts: needing("jobexecution.cancel"),
    ...refused(500, "Jobs are run elsewhere: there is none to cancel here"),
  }),
  route("GET /admin/health", { facts: {}, ...asked, write: () => textAnswer(200, "OK") }),
];
