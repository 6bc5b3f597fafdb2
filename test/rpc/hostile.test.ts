// Messages that are meant to cost more than they say, over every protocol.
import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { connect as connect2 } from "node:http2";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { UploadFileRequestSchema } from "../../gen/slipway/upload/v1/upload_pb.js";
import { addFile, useServer } from "./scene.js";

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

/** No message of any type: a field with a number of 0, one that is longer than the rest, a string that is no UTF-8. */
const garbage = [
  Buffer.from([0x07, 0xff]),
  Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
  Buffer.from([0x0a, 0x7f, 0x61]),
];

describe.each(streams)("bytes that are no message, over %s,", (_what, send, type) => {
  const invalid = { status: 200, code: codes(type, "invalid_argument", "3") };

  it.each(garbage)("are INVALID_ARGUMENT in a stream, be they the first message or the second: %j", async (bytes) => {
    const place = await addFile(server.client("connect/1.1"));
    const start = toBinary(
      UploadFileRequestSchema,
      create(UploadFileRequestSchema, { message: { case: "start", value: place } }),
    );
    expect(await send(stream, type, envelope(0, bytes))).toEqual(invalid);
    expect((await send(stream, type, Buffer.concat([envelope(0, start), envelope(0, bytes)]))).code).toBe(invalid.code);
    expect(await send("/slipway.upload.v1.FileService/ReadFile", type, envelope(0, bytes))).toEqual(invalid);
  });

  if (type.includes("connect")) return;
  it.each(garbage)("are INVALID_ARGUMENT in a unary call: %j", async (bytes) => {
    expect(await send(unary, type, envelope(0, bytes))).toEqual(invalid);
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

  it.each(garbage)("whose bytes are no message is INVALID_ARGUMENT: %j", async (bytes) => {
    expect(await send(unary, "application/proto", bytes)).toEqual({ status: 400, code: "invalid_argument" });
  });

  it("in brotli is not taken", async () => {
    const answer = await send(unary, "application/proto", brotliCompressSync(""), { "content-encoding": "br" });
    expect(answer.code).toBe("unimplemented");
  });
});

it("a message in a URL that is none is INVALID_ARGUMENT, and one that can be read is answered", async () => {
  const ask = (message: string) =>
    fetch(`${server.get().url}${unary}?connect=v1&encoding=proto&base64=1&message=${message}`, {
      headers: { authorization: `Bearer ${server.get().token}` },
    });
  const refused = await ask(garbage[0]!.toString("base64url"));
  expect([refused.status, codeOf(await refused.text())]).toEqual([400, "invalid_argument"]);
  const id = Buffer.from("11111111-1111-4111-8111-111111111111");
  const read = await ask(Buffer.concat([Buffer.from([0x0a, id.length]), id]).toString("base64url"));
  expect([read.status, codeOf(await read.text())]).toEqual([404, "not_found"]);
});
