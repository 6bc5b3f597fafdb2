import { request } from "node:http";
import { connect } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { UploadFileRequestSchema } from "../../gen/slipway/upload/v1/upload_pb.js";
import { pseudoRandom } from "../support/bodies.js";
import { mainWires, openClient } from "../support/client.js";
import { startServer, type TestServer } from "../support/server.js";

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { SLIPWAY_MESSAGE_TIMEOUT: "1s" } });
});
afterAll(() => server.kill());

const path = "/slipway.upload.v1.SessionService/GetSession";
const headers = () => ({ "content-type": "application/json", authorization: `Bearer ${server.token}` });

describe("a call that takes one message (P10)", () => {
  it("loses its HTTP/1.1 connection when the message does not come", async () => {
    const lost = new Promise<string | undefined>((resolve) => {
      const call = request(`${server.url}${path}`, {
        method: "POST",
        headers: { ...headers(), "content-length": 100 },
      });
      call.on("error", (error: NodeJS.ErrnoException) => resolve(error.code)).on("response", () => resolve("answered"));
      call.write("{");
    });
    expect(await lost).toBe("ECONNRESET");
  });

  it("loses its HTTP/2 stream, drop by drop, and the connection goes on", async () => {
    const session = connect(server.url);
    const stream = session.request({ ":method": "POST", ":path": path, ...headers() });
    const drip = setInterval(() => stream.write(" "), 100);
    const closed = new Promise<void>((resolve) => stream.on("close", resolve).on("error", () => undefined));
    await closed;
    clearInterval(drip);
    const next = session.request({ ":path": "/healthz" });
    const status = new Promise((resolve) => next.on("response", (answer) => resolve(answer[":status"])));
    next.resume();
    expect(await status).toBe(200);
    session.destroy();
  });
});

describe.each(mainWires)("a stream over %s", (wire) => {
  it("may take longer than that", async () => {
    const client = openClient(server, wire);
    const { session } = await client.sessions.createSession({});
    const sessionId = session?.id ?? "";
    const { file } = await client.files.addFile({ sessionId, spec: { name: "slow.bin" } });
    const fileId = file?.id ?? "";
    async function* messages(): AsyncGenerator<MessageInitShape<typeof UploadFileRequestSchema>> {
      yield { message: { case: "start", value: { sessionId, fileId } } };
      for (let i = 0; i < 4; i++) {
        await sleep(500);
        const data = pseudoRandom(100) as Uint8Array<ArrayBuffer>;
        yield { message: { case: "chunk", value: { data } } };
      }
      yield { message: { case: "finish", value: {} } };
    }
    expect((await client.files.uploadFile(messages())).committedOffset).toBe(400n);
    client.close();
  });
});
