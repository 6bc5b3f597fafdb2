import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readMemory, resetPeakMemory } from "../support/process-stats.js";
import { startServer, type TestServer } from "../support/server.js";
import { uploadMany } from "../support/upload-load.js";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  // Node takes memory for its heap with the first work that it is given, and keeps it: that is no cost of an upload.
  await uploadMany(server, { count: 16, sizeBytes: 16 * 2 ** 20, chunkBytes: 2 ** 20 });
});
afterAll(() => server.kill());

it("200 slow uploads at the same time cost a server that has worked at most 96 MiB of resident memory (P10)", async () => {
  await sleep(1_000);
  const { nowBytes: idleBytes } = await readMemory(server.pid);
  await resetPeakMemory(server.pid);
  await uploadMany(server, { count: 200, sizeBytes: 160 * 1024, chunkBytes: 16 * 1024, pauseMs: 1_000 });
  const { peakBytes } = await readMemory(server.pid);
  expect((peakBytes - idleBytes) / 2 ** 20).toBeLessThanOrEqual(96);
});
