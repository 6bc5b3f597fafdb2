import type { ItemFile } from "../../../gen/slipway/upload/v1/catalog_pb.js";
import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import { getItem, type Lookup } from "../catalog/find.js";
import { isReason } from "../connection/rpc-error.js";
import { defineServerCommand } from "../connection/server-command.js";
import { CliError, wrongUse } from "../shell/cli-error.js";
import { writeOut } from "../shell/output.js";
import { createTextGuard } from "../shell/text-guard.js";
import { findSha256 } from "../transfer/content-hash.js";
import { fileNameFromPath } from "../transfer/names.js";
import { type ContentPiece, readContent } from "../transfer/read-content.js";

export const cat = defineServerCommand({
  path: "item cat",
  summary: "print the content of an item's file",
  description: `Prints the content of one file of an item, as it is. Reading goes on by itself after a lost connection or a
restarted server. The SHA-256 is checked at the end: when it is another one the exit code is 1, and what
was printed is not to be trusted. On a terminal only plain text is printed.`,
  operands: { shape: "LIBRARY/ITEM FILE", least: 2, most: 2 },
  options: {
    force: { type: "boolean", default: false, summary: "print whatever it is, on a terminal, too" },
  },
  examples: ["slipway item cat maps/europe notes.txt", "slipway item cat maps/europe scan.tif > scan.tif"],
  retryFor: "10m",
  check({ values }) {
    if (values.json) throw wrongUse("cat prints content as it is, never as JSON: `slipway item files` tells about it");
  },
  async run(call) {
    const { operands, values, client, context, retry, signal } = call;
    const [place = "", path = ""] = operands;
    const item = await getItem(call, place, "an item");
    const { name } = await getFile(call, item.id, path);
    const assertText = createTextGuard(context.out, values.force);
    const source = {
      name: JSON.stringify(path),
      async *read(offset: number, options: { readonly signal?: AbortSignal }): AsyncIterable<ContentPiece> {
        const request = { itemId: item.id, name, offset: BigInt(offset) };
        for await (const { file, data } of client.catalog.readItemFile(request, options)) {
          yield { content: file && contentOf(file), data };
        }
      },
    };
    await readContent({ retry, signal }, source, async (data) => {
      assertText(data);
      await writeOut(context, data, signal);
    });
  },
});

/** A file by its name, or by the path that it was uploaded from. */
async function getFile({ client, ask }: Lookup, itemId: string, path: string): Promise<ItemFile> {
  for (const name of new Set([path, fileNameFromPath(path)])) {
    try {
      const file = await ask(async (options) => {
        const request = { itemId, name, limit: 0n };
        for await (const message of client.catalog.readItemFile(request, options)) return message.file;
        return undefined;
      });
      if (file !== undefined) return file;
    } catch (error) {
      if (!isReason(error, ErrorReason.FILE_NOT_FOUND) && !isReason(error, ErrorReason.NAME_INVALID)) throw error;
    }
  }
  throw new CliError(`the item has no file ${JSON.stringify(path)}`);
}

function contentOf({ content }: ItemFile): ContentPiece["content"] {
  const digest = findSha256(content?.checksums);
  if (content === undefined || digest === undefined) return undefined;
  return { sizeBytes: Number(content.sizeBytes), algorithm: "sha256", digest };
}
