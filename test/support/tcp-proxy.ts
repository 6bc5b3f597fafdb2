// A line between a client and a server that is as bad as a test needs it.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface TcpProxy {
  readonly url: string;
  /** How many bytes of clients have passed. */
  readonly sentBytes: number;
  /** At most so many bytes of clients a second from now on; undefined for as many as there are. */
  limit(bytesPerSecond: number | undefined): void;
  /** The same of what servers send. */
  limitDown(bytesPerSecond: number | undefined): void;
  /** Breaks every connection off. */
  drop(): void;
  /** Nothing passes any more, and nobody is told; `false` lets it pass again. */
  stall(on: boolean): void;
  /** Tells every server that its client has nothing more to send, and clients nothing. */
  halfClose(): void;
  close(): Promise<void>;
}

export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { port, hostname } = new URL(target);
  const pairs = new Set<readonly [Socket, Socket]>();
  let rate: number | undefined;
  let downRate: number | undefined;
  let stalled = false;
  let sentBytes = 0;

  const carry = async (from: Socket, to: Socket, fromClient: boolean) => {
    for await (const bytes of from as AsyncIterable<Buffer>) {
      while (stalled) await sleep(5);
      if (fromClient) sentBytes += bytes.length;
      const most = fromClient ? rate : downRate;
      if (most !== undefined) await sleep((bytes.length / most) * 1000);
      if (to.writable && !to.write(bytes)) await Promise.race([once(to, "drain"), once(to, "close")]);
    }
    if (to.writable) to.end();
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const pair = [client, upstream] as const;
    pairs.add(pair);
    for (const socket of pair) {
      socket.on("error", () => undefined);
      socket.on("close", () => {
        pairs.delete(pair);
        for (const other of pair) other.destroy();
      });
    }
    carry(client, upstream, true).catch(() => undefined);
    carry(upstream, client, false).catch(() => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const drop = () => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get sentBytes() {
      return sentBytes;
    },
    limit(bytesPerSecond) {
      rate = bytesPerSecond;
    },
    limitDown(bytesPerSecond) {
      downRate = bytesPerSecond;
    },
    drop,
    stall(on) {
      stalled = on;
    },
    halfClose() {
      for (const [, upstream] of pairs) upstream.end();
    },
    async close() {
      stalled = false;
      drop();
      server.close();
      await once(server, "close");
    },
  };
}
