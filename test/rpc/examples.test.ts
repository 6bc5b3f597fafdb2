// The examples of other interfaces' documents that stand in the protos' comments, as messages and as bytes.
import { readdirSync, readFileSync } from "node:fs";
import { createRegistry, type DescMessage, fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { file_slipway_upload_v1_blob } from "../../gen/slipway/upload/v1/blob_pb.js";
import { file_slipway_upload_v1_checksum } from "../../gen/slipway/upload/v1/checksum_pb.js";
import { file_slipway_upload_v1_file } from "../../gen/slipway/upload/v1/file_pb.js";

const folder = new URL("../../proto/slipway/upload/v1/", import.meta.url);
const registry = createRegistry(
  file_slipway_upload_v1_blob,
  file_slipway_upload_v1_checksum,
  file_slipway_upload_v1_file,
);

interface Example {
  readonly message: string;
  readonly json: string;
  readonly hex: string;
}

/** A line of JSON in a message's comment, and the lines of hexadecimal digits behind it. */
function readExamples(file: string): readonly Example[] {
  const found: { json: string; hex: string }[] = [];
  const examples: Example[] = [];
  for (const line of readFileSync(new URL(file, folder), "utf8").split("\n")) {
    const json = /^\/\/ {5}(\{.*\})$/.exec(line)?.[1];
    const hex = /^\/\/ {7}((?:[0-9a-f]{2} ?)+)$/.exec(line)?.[1];
    const message = /^message (\w+) \{/.exec(line)?.[1];
    if (json !== undefined) found.push({ json, hex: "" });
    else if (hex !== undefined) found.at(-1)!.hex += hex.replaceAll(" ", "");
    else if (message !== undefined) examples.push(...found.splice(0).map((each) => ({ message, ...each })));
  }
  return examples;
}

const examples = readdirSync(folder).flatMap((file) => (file.endsWith(".proto") ? readExamples(file) : []));

describe("an example of another interface's documents", () => {
  it("is there for file specs, checksum info and blob refs", () => {
    expect(new Set(examples.map(({ message }) => message))).toEqual(new Set(["FileSpec", "ChecksumInfo", "BlobRef"]));
  });

  it.each(examples)("as a $message, $json, has the bytes that its comment says", ({ message, json, hex }) => {
    const schema = registry.getMessage(`slipway.upload.v1.${message}`) as DescMessage;
    const value = fromJson(schema, JSON.parse(json));
    expect(Buffer.from(toBinary(schema, value)).toString("hex")).toBe(hex);
    expect(toJson(schema, fromBinary(schema, Buffer.from(hex, "hex")))).toEqual(JSON.parse(json));
  });
});
