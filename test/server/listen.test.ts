import { once } from "node:events";
import { connect as connect2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Listener, listen } from "../../src/server/listen.js";

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

let listener: Listener;
let port: number;
const sockets: Socket[] = [];
beforeEach(async () => {
  listener = await listen({
    host: "127.0.0.1",
    port: 0,
    maxBufferedBytes: 2 ** 27,
    onError: (error) => console.error(error),
    handler: (request, response) => void response.end(`HTTP/${request.httpVersion}`),
  });
  port = Number(new URL(listener.url).port);
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  listener.destroy();
});

async function open(): Promise<Socket> {
  const socket = connect(port, "127.0.0.1").on("error", () => undefined);
  sockets.push(socket);
  await once(socket, "connect");
  return socket;
}

const request1 = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/** What comes until the other side ends. */
async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "close");
  return Buffer.concat(chunks).toString("latin1");
}

async function ask2(): Promise<string> {
  const session = connect2(listener.url);
  try {
    const stream = session.request({ ":path": "/" });
    let text = "";
    stream.setEncoding("utf8").on("data", (data: string) => {
      text += data;
    });
    stream.end();
    await once(stream, "end");
    return text;
  } finally {
    session.destroy();
  }
}

describe("one port", () => {
  it("speaks HTTP/1.1 and HTTP/2 to those who do", async () => {
    expect(await (await fetch(listener.url)).text()).toBe("HTTP/1.1");
    expect(await ask2()).toBe("HTTP/2.0");
  });

  it.each([
    ["HTTP/1.1", request1, /^HTTP\/1\.1 200 .*HTTP\/1\.1$/s],
    ["a method that begins like the preface", request1.replace("GET /", "PROPFIND /"), /^HTTP\/1\.1 200 /],
  ])("takes %s that comes byte by byte", async (_what, text, expected) => {
    const socket = await open();
    const answer = readAll(socket);
    socket.setNoDelay(true);
    for (const byte of text) {
      socket.write(byte);
      await sleep(2);
    }
    expect(await answer).toMatch(expected);
  });

  it.each([1, 3, 14, 23])("takes a preface that comes in pieces of %i bytes", async (pieceBytes) => {
    const socket = await open();
    socket.setNoDelay(true);
    const first = once(socket, "data");
    for (let at = 0; at < preface.length; at += pieceBytes) {
      socket.write(preface.slice(at, at + pieceBytes), "latin1");
      await sleep(5);
    }
    socket.write(settings);
    const [data] = (await first) as [Buffer];
    // A SETTINGS frame of the server.
    expect(data[3]).toBe(4);
  });

  it("takes a preface and frames that come in one piece", async () => {
    const socket = await open();
    const first = once(socket, "data");
    socket.write(Buffer.concat([Buffer.from(preface, "latin1"), settings]));
    expect(((await first) as [Buffer])[0][3]).toBe(4);
  });

  it("closes a silent connection, and one that stays silent in the middle of the preface, after 10 s", async () => {
    const since = performance.now();
    const [silent, half] = [await open(), await open()];
    half.write(preface.slice(0, 10));
    await Promise.all([readAll(silent), readAll(half)]);
    const seconds = (performance.now() - since) / 1000;
    expect(seconds).toBeGreaterThan(9);
    expect(seconds).toBeLessThan(20);
  });

  it("serves others while 100 connections say nothing, and lives on when they vanish", async () => {
    const idle = await Promise.all(Array.from({ length: 100 }, open));
    expect(await (await fetch(listener.url)).text()).toBe("HTTP/1.1");
    expect(await ask2()).toBe("HTTP/2.0");
    for (const [i, socket] of idle.entries()) {
      if (i % 2 === 0) socket.resetAndDestroy();
      else socket.destroy();
    }
    expect(await (await fetch(listener.url)).text()).toBe("HTTP/1.1");
  });

  it("survives connections that are reset in the middle of a preface or a request", async () => {
    for (const text of ["P", "PRI * HT", preface, "GET / HTTP/1.1\r\nHo", `${preface}garbage that is no frame`]) {
      const socket = await open();
      socket.write(text, "latin1");
      await sleep(10);
      socket.resetAndDestroy();
    }
    expect(await ask2()).toBe("HTTP/2.0");
  });

  it("that is taken refuses the second who asks", async () => {
    const again = listen({
      host: "127.0.0.1",
      port,
      maxBufferedBytes: 2 ** 27,
      onError: console.error,
      handler: () => undefined,
    });
    await expect(again).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  it("once closed takes no new connections and lets idle ones go", async () => {
    await (await fetch(listener.url)).text();
    const session = connect2(listener.url).on("error", () => undefined);
    await once(session, "remoteSettings");
    await listener.close();
    await expect(fetch(listener.url)).rejects.toThrow();
    session.destroy();
  });

  it.each(["", "PRI * HT"])("once closed lets go at once of a connection that has said only %j", async (text) => {
    const socket = await open();
    socket.write(text, "latin1");
    await sleep(100);
    const since = performance.now();
    await listener.close();
    expect(performance.now() - since).toBeLessThan(5_000);
  });

  it("a body that goes on after the answer is not read to its end, and the connection goes (P10)", async () => {
    const socket = await open();
    let answer = "";
    socket.on("data", (data: Buffer) => {
      answer += data.toString("latin1");
    });
    socket.write("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    const chunk = Buffer.concat([Buffer.from("10000\r\n"), Buffer.alloc(0x10000), Buffer.from("\r\n")]);
    let taken = 0;
    const giveUpAt = performance.now() + 30_000;
    while (!socket.destroyed && performance.now() < giveUpAt) {
      if (!socket.write(chunk))
        await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), sleep(100)]);
      taken = socket.bytesWritten - socket.writableLength;
    }
    expect([socket.destroyed, answer]).toEqual([true, expect.stringContaining("HTTP/1.1 200")]);
    expect(taken).toBeLessThan(64 * 2 ** 20);
  });
});
