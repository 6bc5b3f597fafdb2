import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import { formatShellWord } from "../shell/format.js";
import { isReason } from "./rpc-error.js";
import type { Connection, Credentials } from "./settings.js";

const ways: Readonly<Record<Credentials, string>> = {
  option: "give another --token, or ",
  environment: "set SLIPWAY_TOKEN to another one, or unset it and ",
  login: "",
  "first password": "",
};

/** Where the server does not take the credentials of a call, its error says what to do about that, too. */
export function adviseLogin({ url, credentials }: Pick<Connection, "url" | "credentials">): Interceptor {
  const advice = `${ways[credentials]}run: slipway login ${formatShellWord(url)}`;
  return (next) => async (request) => {
    const advised = (error: unknown) =>
      error instanceof ConnectError && isRefused(error, credentials, request.method.name) ? say(error, advice) : error;
    try {
      const response = await next(request);
      return response.stream ? { ...response, message: rethrow(response.message, advised) } : response;
    } catch (error) {
      throw advised(error);
    }
  };
}

function isRefused(error: ConnectError, credentials: Credentials, method: string): boolean {
  if (isReason(error, ErrorReason.TOKEN_INVALID)) return true;
  // A password that is shown with every call; the one that ChangePassword asks for is another matter.
  return credentials === "first password" && method !== "ChangePassword" && isReason(error, ErrorReason.LOGIN_FAILED);
}

function say(error: ConnectError, advice: string): ConnectError {
  const advised = new ConnectError(`${error.rawMessage}; ${advice}`, error.code, error.metadata, undefined, error);
  advised.details = error.details;
  return advised;
}

async function* rethrow<T>(messages: AsyncIterable<T>, change: (error: unknown) => unknown): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw change(error);
  }
}
