// What a server says in /metrics, and a busy moment in its life.
import { ChecksumAlgorithm } from "../../gen/slipway/upload/v1/checksum_pb.js";
import { addFile, deferred, hangingStream, messagesOf, readBack, send, sendPart, storeFile } from "../rpc/scene.js";
import { pseudoRandom } from "./bodies.js";
import { openClient, type Refusal, refusalOf } from "./client.js";
import { logIn, type TestServer } from "./server.js";

/** By name and labels as they are written: `slipway_blobs_total{result="stored"}`. */
export type Sample = ReadonlyMap<string, number>;

export async function readMetrics(url: string, headers: Record<string, string> = {}): Promise<Sample> {
  const response = await fetch(`${url}/metrics`, { headers });
  if (response.status !== 200) throw new Error(`/metrics answered ${response.status}`);
  return parseMetrics(await response.text());
}

export function parseMetrics(text: string): Sample {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const cut = line.lastIndexOf(" ");
      return [line.slice(0, cut), Number(line.slice(cut + 1))] as const;
    }),
  );
}

/** What has become of these since: those that did not move are left out, and what asking for them moves. */
export function movedSince(before: Sample, after: Sample, prefix: string): Record<string, number> {
  const moves = [...after]
    .filter(([name]) => name.startsWith(prefix) && !name.includes('face="operations"'))
    .map(([name, value]) => [name.slice(prefix.length), value - (before.get(name) ?? 0)] as const)
    .filter(([, move]) => move !== 0);
  return Object.fromEntries(moves);
}

export const busyBytes = 300_000;

/**
 * One of everything that an operator wants to see: a file of 300,000 bytes that is sent, read and completed, a part that
 * is sent again, one that conflicts, content with a wrong checksum, a hand-over, a blob that is sent twice, a small
 * file in one call, a capability URL, and a login that fails.
 */
export async function liveBusily(server: TestServer): Promise<void> {
  const client = openClient(server);
  const content = pseudoRandom(busyBytes);
  try {
    const place = await storeFile(client, content);
    await readBack(client, place);
    await client.sessions.completeSession({ sessionId: place.sessionId });

    const repeated = await addFile(client);
    await sendPart(client, repeated, 0, content.subarray(0, 1000));
    await sendPart(client, repeated, 0, content.subarray(0, 1000));
    await refusal(sendPart(client, repeated, 0, content.subarray(1, 1001)), "BYTES_DIFFER");
    await client.sessions.cancelSession({ sessionId: repeated.sessionId });

    const checksums = [{ algorithm: ChecksumAlgorithm.SHA256, checksum: "0".repeat(64) }];
    const wrong = await addFile(client, { checksums });
    await refusal(send(client, wrong, content.subarray(0, 1000)), "CHECKSUM_DIFFERS");

    const shared = await addFile(client);
    const release = deferred();
    const begun = messagesOf(shared, content.subarray(0, 1000), { finish: false });
    const hung = refusalOf(client.files.uploadFile(hangingStream(begun, release.promise)));
    while ((await client.files.getFile({ ...shared })).file?.attempt === 0) await new Promise((r) => setTimeout(r, 10));
    await send(client, shared, content.subarray(0, 1000), { restart: true });
    release.resolve();
    await hung;

    const data = pseudoRandom(5000, Math.random() * 2 ** 31) as Uint8Array<ArrayBuffer>;
    for (let turn = 0; turn < 2; turn++) await client.blobs.uploadBlobs(once({ data }));
    await client.files.putFile({ spec: { name: "small" }, data });

    const offered = await addFile(client);
    const { uploadEndpoint } = await client.files.getFile({ ...offered });
    await fetch(uploadEndpoint!.uri, { method: "PUT", body: data });
    await logIn(server.url, { login: `nobody ${crypto.randomUUID()}`, password: "a wrong password" });
  } finally {
    client.close();
  }
}

async function refusal(call: Promise<unknown>, reason: string): Promise<void> {
  const refused: Refusal = await refusalOf(call);
  if (refused.reason !== reason) throw new Error(`refused with ${refused.reason}, not ${reason}`);
}

async function* once<T>(message: T): AsyncGenerator<T> {
  yield message;
}
