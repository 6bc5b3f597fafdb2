import { describe, expect, it } from "vitest";
import { ChecksumAlgorithm } from "../../gen/slipway/upload/v1/checksum_pb.js";
import { FileFailure, FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import { SessionState } from "../../gen/slipway/upload/v1/session_pb.js";
import { pseudoRandom } from "../support/bodies.js";
import { mainWires, refusalOf, type TestClient, wires } from "../support/client.js";
import { addFile, readBack, send, sendPart, startSession, statusOf, storeFile, useServer } from "./scene.js";

const server = useServer();

describe.each(wires)("over %s", (wire) => {
  it("a session is created, filled by stream and by parts, completed, listed and read back byte for byte", async () => {
    const client = server.client(wire);
    const { id: sessionId } = await startSession(client, { label: "the main story" });
    const contents = { stream: pseudoRandom(3_000_001, 1), parts: pseudoRandom(200_000, 2), empty: new Uint8Array() };
    const streamed = await addFile(client, { name: "stream", sizeBytes: 3_000_001n }, sessionId);
    const parted = await addFile(client, { name: "parts" }, sessionId);
    const empty = await addFile(client, { name: "empty", sizeBytes: 0n }, sessionId);

    await sendStream(client, streamed, contents.stream);
    for (let offset = 0; offset < contents.parts.length; offset += 65_536) {
      expect(await statusOf(client, parted)).toBe(offset);
      const data = contents.parts.subarray(offset, offset + 65_536);
      const finish = offset + data.length === contents.parts.length;
      const { committedOffset, applied, file } = await sendPart(client, parted, offset, data, { finish });
      expect([Number(committedOffset), applied]).toEqual([offset + data.length, true]);
      expect(file?.state).toBe(finish ? FileState.READY : FileState.TRANSFERRING);
    }
    expect((await client.sessions.validateSession({ sessionId })).missingFiles).toEqual(["empty"]);
    await sendPart(client, empty, 0, contents.empty);
    expect(await statusOf(client, empty)).toBe("finished");
    expect((await client.sessions.validateSession({ sessionId })).hasErrors).toBe(false);

    const { session, applied } = await client.sessions.completeSession({ sessionId });
    expect([session?.state, applied, session?.fileCount]).toEqual([SessionState.DONE, true, 3]);
    const { files } = await client.files.listFiles({ sessionId });
    expect(files.map(({ spec }) => spec?.name)).toEqual(["stream", "parts", "empty"]);
    for (const file of files) {
      const name = file.spec?.name as keyof typeof contents;
      expect(file).toMatchObject({ state: FileState.READY, committedOffset: BigInt(contents[name].length) });
      const content = await readBack(client, { sessionId, fileId: file.id });
      expect(content.equals(contents[name]), name).toBe(true);
    }
  });

  /** gRPC-Web cannot stream a request from a browser; what this port makes of one is the same. */
  async function sendStream(client: TestClient, place: Parameters<typeof send>[1], content: Uint8Array): Promise<void> {
    const { file, applied, committedOffset } = await send(client, place, content, {
      withCrc: true,
      chunkBytes: 100_000,
    });
    expect(file).toMatchObject({ state: FileState.READY, attempt: 1 });
    expect([applied, Number(committedOffset)]).toEqual([true, content.length]);
  }
});

describe.each(mainWires)("over %s", (wire) => {
  const client = new Proxy({} as TestClient, { get: (_, name: keyof TestClient) => server.client(wire)[name] });

  it("a file keeps every word of its spec, with checksums in lower case", async () => {
    const spec = {
      name: `${"é".repeat(127)}x`,
      sizeBytes: 2n ** 40n,
      checksums: [{ algorithm: ChecksumAlgorithm.MD5, checksum: "AB".repeat(16) }],
      mediaType: "text/plain; charset=utf-8",
      onFailure: FileFailure.SESSION,
      attributes: { any: ["thing"] },
    };
    const { sessionId, fileId } = await addFile(client, spec);
    const { file } = await client.files.getFile({ sessionId, fileId });
    expect(file).toMatchObject({
      id: fileId,
      sessionId,
      spec: { ...spec, checksums: [{ algorithm: ChecksumAlgorithm.MD5, checksum: "ab".repeat(16) }] },
      state: FileState.WAITING,
      committedOffset: 0n,
      attempt: 0,
    });
    expect([file?.content, file?.failure]).toEqual([undefined, undefined]);
  });

  it("adding a file again in the same words gives the same file (P4)", async () => {
    const { id: sessionId } = await startSession(client);
    const request = { sessionId, spec: { name: "a.bin", sizeBytes: 5n, attributes: { b: 1, a: 2 } } };
    const answers = await Promise.all(Array.from({ length: 6 }, () => client.files.addFile(request)));
    expect(new Set(answers.map(({ file }) => file?.id)).size).toBe(1);
    expect(answers.filter(({ applied }) => applied)).toHaveLength(1);
    expect((await client.sessions.getSession({ sessionId })).session?.fileCount).toBe(1);
  });

  it("names that differ in a byte are different files", async () => {
    const { id } = await startSession(client);
    const names = ["a", "A", "a ", "\u00e9", "e\u0301", "a.", "CON", "-", "~", "\u{1f600}"];
    const ids = [];
    for (const name of names) ids.push((await addFile(client, { name }, id)).fileId);
    expect(new Set(ids).size).toBe(names.length);
  });

  it("a list pages through every file exactly once, in the order in which they were added", async () => {
    const { id: sessionId } = await startSession(client);
    const names = Array.from({ length: 25 }, (_, i) => `file ${i}`);
    for (const name of names) await addFile(client, { name }, sessionId);
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await client.files.listFiles({ sessionId, pageSize: 4, pageToken });
      seen.push(...page.files.map(({ spec }) => spec?.name ?? ""));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toEqual(names);
  });

  it("a removed file is gone, and its name can be taken again for other content", async () => {
    const place = await storeFile(client, new Uint8Array(10), { sizeBytes: 10n });
    await client.files.removeFile({ ...place });
    expect((await refusalOf(client.files.getFile({ ...place }))).reason).toBe("FILE_NOT_FOUND");
    const again = await addFile(client, { sizeBytes: 11n }, place.sessionId);
    expect(again.fileId).not.toBe(place.fileId);
    expect(await statusOf(client, again)).toBe(0);
  });

  it("a file that was declared to fail its session does so, for good (P6)", async () => {
    const checksums = [{ algorithm: ChecksumAlgorithm.SHA256, checksum: "0".repeat(64) }];
    const place = await addFile(client, { onFailure: FileFailure.SESSION, checksums });
    const refusal = await refusalOf(send(client, place, new Uint8Array(3)));
    expect([refusal.code, refusal.reason]).toEqual(["DATA_LOSS", "CHECKSUM_DIFFERS"]);
    const { session } = await client.sessions.getSession({ sessionId: place.sessionId });
    expect(session?.state).toBe(SessionState.FAILED);
  });

  it("the status of a file of a session that is over is answered all the same", async () => {
    const whole = await storeFile(client, new Uint8Array(3));
    await client.sessions.completeSession({ sessionId: whole.sessionId });
    expect(await statusOf(client, whole)).toBe("finished");
  });
});

describe("names in JSON", () => {
  it.each(["\\ud800", "a\\udc00b", "\\udfff\\ud800"])("with a lone surrogate (%s) are refused", async (name) => {
    const { url, token } = server.get();
    const { id: sessionId } = await startSession(server.client("connect/1.1"));
    const response = await fetch(`${url}/slipway.upload.v1.FileService/AddFile`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: `{"sessionId":"${sessionId}","spec":{"name":"${name}"}}`,
    });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([400, "invalid_argument"]);
    expect((await server.client("connect/1.1").files.listFiles({ sessionId })).files).toEqual([]);
  });
});
