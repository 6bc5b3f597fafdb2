import type { Environment, Output } from "./command.js";

/** True where a line may be drawn again and again: on a terminal that can, and that is not a log of automation. */
export function mayRedraw(out: Output, env: Environment): boolean {
  if (out.isTTY !== true || env.TERM === "dumb") return false;
  return env.CI === undefined || env.CI === "" || env.CI === "false" || env.CI === "0";
}
