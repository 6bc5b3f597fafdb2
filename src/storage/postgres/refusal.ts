/** A database that is there and cannot be used; no waiting helps. One sentence. */
export class DatabaseRefusal extends Error {
  override readonly name = "DatabaseRefusal";
  /** True when it is the address that is wrong: the message then says what it must be, and why this one is not. */
  readonly isUrl: boolean;

  constructor(message: string, options: { readonly isUrl: boolean; readonly cause?: unknown }) {
    super(message, { cause: options.cause });
    this.isUrl = options.isUrl;
  }
}
