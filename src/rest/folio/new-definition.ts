import type { ErrorEntry } from "./errors.js";
import { blockedNames, type FileExtension } from "./file-extension.js";
import type { FileWords } from "./schema.js";

/**
 * What speaks against a new definition, in the words that clients know: files that there is no room for, then files that
 * may not come in, one entry each. Sizes are what the client says, in KB: the sum of them, up to and with a file, must leave
 * something free, and a file without one is let in.
 */
export function validateNewDefinition(input: {
  readonly files: readonly Pick<FileWords, "name" | "size">[];
  readonly extensions: readonly FileExtension[];
  readonly freeKb: number;
  readonly maxFileKb: number;
}): readonly ErrorEntry[] {
  const { files, extensions, freeKb, maxFileKb } = input;
  if (files.length === 0) return [empty];
  let totalKb = 0;
  const large = files.filter(({ size }) => {
    if (size === undefined) return false;
    totalKb += Math.max(size, 0);
    return size > maxFileKb || totalKb >= freeKb;
  });
  const names = files.map(({ name }) => name);
  return [
    ...large.map(({ name }) => entry("upload.fileSize.invalid", name)),
    ...blockedNames(extensions, names).map((name) => entry("validation.uploadDefinition.fileExtension.blocked", name)),
  ];
}

const empty: ErrorEntry = {
  message: "must not be empty",
  type: "1",
  code: "jakarta.validation.constraints.NotEmpty.message",
  parameters: [{ key: "fileDefinitions", value: "[]" }],
};

function entry(message: string, name: string): ErrorEntry {
  return { message, code: name, parameters: [] };
}
