// Many uploads at the same time, each over a connection of its own, in every protocol in turn.
import { createHash } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { ChecksumAlgorithm } from "../../gen/slipway/upload/v1/checksum_pb.js";
import type { UploadFileRequestSchema } from "../../gen/slipway/upload/v1/upload_pb.js";
import { pseudoRandom } from "./bodies.js";
import { openClient, type TestClient, type Wire, wires } from "./client.js";

export interface UploadLoad {
  readonly count: number;
  readonly sizeBytes: number;
  readonly chunkBytes: number;
  /** How long each upload waits after each chunk; undefined: not at all. */
  readonly pauseMs?: number;
  readonly wires?: readonly Wire[];
}

/** Resolves once all of them are answered, each with the checksum of what was sent. */
export async function uploadMany(
  server: Parameters<typeof openClient>[0],
  { count, sizeBytes, chunkBytes, pauseMs, wires: over = wires }: UploadLoad,
): Promise<void> {
  const chunk = pseudoRandom(chunkBytes) as Uint8Array<ArrayBuffer>;
  const hash = createHash("sha256");
  for (let sent = 0; sent < sizeBytes; sent += chunkBytes) hash.update(chunk);
  const sha256 = hash.digest("hex");

  async function* messages(place: {
    readonly sessionId: string;
    readonly fileId: string;
  }): AsyncGenerator<MessageInitShape<typeof UploadFileRequestSchema>> {
    yield { message: { case: "start", value: place } };
    for (let sent = 0; sent < sizeBytes; sent += chunkBytes) {
      yield { message: { case: "chunk", value: { data: chunk } } };
      if (pauseMs !== undefined) await wait(pauseMs);
    }
    yield { message: { case: "finish", value: {} } };
  }
  async function upload(client: TestClient, number: number): Promise<void> {
    const { session } = await client.sessions.createSession({});
    const sessionId = session?.id ?? "";
    const { file } = await client.files.addFile({ sessionId, spec: { name: `${number}.bin` } });
    const answer = await client.files.uploadFile(messages({ sessionId, fileId: file?.id ?? "" }));
    const stored = answer.file?.content?.checksums.find(({ algorithm }) => algorithm === ChecksumAlgorithm.SHA256);
    if (stored?.checksum !== sha256) throw new Error(`upload ${number} was stored as ${stored?.checksum}`);
    await client.sessions.cancelSession({ sessionId });
  }
  await Promise.all(
    Array.from({ length: count }, async (_, number) => {
      const client = openClient(server, over[number % over.length]);
      await upload(client, number).finally(() => client.close());
    }),
  );
}
