// What changes of libraries and of items have in common.
import { isUploadError } from "../../../core/index.js";
import { invalidArgument, vapiError } from "../errors.js";

/** The version that a thing must have; throws `invalid_argument` for what no version looks like. */
export function parseVersion(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const shown = text.slice(0, 80).toWellFormed();
  throw invalidArgument("version_malformed", `version is a whole number, not ${JSON.stringify(shown)}`);
}

/** What is deleted while something is under way on it is in use, where it would otherwise be busy. */
export async function unlessInUse(deletion: Promise<void>): Promise<void> {
  try {
    await deletion;
  } catch (error) {
    if (isUploadError(error, "busy")) throw vapiError("resource_in_use", "item_busy", error.message);
    throw error;
  }
}
