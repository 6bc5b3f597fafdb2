// What the server says that it takes, and that it takes no more than that.
import { create, toBinary } from "@bufbuild/protobuf";
import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { Role } from "../../gen/slipway/upload/v1/access_pb.js";
import { UploadPartRequestSchema } from "../../gen/slipway/upload/v1/upload_pb.js";
import { messagesOf, refOf, upload } from "../support/blob-messages.js";
import { refusalOf, type TestClient, wires } from "../support/client.js";
import { bytes } from "./refusals/row.js";
import { addFile, addSomebody, as, startSession, useServer } from "./scene.js";

const set = {
  maxFileBytes: 10_000_000n,
  maxPartBytes: 70_000n,
  maxMessageBytes: 4n * 2n ** 20n,
  maxSessionFiles: 2n,
  maxBlobBytes: 5_000n,
  maxStreamBlobs: 3n,
  maxBlobRefs: 4n,
  maxAttributesBytes: 300n,
};
const minuteMs = 60_000;

const server = useServer(() => ({
  env: {
    SLIPWAY_MAX_FILE_BYTES: "10000000",
    SLIPWAY_MAX_PART_BYTES: "70000",
    SLIPWAY_MAX_SESSION_FILES: "2",
    SLIPWAY_MAX_BLOB_BYTES: "5000",
    SLIPWAY_MAX_STREAM_BLOBS: "3",
    SLIPWAY_MAX_BLOB_REFS: "4",
    SLIPWAY_MAX_ATTRIBUTES_BYTES: "300",
    SLIPWAY_SESSION_TTL: "90m",
    SLIPWAY_SESSION_ABSOLUTE_TTL: "30d",
    SLIPWAY_SESSION_KEEP: "1500ms",
  },
}));

async function read({ sessions }: TestClient) {
  const { limits } = await sessions.getLimits({});
  return limits!;
}

describe.each(wires)("over %s", (wire) => {
  const client = () => server.client(wire);

  it("the limits are those that the server was started with", async () => {
    const { sessionIdleTtl, sessionAbsoluteTtl, sessionKeep, ...sizes } = await read(client());
    expect(sizes).toMatchObject(set);
    expect([sessionIdleTtl, sessionAbsoluteTtl, sessionKeep].map((time) => durationMs(time!))).toEqual([
      90 * minuteMs,
      30 * 24 * 60 * minuteMs,
      1500,
    ]);
  });

  it("a reader is told the same", async () => {
    const reader = await addSomebody(client(), { role: Role.READER });
    expect((await client().sessions.getLimits({}, as(reader))).limits).toEqual(await read(client()));
  });
});

describe("what is told is what is kept:", () => {
  const client = () => server.client("grpc/2");
  const limitOf = async (call: Promise<unknown>) => (await refusalOf(call)).limit;

  it("a session that asks for no times has these", async () => {
    const { sessionIdleTtl } = await read(client());
    const { createTime, expireTime } = await startSession(client());
    expect(timestampMs(expireTime!) - timestampMs(createTime!)).toBe(durationMs(sessionIdleTtl!));
  });

  it("a file of as many bytes as a file may have is added, and of one more is refused", async () => {
    const { maxFileBytes: sizeBytes } = await read(client());
    await addFile(client(), { sizeBytes });
    expect(await limitOf(addFile(client(), { sizeBytes: sizeBytes + 1n }))).toEqual({
      setting: "SLIPWAY_MAX_FILE_BYTES",
      value: Number(sizeBytes),
    });
  });

  it("as many files as a session may have are added, and one more is refused", async () => {
    const { maxSessionFiles } = await read(client());
    const { id } = await startSession(client());
    for (let n = 0; n < maxSessionFiles; n++) await addFile(client(), { name: `${n}` }, id);
    expect(await limitOf(addFile(client(), { name: "more" }, id))).toEqual({
      setting: "SLIPWAY_MAX_SESSION_FILES",
      value: Number(maxSessionFiles),
    });
  });

  it("a message of as many bytes as one may have is taken, and of one more is refused", async () => {
    const { maxMessageBytes } = await read(client());
    const place = await addFile(client());
    const messageOf = (length: number) => create(UploadPartRequestSchema, { ...place, data: new Uint8Array(length) });
    const around = toBinary(UploadPartRequestSchema, messageOf(4_000_000)).length - 4_000_000;
    const most = Number(maxMessageBytes) - around;
    const send = (length: number) => client().files.uploadPart(messageOf(length));
    expect(await refusalOf(send(most + 1))).toMatchObject({ code: "RESOURCE_EXHAUSTED", reason: undefined });
    expect((await send(most)).committedOffset).toBe(BigInt(most));
  });

  it("a blob of as many bytes as one may have is stored, and of one more is refused", async () => {
    const { maxBlobBytes } = await read(client());
    const size = Number(maxBlobBytes);
    await upload(client(), messagesOf(bytes(size)));
    expect(await limitOf(upload(client(), messagesOf(bytes(size + 1))))).toEqual({
      setting: "SLIPWAY_MAX_BLOB_BYTES",
      value: size,
    });
  });

  it("a call names as many refs as it may, and not one more", async () => {
    const { maxBlobRefs } = await read(client());
    const refs = Array.from({ length: Number(maxBlobRefs) }, (_, n) => refOf(bytes(10, n)));
    await client().blobs.statBlobs({ refs });
    expect(await limitOf(client().blobs.statBlobs({ refs: [...refs, refOf(bytes(11))] }))).toEqual({
      setting: "SLIPWAY_MAX_BLOB_REFS",
      value: Number(maxBlobRefs),
    });
  });
});
