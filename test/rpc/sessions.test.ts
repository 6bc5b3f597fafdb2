import { setTimeout as sleep } from "node:timers/promises";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { FailureReason } from "../../gen/slipway/upload/v1/failure_pb.js";
import { SessionAccess, SessionState, SessionVisibility } from "../../gen/slipway/upload/v1/session_pb.js";
import { mainWires, refusalOf, type TestClient } from "../support/client.js";
import { nested } from "./refusals/row.js";
import { addFile, startSession, storeFile, useServer } from "./scene.js";

const server = useServer(() => ({ env: { SLIPWAY_SWEEP_INTERVAL: "200ms", SLIPWAY_SESSION_TTL: "2h" } }));
const hourMs = 3_600_000;

describe.each(mainWires)("over %s", (wire) => {
  const client = new Proxy({} as TestClient, { get: (_, name: keyof TestClient) => server.client(wire)[name] });
  const get = async (sessionId: string) => (await client.sessions.getSession({ sessionId })).session;

  it("a session that says nothing is ACTIVE, ADDITIVE, the OWNER's and expires after the server's time", async () => {
    const session = await startSession(client);
    expect(session).toMatchObject({
      state: SessionState.ACTIVE,
      access: SessionAccess.ADDITIVE,
      visibility: SessionVisibility.OWNER,
      origin: "rpc",
      label: "",
      fileCount: 0,
      clientProgress: 0,
    });
    expect(session.id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(timestampMs(session.expireTime!) - timestampMs(session.createTime!)).toBe(2 * hourMs);
    expect([session.failure, session.endTime, session.itemId]).toEqual([undefined, undefined, undefined]);
    expect(await get(session.id)).toEqual(session);
  });

  it("a session keeps every word it was created with", async () => {
    const attributes = { text: "ü\u{1f600}", list: [1, 2.5, -3, null, true], tree: nested(15) as never };
    const session = await startSession(client, {
      access: SessionAccess.EXCLUSIVE,
      visibility: SessionVisibility.TENANT,
      label: "\u{1f600}".repeat(128),
      attributes,
      idleTtl: { seconds: 60n },
      absoluteTtl: { seconds: 30n },
    });
    expect(session).toMatchObject({
      access: SessionAccess.EXCLUSIVE,
      visibility: SessionVisibility.TENANT,
      attributes,
    });
    expect(session.label).toBe("\u{1f600}".repeat(128));
    expect(timestampMs(session.expireTime!) - timestampMs(session.createTime!)).toBe(30_000);
    expect(await get(session.id)).toEqual(session);
  });

  it("creating with the same client token gives the same session, whatever has become of it (P4)", async () => {
    const request = { clientToken: crypto.randomUUID(), label: "one", attributes: { b: 1, a: 2 } };
    const answers = await Promise.all(Array.from({ length: 8 }, () => client.sessions.createSession(request)));
    const id = answers[0]?.session?.id ?? "";
    expect(new Set(answers.map(({ session }) => session?.id))).toEqual(new Set([id]));
    expect(answers.filter(({ applied }) => applied)).toHaveLength(1);
    await client.sessions.cancelSession({ sessionId: id });
    const again = await client.sessions.createSession({ ...request, attributes: { a: 2, b: 1 } });
    expect([again.applied, again.session?.id, again.session?.state]).toEqual([false, id, SessionState.CANCELED]);
  });

  it("without a client token each call opens another session", async () => {
    expect((await startSession(client)).id).not.toBe((await startSession(client)).id);
  });

  it("a list pages through every session exactly once, newest first, with all filters holding", async () => {
    const label = crypto.randomUUID();
    const made = await Promise.all(Array.from({ length: 23 }, () => startSession(client, { label })));
    await client.sessions.cancelSession({ sessionId: made[5]!.id });
    const seen = await listAll({ label, pageSize: 4 });
    expect(seen.map(({ id }) => id).sort()).toEqual(made.map(({ id }) => id).sort());
    const times = seen.map(({ createTime }) => timestampMs(createTime!));
    expect(times).toEqual([...times].sort((a, b) => b - a));
    const canceled = await listAll({ label, states: [SessionState.CANCELED, SessionState.DONE] });
    expect(canceled.map(({ id }) => id)).toEqual([made[5]!.id]);
    expect(await listAll({ label: `${label}?` })).toEqual([]);
  });

  async function listAll(filter: { label: string; pageSize?: number; states?: SessionState[] }) {
    const seen = [];
    let pageToken = "";
    do {
      const page = await client.sessions.listSessions({ ...filter, pageToken });
      if (filter.pageSize !== undefined) expect(page.sessions.length).toBeLessThanOrEqual(filter.pageSize);
      seen.push(...page.sessions);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return seen;
  }

  it("a label with a NUL, which no session has, finds none or is INVALID_ARGUMENT", async () => {
    const answer = await client.sessions.listSessions({ label: "a\0b" }).then(
      ({ sessions }) => sessions,
      async (error: unknown) => (await refusalOf(Promise.reject(error))).code,
    );
    expect([[], "INVALID_ARGUMENT"]).toContainEqual(answer);
  });

  it("keeping a session alive moves its deadline on and takes progress that does not go back", async () => {
    const { id: sessionId, expireTime } = await startSession(client, { idleTtl: { seconds: 100n } });
    await sleep(20);
    const { session } = await client.sessions.keepSessionAlive({ sessionId, clientProgress: 40 });
    expect(timestampMs(session!.expireTime!)).toBeGreaterThan(timestampMs(expireTime!));
    expect(session?.clientProgress).toBe(40);
    await client.sessions.keepSessionAlive({ sessionId });
    await client.sessions.keepSessionAlive({ sessionId, clientProgress: 40 });
    expect((await client.sessions.keepSessionAlive({ sessionId, clientProgress: 100 })).session?.clientProgress).toBe(
      100,
    );
    expect((await get(sessionId))?.clientProgress).toBe(100);
  });

  it("validating names what is missing and what failed, and changes nothing", async () => {
    const { id: sessionId } = await startSession(client);
    await storeFile(client, new Uint8Array(3), { name: "ready" }, sessionId);
    expect(await client.sessions.validateSession({ sessionId })).toMatchObject({ hasErrors: false, missingFiles: [] });
    await addFile(client, { name: "waiting" }, sessionId);
    const wrong = [{ algorithm: 4, checksum: "0".repeat(64) }];
    const failed = await addFile(client, { name: "failed", checksums: wrong }, sessionId);
    await client.files.uploadPart({ ...failed, finish: true }).catch(() => undefined);
    const before = await get(sessionId);
    const { hasErrors, missingFiles, invalidFiles } = await client.sessions.validateSession({ sessionId });
    expect([hasErrors, missingFiles]).toEqual([true, ["waiting"]]);
    expect(invalidFiles).toMatchObject([{ name: "failed", fileId: failed.fileId }]);
    expect(invalidFiles[0]?.failure?.reason).toBe(FailureReason.CHECKSUM_DIFFERS);
    expect(await get(sessionId)).toEqual(before);
  });

  it("completing and cancelling happen once, however often they are asked (P4)", async () => {
    for (const [deed, state] of [
      ["completeSession", SessionState.DONE],
      ["cancelSession", SessionState.CANCELED],
    ] as const) {
      const { id: sessionId } = await startSession(client);
      const answers = await Promise.all(Array.from({ length: 6 }, () => client.sessions[deed]({ sessionId })));
      expect(answers.filter(({ applied }) => applied)).toHaveLength(1);
      for (const { session } of answers) expect(session).toEqual(await get(sessionId));
      expect((await get(sessionId))?.state).toBe(state);
    }
  });

  it("of completing and cancelling at the same time exactly one happens (P5)", async () => {
    for (let round = 0; round < 5; round++) {
      const { sessionId } = await storeFile(client, new Uint8Array(10));
      const [done, canceled] = await Promise.allSettled([
        client.sessions.completeSession({ sessionId }),
        client.sessions.cancelSession({ sessionId }),
      ]);
      const expected = done.status === "fulfilled" ? SessionState.DONE : SessionState.CANCELED;
      expect([done.status, canceled.status].sort()).toEqual(["fulfilled", "rejected"]);
      expect((await get(sessionId))?.state).toBe(expected);
    }
  });

  it("a failed session keeps its first reason, and a repeat answers with `applied: false`", async () => {
    const { id: sessionId } = await startSession(client);
    await client.sessions.failSession({ sessionId, message: "the source is gone" });
    const { session, applied } = await client.sessions.failSession({ sessionId, message: "something else" });
    expect([applied, session?.state]).toEqual([false, SessionState.FAILED]);
    expect(session?.failure?.reason).toBe(FailureReason.CLIENT);
    expect(session?.failure?.message?.defaultMessage).toBe("the source is gone");
    expect(session?.endTime).toBeDefined();
  });

  it("failing without a message puts a general sentence in its place", async () => {
    const { id: sessionId } = await startSession(client);
    const { session } = await client.sessions.failSession({ sessionId });
    expect(session?.failure?.message?.defaultMessage).toMatch(/\w+ \w+/);
  });

  it("a session whose deadline passes is FAILED with the reason EXPIRED, and what it refuses is SESSION_EXPIRED", async () => {
    const { id: sessionId } = await startSession(client, { idleTtl: { nanos: 1_000_000 } });
    await expect.poll(async () => (await get(sessionId))?.state, { timeout: 10_000 }).toBe(SessionState.FAILED);
    expect((await get(sessionId))?.failure?.reason).toBe(FailureReason.EXPIRED);
    const refusal = await refusalOf(client.files.addFile({ sessionId, spec: { name: "late" } }));
    expect([refusal.code, refusal.reason]).toEqual(["FAILED_PRECONDITION", "SESSION_EXPIRED"]);
  });

  it("a deleted session is gone with its files", async () => {
    const place = await storeFile(client, new Uint8Array(10));
    const { sessionId } = place;
    await client.sessions.completeSession({ sessionId });
    await client.sessions.deleteSession({ sessionId });
    expect((await refusalOf(client.sessions.getSession({ sessionId }))).reason).toBe("SESSION_NOT_FOUND");
    expect((await refusalOf(client.files.getFile({ ...place }))).reason).toBe("SESSION_NOT_FOUND");
  });

  it("the number of the last event grows with changes of state, never with progress", async () => {
    const { id: sessionId, lastEventNumber } = await startSession(client);
    await client.sessions.keepSessionAlive({ sessionId, clientProgress: 5 });
    expect((await get(sessionId))?.lastEventNumber).toBe(lastEventNumber);
    await addFile(client, {}, sessionId);
    expect((await get(sessionId))?.lastEventNumber).toBeGreaterThan(lastEventNumber);
  });
});
