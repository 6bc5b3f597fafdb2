// Messages that are meant to cost more than they say, over every protocol.
import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { connect as connect2 } from "node:http2";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { useServer } from "./scene.js";

const server = useServer();
const unary = "/slipway.upload.v1.SessionService/GetSession";
const stream = "/slipway.upload.v1.FileService/UploadFile";
const megabytes = 64;

interface Answer {
  readonly status: number;
  /** `resource_exhausted`, or gRPC's number for it. */
  readonly code: string | undefined;
}

/** Sends a body, with an end or without, and answers how it was refused. */
type Send = (
  path: string,
  type: string,
  body: Buffer,
  headers?: Record<string, string>,
  ends?: boolean,
) => Promise<Answer>;

const headersOf = (type: string, more: Record<string, string> = {}) => ({
  "content-type": type,
  authorization: `Bearer ${server.get().token}`,
  ...more,
});

const send1: Send = (path, type, body, more, ends = true) =>
  new Promise((resolve, reject) => {
    const { port } = server.get();
    const call = request({ port, path, method: "POST", headers: headersOf(type, more), agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        call.destroy();
        resolve({ status: response.statusCode ?? 0, code: codeOf(Buffer.concat(chunks).toString("latin1")) });
      });
    });
    call.on("error", reject).write(body);
    if (ends) call.end();
  });

const send2: Send = async (path, type, body, more, ends = true) => {
  const session = connect2(server.get().url);
  try {
    return await new Promise<Answer>((resolve, reject) => {
      session.on("error", reject);
      const call = session.request({ ":method": "POST", ":path": path, ...headersOf(type, more) });
      const chunks: Buffer[] = [];
      let status = 0;
      let code: string | undefined;
      call.on("response", (headers) => {
        status = Number(headers[":status"]);
        code = headers["grpc-status"] as string | undefined;
      });
      call.on("trailers", (headers) => {
        code = headers["grpc-status"] as string | undefined;
      });
      call.on("data", (chunk: Buffer) => chunks.push(chunk));
      call.on("error", reject).on("end", () => {
        resolve({ status, code: code ?? codeOf(Buffer.concat(chunks).toString("latin1")) });
      });
      call.write(body);
      if (ends) call.end();
    });
  } finally {
    session.destroy();
  }
};

function codeOf(text: string): string | undefined {
  return /"code":"(\w+)"/.exec(text)?.[1] ?? /grpc-status: ?(\d+)/.exec(text)?.[1];
}

function envelope(flags: number, data: Uint8Array, announced = data.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags);
  head.writeUInt32BE(announced, 1);
  return Buffer.concat([head, data]);
}

/** Of the server, in bytes: what it has, and what it has asked for. */
async function memory(): Promise<{ resident: number }> {
  const status = await readFile(`/proc/${server.get().pid}/status`, "utf8");
  return { resident: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024 };
}

/** Protocol, how it is sent, and the code that says `resource_exhausted`. */
const streams: readonly (readonly [string, Send, string, string])[] = [
  ["connect, HTTP/1.1", send1, "application/connect+proto", "connect-content-encoding"],
  ["connect, HTTP/2", send2, "application/connect+proto", "connect-content-encoding"],
  ["grpc", send2, "application/grpc+proto", "grpc-encoding"],
  ["grpc-web, HTTP/1.1", send1, "application/grpc-web+proto", "grpc-encoding"],
];
const codes = (type: string, word: string, number: string) => (type.includes("connect") ? word : number);

describe.each(streams)("over %s", (_what, send, type, encoding) => {
  const exhausted = { status: 200, code: codes(type, "resource_exhausted", "8") };

  it("an envelope that announces 4 GiB is refused before anything is set aside for it (P10)", async () => {
    const before = await memory();
    const all = Array.from({ length: 8 }, () =>
      send(stream, type, envelope(0, new Uint8Array(), 2 ** 32 - 1), {}, false),
    );
    expect(await Promise.all(all)).toEqual(Array(8).fill(exhausted));
    expect((await memory()).resident - before.resident).toBeLessThan(megabytes * 2 ** 20);
  });

  it("a message that gzip makes 1000 times as large is refused, and memory stays (P10)", async () => {
    const bomb = envelope(1, gzipSync(Buffer.alloc(256 * 2 ** 20)));
    const before = await memory();
    for (let i = 0; i < 4; i++) expect(await send(stream, type, bomb, { [encoding]: "gzip" })).toEqual(exhausted);
    expect((await memory()).resident - before.resident).toBeLessThan(megabytes * 2 ** 20);
  });

  it("brotli is not taken, and what is taken is said", async () => {
    const message = envelope(1, brotliCompressSync(Buffer.alloc(1000)));
    const { code } = await send(stream, type, message, { [encoding]: "br" });
    expect(code).toBe(codes(type, "unimplemented", "12"));
  });
});

describe.each([
  ["HTTP/1.1", send1],
  ["HTTP/2", send2],
])("a unary Connect call over %s", (_what, send) => {
  it("that is larger than a message may be is refused", async () => {
    const answer = await send(unary, "application/proto", Buffer.alloc(5 * 2 ** 20));
    expect(answer).toEqual({ status: 429, code: "resource_exhausted" });
  });

  it("that gzip makes 1000 times as large is refused, and memory stays (P10)", async () => {
    const bomb = gzipSync(Buffer.alloc(256 * 2 ** 20));
    const before = await memory();
    for (let i = 0; i < 4; i++) {
      const answer = await send(unary, "application/proto", bomb, { "content-encoding": "gzip" });
      expect(answer).toEqual({ status: 429, code: "resource_exhausted" });
    }
    expect((await memory()).resident - before.resident).toBeLessThan(megabytes * 2 ** 20);
  });

  it("in brotli is not taken", async () => {
    const answer = await send(unary, "application/proto", brotliCompressSync(""), { "content-encoding": "br" });
    expect(answer.code).toBe("unimplemented");
  });
});
