import type {
  UploadFileRequest,
  UploadFileRequest_Chunk,
  UploadFileRequest_Finish,
  UploadFileRequest_Start,
} from "../../gen/slipway/upload/v1/upload_pb.js";
import { crc32c, invalid, type PartEnding, UploadError } from "../core/index.js";
import { parseChecksumInfo } from "./file-messages.js";
import { optionalNumberFrom } from "./numbers.js";

/** A client stream taken apart: its start, the bytes of its chunks, and how it ended. */
export interface UploadStream {
  readonly start: UploadFileRequest_Start;
  readonly body: AsyncIterable<Uint8Array>;
  /** Whether a finish marker came, and what it said; asked after the body has ended. */
  ending(): PartEnding;
  /** Lets go of what was not read. */
  close(): void;
}

/**
 * Reads up to the start, which must come first. A stream that merely ends has not finished anything: a cancelled one
 * ends just the same (P11). `use` is called for every chunk, and what it throws ends the body.
 */
export async function openUploadStream(
  requests: AsyncIterable<UploadFileRequest>,
  use: () => void,
): Promise<UploadStream> {
  const iterator = requests[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true || first.value.message.case !== "start") throw outOfOrder("the first message is no start");
  let finish: UploadFileRequest_Finish | undefined;
  let position = Number(first.value.message.value.offset);

  async function* body(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const { done, value } = await iterator.next();
      if (done === true) return;
      const { message } = value;
      if (finish !== undefined) throw outOfOrder("a message came after the finish");
      if (message.case === "chunk") {
        use();
        assertCrc(message.value, position);
        position += message.value.data.length;
        yield message.value.data;
      } else if (message.case === "finish") finish = message.value;
      else throw outOfOrder(message.case === "start" ? "a second start came" : "a message is empty");
    }
  }
  return {
    start: first.value.message.value,
    body: body(),
    close: () => void iterator.return?.().catch(() => undefined),
    ending: () => ({
      finish: finish !== undefined,
      sizeBytes: optionalNumberFrom(finish?.sizeBytes, "size"),
      checksums: (finish?.checksums ?? []).map(parseChecksumInfo),
    }),
  };
}

function assertCrc(chunk: UploadFileRequest_Chunk, position: number): void {
  if (chunk.crc32c === undefined) return;
  const actual = crc32c(chunk.data);
  if (actual === chunk.crc32c) return;
  const hex = (value: number) => value.toString(16).padStart(8, "0");
  throw new UploadError("checksum_mismatch", `crc32c of the chunk at ${position} is ${hex(actual)}, not as declared`, {
    reason: "CHECKSUM_DIFFERS",
    declared: hex(chunk.crc32c),
    actual: hex(actual),
  });
}

function outOfOrder(message: string): UploadError {
  return invalid("STREAM_ORDER", message);
}
