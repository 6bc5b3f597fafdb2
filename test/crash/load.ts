// Clients that upload as people do, and write down what was acknowledged.
import { setTimeout as sleep } from "node:timers/promises";
import { ChecksumAlgorithm } from "../../gen/slipway/upload/v1/checksum_pb.js";
import { FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import { messagesOf, type Place, sendPart, statusOf } from "../rpc/scene.js";
import type { TestClient } from "../support/client.js";
import { contentOf, type Dice, type FileModel, planSession, type SessionModel } from "./model.js";

/** The words that a session is created with: the same whenever its token is. */
export const sessionRequest = ({ clientToken, round }: SessionModel) => ({ clientToken, label: `round ${round}` });

export const fileRequest = (sessionId: string, file: FileModel) => {
  const checksums = [{ algorithm: ChecksumAlgorithm.SHA256, checksum: file.sha256 }];
  const declared = file.declared ? { sizeBytes: BigInt(file.sizeBytes), checksums } : {};
  return { sessionId, spec: { name: file.name, ...declared } };
};

/** Uploads session after session until the connection breaks. Rejects with what broke it. */
export async function uploadForEver(
  client: TestClient,
  dice: Dice,
  round: number,
  sessions: SessionModel[],
): Promise<never> {
  for (;;) {
    const session = planSession(dice, round);
    sessions.push(session);
    session.id = (await client.sessions.createSession(sessionRequest(session))).session?.id;
    const sessionId = session.id ?? "";
    for (const file of session.files) {
      file.id = (await client.files.addFile(fileRequest(sessionId, file))).file?.id;
      const place = { sessionId, fileId: file.id ?? "" };
      await (dice.chance(0.5) ? uploadStream(client, place, file, dice) : uploadParts(client, place, file, dice));
    }
    session.completeAsked = true;
    await client.sessions.completeSession({ sessionId });
    session.completed = true;
  }
}

async function uploadParts(client: TestClient, place: Place, file: FileModel, dice: Dice): Promise<void> {
  const content = contentOf(file);
  for (let offset = 0; !file.ready; ) {
    const data = content.subarray(offset, offset + 1 + dice.below(600_000));
    const finish = offset + data.length === content.length;
    const answer = await sendPart(client, place, offset, data, { finish });
    offset = Number(answer.committedOffset);
    file.committed = Math.max(file.committed, offset);
    file.ready = answer.file?.state === FileState.READY;
  }
}

async function uploadStream(client: TestClient, place: Place, file: FileModel, dice: Dice): Promise<void> {
  async function* messages() {
    for (const message of messagesOf(place, contentOf(file), { withCrc: true })) {
      yield message;
      if (dice.chance(0.2)) await sleep(dice.below(10));
    }
  }
  let sending = true;
  const watching = (async () => {
    while (sending) {
      await sleep(20);
      const status = await statusOf(client, place);
      if (status === "finished") file.ready = true;
      else file.committed = Math.max(file.committed, status);
    }
  })();
  // It breaks with the upload, which tells.
  watching.catch(() => undefined);
  try {
    const answer = await client.files.uploadFile(messages());
    file.committed = Number(answer.committedOffset);
    file.ready = answer.file?.state === FileState.READY;
  } finally {
    sending = false;
  }
}
