// Requests over sockets, with every header as it is given, over either HTTP version.
import { once } from "node:events";
import { Agent, type IncomingMessage, request as request1 } from "node:http";
import { type ClientHttp2Session, connect as connect2 } from "node:http2";

export const httpVersions = ["1.1", "2"] as const;

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes are announced by their length; a stream is chunked, or over HTTP/2 not announced. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
}

export interface HttpAnswer {
  readonly status: number;
  /** But for those that say nothing about the answer (date, connection, keep-alive). */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface HttpClient {
  ask(request: HttpRequest): Promise<HttpAnswer>;
  /**
   * Sends these bytes of a body of `length` bytes (undefined: chunked) and leaves it there. `answer` never rejects before
   * it is awaited.
   */
  begin(request: Omit<HttpRequest, "body">, sent: Uint8Array, length?: number): Hanging;
  close(): void;
}

export interface Hanging {
  readonly answer: Promise<HttpAnswer>;
  /** Goes away without a word: a reset of the connection, or of the stream. */
  cut(): void;
}

export function openHttp(url: string, version: (typeof httpVersions)[number]): HttpClient {
  return version === "2" ? openHttp2(url) : openHttp1(url);
}

const noise = new Set(["date", "connection", "keep-alive", "transfer-encoding"]);

function tidy(headers: object): Record<string, string> {
  const entries = Object.entries(headers as Record<string, string>);
  return Object.fromEntries(entries.filter(([name]) => !noise.has(name) && !name.startsWith(":")));
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

function openHttp1(url: string): HttpClient {
  const agent = new Agent({ keepAlive: true });
  function start({ method, path, headers = {} }: HttpRequest) {
    const request = request1(url + path, { method, headers, agent });
    const answer = new Promise<HttpAnswer>((resolve, reject) => {
      request.on("error", reject);
      request.on("response", (response: IncomingMessage) => {
        readAll(response).then(
          (body) => resolve({ status: response.statusCode ?? 0, headers: tidy(response.headers), body }),
          reject,
        );
      });
    });
    return { request, answer: quietly(answer) };
  }
  return {
    async ask(asked) {
      const { body } = asked;
      const length = body instanceof Uint8Array ? { "content-length": String(body.length) } : {};
      const { request, answer } = start({ ...asked, headers: { ...length, ...asked.headers } });
      if (body === undefined || body instanceof Uint8Array) request.end(body);
      else {
        request.setHeader("transfer-encoding", "chunked");
        for await (const chunk of body) if (!request.write(chunk)) await once(request, "drain");
        request.end();
      }
      return answer;
    },
    begin(asked, sent, length) {
      const framing: Record<string, string> =
        length === undefined ? { "transfer-encoding": "chunked" } : { "content-length": String(length) };
      const { request, answer } = start({ ...asked, headers: { ...framing, ...asked.headers } });
      request.write(sent);
      return { answer, cut: () => void request.destroy() };
    },
    close: () => agent.destroy(),
  };
}

function openHttp2(url: string): HttpClient {
  const session: ClientHttp2Session = connect2(url).on("error", () => undefined);
  function start({ method, path, headers = {} }: HttpRequest, endStream: boolean) {
    const stream = session.request({ ":method": method, ":path": path, ...headers }, { endStream });
    const answer = new Promise<HttpAnswer>((resolve, reject) => {
      stream.on("error", reject);
      stream.on("response", (received) => {
        readAll(stream).then(
          (body) => resolve({ status: Number(received[":status"]), headers: tidy(received), body }),
          reject,
        );
      });
      stream.on("close", () => reject(new Error(`the stream was closed with ${stream.rstCode} and no answer`)));
    });
    return { stream, answer: quietly(answer) };
  }
  return {
    async ask(asked) {
      const { body } = asked;
      const length = body instanceof Uint8Array ? { "content-length": String(body.length) } : {};
      const { stream, answer } = start({ ...asked, headers: { ...length, ...asked.headers } }, body === undefined);
      if (body instanceof Uint8Array) stream.end(body);
      else if (body !== undefined) {
        for await (const chunk of body) stream.write(chunk);
        stream.end();
      }
      return answer;
    },
    begin(asked, sent, length) {
      const framing: Record<string, string> = length === undefined ? {} : { "content-length": String(length) };
      const { stream, answer } = start({ ...asked, headers: { ...framing, ...asked.headers } }, false);
      stream.write(sent);
      return { answer, cut: () => stream.close(8) };
    },
    close: () => session.destroy(),
  };
}
