// Which interrupted upload `--resume` means.
import { CliError, wrongUse } from "../shell/cli-error.js";
import { formatForeign, formatShellWord } from "../shell/format.js";
import { isOfPaths, type UnfinishedUpload, type UploadJournal } from "./upload-journal.js";
import { formatResume, type UploadCommandLine, type UploadOptions } from "./upload-options.js";

/** The options of the upload that is gone on with; what this command line says itself goes before. */
export async function resumeUpload(
  options: UploadOptions,
  { values }: UploadCommandLine,
  journal: UploadJournal | undefined,
  serverUrl: string,
): Promise<UploadOptions> {
  if (journal === undefined) {
    throw new CliError("no upload is remembered without a HOME; --session ID PATH... goes on with a session");
  }
  const upload = choose(options, await journal.list(), serverUrl);
  const { sessionId, folder, paths, stdinName } = upload;
  const parallel = values.parallel === undefined ? upload.parallel : options.parallel;
  const chunkBytes = values["chunk-size"] === undefined ? upload.chunkBytes : options.chunkBytes;
  const complete = options.complete && upload.complete;
  return { ...options, sessionId, folder, paths, stdinName, parallel, chunkBytes, complete };
}

function choose(options: UploadOptions, known: readonly UnfinishedUpload[], serverUrl: string): UnfinishedUpload {
  const { sessionId, folder, paths } = options;
  const meant = known.filter(
    (upload) =>
      (sessionId === undefined || upload.sessionId === sessionId) &&
      (paths.length === 0 || isOfPaths(upload, folder, paths)),
  );
  const [only, ...others] = meant;
  if (only !== undefined && others.length === 0) return only;
  if (only !== undefined) {
    throw wrongUse(`${meant.length} uploads to ${serverUrl} are unfinished: say which\n${list(options, meant)}`);
  }
  const these = paths.length > 0 || sessionId !== undefined ? "such " : "";
  const rest = known.length === 0 ? "" : `; others are: ${known.length}`;
  throw new CliError(`no ${these}upload to ${serverUrl} is unfinished here${rest}`);
}

function list(options: UploadOptions, uploads: readonly UnfinishedUpload[]): string {
  return uploads
    .map(({ sessionId, folder, paths, begunAt }) => {
      const what = formatForeign(paths.map(formatShellWord).join(" "));
      const command = formatResume(options, sessionId, options.replace);
      return `  ${what} in ${formatForeign(folder)}, begun ${begunAt.replace(/\.\d+Z$/, "Z")}: ${command}`;
    })
    .join("\n");
}
