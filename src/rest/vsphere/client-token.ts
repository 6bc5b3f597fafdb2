import { isUploadError } from "../../core/index.js";
import { invalidArgument } from "./errors.js";

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What makes a creation repeatable: a UUID, in lower case, of which every version will do. Throws `invalid_argument`. */
export function parseClientToken(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const token = text.toLowerCase();
  if (uuid.test(token)) return token;
  const shown = JSON.stringify(text.slice(0, 80));
  throw invalidArgument("client_token_malformed", `client_token is a UUID, not ${shown}`, [text.slice(0, 80)]);
}

/** The id of what is created; of what was created by the same token, also when that is gone since. */
export async function idOfCreated(created: Promise<{ readonly id: string }>): Promise<string> {
  try {
    return (await created).id;
  } catch (error) {
    if (isUploadError(error, "not_found") && error.details.made !== undefined) return error.details.made;
    throw error;
  }
}
