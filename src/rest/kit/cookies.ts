// Whose scripts a browser's cookies speak for.
import type { WireRequest } from "./wire.js";

/**
 * The cookie's value, unless a script of a stranger may have sent it along: a browser says of which page it is, and that
 * has to be of this server, or of one of `origins`. What is no browser says nothing, and has no cookies by accident.
 */
export function findCookie(
  request: Pick<WireRequest, "headers" | "origin">,
  name: string,
  origins: readonly string[],
): string | undefined {
  if (!isFriendly(request, origins)) return undefined;
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim());
  const value = pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
  return value === "" ? undefined : value;
}

function isFriendly({ headers, origin }: Pick<WireRequest, "headers" | "origin">, origins: readonly string[]): boolean {
  const { origin: page, "sec-fetch-site": site } = headers;
  if (page === undefined) return site === undefined || site === "same-origin" || site === "none";
  return origins.includes(page) || (URL.canParse(origin) && new URL(origin).origin === page);
}
