// The floor of UploadFile: the listener, the adapter and the windows of the real server, and a handler that does what
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
import { maxMessageBytes } from "../../src/rpc/routes.js";
import { listen } from "../../src/server/listen.js";

const folder = process.argv[2];
if (folder === undefined) throw new Error("which folder?");

async function uploadFile(requests: AsyncIterable<UploadFileRequest>) {
  const handle = await open(join(folder!, randomUUID()), "wx", 0o600);
  const hash = createHash("sha256");
  let sizeBytes = 0;
  let finished = false;
  try {
    for await (const { message } of requests) {
      if (message.case === "chunk") {
        const { data } = message.value;
        const writing = writeAll(handle, data, sizeBytes);
        hash.update(data);
        await writing;
        sizeBytes += data.length;
      } else if (message.case === "finish") finished = true;
    }
    if (!finished) throw new ConnectError("the stream ended without a finish", Code.FailedPrecondition);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  const checksums = [{ algorithm: ChecksumAlgorithm.SHA256, checksum: hash.digest("hex") }];
  const file = { state: FileState.READY, content: { sizeBytes: BigInt(sizeBytes), checksums } };
  return { file, committedOffset: BigInt(sizeBytes), applied: true };
}

async function writeAll(handle: FileHandle, data: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < data.length; ) {
    const { bytesWritten } = await handle.write(data, at, data.length - at, position + at);
    at += bytesWritten;
  }
}

const listener = await listen({
  host: "127.0.0.1",
  onError: (error) => console.error(error),
  port: 0,
  handler: connectNodeAdapter({
    routes: (router) => void router.service(FileService, { uploadFile }),
    readMaxBytes: maxMessageBytes,
    acceptCompression: [compressionGzip],
  }),
  maxBufferedBytes: defaultLimits.maxBufferedBytes,
});
const leave = () => process.exit(0);
process.on("SIGTERM", leave);
process.on("disconnect", leave);
process.stdout.write(`listening on ${listener.url}\n`);
