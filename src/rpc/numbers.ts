import { UploadError } from "../core/index.js";

/** An int64 as a number: what is outside of ±(2^53-1) is refused at this edge (`invalid`, NUMBER_INVALID). */
export function numberFrom(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < -BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new UploadError("invalid", `${what} must be a whole number from 0 to 2^53-1, not ${value}`, {
      reason: "NUMBER_INVALID",
    });
  }
  return Number(value);
}

export function optionalNumberFrom(value: bigint | undefined, what: string): number | undefined {
  return value === undefined ? undefined : numberFrom(value, what);
}
