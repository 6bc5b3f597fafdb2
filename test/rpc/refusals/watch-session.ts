import type { TestClient } from "../../support/client.js";
import { startSession } from "../scene.js";
import { nobody, type RefusalRow, rowsOf } from "./row.js";

const watch = (client: TestClient, sessionId: string, after: bigint, signal?: AbortSignal) =>
  client.sessions.watchSession({ sessionId, afterEventNumber: after }, signal && { signal })[Symbol.asyncIterator]();

const after = (number: bigint): RefusalRow["provoke"] => {
  return async (client) => {
    const { id } = await startSession(client);
    return () => watch(client, id, number).next();
  };
};

export const watchRefusals: readonly RefusalRow[] = rowsOf(
  "WatchSession",
  ["INVALID_ARGUMENT / NUMBER_INVALID", "a negative event number", after(-1n)],
  ["INVALID_ARGUMENT / NUMBER_INVALID", "an event number of 2^53", after(2n ** 53n)],
  [
    "NOT_FOUND / SESSION_NOT_FOUND",
    "a session that is not there",
    async (client) => () => watch(client, nobody, 0n).next(),
  ],
  [
    "NOT_FOUND / SESSION_NOT_FOUND",
    "a session that is deleted meanwhile",
    async (client) => {
      const { id: sessionId } = await startSession(client);
      const updates = watch(client, sessionId, 0n);
      await updates.next();
      await client.sessions.cancelSession({ sessionId });
      await client.sessions.deleteSession({ sessionId });
      return async () => {
        for (let done = false; !done; ) done = (await updates.next()).done === true;
        // It may have seen the end before the deletion.
        return watch(client, sessionId, 0n).next();
      };
    },
  ],
  [
    "RESOURCE_EXHAUSTED / TOO_MANY_WATCHES",
    "a session when as many are watched as may be",
    async (client) => {
      const { id } = await startSession(client);
      const stop = new AbortController();
      return {
        async call() {
          for (let open = 0; open < 5; open++) await watch(client, id, 0n, stop.signal).next();
        },
        after: async () => stop.abort(),
      };
    },
    { limit: { setting: "SLIPWAY_MAX_WATCHES", value: 4 } },
  ],
);
