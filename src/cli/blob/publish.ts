import type { File } from "../../../gen/slipway/upload/v1/file_pb.js";
import { defineServerCommand } from "../connection/server-command.js";
import { parseSessionId } from "../session/session-id.js";
import { CliError } from "../shell/cli-error.js";
import { formatForeign } from "../shell/format.js";
import { printJson } from "../shell/output.js";
import { listFiles } from "../transfer/listing.js";
import { pathOf } from "../transfer/output-paths.js";
import { blobJson } from "./ref.js";

export const publish = defineServerCommand({
  path: "blob publish",
  summary: "make a file of a session a blob",
  description: `Makes the content of a file of a completed session a blob, under the ref of its SHA-256, whatever its size. No
bytes are copied, and the blob stays when the session goes. The file is named by its path, name or id.`,
  operands: { shape: "SESSION FILE", least: 2, most: 2 },
  examples: ["slipway blob publish 6f9619ff-8b86-4d01-b42d-00cf4fc964ff photos/beach.jpg"],
  check: ({ operands }) => parseSessionId(operands[0]),
  async run({ operands, client, retry, ask, context, json }) {
    const [, word = ""] = operands;
    const sessionId = parseSessionId(operands[0]);
    const file = getFile(await listFiles(client, retry, sessionId), word);
    const { blob, applied } = await ask((options) => client.blobs.publishFile({ sessionId, fileId: file.id }, options));
    if (blob === undefined) throw new CliError("the server's answer holds no blob");
    if (json) printJson(context, { blob: blobJson(blob), path: pathOf(file), applied });
    else context.out.write(`${blobJson(blob).ref}  ${formatForeign(pathOf(file))}\n`);
  },
});

function getFile(files: readonly File[], word: string): File {
  // Names and ids are unique; a path is what its uploader says.
  const exact = files.find((file) => file.spec?.name === word || file.id === word);
  const found = exact === undefined ? files.filter((file) => pathOf(file) === word) : [exact];
  const [file] = found;
  if (file === undefined) throw new CliError(`the session has no file ${JSON.stringify(word)}`);
  if (found.length > 1) {
    throw new CliError(
      `the session has ${found.length} files with the path ${JSON.stringify(word)}: name one by its id`,
    );
  }
  return file;
}
