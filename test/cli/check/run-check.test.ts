import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { ErrorInfoSchema, ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import {
  type CheckFindingSchema,
  CheckPhase,
  FindingKind,
  FindingRepair,
} from "../../../gen/slipway/upload/v1/maintenance_pb.js";
import { CheckStoreResponseSchema } from "../../../gen/slipway/upload/v1/maintenance_service_pb.js";
import { runCheck } from "../../../src/cli/check/run-check.js";
import type { UploadClient } from "../../../src/cli/connection/client.js";
import { createRetry } from "../../../src/cli/connection/retry.js";

type Finding = MessageInitShape<typeof CheckFindingSchema>;
type Step = MessageInitShape<typeof CheckStoreResponseSchema> | ConnectError;

const progress = (cursor: string, checkedContents = 0): Step => ({
  news: {
    case: "progress",
    value: { phase: CheckPhase.CONTENTS, cursor, checkedContents: BigInt(checkedContents), checkedBytes: 5n },
  },
});
const finding = (value: Finding): Step => ({ news: { case: "finding", value } });
const summary = (checkedContents = 0): Step => ({
  news: { case: "summary", value: { checkedContents: BigInt(checkedContents), youngKeys: 3n } },
});
const cut = new ConnectError("cut", Code.Unavailable);
const running = new ConnectError("a check is running already", Code.FailedPrecondition, undefined, [
  { desc: ErrorInfoSchema, value: { reason: ErrorReason.CHECK_RUNNING } },
]);
const lost = { kind: FindingKind.BYTES_MISSING, blobKey: "e:1", offset: 0n, message: "lost" } satisfies Finding;

/** Runs a check against a server that says this in one call after the other; the last one again and again. */
async function run(calls: readonly (readonly Step[])[]) {
  const cursors: string[] = [];
  const told: string[] = [];
  let now = 0;
  async function* answer({ cursor }: { cursor: string }) {
    if (cursors.length > 1_000) throw new Error("it never gives up");
    const steps = calls[Math.min(cursors.push(cursor), calls.length) - 1]!;
    for (const step of steps) {
      now += 1_000;
      if (step instanceof ConnectError) throw step;
      yield create(CheckStoreResponseSchema, step);
    }
  }
  const { signal } = new AbortController();
  const retry = createRetry({
    retryForMs: 600_000,
    signal,
    notify: () => {},
    now: () => now,
    sleep: async (ms) => {
      now += ms;
    },
  });
  const client = { maintenance: { checkStore: answer } } as unknown as UploadClient;
  const checking = runCheck(
    { client, retry, signal, onProgress: () => {}, onFinding: ({ message }) => told.push(message) },
    { repair: false, skipContent: false, unreferencedAfter: undefined },
  );
  const outcome = await checking.catch((error: Error) => error);
  return { outcome, cursors, told, passedMs: now };
}

describe("a check over calls that break", () => {
  it("goes on from the last cursor, counts on, and tells once what is told again", async () => {
    const { outcome, cursors, told } = await run([
      [progress("a"), progress("b", 4), finding(lost), cut],
      [progress("b"), finding(lost), finding({ ...lost, blobKey: "e:2", message: "other" }), summary(6)],
    ]);
    expect(cursors).toEqual(["", "b"]);
    expect(told).toEqual(["lost", "other"]);
    expect(outcome).toMatchObject({ contents: 10, findings: 2, repaired: 0, young: 3 });
  });

  it("tells once what was told before a progress whose cursor lies before it", async () => {
    const { outcome, told } = await run([
      [progress("a"), finding(lost), progress("b"), cut],
      [progress("b"), finding(lost), summary()],
    ]);
    expect(told).toEqual(["lost"]);
    expect(outcome).toMatchObject({ findings: 1 });
  });

  it("keeps apart what is said about the same bytes, so that a repair of the one does not hide the other", async () => {
    const { outcome, told } = await run([
      [
        finding({ ...lost, message: "in the trash", repair: FindingRepair.DONE }),
        finding({ ...lost, message: "too short", repair: FindingRepair.IMPOSSIBLE }),
        summary(),
      ],
    ]);
    expect(told).toEqual(["in the trash", "too short"]);
    expect(outcome).toMatchObject({ findings: 2, repaired: 1 });
  });

  it("waits for a check of its own that the server has not given up yet", async () => {
    const { outcome, cursors } = await run([
      [progress("a", 1), cut],
      [running],
      [running],
      [progress("a"), summary(1)],
    ]);
    expect(cursors).toEqual(["", "a", "a", "a"]);
    expect(outcome).toMatchObject({ contents: 2 });
  });

  it("fails at once where another check is running from the beginning", async () => {
    const { outcome, cursors } = await run([[running]]);
    expect(cursors).toEqual([""]);
    expect(outcome).toBe(running);
  });

  it("takes a stream without a summary for one that broke", async () => {
    const { outcome, cursors } = await run([[progress("a", 2)], [progress("a"), summary(1)]]);
    expect(cursors).toEqual(["", "a"]);
    expect(outcome).toMatchObject({ contents: 3 });
  });

  it("gives up after its time where every call breaks at the same place, however much each one says before", async () => {
    const again = [progress("b"), progress("b"), finding(lost), cut];
    const { outcome, passedMs } = await run([[progress("a"), ...again], again]);
    expect(outcome).toMatchObject({ message: expect.stringContaining("gave up after") });
    expect(passedMs).toBeLessThan(1_200_000);
  });

  it("does not give up while each call comes further within one content", async () => {
    const longer = Array.from({ length: 300 }, (_, call) => [
      ...Array.from({ length: call + 1 }, () => progress("a")),
      cut,
    ]);
    const { outcome } = await run([...longer, [summary()]]);
    expect(outcome).toMatchObject({ findings: 0 });
  });
});
