import { defineServerCommand } from "../connection/server-command.js";
import { confirm, yesOption } from "../shell/confirm.js";
import { formatCount } from "../shell/format.js";
import { printJson } from "../shell/output.js";
import { inBatches } from "./batches.js";
import { formatRef, parseRef, refToMessage } from "./ref.js";

export const remove = defineServerCommand({
  path: "blob remove",
  aliases: ["rm"],
  summary: "take blobs away",
  description: `Takes blobs away; for administrators. One that is not there is passed over. What sessions and items
hold of the same content stays.`,
  operands: { shape: "REF...", least: 1, most: Number.POSITIVE_INFINITY },
  options: yesOption,
  examples: ["slipway blob remove sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 --yes"],
  check: ({ operands }) => operands.map(parseRef),
  async run({ operands, values, client, ask, context, signal, json }) {
    const refs = [...new Map(operands.map(parseRef).map((ref) => [formatRef(ref), ref])).values()];
    const what = refs.length === 1 ? operands[0] : formatCount(refs.length, "blob");
    await confirm(context, values.yes, `Remove ${what}?`, signal);
    let removed = 0;
    await inBatches(refs, async (batch) => {
      const request = { refs: batch.map(refToMessage) };
      removed += (await ask((options) => client.blobs.removeBlobs(request, options))).removedCount;
    });
    const rest = refs.length - removed;
    if (json) printJson(context, { removed, named: refs.length });
    else context.out.write(`${formatCount(removed, "blob")} removed${rest > 0 ? `, ${rest} not there` : ""}\n`);
  },
});
