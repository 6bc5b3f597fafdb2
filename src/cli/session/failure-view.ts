import { type Failure, FailureReason, SourceFailure } from "../../../gen/slipway/upload/v1/failure_pb.js";

/** A failure's sentence, and its reasons by their names; nothing of any of it where there is none. */
export function failureJson(failure: Failure | undefined) {
  const { message, reason, sourceFailure } = failure ?? {};
  return {
    failure: message?.defaultMessage,
    failureReason: reason && nameOf(FailureReason, reason),
    sourceFailure: sourceFailure ? nameOf(SourceFailure, sourceFailure) : undefined,
  };
}

/** A newer server may tell what this program has no word for. */
function nameOf(names: Readonly<Record<number, string>>, value: number): string {
  return names[value]?.toLowerCase() ?? "unspecified";
}
