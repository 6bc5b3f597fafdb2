import type { File } from "../../../gen/slipway/upload/v1/file_pb.js";
import type { UploadClient } from "../connection/client.js";
import { createStallGuard, type StallGuard } from "../connection/stall-guard.js";
import { sha256Info } from "./content-hash.js";
import type { Sending } from "./upload-file.js";
import { assertAnswered } from "./upload-standing.js";

/** A connection that takes no chunk for so long is as good as gone. */
const stalledMs = 120_000;
/** Before it answers, the server may have to hash what it has from before. */
const slowestHashBytesPerMs = 50_000;

type Messages = Parameters<UploadClient["files"]["uploadFile"]>[0];

/** Sends everything from an offset on in one stream, with the checksum of the whole file at its end. */
export async function sendStream(sending: Sending, offset: number): Promise<File> {
  const { deps } = sending;
  const guard = createStallGuard(deps.signal, stalledMs);
  // A failure of our own, such as a file that changed, would come out of the call as one of the connection's.
  const own: { error?: unknown } = {};
  try {
    const { file } = await guard.send(messagesFrom(sending, offset, guard, own), (messages) =>
      deps.client.files.uploadFile(messages, { signal: guard.signal }),
    );
    return assertAnswered(file);
  } catch (error) {
    throw own.error ?? error;
  }
}

async function* messagesFrom(sending: Sending, offset: number, guard: StallGuard, own: { error?: unknown }): Messages {
  const { deps, fileId, local, hash, tally } = sending;
  const { sizeBytes } = local;
  const readAt = (position: number) => {
    const read = local.read(position, Math.min(deps.chunkBytes, sizeBytes - position));
    // It is awaited a turn later, or never when the connection is gone.
    read.catch(() => undefined);
    return read;
  };
  try {
    yield { message: { case: "start", value: { sessionId: deps.sessionId, fileId, offset: BigInt(offset) } } };
    let next = readAt(offset);
    for (let position = offset; position < sizeBytes; ) {
      const data = await next;
      const end = position + data.length;
      // The last byte makes the file whole: it is not sent of a file that is no longer what it was.
      if (end === sizeBytes) await local.assertUnchanged();
      else next = readAt(end);
      hash.take(position, data);
      tally.handed(position, data.length);
      yield { message: { case: "chunk", value: { data } } };
      position = end;
    }
    guard.allow(sizeBytes / slowestHashBytesPerMs);
    yield { message: { case: "finish", value: { checksums: [sha256Info(hash.digest())] } } };
  } catch (error) {
    own.error = error;
    throw error;
  }
}
