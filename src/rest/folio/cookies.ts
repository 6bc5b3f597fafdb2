// The cookies that browsers keep a login in.

/** Where each is sent to: the one that renews a login goes nowhere but to what does that, or ends it. */
const cookiePaths = { folioAccessToken: "/", folioRefreshToken: "/authn" } as const;

export type CookieName = keyof typeof cookiePaths;

export function formatCookie(name: CookieName, value: string, maxAgeSeconds: number): string {
  const path = cookiePaths[name];
  return `${name}=${value}; Max-Age=${maxAgeSeconds}; Path=${path}; HttpOnly; Secure; SameSite=Strict`;
}

/** What makes a browser forget them. */
export function clearCookies(): readonly string[] {
  return [formatCookie("folioAccessToken", "", 0), formatCookie("folioRefreshToken", "", 0)];
}
