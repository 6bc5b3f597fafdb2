import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { ErrorInfoSchema, ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import { createRetry } from "../../../src/cli/connection/retry.js";
import { takeAway } from "../../../src/cli/connection/take-away.js";

const reason = ErrorReason.ITEM_NOT_FOUND;
const gone = new ConnectError("no such item", Code.NotFound, undefined, [
  { desc: ErrorInfoSchema, value: create(ErrorInfoSchema, { reason }) },
]);
const lost = new ConnectError("connection lost", Code.Unavailable);

/** Deletes over a connection on which the tries end like this. */
async function remove(...ends: readonly (Error | undefined)[]): Promise<void> {
  const { signal } = new AbortController();
  const retry = createRetry({ retryForMs: 1000, signal, notify() {}, sleep: async () => {} });
  const left = [...ends];
  await takeAway(
    (call) => retry.call(() => call({})),
    reason,
    async () => {
      const end = left.shift();
      if (end !== undefined) throw end;
    },
  );
  expect(left).toEqual([]);
}

it("a thing that is not there is not deleted, unless an answer was lost that may have said that it was", async () => {
  await remove(undefined);
  await remove(lost, undefined);
  await remove(lost, gone);
  await expect(remove(gone)).rejects.toBe(gone);
  const denied = new ConnectError("not yours", Code.PermissionDenied);
  await expect(remove(lost, denied)).rejects.toBe(denied);
});
