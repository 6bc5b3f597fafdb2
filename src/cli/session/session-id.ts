import { isId } from "../catalog/find.js";
import { wrongUse } from "../shell/cli-error.js";
import type { Operands } from "../shell/command.js";

export const sessionOperand: Operands = { shape: "SESSION", least: 1, most: 1 };

export function parseSessionId(word: string | undefined): string {
  if (word !== undefined && isId(word)) return word;
  throw wrongUse(`a session is named by its id, which \`slipway ls\` shows, not ${JSON.stringify(word ?? "")}`);
}
