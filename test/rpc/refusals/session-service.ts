import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { SessionAccess, SessionState } from "../../../gen/slipway/upload/v1/session_pb.js";
import type { TestClient } from "../../support/client.js";
import { addFile, addSomebody, as, makeItem, startSession } from "../scene.js";
import { nested, nobody, type RefusalRow, rowsOf } from "./row.js";

const ms = (count: number) => ({ seconds: 0n, nanos: count * 1_000_000 });
const day = 86_400n;

/** A session whose deadline has passed. */
export async function expiredSession(client: TestClient): Promise<string> {
  const { id } = await startSession(client, { idleTtl: ms(1) });
  await sleep(20);
  return id;
}

export async function doneSession(client: TestClient): Promise<string> {
  const { id } = await startSession(client);
  await client.sessions.completeSession({ sessionId: id });
  return id;
}

export async function canceledSession(client: TestClient): Promise<string> {
  const { id } = await startSession(client);
  await client.sessions.cancelSession({ sessionId: id });
  return id;
}

export async function failedSession(client: TestClient): Promise<string> {
  const { id } = await startSession(client);
  await client.sessions.failSession({ sessionId: id, message: "gave up" });
  return id;
}

const makers = { expired: expiredSession, DONE: doneSession, CANCELED: canceledSession, FAILED: failedSession };

type SessionDeed = "keepSessionAlive" | "validateSession" | "completeSession" | "cancelSession" | "failSession";

/** A deed is refused in each of these states, and the session stays in it. */
function refusedIn(rpc: string, deed: SessionDeed, states: readonly (keyof typeof makers)[]): RefusalRow[] {
  return states.map((state) => ({
    rpc,
    line: `FAILED_PRECONDITION / ${state === "expired" ? "SESSION_EXPIRED" : "SESSION_STATE"}`,
    when: state === "expired" ? "a session whose deadline has passed" : `a session in ${state}`,
    async provoke({ sessions }) {
      const sessionId = await makers[state]({ sessions } as TestClient);
      const before = await sessions.getSession({ sessionId });
      return {
        call: () => sessions[deed]({ sessionId }),
        after: async () => expect(await sessions.getSession({ sessionId })).toEqual(before),
      };
    },
  }));
}

const deleted = (deed: "getSession" | "deleteSession"): RefusalRow["provoke"] => {
  return async (client) => {
    const sessionId = await doneSession(client);
    await client.sessions.deleteSession({ sessionId });
    return () => client.sessions[deed]({ sessionId });
  };
};

const create = (request: Parameters<TestClient["sessions"]["createSession"]>[0]): RefusalRow["provoke"] => {
  return async ({ sessions }) =>
    () =>
      sessions.createSession(request);
};
const list = (request: Parameters<TestClient["sessions"]["listSessions"]>[0]): RefusalRow["provoke"] => {
  return async ({ sessions }) =>
    () =>
      sessions.listSessions(request);
};
const progress = (clientProgress: number, earlier = 0): RefusalRow["provoke"] => {
  return async (client) => {
    const { id: sessionId } = await startSession(client);
    await client.sessions.keepSessionAlive({ sessionId, clientProgress: earlier });
    return {
      call: () => client.sessions.keepSessionAlive({ sessionId, clientProgress }),
      async after() {
        const { session } = await client.sessions.getSession({ sessionId });
        expect(session?.clientProgress).toBe(earlier);
      },
    };
  };
};
const fail = (message: string): RefusalRow["provoke"] => {
  return async (client) => {
    const { id: sessionId } = await startSession(client);
    return {
      call: () => client.sessions.failSession({ sessionId, message }),
      async after() {
        const { session } = await client.sessions.getSession({ sessionId });
        expect(session?.state).toBe(SessionState.ACTIVE);
      },
    };
  };
};

const { ADDITIVE, EXCLUSIVE } = SessionAccess;

/** The second session is not opened, and the item is free for it when the first has ended. */
const onItemOf = (first: SessionAccess, second: SessionAccess): RefusalRow["provoke"] => {
  return async (client) => {
    const { id: itemId } = await makeItem(client);
    const { id: sessionId } = await startSession(client, { itemId, access: first });
    return {
      call: () => client.sessions.createSession({ itemId, access: second }),
      async after() {
        expect((await client.sessions.listSessions({ itemId })).sessions.map(({ id }) => id)).toEqual([sessionId]);
        await client.sessions.cancelSession({ sessionId });
        await startSession(client, { itemId, access: second });
      },
    };
  };
};

export const sessionRefusals: readonly RefusalRow[] = [
  ...rowsOf(
    "CreateSession",
    ["INVALID_ARGUMENT / TEXT_INVALID", "a client token of 129 characters", create({ clientToken: "x".repeat(129) })],
    ["INVALID_ARGUMENT / TEXT_INVALID", "a client token with a NUL", create({ clientToken: "a\0b" })],
    ["INVALID_ARGUMENT / TEXT_INVALID", "a label of 257 characters", create({ label: "x".repeat(257) })],
    ["INVALID_ARGUMENT / TEXT_INVALID", "a label with a NUL", create({ label: "\0" })],
    ["INVALID_ARGUMENT / NUMBER_INVALID", "an unknown access", create({ access: 9 as never })],
    ["INVALID_ARGUMENT / NUMBER_INVALID", "an unknown visibility", create({ visibility: -1 as never })],
    ["INVALID_ARGUMENT / DURATION_INVALID", "an idle time of 0", create({ idleTtl: { seconds: 0n, nanos: 0 } })],
    ["INVALID_ARGUMENT / DURATION_INVALID", "a negative idle time", create({ idleTtl: { seconds: -1n, nanos: 0 } })],
    [
      "INVALID_ARGUMENT / DURATION_INVALID",
      "an idle time over ten years",
      create({ idleTtl: { seconds: 3651n * day } }),
    ],
    [
      "INVALID_ARGUMENT / DURATION_INVALID",
      "an endless absolute time",
      create({ absoluteTtl: { seconds: 2n ** 62n } }),
    ],
    ["INVALID_ARGUMENT / DURATION_INVALID", "half a millisecond", create({ absoluteTtl: { nanos: 499_999 } })],
    [
      "INVALID_ARGUMENT / ATTRIBUTES_INVALID",
      "attributes of 65 KiB",
      create({ attributes: { a: "x".repeat(66_560) } }),
    ],
    ["INVALID_ARGUMENT / ATTRIBUTES_INVALID", "attributes of 17 levels", create({ attributes: nested(17) as never })],
    ["INVALID_ARGUMENT / ATTRIBUTES_INVALID", "attributes with a NUL", create({ attributes: { a: ["\0"] } })],
    ["INVALID_ARGUMENT / ID_MALFORMED", "an item id that is no UUID", create({ itemId: "item" })],
    ["NOT_FOUND / ITEM_NOT_FOUND", "an item that is not there", create({ itemId: nobody })],
    ["FAILED_PRECONDITION / ITEM_BUSY", "an item of an EXCLUSIVE session", onItemOf(EXCLUSIVE, ADDITIVE)],
    ["FAILED_PRECONDITION / ITEM_BUSY", "EXCLUSIVE for an item of an ADDITIVE session", onItemOf(ADDITIVE, EXCLUSIVE)],
    ["FAILED_PRECONDITION / ITEM_BUSY", "EXCLUSIVE for an item of an EXCLUSIVE one", onItemOf(EXCLUSIVE, EXCLUSIVE)],
    [
      "ALREADY_EXISTS / CLIENT_TOKEN_REUSED",
      "a client token that came with another label",
      async (client) => {
        const clientToken = crypto.randomUUID();
        await startSession(client, { clientToken, label: "one" });
        return () => client.sessions.createSession({ clientToken, label: "two" });
      },
    ],
    [
      "ALREADY_EXISTS / CLIENT_TOKEN_REUSED",
      "a client token that came with another time to live",
      async (client) => {
        const clientToken = crypto.randomUUID();
        await startSession(client, { clientToken });
        return () => client.sessions.createSession({ clientToken, idleTtl: { seconds: 60n } });
      },
    ],
  ),
  ...rowsOf(
    "ListSessions",
    ["INVALID_ARGUMENT / PAGE_INVALID", "a negative page size", list({ pageSize: -1 })],
    ["INVALID_ARGUMENT / PAGE_INVALID", "a page token of somebody else's", list({ pageToken: "bm9ib2R5" })],
    ["INVALID_ARGUMENT / PAGE_INVALID", "a page token that is not base64", list({ pageToken: "\u{1f4c4}" })],
    ["INVALID_ARGUMENT / PREDICATE_INVALID", "an unknown state", list({ states: [SessionState.ACTIVE, 99 as never] })],
    ["INVALID_ARGUMENT / PREDICATE_INVALID", "the state that is never answered", list({ states: [0] })],
    ["INVALID_ARGUMENT / ID_MALFORMED", "an item id that is no UUID", list({ itemId: "item" })],
  ),
  ...rowsOf(
    "KeepSessionAlive",
    ["INVALID_ARGUMENT / PROGRESS_INVALID", "a progress of 101", progress(101)],
    ["INVALID_ARGUMENT / PROGRESS_INVALID", "a progress of -1", progress(-1)],
    ["INVALID_ARGUMENT / PROGRESS_INVALID", "a progress that goes back", progress(49, 50)],
  ),
  ...refusedIn("KeepSessionAlive", "keepSessionAlive", ["expired", "DONE", "CANCELED", "FAILED"]),
  ...refusedIn("ValidateSession", "validateSession", ["expired", "DONE", "CANCELED", "FAILED"]),
  ...rowsOf("CompleteSession", [
    "FAILED_PRECONDITION / FILES_INCOMPLETE",
    "a session with files that are not ready",
    async (client) => {
      const { id: sessionId } = await startSession(client);
      for (const name of ["one", "two"]) await addFile(client, { name, sizeBytes: 3n }, sessionId);
      const { session: before } = await client.sessions.getSession({ sessionId });
      return {
        call: () => client.sessions.completeSession({ sessionId }),
        async after() {
          expect((await client.sessions.getSession({ sessionId })).session).toEqual(before);
        },
      };
    },
    { missing: expect.arrayContaining(["one", "two"]) as never },
  ]),
  ...refusedIn("CompleteSession", "completeSession", ["expired", "CANCELED", "FAILED"]),
  ...refusedIn("CancelSession", "cancelSession", ["expired", "DONE", "FAILED"]),
  ...rowsOf(
    "FailSession",
    ["INVALID_ARGUMENT / TEXT_INVALID", "a message of 1025 characters", fail("x".repeat(1025))],
    ["INVALID_ARGUMENT / TEXT_INVALID", "a message with a NUL", fail("\0")],
  ),
  ...refusedIn("FailSession", "failSession", ["expired", "DONE", "CANCELED"]),
  ...rowsOf("GetSession", ["NOT_FOUND / SESSION_NOT_FOUND", "a session that was deleted", deleted("getSession")]),
  ...rowsOf(
    "DeleteSession",
    ["NOT_FOUND / SESSION_NOT_FOUND", "a session that was deleted", deleted("deleteSession")],
    [
      "FAILED_PRECONDITION / SESSION_STATE",
      "a session in ACTIVE",
      async (client) => {
        const { id: sessionId } = await startSession(client);
        return () => client.sessions.deleteSession({ sessionId });
      },
    ],
  ),
  ...rowsOf("GetLimits", [
    "UNAUTHENTICATED / TOKEN_INVALID",
    "a token that has ended",
    async (client) => {
      const somebody = await addSomebody(client);
      await client.sessions.getLimits({}, as(somebody));
      await client.access.logout({}, as(somebody));
      return () => client.sessions.getLimits({}, as(somebody));
    },
  ]),
];
