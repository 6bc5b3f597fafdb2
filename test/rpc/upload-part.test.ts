import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ChecksumAlgorithm } from "../../gen/slipway/upload/v1/checksum_pb.js";
import { FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import { pseudoRandom } from "../support/bodies.js";
import { refusalOf, type TestClient } from "../support/client.js";
import { addFile, readBack, sendPart, startSession, statusOf, storeFile, useServer } from "./scene.js";

const server = useServer();
const content = pseudoRandom(300_000);
const bytes = content as Uint8Array<ArrayBuffer>;

// Browsers know no other way to send: gRPC-Web stands in for them here.
describe.each(["connect/1.1", "grpc/2", "grpc-web/1.1"] as const)("over %s", (wire) => {
  const client = new Proxy({} as TestClient, { get: (_, name: keyof TestClient) => server.client(wire)[name] });

  it("a part that is answered is stored, and its repeat answers the same with `applied: false` (P1, P4)", async () => {
    const place = await addFile(client);
    const first = await sendPart(client, place, 0, content.subarray(0, 100_000));
    expect([first.applied, Number(first.committedOffset)]).toEqual([true, 100_000]);
    expect(await statusOf(client, place)).toBe(100_000);
    const again = await sendPart(client, place, 0, content.subarray(0, 100_000));
    expect([again.applied, Number(again.committedOffset)]).toEqual([false, 100_000]);
    const inside = await sendPart(client, place, 10, content.subarray(10, 20));
    expect([inside.applied, Number(inside.committedOffset)]).toEqual([false, 100_000]);
  });

  it("a part that repeats the end of what is stored and goes on is applied", async () => {
    const place = await addFile(client);
    await sendPart(client, place, 0, content.subarray(0, 100_000));
    const overlapping = await sendPart(client, place, 90_000, content.subarray(90_000), { finish: true });
    expect([overlapping.applied, overlapping.file?.state]).toEqual([true, FileState.READY]);
    expect((await readBack(client, place)).equals(content)).toBe(true);
  });

  it("the part that finishes a file can be repeated (P4)", async () => {
    const place = await addFile(client);
    const first = await sendPart(client, place, 0, content, { finish: true });
    const again = await sendPart(client, place, 0, content, { finish: true });
    expect([first.applied, again.applied, again.file]).toEqual([true, false, first.file]);
  });

  it("an empty part finishes a file whose bytes are all there", async () => {
    const place = await addFile(client);
    await sendPart(client, place, 0, content);
    const { file } = await sendPart(client, place, content.length, new Uint8Array(), { finish: true });
    expect(file?.state).toBe(FileState.READY);
  });

  it("reaching the declared size finishes a file, a part that is full does not (P11)", async () => {
    const place = await addFile(client, { sizeBytes: 300_000n });
    expect((await sendPart(client, place, 0, content.subarray(0, 299_999))).file?.state).toBe(FileState.TRANSFERRING);
    expect((await sendPart(client, place, 299_999, content.subarray(299_999))).file?.state).toBe(FileState.READY);
  });

  it("a part with its own checksum is stored when it has it", async () => {
    const place = await addFile(client);
    for (const [name, algorithm] of [
      ["md5", ChecksumAlgorithm.MD5],
      ["sha1", ChecksumAlgorithm.SHA1],
      ["sha224", ChecksumAlgorithm.SHA224],
      ["sha256", ChecksumAlgorithm.SHA256],
      ["sha384", ChecksumAlgorithm.SHA384],
      ["sha512", ChecksumAlgorithm.SHA512],
    ] as const) {
      const offset = BigInt(await statusOf(client, place));
      const checksum = { algorithm, checksum: createHash(name).update(content).digest("hex").toUpperCase() };
      const answer = await client.files.uploadPart({ ...place, offset, data: bytes, checksum });
      expect(answer.committedOffset, name).toBe(offset + 300_000n);
    }
  });

  it("a part without its own checksum leaves nothing, though it goes on from stored bytes (P6)", async () => {
    const place = await addFile(client);
    await sendPart(client, place, 0, content.subarray(0, 10));
    const checksum = { algorithm: ChecksumAlgorithm.MD5, checksum: "0".repeat(32) };
    const data = bytes.subarray(0, 200_000);
    const refusal = await refusalOf(client.files.uploadPart({ ...place, offset: 0n, data, checksum }));
    expect(refusal).toMatchObject({
      code: "DATA_LOSS",
      reason: "CHECKSUM_DIFFERS",
      declared: checksum.checksum,
      actual: createHash("md5").update(data).digest("hex"),
    });
    expect(await statusOf(client, place)).toBe(10);
    expect(Number((await sendPart(client, place, 10, content.subarray(10))).committedOffset)).toBe(300_000);
  });

  it("parts of a file that come out of order are refused until their turn, and then taken", async () => {
    const place = await addFile(client);
    const offsets = [200_000, 100_000, 0, 100_000, 200_000];
    const outcomes: string[] = [];
    for (const offset of offsets) {
      const part = sendPart(client, place, offset, content.subarray(offset, offset + 100_000));
      outcomes.push(
        await part.then(String.bind(null, "stored"), async (error) => {
          return `expects ${(await refusalOf(Promise.reject(error))).expectedOffset}`;
        }),
      );
    }
    expect(outcomes).toEqual(["expects 0", "expects 0", "stored", "stored", "stored"]);
  });

  it("a restart begins a new attempt from zero", async () => {
    const place = await addFile(client);
    await sendPart(client, place, 0, content);
    const { file } = await sendPart(client, place, 0, content.subarray(5, 10), { restart: true });
    expect(file).toMatchObject({ attempt: 2, committedOffset: 5n, state: FileState.TRANSFERRING });
  });

  it("a part of almost 4 MiB fits into a message", async () => {
    const place = await addFile(client);
    const data = pseudoRandom(4 * 2 ** 20 - 1024);
    await sendPart(client, place, 0, data, { finish: true });
    expect((await readBack(client, place)).equals(data)).toBe(true);
  });

  it("sixty-four small files of one session sent at once are all there (group commit)", async () => {
    const { id } = await startSession(client);
    const names = Array.from({ length: 64 }, (_, i) => `small ${i}`);
    const places = await Promise.all(
      names.map((name, i) => storeFile(client, pseudoRandom(1_000 + i, i + 1), { name }, id)),
    );
    for (const [i, place] of places.entries()) {
      expect((await readBack(client, place)).equals(pseudoRandom(1_000 + i, i + 1))).toBe(true);
    }
    expect((await client.sessions.completeSession({ sessionId: id })).applied).toBe(true);
  });
});
