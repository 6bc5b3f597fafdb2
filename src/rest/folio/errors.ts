import type { WireResponse } from "../kit/index.js";

/** A refusal in the words of the API, as plain text. */
export class FolioRefusal extends Error {
  override readonly name = "FolioRefusal";
  constructor(
    readonly status: 400 | 401 | 403 | 404 | 500 | 501,
    text: string,
  ) {
    super(text);
  }
}

/** One entry of a list of errors; a client decides by `message` and `code`. */
export interface ErrorEntry {
  readonly message: string;
  readonly type?: string;
  readonly code?: string;
  readonly parameters?: readonly { readonly key: string; readonly value: string }[];
}

/** A refusal as 422 with a list of errors, which says how many they are where the API does. */
export class FolioErrors extends Error {
  override readonly name = "FolioErrors";
  constructor(
    readonly errors: readonly ErrorEntry[],
    readonly options: { readonly tellsTotal?: boolean } = {},
  ) {
    super(errors[0]?.message ?? "refused");
  }
}

export function textAnswer(status: number, text: string): WireResponse {
  return { status, headers: { "content-type": "text/plain" }, body: text };
}
