// Sources that take their time. The server waits a minute for each, so all of them are asked at once.
import { expect, it } from "vitest";
import { SourceFailure } from "../../gen/slipway/upload/v1/failure_pb.js";
import { FileState } from "../../gen/slipway/upload/v1/file_pb.js";
import { serve } from "../sources/web.js";
import { pseudoRandom } from "../support/bodies.js";
import { serveHead, until, usePulls } from "./scene.js";

const pulls = usePulls(() => ({ SLIPWAY_MAX_PULL_TRIES: "1" }));
const content = pseudoRandom(1_000_000);
const half = 600_000;

it("a source that says nothing, stalls or drips is waited for no longer than a minute", {
  timeout: 150_000,
}, async () => {
  const silent = await serve(() => undefined);
  const stalling = await serve((request, response) => {
    const from = serveHead(request, response, content.length);
    if (from === 0) response.write(content.subarray(0, half));
    else response.end(content.subarray(from));
  });
  const dripping = await serve((request, response) => {
    serveHead(request, response, content.length, null);
    const drip = setInterval(() => response.write(content.subarray(0, 1)), 500);
    response.on("close", () => clearInterval(drip));
  });
  const steady = await serve(async (request, response) => {
    let at = serveHead(request, response, content.length, null);
    const flow = setInterval(() => {
      response.write(content.subarray(at, at + 10_000));
      at += 10_000;
      if (at >= content.length) {
        clearInterval(flow);
        response.end();
      }
    }, 700);
    response.on("close", () => clearInterval(flow));
  });
  const places = await Promise.all([silent, stalling, dripping, steady].map(({ url }) => pulls.declare(url)));
  const [nothing, stalled, dripped, slow] = places;

  const failed = await until(
    () => pulls.fileOf(nothing!),
    ({ state }) => state === FileState.FAILED,
    100_000,
  );
  expect(failed.failure?.sourceFailure).toBe(SourceFailure.TIMED_OUT);
  expect(failed.failure?.message?.defaultMessage).toContain("sent no answer within 60000 ms; try again later");

  // What brought something new is tried again, and goes on.
  const whole = await until(
    () => pulls.fileOf(stalled!),
    ({ state }) => state === FileState.READY,
    100_000,
  );
  expect(whole.attempt).toBe(1);
  expect(stalling.requests.map(({ headers }) => headers.range)).toEqual([undefined, `bytes=${half}-`]);

  // So little is nothing new.
  const dripFile = await until(
    () => pulls.fileOf(dripped!),
    ({ state }) => state === FileState.FAILED,
    100_000,
  );
  expect(dripFile.failure?.sourceFailure).toBe(SourceFailure.TIMED_OUT);
  expect(dripFile.failure?.message?.defaultMessage).toContain("sent less than 65536 bytes in 60000 ms");

  // One that is only slow is given all the time it takes.
  const arrived = await until(
    () => pulls.fileOf(slow!),
    ({ state }) => state !== FileState.TRANSFERRING,
    100_000,
  );
  expect(arrived.state).toBe(FileState.READY);
  expect(steady.requests).toHaveLength(1);
});
