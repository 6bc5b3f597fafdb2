import { ChecksumAlgorithm } from "../../../gen/slipway/upload/v1/checksum_pb.js";
import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import { FileState } from "../../../gen/slipway/upload/v1/file_pb.js";
import { defineServerCommand } from "../connection/server-command.js";
import { takeAway } from "../connection/take-away.js";
import type { Talk } from "../connection/talk.js";
import { CliError, wrongUse } from "../shell/cli-error.js";
import { formatForeign, parseBytes } from "../shell/format.js";
import { printJson } from "../shell/output.js";
import { listFiles } from "../transfer/listing.js";
import { parseSessionId } from "./session-id.js";
import { fileJson } from "./session-view.js";

const example = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
const algorithms = Object.entries(ChecksumAlgorithm).flatMap(([name, value]) =>
  typeof value === "number" && value !== ChecksumAlgorithm.UNSPECIFIED ? [[name.toLowerCase(), value] as const] : [],
);

export const fetch = defineServerCommand({
  path: "session fetch",
  summary: "have the server fetch a file into a session",
  description: `Adds a file to a session that the server itself fetches, over http or https, or as an administrator from its
own disk (file: or ds:). The server begins at once, goes on after interruptions, and checks size and
checksums. \`slipway ls SESSION\` shows how far it is, and \`slipway session complete SESSION --wait\`
waits for all of them. The same again changes nothing; a file that failed is fetched anew with
--replace.`,
  operands: { shape: "SESSION URI", least: 2, most: 2 },
  options: {
    name: { type: "string", value: "NAME", summary: "the file's name (the last part of the URI's path)" },
    size: { type: "string", value: "SIZE", summary: "the exact size that it must have, such as 1048576 or 1MiB" },
    checksum: {
      type: "string",
      value: "ALGO:HEX",
      multiple: true,
      summary: "what it must hash to, such as sha256:9f86...; may be given once for each algorithm",
    },
    replace: { type: "boolean", summary: "take out what the session has by that name, and fetch it anew" },
    thumbprint: {
      type: "string",
      value: "HEX",
      summary: "trust exactly the https certificate with this SHA-256 or SHA-1, and no other",
    },
  },
  examples: [
    `slipway session fetch ${example} https://example.org/images/disk.iso`,
    `slipway session fetch ${example} file:///srv/images/disk.vmdk --size 10GiB`,
    `slipway session fetch ${example} "https://example.org/get?id=7" --name seven.bin`,
  ],
  check: ({ operands, values }) => [
    parseSessionId(operands[0]),
    values.name ?? nameIn(operands[1]),
    parseSize(values.size),
    values.checksum?.map(parseChecksum),
  ],
  async run(call) {
    const { operands, values, client, ask, context, json } = call;
    const [, uri = ""] = operands;
    const sizeBytes = parseSize(values.size);
    const spec = {
      name: values.name ?? nameIn(uri),
      ...(sizeBytes !== undefined && { sizeBytes }),
      checksums: (values.checksum ?? []).map(parseChecksum),
      source: { uri, sslCertificateThumbprint: values.thumbprint ?? "" },
    };
    const sessionId = parseSessionId(operands[0]);
    if (values.replace === true) await removeNamed(call, sessionId, spec.name);
    const { file, applied } = await ask((options) => client.files.addFile({ sessionId, spec }, options));
    if (file === undefined) throw new CliError("the server's answer holds no file");
    const { state, failure = "" } = fileJson(file);
    if (json) printJson(context, { file: fileJson(file), applied });
    else {
      const how = file.fetch === undefined ? `is ${state}` : "is being fetched";
      context.out.write(`file ${file.id} (${formatForeign(spec.name)}) ${how}${applied ? "" : " already"}\n`);
      if (failure !== "") context.err.write(`${formatForeign(failure)}\nTo fetch it anew: --replace\n`);
    }
    return file.state === FileState.FAILED ? 1 : 0;
  },
});

async function removeNamed({ client, ask, retry }: Talk, sessionId: string, name: string): Promise<void> {
  const files = await listFiles(client, retry, sessionId);
  const fileId = files.find(({ spec }) => spec?.name === name)?.id;
  if (fileId === undefined) return;
  await takeAway(ask, ErrorReason.FILE_NOT_FOUND, (options) => client.files.removeFile({ sessionId, fileId }, options));
}

/** The last part of the path, as people write it. */
function nameIn(uri = ""): string {
  if (!URL.canParse(uri)) {
    throw wrongUse(`a source is a whole URI such as https://example.org/disk.iso, not ${JSON.stringify(uri)}`);
  }
  const last = new URL(uri).pathname.split("/").at(-1) ?? "";
  const name = decode(last);
  if (name === "") throw wrongUse(`${JSON.stringify(uri)} ends with no file's name: give one with --name`);
  return name;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function parseSize(text: string | undefined): bigint | undefined {
  return text === undefined ? undefined : BigInt(parseBytes(text, "--size"));
}

function parseChecksum(text: string): { readonly algorithm: ChecksumAlgorithm; readonly checksum: string } {
  const [, name = "", checksum = ""] = /^([a-z0-9-]+):([0-9a-f]+)$/i.exec(text) ?? [];
  const algorithm = algorithms.find(([known]) => known === name.toLowerCase().replace("-", ""))?.[1];
  if (algorithm !== undefined) return { algorithm, checksum: checksum.toLowerCase() };
  const names = algorithms.map(([known]) => known).join(", ");
  throw wrongUse(`--checksum is ALGO:HEX with one of ${names}, not ${JSON.stringify(text)}`);
}
