// How `slipway login` comes by a token.
import { hostname } from "node:os";
import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import { describeError, isReason } from "../connection/rpc-error.js";
import { findLocalPassword, isLoopback } from "../connection/settings.js";
import type { Talk } from "../connection/talk.js";
import { CliError, wrongUse } from "../shell/cli-error.js";
import type { Context } from "../shell/command.js";
import { formatForeign } from "../shell/format.js";
import { findTerminal, readStdinLines, type Terminal } from "../shell/terminal.js";

const tries = 3;
const longestLabel = 256;

/** A call of Login by somebody; answers the token. */
export type LogIn = (login: string, password: string) => Promise<string>;

export function createLogIn({ client, askOnce }: Pick<Talk, "client" | "askOnce">): LogIn {
  const label = `slipway on ${hostname()}`.slice(0, longestLabel);
  return async (login, password) => {
    try {
      return (await askOnce((options) => client.access.login({ login, password, label }, options))).token;
    } catch (error) {
      if (!isReason(error, ErrorReason.LOGIN_THROTTLED)) throw error;
      throw new CliError(`${describeError(error)}; try again in half a minute`, 1, error);
    }
  };
}

/**
 * Logs in with what there is: a line of standard input; on the server's own machine, where nobody in particular is
 * named, its administrator's first password; else what is typed, for which there are three tries.
 */
export async function logInSomehow(
  given: { readonly url: URL; readonly login: string | undefined; readonly passwordStdin: boolean },
  context: Context,
  signal: AbortSignal,
  logIn: LogIn,
): Promise<string> {
  if (given.passwordStdin) {
    const [password = ""] = await readStdinLines(context, ["the password"], signal);
    return await logIn(given.login ?? "admin", password);
  }
  const terminal = findTerminal(context, signal);
  const token = given.login === undefined && (await logInLocally(given.url, context, terminal, logIn));
  if (token) return token;
  if (terminal === undefined) {
    throw wrongUse("there is no terminal to ask for the password on: give --password-stdin or --token-stdin");
  }
  let usual = given.login ?? "admin";
  for (let left = tries - 1; ; left -= 1) {
    const question = `Login, as NAME or TENANT/NAME [${formatForeign(usual)}]: `;
    const login = given.login ?? ((await terminal.askLine(question)) || usual);
    usual = login;
    const password = await terminal.askSecret(`Password of ${formatForeign(login)}: `);
    try {
      return await logIn(login, password);
    } catch (error) {
      if (left === 0 || !isReason(error, ErrorReason.LOGIN_FAILED)) throw error;
      context.err.write("That is not right, try again.\n");
    }
  }
}

/** Undefined where there is no such password; also where it is none any more, and somebody can be asked. */
async function logInLocally(
  url: URL,
  context: Context,
  terminal: Terminal | undefined,
  logIn: LogIn,
): Promise<string | undefined> {
  if (!isLoopback(url)) return undefined;
  const { path, password } = await findLocalPassword(context.env).catch((error: unknown) => {
    // Somebody else's data folder is no reason not to be asked.
    if (terminal === undefined) throw error;
    return { path: "", password: undefined };
  });
  if (password === undefined) return undefined;
  context.err.write(`using the administrator's first password, from ${path}\n`);
  try {
    return await logIn("admin", password);
  } catch (error) {
    if (!isReason(error, ErrorReason.LOGIN_FAILED)) throw error;
    const words = `the password in ${path} is not the administrator's of ${url.origin}`;
    if (terminal === undefined) throw new CliError(`${words}: give --login and --password-stdin`, 1, error);
    context.err.write(`${words}\n`);
    return undefined;
  }
}
