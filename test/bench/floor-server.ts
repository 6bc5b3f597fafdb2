// The floor of UploadFile, and of a body of HTTP/1.1: the listener, the adapter and the windows of the real server, and a handler that does what
// any honest upload must: hash SHA-256 (beside the write), write, sync once at the end. No metadata, no checkpoints, no
// login. Words: the folder to write to.
import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { compressionGzip, connectNodeAdapter } from "@connectrpc/connect-node";
import { ChecksumAlgorithm } from "../../gen/slipway/upload/v1/checksum_pb.js";
import { FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import { FileService } from "../../gen/slipway/upload/v1/file_service_pb.js";
import type { UploadFileRequest } from "../../gen/slipway/upload/v1/upload_pb.js";
import { defaultLimits } from "../../src/core/index.js";
import { maxMessageBytes } from "../../src/rpc/message-size.js";
import { listen, type NodeHandler } from "../../src/server/listen.js";

const folder = process.argv[2];
if (folder === undefined) throw new Error("which folder?");

async function store(chunks: AsyncIterable<Uint8Array>): Promise<{ sizeBytes: number; sha256: string }> {
  const handle = await open(join(folder!, randomUUID()), "wx", 0o600);
  const hash = createHash("sha256");
  let sizeBytes = 0;
  try {
    for await (const data of chunks) {
      const writing = writeAll(handle, data, sizeBytes);
      hash.update(data);
      await writing;
      sizeBytes += data.length;
    }
    await handle.datasync();
  } finally {
    await handle.close();
  }
  return { sizeBytes, sha256: hash.digest("hex") };
}

async function uploadFile(requests: AsyncIterable<UploadFileRequest>) {
  async function* chunks() {
    let finished = false;
    for await (const { message } of requests) {
      if (message.case === "chunk") yield message.value.data;
      else if (message.case === "finish") finished = true;
    }
    if (!finished) throw new ConnectError("the stream ended without a finish", Code.FailedPrecondition);
  }
  const { sizeBytes, sha256 } = await store(chunks());
  const checksums = [{ algorithm: ChecksumAlgorithm.SHA256, checksum: sha256 }];
  const file = { state: FileState.READY, content: { sizeBytes: BigInt(sizeBytes), checksums } };
  return { file, committedOffset: BigInt(sizeBytes), applied: true };
}

/** Anything below these paths is a file, as FOLIO's face and VMware's have it. */
const rawPaths = ["/data-import/", "/rest/"];

const handleRaw: NodeHandler = (request, response) => {
  store(request as AsyncIterable<Uint8Array>).then(
    (stored) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(stored));
    },
    (error: unknown) => {
      console.error(error);
      response.destroy();
    },
  );
};

async function writeAll(handle: FileHandle, data: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < data.length; ) {
    const { bytesWritten } = await handle.write(data, at, data.length - at, position + at);
    at += bytesWritten;
  }
}

const handleRpc = connectNodeAdapter({
  routes: (router) => void router.service(FileService, { uploadFile }),
  readMaxBytes: maxMessageBytes,
  acceptCompression: [compressionGzip],
});
const listener = await listen({
  host: "127.0.0.1",
  onError: (error) => console.error(error),
  port: 0,
  handler: (request, response) =>
    (rawPaths.some((path) => request.url?.startsWith(path)) ? handleRaw : handleRpc)(request, response),
  maxBufferedBytes: defaultLimits.maxBufferedBytes,
});
const leave = () => process.exit(0);
process.on("SIGTERM", leave);
process.on("disconnect", leave);
process.stdout.write(`listening on ${listener.url}\n`);
