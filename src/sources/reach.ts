import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { SourceError } from "../core/index.js";
import type { AddressPolicy } from "./address-policy.js";

/** The addresses of a name, by whatever the system asks for them. */
export type LookUp = (host: string) => Promise<readonly string[]>;

export const lookUpBySystem: LookUp = async (host) =>
  (await lookup(host, { all: true, order: "verbatim" })).map(({ address }) => address);

/** The name or the address alone: an IPv6 address without its brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

/**
 * The addresses of a URL's host that may be reached. The name is looked up here, once, and the connection goes to these
 * addresses and no others: what the name resolves to later does not matter. Throws `address_forbidden`, without saying
 * what a name inside of the operator's network resolves to, and `unreachable`.
 */
export async function findReachable(
  url: URL,
  deps: { readonly policy: AddressPolicy; readonly lookUp: LookUp },
): Promise<readonly string[]> {
  const host = hostOf(url);
  const addresses = isIP(host) === 0 ? await resolve(host, deps.lookUp) : [host];
  const reachable = addresses.filter((address) => deps.policy.allows(address, host));
  if (reachable.length > 0) return reachable;
  throw new SourceError(
    "address_forbidden",
    `${url.host} is not a public address, and the server's setting SLIPWAY_PULL_ALLOW does not name it`,
  );
}

async function resolve(host: string, lookUp: LookUp): Promise<readonly string[]> {
  try {
    return await lookUp(host);
  } catch (cause) {
    throw new SourceError("unreachable", `the name ${host} could not be looked up; check it, or try again later`, {
      cause,
    });
  }
}
