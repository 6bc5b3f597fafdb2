// A client of IMiS's face that knows what its four documented operations say, and nothing else: no offset to ask for, no
// code of an error. Whatever is not answered well is asked again in the same words.
import { Agent, request as openRequest } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** What a client is given: where the service is, and what it is to upload to. */
export interface BlindPlace {
  readonly port: number;
  /** `/archives/NAME/entities/H:HANDLE`. */
  readonly entityPath: string;
  readonly token: string;
}

export interface BlindContent {
  readonly contentType: string;
  readonly sizeBytes: number;
  /** The bytes [from, to), the same whenever they are asked for. */
  read(from: number, to: number): Iterable<Uint8Array>;
}

export interface BlindUpload {
  readonly sessionId: string;
  readonly object: Readonly<Record<string, unknown>>;
  /** How often something was asked again, and the statuses of answers that were not good. */
  readonly retries: number;
  readonly refusals: readonly string[];
}

const mostTries = 2_000;
const pauseMs = 20;

interface Ask {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: () => Iterable<Uint8Array>;
}

/** `cut` says where each part ends; `onSession` is told of the session once there is one. */
export async function uploadBlindly(
  place: BlindPlace,
  content: BlindContent,
  cut: () => number,
  onSession: (sessionId: string) => void = () => undefined,
): Promise<BlindUpload> {
  const agent = new Agent({ keepAlive: true });
  const refusals: string[] = [];
  let retries = 0;

  async function insist(ask: Ask): Promise<Readonly<Record<string, unknown>>> {
    for (let tried = 0; tried < mostTries; tried++) {
      try {
        const { status, text } = await askOnce(place, agent, ask);
        if (status === 200) return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
        refusals.push(`${ask.method} ${status} ${text}`);
      } catch {
        // The line broke, or the server did.
      }
      retries++;
      await sleep(pauseMs);
    }
    throw new Error(`${ask.method} ${ask.path} came to nothing: ${refusals.slice(-3).join("; ")}`);
  }
  const json = (value: object) => {
    const bytes = Buffer.from(JSON.stringify(value));
    return { headers: { "content-length": String(bytes.length) }, body: () => [bytes] };
  };

  const sessions = `${place.entityPath}/create_sessions`;
  try {
    const created = await insist({
      method: "POST",
      path: `${sessions}.json`,
      ...json({ content_type: content.contentType }),
    });
    const { id: sessionId } = created.session as { id: string };
    onSession(sessionId);
    for (let from = 0, to = 0; from < content.sizeBytes; from = to) {
      to = Math.min(content.sizeBytes, from + cut());
      const [first, end] = [from, to];
      const headers = { "content-range": `${first}-${end - 1}`, "content-length": String(end - first) };
      await insist({
        method: "PUT",
        path: `${sessions}/${sessionId}`,
        headers,
        body: () => content.read(first, end),
      });
    }
    const saved = await insist({
      method: "POST",
      path: `${sessions}/${sessionId}/save.json`,
      ...json({ description: "", container_id: "" }),
    });
    return { sessionId, object: saved.object as Readonly<Record<string, unknown>>, retries, refusals };
  } finally {
    agent.destroy();
  }
}

const answerMs = 60_000;

function askOnce({ port, token }: BlindPlace, agent: Agent, { method, path, headers, body }: Ask) {
  return new Promise<{ readonly status: number; readonly text: string }>((resolve, reject) => {
    const all = { authorization: `Bearer ${token}`, ...headers };
    const request = openRequest({ host: "127.0.0.1", port, method, path, headers: all, agent });
    request.setTimeout(answerMs, () => request.destroy(new Error("no answer came")));
    request.on("error", reject);
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => {
        text += piece;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      response.on("error", reject);
      response.on("aborted", () => reject(new Error("the answer broke off")));
    });
    if (body === undefined) request.end();
    else pipeline(Readable.from(body()), request).catch(() => undefined);
  });
}
