// Holds a restarted server to everything that was acknowledged, then brings what was interrupted to its end.
import { createHash } from "node:crypto";
import { expect } from "vitest";
import { ChecksumAlgorithm } from "../../gen/slipway/upload/v1/checksum_pb.js";
import { type File, FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import { SessionState } from "../../gen/slipway/upload/v1/session_pb.js";
import { readBack, send } from "../rpc/scene.js";
import type { TestClient } from "../support/client.js";
import { fileRequest, sessionRequest } from "./load.js";
import { contentOf, type Dice, type FileModel, type SessionModel } from "./model.js";

/**
 * A session that was completed, in this round or an earlier one, is there with all its files, and with every byte of
 * them (P1, P8).
 */
export async function verifyDone(client: TestClient, session: SessionModel, everyByte: boolean): Promise<void> {
  const sessionId = session.id ?? "";
  const what = `session ${sessionId} of round ${session.round}`;
  const found = (await client.sessions.getSession({ sessionId })).session;
  expect(found?.state, what).toBe(SessionState.DONE);
  const { files } = await client.files.listFiles({ sessionId });
  expect(files.map(({ id }) => id).sort(), what).toEqual(session.files.map(({ id }) => id).sort());
  expect(
    files.every(({ state }) => state === FileState.READY),
    what,
  ).toBe(true);
  if (!everyByte) return;
  for (const file of session.files) await verifyContent(client, sessionId, file);
}

/** What a session that was interrupted shows is what was acknowledged, or more; it is then finished and completed. */
export async function verifyInterrupted(client: TestClient, session: SessionModel, dice: Dice): Promise<void> {
  const created = await client.sessions.createSession(sessionRequest(session));
  const sessionId = created.session?.id ?? "";
  const what = `session ${sessionId} of round ${session.round}`;
  if (session.id !== undefined) {
    expect([sessionId, created.applied], `${what}: the same token, the same session (P4)`).toEqual([session.id, false]);
  }
  session.id = sessionId;

  const state = created.session?.state;
  const { files } = await client.files.listFiles({ sessionId });
  const names = new Set(session.files.map(({ name }) => name));
  expect(
    files.every(({ spec }) => names.has(spec?.name ?? "")),
    `${what}: files nobody asked for`,
  ).toBe(true);
  expect(created.session?.fileCount, `${what}: its count of files`).toBe(files.length);
  if (state === SessionState.DONE) {
    expect(session.completeAsked, `${what}: completed without being asked`).toBe(true);
    const ready = files.filter((file) => file.state === FileState.READY);
    expect(ready.length, `${what}: DONE means all files are (P5)`).toBe(session.files.length);
  } else {
    expect(state, what).toBe(SessionState.ACTIVE);
    for (const file of session.files) await verifyAndFinish(client, sessionId, file, dice);
  }
  const first = await client.sessions.completeSession({ sessionId });
  expect([first.session?.state, first.applied], what).toEqual([SessionState.DONE, state !== SessionState.DONE]);
  const again = await client.sessions.completeSession({ sessionId });
  expect([again.session, again.applied], `${what}: completed twice (P4)`).toEqual([first.session, false]);
  for (const file of session.files) file.id ??= idOf(files, file.name);
  await verifyDone(client, session, true);
}

async function verifyAndFinish(client: TestClient, sessionId: string, file: FileModel, dice: Dice): Promise<void> {
  const added = await client.files.addFile(fileRequest(sessionId, file));
  const found = added.file!;
  const what = `${file.name} of session ${sessionId}`;
  if (file.id !== undefined) expect([found.id, added.applied], `${what} is there (P1)`).toEqual([file.id, false]);
  file.id = found.id;
  const committed = Number(found.committedOffset);
  expect(committed, `${what}: the committed offset (P1, P2)`).toBeGreaterThanOrEqual(file.committed);
  expect(committed, `${what}: no more than was sent`).toBeLessThanOrEqual(file.sizeBytes);
  if (file.ready) expect(found.state, `${what} was READY`).toBe(FileState.READY);
  // What is stored is compared with what is repeated, and all of it counts for the checksum of the whole (P4, P6).
  const offset = dice.chance(0.5) ? 0 : dice.below(committed + 1);
  const content = contentOf(file);
  const checksums = [{ algorithm: ChecksumAlgorithm.SHA256, checksum: file.sha256 }];
  const place = { sessionId, fileId: found.id };
  const { file: whole } = await send(client, place, content.subarray(offset), { offset, finish: { checksums } });
  expect(whole?.state, what).toBe(FileState.READY);
}

function idOf(files: readonly File[], name: string): string | undefined {
  return files.find(({ spec }) => spec?.name === name)?.id;
}

async function verifyContent(client: TestClient, sessionId: string, file: FileModel): Promise<void> {
  const content = await readBack(client, { sessionId, fileId: file.id ?? "" });
  const what = `${file.name} of session ${sessionId}`;
  expect(content.length, what).toBe(file.sizeBytes);
  expect(createHash("sha256").update(content).digest("hex"), what).toBe(file.sha256);
}
