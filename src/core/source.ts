import { parseSourceAddress, type SourceAddress } from "./source-address.js";
import { SourceError } from "./source-error.js";
import { parseThumbprint, type Thumbprint } from "./thumbprint.js";

/** What a pulled file declares: where its content is, and whom to trust there. */
export interface Source {
  readonly address: SourceAddress;
  /** Only with https, where it must hold for every server on the way: it takes the place of all other verification. */
  readonly thumbprint?: Thumbprint | undefined;
}

/**
 * Everything that can be said of a declared source without asking anybody. Throws what `parseSourceAddress` and
 * `parseThumbprint` throw; an empty thumbprint is none, one beside anything but https is `thumbprint_unusable`.
 */
export function parseSource(uri: string, thumbprint?: string): Source {
  const address = parseSourceAddress(uri);
  const source = { address, thumbprint: thumbprint ? parseThumbprint(thumbprint) : undefined };
  assertThumbprintUsable(source);
  return source;
}

/** Throws `thumbprint_unusable` where no certificate can be asked for: a pin that nobody checks would deceive. */
export function assertThumbprintUsable({ address, thumbprint }: Source): void {
  if (thumbprint === undefined || address.scheme === "https") return;
  throw new SourceError(
    "thumbprint_unusable",
    `a certificate thumbprint is only for https, and the source URI is ${address.scheme}; leave it out or use https`,
  );
}
