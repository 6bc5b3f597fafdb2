import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FailureReason, SourceFailure } from "../../gen/slipway/upload/v1/failure_pb.js";
import { FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import { SessionState } from "../../gen/slipway/upload/v1/session_pb.js";
import { serve } from "../sources/web.js";
import { pseudoRandom } from "../support/bodies.js";
import { openClient, type TestClient } from "../support/client.js";
import { startServer, type TestServer } from "../support/server.js";

let server: TestServer;
let client: TestClient;

beforeAll(async () => {
  server = await startServer({ env: { SLIPWAY_PULL_ALLOW: "127.0.0.1", SLIPWAY_MAX_PULL_TRIES: "3" } });
  client = openClient(server);
});
afterAll(async () => {
  client?.close();
  await server?.stop();
});

async function declare(uri: string, more: object = {}) {
  const { session } = await client.sessions.createSession({});
  const sessionId = session!.id;
  const { file } = await client.files.addFile({ sessionId, spec: { name: "a.bin", source: { uri }, ...more } });
  return { sessionId, fileId: file!.id };
}

async function settled(ref: { sessionId: string; fileId: string }) {
  for (;;) {
    const { file } = await client.files.getFile(ref);
    if (file!.state === FileState.READY || file!.state === FileState.FAILED) return file!;
    await sleep(50);
  }
}

describe("a file with a source", () => {
  it("is fetched, verified, and readable when its session is done", async () => {
    const content = pseudoRandom(3_000_001);
    const web = await serve((_request, response) => response.end(content));
    const ref = await declare(`${web.url}/a.bin`);
    const file = await settled(ref);
    expect(file).toMatchObject({ state: FileState.READY, committedOffset: 3_000_001n });
    expect(file.fetch).toBeUndefined();
    const { session } = await client.sessions.completeSession({ sessionId: ref.sessionId });
    expect(session?.state).toBe(SessionState.DONE);
  });

  it("that is not there fails, and says what, where, and what to do", async () => {
    const web = await serve((_request, response) => response.writeHead(404).end());
    const file = await settled(await declare(`${web.url}/a.bin?secret=1`));
    expect(file.state).toBe(FileState.FAILED);
    expect(file.failure).toMatchObject({ reason: FailureReason.SOURCE_FAILED, sourceFailure: SourceFailure.NOT_FOUND });
    expect(file.failure?.message?.defaultMessage).toMatchInlineSnapshot(
      `"http://127.0.0.1:38595/a.bin?... does not exist (404); check the address"`,
    );
  });

  it("leaves its session completing, which ends by itself", async () => {
    const content = pseudoRandom(100_000);
    let go: () => void = () => undefined;
    const web = await serve((_request, response) => {
      response.writeHead(200, { "content-length": content.length });
      response.write(content.subarray(0, 50_000));
      go = () => response.end(content.subarray(50_000));
    });
    const ref = await declare(`${web.url}/a.bin`);
    const { session } = await client.sessions.completeSession({ sessionId: ref.sessionId });
    expect(session?.state).toBe(SessionState.COMPLETING);
    await sleep(300);
    go();
    for (;;) {
      const { session: now } = await client.sessions.getSession({ sessionId: ref.sessionId });
      if (now?.state === SessionState.DONE) break;
      await sleep(50);
    }
  });

  it("whose source is busy is delayed, tried again, and goes on where it was", async () => {
    const content = pseudoRandom(1_000_000);
    let calls = 0;
    const web = await serve((request, response) => {
      calls++;
      const from = Number(/bytes=(\d+)/.exec(request.headers.range ?? "")?.[1] ?? 0);
      response.writeHead(from > 0 ? 206 : 200, {
        etag: '"one"',
        "content-length": content.length - from,
        ...(from > 0 && { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` }),
      });
      if (calls === 1) {
        response.write(content.subarray(0, 600_000));
        setTimeout(() => response.destroy(), 200);
      } else response.end(content.subarray(from));
    });
    const file = await settled(await declare(`${web.url}/a.bin`));
    expect(file.state).toBe(FileState.READY);
    expect(web.requests.map(({ headers }) => headers.range)).toEqual([undefined, "bytes=600000-"]);
  });
});
