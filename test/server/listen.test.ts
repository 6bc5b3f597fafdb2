import { once } from "node:events";
import { get, type IncomingMessage, type ServerResponse } from "node:http";
import { type ClientHttp2Session, connect as connect2 } from "node:http2";
import { get as getSecurely } from "node:https";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectSecurely } from "node:tls";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Listener, type ListenOptions, listen } from "../../src/server/listen.js";
import { deferred } from "../rpc/scene.js";
import { makeCertificate } from "../support/certificate.js";

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const certificate = makeCertificate();
const request1 = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

let listener: Listener;
let port: number;
const sockets: Socket[] = [];

async function start(more: Partial<ListenOptions> = {}): Promise<void> {
  listener = await listen({
    host: "127.0.0.1",
    port: 0,
    maxBufferedBytes: 2 ** 27,
    onError: (error) => console.error(error),
    handler: (request, response) => void response.end(`HTTP/${request.httpVersion}`),
    ...more,
  });
  port = Number(new URL(listener.url).port);
}
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  listener.destroy();
});

async function openRaw(): Promise<Socket> {
  const socket = connect(port, "127.0.0.1").on("error", () => undefined);
  sockets.push(socket);
  await once(socket, "connect");
  return socket;
}

/** What comes until the other side ends. */
async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  // A reset is an end, too.
  await new Promise((resolve) => socket.once("close", resolve));
  return Buffer.concat(chunks).toString("latin1");
}

/** Seconds until the other side ends. */
async function timeToEnd(socket: Socket): Promise<number> {
  const since = performance.now();
  await readAll(socket);
  return (performance.now() - since) / 1000;
}

async function ask1(): Promise<string> {
  const { url } = listener;
  const asked = url.startsWith("https:")
    ? getSecurely(url, { agent: false, ca: certificate.cert })
    : get(url, { agent: false });
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  return (await response.setEncoding("utf8").toArray()).join("");
}

async function ask2(): Promise<string> {
  const session = connect2(listener.url, { ca: certificate.cert });
  try {
    const stream = session.request({ ":path": "/" });
    const answer = stream.setEncoding("utf8").toArray();
    stream.end();
    return (await answer).join("");
  } finally {
    session.destroy();
  }
}

/** As a handler does it that refuses a message by its length: a reader that stops early, and an answer. */
const refuseEarly: ListenOptions["handler"] = async (request, response) => {
  for await (const _chunk of request) break;
  response.writeHead(413);
  response.end("refused");
};

async function restart(tls: ListenOptions["tls"], handler: ListenOptions["handler"]): Promise<void> {
  listener.destroy();
  await start({ tls, handler });
}

const ways = { "without TLS": undefined, "with TLS": certificate };

describe.each(Object.entries(ways))("one port %s", (_way, tls) => {
  beforeEach(() => start({ tls }));

  /** The connection below a socket, where there is TLS on it. */
  const below = new Map<Socket, Socket>();
  async function open(): Promise<Socket> {
    const raw = await openRaw();
    if (tls === undefined) return raw;
    const socket = connectSecurely({ socket: raw, ca: tls.cert, host: "127.0.0.1", ALPNProtocols: ["h2", "http/1.1"] });
    socket.on("error", () => undefined);
    await once(socket, "secureConnect");
    below.set(socket, raw);
    return socket;
  }
  /** With "/slow", which answers when it is told to, and everything else, which does at once. */
  async function restartSlow(): Promise<{ readonly asked: Promise<void>; give(): void }> {
    const [asked, given] = [deferred(), deferred()];
    await restart(tls, async (request, response) => {
      if (request.url !== "/slow") return void response.end("soon");
      asked.resolve();
      await given.promise;
      response.end("late");
    });
    return { asked: asked.promise, give: given.resolve };
  }
  const reset = (socket: Socket) => void (below.get(socket) ?? socket).resetAndDestroy();

  it("speaks HTTP/1.1 and HTTP/2 to those who do", async () => {
    expect(await ask1()).toBe("HTTP/1.1");
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
    expect(await ask1()).toBe("HTTP/1.1");
    expect(await ask2()).toBe("HTTP/2.0");
    for (const [i, socket] of idle.entries()) {
      if (i % 2 === 0) reset(socket);
      else socket.destroy();
    }
    expect(await ask1()).toBe("HTTP/1.1");
  });

  it("survives connections that are reset in the middle of a preface or a request", async () => {
    for (const text of ["P", "PRI * HT", preface, "GET / HTTP/1.1\r\nHo", `${preface}garbage that is no frame`]) {
      const socket = await open();
      socket.write(text, "latin1");
      await sleep(10);
      reset(socket);
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
    await ask1();
    const session = connect2(listener.url, { ca: certificate.cert }).on("error", () => undefined);
    await once(session, "remoteSettings");
    await listener.close();
    await expect(ask1()).rejects.toThrow();
    session.destroy();
  });

  it("once closed lets HTTP/2 connections without a call go, with no time to wait for, and those that have one when it has ended", async () => {
    const slow = await restartSlow();
    const idle: ClientHttp2Session[] = [];
    for (let n = 0; n < 3; n++) {
      const session = connect2(listener.url, { ca: certificate.cert }).on("error", () => undefined);
      await session.request({ ":path": "/" }).setEncoding("utf8").toArray();
      idle.push(session);
    }
    const busy = connect2(listener.url, { ca: certificate.cert }).on("error", () => undefined);
    const said = busy.request({ ":path": "/slow" }).setEncoding("utf8").toArray();
    await slow.asked;
    // No timer of ours goes off: what waits for one waits for ever.
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    try {
      const left = Promise.all(idle.map((session) => once(session, "close")));
      const closed = listener.close();
      await left;
      expect(busy.destroyed).toBe(false);
      slow.give();
      await closed;
      expect((await said).join("")).toBe("late");
    } finally {
      vi.useRealTimers();
    }
  });

  it("once closed cuts an HTTP/2 connection that has been let go and whose other end has died", async () => {
    const socket = await open();
    socket.write(Buffer.concat([Buffer.from(preface, "latin1"), settings]));
    await once(socket, "readable");
    // It reads nothing any more, and never ends its half.
    socket.pause();
    await listener.close();
    expect(socket.destroyed).toBe(false);
  });

  it.each([
    ["beside a call under way", true],
    ["without one", false],
  ])(
    "refuses a call that was sent before its client heard of the end so that it may be repeated (REFUSED_STREAM), on a connection %s",
    async (_where, isBusy) => {
      const slow = await restartSlow();
      const session = connect2(listener.url, { ca: certificate.cert }).on("error", () => undefined);
      const get2 = (path: string) => session.request({ ":path": path }).setEncoding("utf8").toArray();
      await get2("/");
      const underWay = isBusy ? get2("/slow") : undefined;
      if (isBusy) await slow.asked;
      const closed = listener.close();
      await expect(get2("/")).rejects.toThrow("NGHTTP2_REFUSED_STREAM");
      slow.give();
      await closed;
      expect((await underWay)?.join("")).toBe(isBusy ? "late" : undefined);
    },
  );

  it.each(["", "PRI * HT"])("once closed lets go at once of a connection that has said only %j", async (text) => {
    const socket = await open();
    socket.write(text, "latin1");
    await sleep(100);
    const since = performance.now();
    await listener.close();
    expect(performance.now() - since).toBeLessThan(5_000);
  });

  it("once closed lets a call on a kept HTTP/1.1 connection end, and the connection with it", async () => {
    let answer = (): void => undefined;
    await restart(tls, (_request, response) => {
      answer = () => void response.end("late");
    });
    const socket = await open();
    const said = readAll(socket);
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await sleep(100);
    const closed = listener.close();
    answer();
    const since = performance.now();
    await closed;
    expect(performance.now() - since).toBeLessThan(5_000);
    expect(await said).toMatch(/^HTTP\/1\.1 200 .*late/s);
  });

  it("an answer to a message that is written before anything is read arrives, and a kept connection serves on", async () => {
    await restart(tls, refuseEarly);
    for (const [framing, connection, reused] of [
      ["length", "keep-alive", true],
      ["length", "close", false],
      ["chunked", "keep-alive", false],
      ["chunked", "close", false],
    ] as const) {
      const socket = await open();
      // Whatever has arrived stays in the kernel until all is written.
      const head = `POST / HTTP/1.1\r\nHost: x\r\nConnection: ${connection}\r\n`;
      const body = Buffer.alloc(5 * 2 ** 20);
      if (framing === "length") socket.write(`${head}Content-Length: ${body.length}\r\n\r\n`);
      else socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`);
      socket.write(body);
      await new Promise((resolve) => socket.write(framing === "length" ? "" : "\r\n0\r\n\r\n", resolve));
      if (reused) socket.write(request1);
      const answers = (await readAll(socket)).match(/HTTP\/1\.1 \d+|refused|connection: [a-z-]+/gi);
      const told = ["HTTP/1.1 413", `Connection: ${reused ? "keep-alive" : "close"}`, "refused"];
      const next = ["HTTP/1.1 413", "Connection: close", "refused"];
      expect(answers?.join().toLowerCase()).toBe([...told, ...(reused ? next : [])].join().toLowerCase());
    }
  });

  it("an HTTP/2 stream that goes on after its answer is told to stop, and all others live", async () => {
    await restart(tls, refuseEarly);
    const session = connect2(listener.url, { ca: certificate.cert }).on("error", () => undefined);
    const endless = session.request({ ":method": "POST", ":path": "/" }, { endStream: false });
    const closed = once(endless, "close");
    const write = () => void endless.write(Buffer.alloc(2 ** 20), (error) => error ?? write());
    write();
    expect((await endless.setEncoding("utf8").toArray()).join("")).toBe("refused");
    await closed;
    expect(endless.rstCode).toBe(0);
    for (let i = 0; i < 10; i++) {
      const stream = session.request({ ":method": "POST", ":path": "/" }).setEncoding("utf8");
      stream.end(Buffer.alloc(5 * 2 ** 20));
      expect((await stream.toArray()).join("")).toBe("refused");
    }
    session.destroy();
  });

  it.each(["keep-alive", "close"])(
    "a body that goes on after the answer is not read to its end, and the connection goes: %s (P10)",
    async (connection) => {
      await restart(tls, refuseEarly);
      const socket = await open();
      let answer = "";
      socket.on("data", (data: Buffer) => {
        answer += data.toString("latin1");
      });
      socket.write(`POST / HTTP/1.1\r\nHost: x\r\nConnection: ${connection}\r\nTransfer-Encoding: chunked\r\n\r\n`);
      const chunk = Buffer.concat([Buffer.from("10000\r\n"), Buffer.alloc(0x10000), Buffer.from("\r\n")]);
      let taken = 0;
      const giveUpAt = performance.now() + 30_000;
      while (!socket.destroyed && performance.now() < giveUpAt) {
        if (!socket.write(chunk))
          await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), sleep(100)]);
        taken = socket.bytesWritten - socket.writableLength;
      }
      expect([socket.destroyed, answer]).toEqual([true, expect.stringContaining("HTTP/1.1 413")]);
      expect(taken).toBeLessThan(64 * 2 ** 20);
    },
  );

  it("answers headers that never end with 408 and closes, while it serves others", async () => {
    listener.destroy();
    await listener.close();
    await start({ tls, headersMs: 1_000 });
    const slow = await open();
    const answer = readAll(slow);
    slow.write("GET / HTTP/1.1\r\nHost: x\r\n");
    const drip = setInterval(() => slow.write("X-A: b\r\n"), 200);
    expect(await ask1()).toBe("HTTP/1.1");
    expect(await answer).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(drip);
    expect(await ask2()).toBe("HTTP/2.0");
  });

  it("HTTP/2 connections share the budget, and one whose share has shrunk still takes all that is sent (P10)", async () => {
    listener.destroy();
    await start({
      tls,
      handler: (request, response) => void request.on("end", () => response.end("whole")).resume(),
    });
    const sessions: ClientHttp2Session[] = [];
    const join = async () => {
      const session = connect2(listener.url, { ca: certificate.cert }).on("error", () => undefined);
      sessions.push(session);
      await once(session, "remoteSettings");
      // What the server said of the connection's window came before the answer to this.
      await new Promise((resolve) => session.ping(resolve));
      return session;
    };
    const first = await join();
    expect(first.state.remoteWindowSize).toBe(16 * 2 ** 20);
    for (let i = 0; i < 15; i++) await join();
    expect((await join()).state.remoteWindowSize).toBe(4 * 2 ** 20);
    const stream = first.request({ ":method": "POST", ":path": "/" }).setEncoding("utf8");
    stream.end(Buffer.alloc(40 * 2 ** 20));
    expect((await stream.toArray()).join("")).toBe("whole");
    for (const session of sessions) session.destroy();
  });

  it("lets go of an HTTP/2 connection that asks nothing, and not of one whose call takes its time", async () => {
    listener.destroy();
    await start({
      tls,
      http2IdleMs: 100,
      handler: (_request, response) => void (response as ServerResponse).write("begun"),
    });
    const open2 = () => connect2(listener.url, { ca: certificate.cert }).on("error", () => undefined);
    const busy = open2();
    const stream = busy.request({ ":path": "/" });
    await once(stream, "data");
    const idle = open2();
    await once(idle, "close");
    expect([busy.closed, stream.closed]).toEqual([false, false]);
    busy.destroy();
  });

  it("a body may take longer than headers may", async () => {
    listener.destroy();
    await start({
      tls,
      headersMs: 300,
      handler: (request, response) => void request.on("end", () => response.end("whole")).resume(),
    });
    const socket = await open();
    const answer = readAll(socket);
    socket.write("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\n");
    for (let i = 0; i < 10; i++) {
      await sleep(150);
      socket.write("x");
    }
    expect(await answer).toMatch(/^HTTP\/1\.1 200 .*whole/s);
  });

  it("an HTTP/2 client that ends its half of the connection in the middle of a call has gone (P7)", async () => {
    let gone!: (code: unknown) => void;
    const aborted = new Promise((resolve) => {
      gone = resolve;
    });
    let begun!: () => void;
    const begins = new Promise<void>((resolve) => {
      begun = resolve;
    });
    listener.destroy();
    await start({
      tls,
      handler(request) {
        request.on("aborted", gone).on("error", gone).resume();
        begun();
      },
    });
    const raw = await openRaw();
    const session = connect2(listener.url, {
      createConnection: () =>
        tls === undefined
          ? raw
          : connectSecurely({ socket: raw, ca: tls.cert, host: "127.0.0.1", ALPNProtocols: ["h2"] }),
    }).on("error", () => undefined);
    session.request({ ":method": "POST", ":path": "/" }, { endStream: false }).on("error", () => undefined);
    await begins;
    raw.end();
    await aborted;
  });
});

describe("a port with TLS", () => {
  beforeEach(() => start({ tls: certificate }));

  it("says https in its address, and speaks what ALPN agrees on, HTTP/1.1 to those that name nothing", async () => {
    expect(listener.url).toMatch(/^https:/);
    for (const [ALPNProtocols, agreed] of [
      [["h2", "http/1.1"], "h2"],
      [["http/1.1"], "http/1.1"],
      [undefined, false],
    ] as const) {
      const socket = connectSecurely({
        port,
        ca: certificate.cert,
        ...(ALPNProtocols && { ALPNProtocols: [...ALPNProtocols] }),
      });
      await once(socket, "secureConnect");
      expect(socket.alpnProtocol).toBe(agreed);
      socket.destroy();
    }
  });

  it.each(["TLSv1", "TLSv1.1"] as const)("refuses %s", async (version) => {
    const socket = connectSecurely({
      port,
      ca: certificate.cert,
      minVersion: version,
      maxVersion: version,
      ciphers: "DEFAULT@SECLEVEL=0",
    });
    expect(await new Promise((resolve) => socket.on("error", () => resolve("refused")))).toBe("refused");
    expect(await ask1()).toBe("HTTP/1.1");
  });

  it("lives on when a handshake is no handshake, breaks off, or is reset", async () => {
    for (const bytes of [request1, preface, "\u0016\u0003\u0001", "\u0016\u0003\u0001\u0002\u0000\u0001"]) {
      const socket = await openRaw();
      socket.write(bytes, "latin1");
      await sleep(20);
      socket.resetAndDestroy();
      const other = await openRaw();
      other.end(bytes, "latin1");
    }
    expect([await ask1(), await ask2()]).toEqual(["HTTP/1.1", "HTTP/2.0"]);
  });

  it("closes a handshake that is silent, and one that drips, after 10 s", async () => {
    const [silent, dripping] = [await openRaw(), await openRaw()];
    dripping.write(Buffer.from("1603010200010001fc0303", "hex"));
    const drip = setInterval(() => dripping.write("x"), 1_000);
    const seconds = await Promise.all([timeToEnd(silent), timeToEnd(dripping)]);
    clearInterval(drip);
    for (const taken of seconds) {
      expect(taken).toBeGreaterThan(9);
      expect(taken).toBeLessThan(20);
    }
  });

  it("once closed lets go at once of a handshake that is under way", async () => {
    await openRaw();
    await sleep(100);
    const since = performance.now();
    await listener.close();
    expect(performance.now() - since).toBeLessThan(5_000);
  });

  it("meets connections to come with a renewed certificate, and those that are there go on", async () => {
    const { cert: ca } = certificate;
    const session = connect2(listener.url, { ca }).on("error", () => undefined);
    await once(session, "remoteSettings");
    const renewed = makeCertificate();
    listener.renewTls(renewed);
    await expect(ask1()).rejects.toThrow();
    const response = session.request({ ":path": "/" }).setEncoding("utf8");
    expect((await response.toArray()).join("")).toBe("HTTP/2.0");
    session.destroy();
    const socket = connectSecurely({ port, ca: renewed.cert });
    await once(socket, "secureConnect");
    socket.destroy();
  });
});
