// Content as a client sends it over HTTP/1.1: announced or chunked, in one go, or for as long as a test wants it to take.
import { once } from "node:events";
import { type Agent, type ClientRequest, type IncomingMessage, request as openRequest } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface HttpTarget {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: Agent;
}

export interface TextAnswer {
  readonly status: number;
  readonly text: string;
}

/** Bytes of a file; `lengthBytes` announces them (undefined: chunked). */
export interface UploadBody {
  readonly bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  readonly lengthBytes?: number | undefined;
}

/** An upload that goes on for as long as its test wants it to. */
export interface OpenUpload {
  /** Resolves once the bytes have been taken over by the system. */
  send(bytes: Uint8Array): Promise<void>;
  end(): void;
  /** Goes away without a word. */
  cut(): void;
  /** Rejects when the connection ends without one; never before it is awaited. */
  readonly answer: Promise<TextAnswer>;
}

/** A request without its body; `answer` never rejects before it is awaited. */
export function startRequest({ method, url, headers = {}, agent }: HttpTarget): {
  readonly request: ClientRequest;
  readonly answer: Promise<TextAnswer>;
} {
  const request = openRequest(url, { method, headers, ...(agent && { agent }) });
  const answer = new Promise<TextAnswer>((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response) => void readAnswer(response).then(resolve, reject));
  });
  answer.catch(() => undefined);
  return { request, answer };
}

export async function uploadBody(target: HttpTarget, { bytes, lengthBytes }: UploadBody): Promise<TextAnswer> {
  const { request, answer } = startRequest(withLength(target, lengthBytes));
  // An answer that comes before the end of the body counts; what broke the connection is told by the answer.
  pipeline(Readable.from(bytes), request).catch(() => undefined);
  return answer;
}

export function beginUpload(target: HttpTarget, lengthBytes?: number): OpenUpload {
  const { request, answer } = startRequest(withLength(target, lengthBytes));
  request.flushHeaders();
  return {
    answer,
    send: (bytes) => send(request, bytes),
    end: () => void request.end(),
    cut: () => void request.destroy(),
  };
}

function withLength(target: HttpTarget, lengthBytes: number | undefined): HttpTarget {
  const length: Record<string, string> =
    lengthBytes === undefined ? { "transfer-encoding": "chunked" } : { "content-length": String(lengthBytes) };
  return { ...target, headers: { ...target.headers, ...length } };
}

async function send(request: ClientRequest, bytes: Uint8Array): Promise<void> {
  if (!request.write(bytes) && !request.destroyed) await Promise.race([once(request, "drain"), once(request, "close")]);
}

async function readAnswer(response: IncomingMessage): Promise<TextAnswer> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  return { status: response.statusCode ?? 0, text };
}
