import { connect } from "node:net";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { createSource, failureOf, open, patient, readUntilFailure, serve, serveRaw } from "./web.js";

const hasty = (step: keyof typeof patient, ms = 50) =>
  createSource("127.0.0.1", { timeouts: { ...patient, [step]: ms } });

describe("a source that is slow", () => {
  it("to be looked up is given up", async () => {
    const source = createSource("127.0.0.1", {
      lookUp: () => new Promise<never>(() => undefined),
      timeouts: { ...patient, lookUpMs: 50 },
    });
    const error = await failureOf(open(source, "http://files.example/a"));
    expect([error.failure, error.isFinal]).toEqual(["timed_out", false]);
    expect(error.message).toBe("files.example could not be looked up within 50 ms; try again later");
  });

  it("to shake hands is given up", async () => {
    const url = (await serveRaw(() => undefined)).replace("http:", "https:");
    const error = await failureOf(open(hasty("tlsMs"), url));
    expect([error.failure, error.isFinal]).toEqual(["timed_out", false]);
    expect(error.message).toMatch(/did not finish the TLS handshake within 50 ms; try again later$/);
  });

  it("to answer is given up, although it keeps sending that it will", async () => {
    const closed: Promise<void>[] = [];
    const url = await serveRaw((socket) => {
      closed.push(new Promise((resolve) => socket.once("close", () => resolve())));
      const timer = setInterval(() => socket.write("HTTP/1.1 102 Processing\r\n\r\n"), 10);
      socket.once("close", () => clearInterval(timer));
    });
    const error = await failureOf(open(hasty("firstByteMs"), url));
    expect([error.failure, error.isFinal]).toEqual(["timed_out", false]);
    expect(error.message).toMatch(/sent no answer within 50 ms; try again later$/);
    await Promise.all(closed);
    expect(closed).toHaveLength(1);
  });

  it("and stalls in the middle is given up, and what came is kept", async () => {
    let closed = () => {};
    const end = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const server = await serve((_, response) => {
      response.once("close", closed);
      response.writeHead(200, { "content-length": 10 }).write("abc");
    });
    const { read, error } = await readUntilFailure(await open(hasty("stallMs", 300), `${server.url}/file`));
    expect(String(read)).toBe("abc");
    expect([error.failure, error.isFinal]).toEqual(["timed_out", false]);
    expect(error.message).toBe(`${server.url}/file sent nothing for 300 ms; try again later`);
    await end;
  });

  it("and drips is given up like one that stalls, and one that is slow but comes forward is not", async () => {
    const drip = await serve((_, response) => {
      const timer = setInterval(() => response.write("abc"), 10);
      response.once("close", () => clearInterval(timer));
    });
    const wanting = (stallBytes: number) =>
      createSource("127.0.0.1", { timeouts: { ...patient, stallMs: 300, stallBytes } });
    const { read, error } = await readUntilFailure(await open(wanting(1000), `${drip.url}/file`));
    expect(read.length).toBeGreaterThan(0);
    expect([error.failure, error.isFinal]).toEqual(["timed_out", false]);
    expect(error.message).toBe(`${drip.url}/file sent less than 1000 bytes in 300 ms; try again later`);
    const started = performance.now();
    for await (const _ of (await open(wanting(4), drip.url)).bytes) if (performance.now() - started > 1000) break;
  });

  it("is told from a reader that is slow", async () => {
    const server = await serve((_, response) => response.end(Buffer.alloc(2 ** 20)));
    const content = await open(hasty("stallMs", 200), server.url);
    let read = 0;
    for await (const chunk of content.bytes) {
      if (read === 0) await new Promise((resolve) => setTimeout(resolve, 600));
      read += chunk.length;
    }
    expect(read).toBe(2 ** 20);
  });
});

describe("a source that takes no connection", () => {
  it("is given up", async () => {
    // A listener whose backlog is full, for nobody accepts: more connections than it holds are left waiting.
    const worker = new Worker(
      `const { createServer } = require("node:net");
       const { parentPort } = require("node:worker_threads");
       const server = createServer().listen({ host: "127.0.0.1", port: 0, backlog: 1 }, () => {
         parentPort.postMessage(server.address().port);
         Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
       });`,
      { eval: true },
    );
    const port = await new Promise<number>((resolve) => worker.once("message", resolve));
    const fillers = Array.from({ length: 8 }, () => connect(port, "127.0.0.1").on("error", () => undefined));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const error = await failureOf(open(hasty("connectMs", 300), `http://127.0.0.1:${port}/`));
    for (const filler of fillers) filler.destroy();
    expect([error.failure, error.isFinal]).toEqual(["timed_out", false]);
    expect(error.message).toBe(`127.0.0.1:${port} took no connection within 300 ms; try again later`);
    await worker.terminate();
  });
});
