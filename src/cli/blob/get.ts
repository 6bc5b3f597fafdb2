import { randomBytes } from "node:crypto";
import { type FileHandle, lstat, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { defineServerCommand } from "../connection/server-command.js";
import { CliError, systemCodeOf, wrongUse } from "../shell/cli-error.js";
import { printJson, writeOut } from "../shell/output.js";
import { createTextGuard } from "../shell/text-guard.js";
import { syncFolder } from "../transfer/download-file.js";
import { type ContentPiece, type ContentWords, readContent } from "../transfer/read-content.js";
import { formatRef, parseRef, refToMessage } from "./ref.js";

export const get = defineServerCommand({
  path: "blob get",
  summary: "fetch a blob",
  description: `Prints the bytes of a blob, or writes them to a file, which has its name only once all of them are there and
right. Reading goes on by itself after a lost connection or a restarted server. On a terminal only plain
text is printed.`,
  operands: { shape: "REF", least: 1, most: 1 },
  options: {
    output: { type: "string", value: "FILE", summary: "where to write them (standard output)", completes: "file" },
    force: {
      type: "boolean",
      default: false,
      summary: "replace the file where there is one; print whatever it is, on a terminal, too",
    },
  },
  examples: ["slipway blob get sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 --output empty"],
  retryFor: "10m",
  check({ operands: [text = ""], values }) {
    parseRef(text);
    if (values.json && values.output === undefined) throw wrongUse("--json is for --output FILE");
  },
  async run({ operands: [text = ""], values, client, context, retry, signal, json }) {
    const ref = parseRef(text);
    const source = {
      name: `the blob ${formatRef(ref)}`,
      async *read(offset: number, options: { readonly signal?: AbortSignal }): AsyncIterable<ContentPiece> {
        const request = { ref: refToMessage(ref), offset: BigInt(offset) };
        for await (const { blob, data } of client.blobs.readBlob(request, options)) {
          yield { content: blob && { ...ref, sizeBytes: Number(blob.sizeBytes) }, data };
        }
      },
    };
    const read = (take: (data: Uint8Array) => Promise<void>) => readContent({ retry, signal }, source, take);
    const { output } = values;
    if (output === undefined) {
      const assertText = createTextGuard(context.out, values.force);
      await read(async (data) => {
        assertText(data);
        await writeOut(context, data, signal);
      });
      return;
    }
    const { sizeBytes } = await writeWhole(output, values.force, read);
    if (json) printJson(context, { ref: formatRef(ref), output, sizeBytes });
  },
});

/** Brings content to its file all at once, or not at all. */
async function writeWhole(
  output: string,
  force: boolean,
  read: (take: (data: Uint8Array) => Promise<void>) => Promise<ContentWords>,
): Promise<ContentWords> {
  await assertFree(output, force);
  const partPath = `${output}.${randomBytes(6).toString("hex")}.part`;
  const part = await openPart(output, partPath);
  try {
    const content = await read((data) => part.appendFile(data));
    await part.sync();
    await part.close();
    await rename(partPath, output);
    await syncFolder(dirname(output));
    return content;
  } catch (error) {
    await part.close();
    await rm(partPath, { force: true });
    throw systemCodeOf(error) === undefined ? error : notWritten(output, error);
  }
}

async function openPart(output: string, partPath: string): Promise<FileHandle> {
  try {
    return await open(partPath, "wx", 0o644);
  } catch (error) {
    throw notWritten(output, error);
  }
}

async function assertFree(output: string, force: boolean): Promise<void> {
  const found = await lstat(output).catch((error: unknown) => {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw notWritten(output, error);
  });
  if (found === undefined || (force && !found.isDirectory())) return;
  throw new CliError(`${output} is ${found.isDirectory() ? "a folder" : "there already; --force replaces it"}`);
}

function notWritten(output: string, error: unknown): CliError {
  return new CliError(`${output} cannot be written (${systemCodeOf(error) ?? error})`, 1, error);
}
