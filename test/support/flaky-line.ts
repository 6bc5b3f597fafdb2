// A line between a client and a server that breaks off when it likes: in the middle of what is sent, or before an answer.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface FlakyLine {
  readonly port: number;
  /** Connections that broke off within what a client sent, and those that took an answer along. */
  readonly cuts: number;
  readonly lostAnswers: number;
  close(): Promise<void>;
}

/** What becomes of a connection: it breaks off after so many bytes of the client, or takes this answer along, from 1 on. */
export interface Fate {
  readonly cutAfterBytes?: number | undefined;
  readonly losesAnswer?: number | undefined;
}

/** `fateOf` is asked for every connection as it comes. */
export async function startFlakyLine(targetPort: number, fateOf: () => Fate): Promise<FlakyLine> {
  const open = new Set<Socket>();
  let cuts = 0;
  let lostAnswers = 0;
  const server = createServer({ pauseOnConnect: true }, (client) => {
    const { cutAfterBytes = Number.POSITIVE_INFINITY, losesAnswer } = fateOf();
    const upstream = connect(targetPort, "127.0.0.1");
    const end = () => {
      for (const socket of [client, upstream]) {
        socket.destroy();
        open.delete(socket);
      }
    };
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("error", end);
      socket.on("close", end);
    }
    let left = cutAfterBytes;
    let answers = 0;
    client.on("data", (bytes) => {
      const passed = bytes.subarray(0, Math.min(left, bytes.length));
      left -= passed.length;
      if (!upstream.write(passed)) {
        client.pause();
        upstream.once("drain", () => client.resume());
      }
      if (left > 0) return;
      cuts++;
      // What has passed gets there: only then is the server left with a part of it.
      upstream.end();
      client.destroy();
    });
    upstream.on("data", (bytes) => {
      // An interim answer is none.
      if (isAnswer(bytes) && ++answers === losesAnswer) {
        lostAnswers++;
        end();
      } else client.write(bytes);
    });
    client.resume();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get cuts() {
      return cuts;
    },
    get lostAnswers() {
      return lostAnswers;
    },
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** The beginning of one, but for an interim answer. */
function isAnswer(bytes: Buffer): boolean {
  return /^HTTP\/1\.1 [2-5]/.test(bytes.subarray(0, 12).toString("latin1"));
}
