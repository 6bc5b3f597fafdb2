// Where files are fetched from: whatever content is asked for by its size and number, whole or from somewhere on, and not at once.
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { serveHead } from "../pull/scene.js";
import { slices } from "../support/bodies.js";
import { bytesOf, type Content } from "./content.js";

export interface SlowSource {
  uriOf(content: Content): string;
}

export async function serveSlowly(pauseMs = 5, chunkBytes = 64 * 1024): Promise<SlowSource> {
  async function stream(response: ServerResponse, bytes: Uint8Array): Promise<void> {
    for (const chunk of slices(bytes, chunkBytes)) {
      if (response.destroyed) return;
      response.write(chunk);
      await sleep(pauseMs);
    }
    response.end();
  }
  const server = createServer((request, response) => {
    const [, sizeBytes = 0, seed = 0] = (request.url ?? "").split("/").map(Number);
    const from = serveHead(request, response, sizeBytes, `"${seed}"`);
    void stream(response, bytesOf({ sizeBytes, seed }).subarray(from));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { uriOf: ({ sizeBytes, seed }) => `http://127.0.0.1:${port}/${sizeBytes}/${seed}` };
}
