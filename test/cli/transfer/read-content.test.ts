import { createHash } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { createRetry } from "../../../src/cli/connection/retry.js";
import { type ContentPiece, readContent } from "../../../src/cli/transfer/read-content.js";

const text = Buffer.from("all that is in it");
const digest = createHash("sha256").update(text).digest("hex");
const words = { sizeBytes: text.length, algorithm: "sha256", digest } as const;
const cut = new ConnectError("connection lost", Code.Unavailable);

/** Reads over streams that bring these pieces and then end, or break; answers what arrived and where each began. */
async function read(streams: readonly (readonly (ContentPiece | Error)[])[]) {
  const { signal } = new AbortController();
  const retry = createRetry({ retryForMs: 1000, signal, notify() {}, sleep: async () => {} });
  const began: number[] = [];
  const taken: Buffer[] = [];
  const source = {
    name: "the file",
    async *read(offset: number): AsyncIterable<ContentPiece> {
      began.push(offset);
      for (const piece of streams[began.length - 1] ?? [new Error("no more streams")]) {
        if (piece instanceof Error) throw piece;
        yield piece;
      }
    },
  };
  const content = await readContent({ retry, signal }, source, async (data) => {
    taken.push(Buffer.from(data));
  });
  return { content, began, taken: Buffer.concat(taken).toString() };
}

describe("content that is read", () => {
  it("goes on where a stream broke or ended early", async () => {
    const streams = [
      [cut],
      [{ content: words, data: text.subarray(0, 5) }, cut],
      [{ content: words, data: text.subarray(5, 6) }],
      [{ content: words, data: text.subarray(6) }],
    ];
    expect(await read(streams)).toEqual({ content: words, began: [0, 0, 5, 6], taken: text.toString() });
  });

  it("P6 fails at its end when it has another digest", async () => {
    const spoilt = Buffer.from(text);
    spoilt[3] = 0;
    await expect(read([[{ content: words, data: spoilt }]])).rejects.toThrow(
      /arrived with sha256 .* not to be trusted$/,
    );
  });

  it("fails when other content took its place meanwhile", async () => {
    const other = { ...words, digest: "0".repeat(64) };
    const streams = [
      [{ content: words, data: text.subarray(0, 5) }, cut],
      [{ content: other, data: text.subarray(5) }],
    ];
    await expect(read(streams)).rejects.toThrow("the file was replaced while it was read");
  });

  it("fails when it is longer than it is said to be, or said to be nothing", async () => {
    await expect(read([[{ content: words, data: Buffer.concat([text, text]) }]])).rejects.toThrow("is longer than");
    await expect(read([[{ data: text }]])).rejects.toThrow("without saying what it is");
  });
});
