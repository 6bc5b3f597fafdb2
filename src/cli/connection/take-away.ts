import type { CallOptions } from "@connectrpc/connect";
import type { ErrorReason } from "../../../gen/slipway/upload/v1/error_pb.js";
import { isReason } from "./rpc-error.js";

/**
 * Deletes a thing once. That it is not there is a failure only for the first try: a repeated one finds that the answer
 * to the one before was lost.
 */
export async function takeAway(
  ask: <T>(call: (options: CallOptions) => Promise<T>) => Promise<T>,
  gone: ErrorReason,
  remove: (options: CallOptions) => Promise<unknown>,
): Promise<void> {
  let tries = 0;
  try {
    await ask((options) => {
      tries += 1;
      return remove(options);
    });
  } catch (error) {
    if (tries === 1 || !isReason(error, gone)) throw error;
  }
}
