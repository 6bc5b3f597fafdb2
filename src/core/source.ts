import { parseSourceAddress, type SourceAddress } from "./source-address.js";
import { SourceError } from "./source-error.js";
import { parseThumbprint, type Thumbprint } from "./thumbprint.js";

/** What a pulled file declares: where its content is, and whom to trust there. */
export interface Source {
  readonly address: SourceAddress;
  /**
   * Must hold for every https server on the way, where it takes the place of all other verification; content comes from
   * none but such a server then. Beside http it is for where that redirects to.
   */
  readonly thumbprint?: Thumbprint | undefined;
}

/**
 * Everything that can be said of a declared source without asking anybody. Throws what `parseSourceAddress` and
 * `parseThumbprint` throw; an empty thumbprint is none, one beside a file is `thumbprint_unusable`.
 */
export function parseSource(uri: string, thumbprint?: string): Source {
  const address = parseSourceAddress(uri);
  const source = { address, thumbprint: thumbprint ? parseThumbprint(thumbprint) : undefined };
  assertThumbprintUsable(source);
  return source;
}

/** Throws `thumbprint_unusable` where no certificate can be asked for: a pin that nobody checks would deceive. */
export function assertThumbprintUsable({ address, thumbprint }: Source): void {
  if (thumbprint === undefined || address.scheme === "https" || address.scheme === "http") return;
  throw new SourceError(
    "thumbprint_unusable",
    `a certificate thumbprint is only for https, or http that leads there, and the source URI is ${address.scheme}; leave it out or use https`,
  );
}
