import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import { CliError } from "../shell/cli-error.js";
import { formatShellWord } from "../shell/format.js";
import { describeError, isReason } from "./rpc-error.js";
import type { Connection } from "./settings.js";

/** The error itself, or, where the server did not take the credentials, one that also says what to do about that. */
export function adviseLogin(error: unknown, { url, credentials }: Pick<Connection, "url" | "credentials">): unknown {
  const refused = isReason(error, ErrorReason.TOKEN_INVALID);
  // Of a password that came with the call itself. A command that asks for one tells of it in its own words.
  if (!refused && !(isReason(error, ErrorReason.LOGIN_FAILED) && credentials === "first password")) return error;
  return new CliError(
    `${describeError(error)}; ${wayOut[credentials]}run: slipway login ${formatShellWord(url)}`,
    1,
    error,
  );
}

const wayOut: Readonly<Record<Connection["credentials"], string>> = {
  option: "give another --token, or ",
  environment: "set SLIPWAY_TOKEN to another one, or unset it and ",
  login: "",
  "first password": "",
};
