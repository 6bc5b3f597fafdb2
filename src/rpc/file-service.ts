import type { ServiceImpl } from "@connectrpc/connect";
import type { FileService } from "../../gen/slipway/upload/v1/file_service_pb.js";
import type { UploadFileRequest_Start, UploadPartRequest } from "../../gen/slipway/upload/v1/upload_pb.js";
import { type Deadlines, type PartResult, parseChecksums, UploadError, type Uploads } from "../core/index.js";
import { callOf, principalOf } from "./caller.js";
import { formatFile, parseChecksumInfo, parseSpec } from "./file-messages.js";
import { numberFrom, optionalNumberFrom } from "./numbers.js";
import { formatAttributes, formatSession, parseVisibility } from "./session-messages.js";
import { formatEndpoint, type OfferUpload } from "./upload-endpoint.js";
import { openUploadStream } from "./upload-stream.js";

/** `defaults`: the deadlines of the sessions that PutFile makes. */
export function createFileService(
  uploads: Uploads,
  defaults: Deadlines,
  offerUpload: OfferUpload,
): ServiceImpl<typeof FileService> {
  return {
    async addFile(request, context) {
      const input = { sessionId: request.sessionId, ...parseSpec(request.spec) };
      const { applied, ...view } = await uploads.addFile(input, callOf(context));
      return { file: formatFile(view.file), applied, ...formatEndpoint(offerUpload, view, context) };
    },

    async getFile(request, context) {
      const view = await uploads.getFile(request, callOf(context));
      return { file: formatFile(view.file), ...formatEndpoint(offerUpload, view, context) };
    },

    async listFiles(request, context) {
      const page = { size: request.pageSize, cursor: request.pageToken };
      const files = await uploads.listFiles({ sessionId: request.sessionId, page }, callOf(context));
      return { files: files.things.map(formatFile), nextPageToken: files.nextCursor ?? "" };
    },

    async removeFile(request, context) {
      await uploads.removeFile(request, callOf(context));
      return {};
    },

    async uploadFile(requests, context) {
      const principal = principalOf(context);
      const { start, body, ending, close } = await openUploadStream(requests, () => principal.use());
      const place = parsePlace(start);
      const result = await uploads.writePart({ ...place, body, ending }, callOf(context)).finally(close);
      if (result.file.state !== "ready") {
        throw new UploadError("incomplete", `the stream ended at ${result.offset} without a finish`, {
          reason: "FINISH_MISSING",
          expectedOffset: result.offset,
        });
      }
      return formatResult(result);
    },

    async uploadPart(request, context) {
      const { data, checksum, finish } = request;
      // Known before the bytes are, so checked before they are: what is wrong here changes nothing.
      const checksums = parseChecksums(request.fileChecksums.map(parseChecksumInfo));
      const result = await uploads.writePart(
        {
          ...parsePlace(request),
          lengthBytes: data.length,
          ...(checksum && { checksum: parseChecksumInfo(checksum) }),
          body: once(data),
          ending: () => ({ finish, checksums }),
        },
        callOf(context),
      );
      return formatResult(result);
    },

    async putFile(request, context) {
      const { session, file, applied } = await uploads.putFile(
        {
          ...(request.clientToken === "" ? {} : { clientToken: request.clientToken }),
          ...(request.itemId === undefined ? {} : { itemId: request.itemId }),
          visibility: parseVisibility(request.visibility),
          origin: "rpc",
          label: request.label,
          attributes: formatAttributes(request.attributes ?? {}),
          deadlines: defaults,
          spec: parseSpec(request.spec),
          data: request.data,
        },
        callOf(context),
      );
      return { session: formatSession(session), file: formatFile(file), applied };
    },

    async getUploadStatus(request, context) {
      const status = await uploads.getUploadStatus(request, callOf(context));
      return status.kind === "finished"
        ? { status: { case: "finishedFile" as const, value: formatFile(status.file) } }
        : { status: { case: "committedOffset" as const, value: BigInt(status.offset) } };
    },

    async *readFile(request, context) {
      const { sessionId, fileId } = request;
      const offset = numberFrom(request.offset, "offset");
      const limit = optionalNumberFrom(request.limit, "limit");
      const { file, body } = await uploads.readFile({ sessionId, fileId, offset, limit }, callOf(context));
      yield { file: formatFile(file) };
      for await (const data of body) yield { data: data as Uint8Array<ArrayBuffer> };
    },
  };
}

function parsePlace(request: UploadFileRequest_Start | UploadPartRequest) {
  return {
    sessionId: request.sessionId,
    fileId: request.fileId,
    offset: numberFrom(request.offset, "offset"),
    restart: request.restart,
    sizeBytes: optionalNumberFrom(request.sizeBytes, "size"),
  };
}

async function* once(data: Uint8Array): AsyncIterable<Uint8Array> {
  yield data;
}

function formatResult(result: PartResult) {
  return { file: formatFile(result.file), committedOffset: BigInt(result.offset), applied: result.applied };
}
