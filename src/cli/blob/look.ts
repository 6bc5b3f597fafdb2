import { pagesOf } from "../connection/all-pages.js";
import { defineServerCommand } from "../connection/server-command.js";
import { formatBytes, formatMoment, formatTable } from "../shell/format.js";
import { limitOption, parseLimit } from "../shell/limit.js";
import { printJson, writeOut } from "../shell/output.js";
import { inBatches } from "./batches.js";
import { blobJson, formatRef, longestRef, parseRef, refToMessage } from "./ref.js";

export const list = defineServerCommand({
  path: "blob list",
  aliases: ["ls"],
  summary: "list blobs",
  description: "Lists the blobs of your tenant by their refs.",
  options: limitOption,
  examples: ["slipway blob list", "slipway blob list --limit 20 --json"],
  check: ({ values }) => parseLimit(values.limit),
  async run({ values, client, ask, context, signal, json }) {
    const pages = pagesOf(
      parseLimit(values.limit),
      (page) => ask((options) => client.blobs.listBlobs(page, options)),
      (page) => page.blobs,
    );
    // Printed page by page: there may be any number of them.
    let count = 0;
    if (json) await writeOut(context, '{\n  "blobs": [', signal);
    for await (const blobs of pages) {
      if (blobs.length === 0) continue;
      if (json) {
        const lines = blobs.map((blob) => `\n    ${JSON.stringify(blobJson(blob))}`).join(",");
        await writeOut(context, count === 0 ? lines : `,${lines}`, signal);
      } else {
        const rows = blobs.map((blob) => {
          const { ref, sizeBytes } = blobJson(blob);
          return [ref.padEnd(longestRef), formatBytes(sizeBytes).padEnd(8), formatMoment(blob.createTime)];
        });
        const headings = count === 0 ? [["REF".padEnd(longestRef), "SIZE".padEnd(8), "CREATED"]] : [];
        await writeOut(context, formatTable([...headings, ...rows]), signal);
      }
      count += blobs.length;
    }
    if (json) await writeOut(context, count === 0 ? "]\n}\n" : "\n  ]\n}\n", signal);
    else if (count === 0) context.err.write("there are no blobs\n");
  },
});

export const stat = defineServerCommand({
  path: "blob stat",
  summary: "tell whether blobs are there, and how large they are",
  description: "Tells which of some blobs are there, and how large they are. Exits with 1 when one is missing.",
  operands: { shape: "REF...", least: 1, most: Number.POSITIVE_INFINITY },
  examples: ["slipway blob stat sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  check: ({ operands }) => operands.map(parseRef),
  async run({ operands, client, ask, context, json }) {
    const refs = operands.map(parseRef);
    const found = new Map<string, ReturnType<typeof blobJson>>();
    await inBatches(refs, async (batch) => {
      const request = { refs: batch.map(refToMessage) };
      for (const blob of (await ask((options) => client.blobs.statBlobs(request, options))).blobs) {
        found.set(blobJson(blob).ref, blobJson(blob));
      }
    });
    const names = refs.map(formatRef);
    const missing = names.filter((name) => !found.has(name));
    if (json) printJson(context, { blobs: names.flatMap((name) => found.get(name) ?? []), missing });
    else {
      const rows = names.map((name) => {
        const blob = found.get(name);
        return [name, blob === undefined ? "missing" : formatBytes(blob.sizeBytes)];
      });
      context.out.write(formatTable(rows));
    }
    return missing.length === 0 ? 0 : 1;
  },
});
