import type { ServiceImpl } from "@connectrpc/connect";
import type { BlobService } from "../../gen/slipway/upload/v1/blob_service_pb.js";
import type { Uploads } from "../core/index.js";
import { formatBlob, formatStored, parseRef } from "./blob-messages.js";
import { blobsOf } from "./blob-stream.js";
import { callOf, principalOf } from "./caller.js";
import { numberFrom, optionalNumberFrom } from "./numbers.js";

export function createBlobService(uploads: Uploads): ServiceImpl<typeof BlobService> {
  return {
    async statBlobs(request, context) {
      const blobs = await uploads.statBlobs({ refs: request.refs.map(parseRef) }, callOf(context));
      return { blobs: blobs.map(formatBlob) };
    },

    async uploadBlobs(requests, context) {
      const principal = principalOf(context);
      const blobs = blobsOf(requests, () => principal.use());
      const answers = [];
      for await (const stored of uploads.putBlobs({ blobs }, callOf(context))) answers.push(formatStored(stored));
      return { blobs: answers };
    },

    async *readBlob(request, context) {
      const offset = numberFrom(request.offset, "offset");
      const limit = optionalNumberFrom(request.limit, "limit");
      const { blob, body } = await uploads.readBlob({ ref: parseRef(request.ref), offset, limit }, callOf(context));
      yield { blob: formatBlob(blob) };
      for await (const data of body) yield { data: data as Uint8Array<ArrayBuffer> };
    },

    async listBlobs(request, context) {
      const page = { size: request.pageSize, cursor: request.pageToken };
      const blobs = await uploads.listBlobs({ page }, callOf(context));
      return { blobs: blobs.things.map(formatBlob), nextPageToken: blobs.nextCursor ?? "" };
    },

    async removeBlobs(request, context) {
      const { removed } = await uploads.removeBlobs({ refs: request.refs.map(parseRef) }, callOf(context));
      return { removedCount: removed };
    },

    async publishFile(request, context) {
      return formatStored(await uploads.publishFile(request, callOf(context)));
    },
  };
}
